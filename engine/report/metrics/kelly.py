"""The Kelly bound: how much volatility a Sharpe ratio is worth."""

from typing import Final

import numpy as np

from plimsoll.engine.report.metrics.returns import FEWEST_SESSIONS, Figures
from plimsoll.engine.runtime.curves import Curves
from plimsoll.engine.runtime.record import Record

# Full Kelly is a volatility equal to the Sharpe ratio; half of it gives up a quarter of the growth.
FRACTION: Final = 0.5


def kelly_block(record: Record, curves: Curves, sharpe: float) -> Figures | None:
    """Return the volatility that a book was sized to, half its Sharpe ratio, and whether the first exceeds the second.

    curves : of the run's diagnostics. sharpe : over bills, estimated from the run itself, net of costs. sigma_p : the
    highest target of a decision times `turnover.kelly`, per year. None for a run without a volatility target, or of too
    few sessions for a Sharpe ratio.
    Source: portfolio integration layer, sizing; Thorp (2006), The Kelly criterion in blackjack, sports betting and the
    stock market: growth is greatest at sigma = Sharpe ratio.
    """
    if ("book", "sigma_p") not in curves or len(record.sessions) < FEWEST_SESSIONS or not np.isfinite(sharpe):
        return None
    sized = float(np.max(curves["book", "sigma_p"][1])) * float(record.config["integrator"]["turnover"]["kelly"])
    bound = FRACTION * max(sharpe, 0.0)
    return {"sigma_p": sized, "sharpe_excess": sharpe, "half_kelly": bound, "exceeded": sized > bound}
