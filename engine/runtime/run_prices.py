"""The market that a run was marked by, kept beside its tables: what round trips and attribution are reckoned from."""

from dataclasses import dataclass

from plimsoll.engine.market.panel import Panel
from plimsoll.engine.types import Floats


@dataclass(frozen=True, slots=True, eq=False)
class RunPrices:
    """Prices and actions of a run's bars, (T, N) in the columns of its weights; views of the panel, NaN = no row.

    open, close, high, low : dollars a share, as traded. dividend : cash a share after the bar's split. split : new
    shares per old share, 1 = none.
    """

    open: Floats
    close: Floats
    high: Floats
    low: Floats
    dividend: Floats
    split: Floats


def run_prices(panel: Panel, span: slice) -> RunPrices:
    """Return the prices of the bars of `span`."""
    return RunPrices(
        panel.open[span], panel.close[span], panel.high[span], panel.low[span], panel.dividend[span], panel.split[span]
    )
