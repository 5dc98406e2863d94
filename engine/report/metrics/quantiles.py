"""How returns of a session, a month and a year are distributed, in quantiles."""

from typing import Final

import numpy as np

from plimsoll.engine.report.metrics.periods import by_month, by_year
from plimsoll.engine.report.metrics.returns import Figures
from plimsoll.engine.types import Dates, Floats

SHARES: Final = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


def quantile_rows(returns: Floats, sessions: Dates) -> list[Figures]:
    """Return a row per horizon: `horizon`, `count` and `quantiles`, one per share of `SHARES`, linearly interpolated.

    Months and years are those of the calendar; the first and the last may be incomplete and count as they are.
    """
    horizons = (
        ("session", returns),
        ("month", np.array([month.total for month in by_month(returns, sessions)])),
        ("year", np.array([year.total for year in by_year(returns, sessions)])),
    )
    return [
        {"horizon": name, "count": len(values), "quantiles": [float(q) for q in np.quantile(values, SHARES)]}
        for name, values in horizons
        if len(values)
    ]
