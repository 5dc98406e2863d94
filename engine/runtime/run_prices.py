"""The market that a run was marked by, kept beside its tables: what round trips and attribution are reckoned from."""

from dataclasses import dataclass

import numpy as np

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

    def close_in_last_units(self) -> Floats:
        """Return (T, N) closes in the share units of the last bar; the closes themselves where nothing was split."""
        later = np.ones_like(self.split)
        if not (self.split[1:] != 1.0).any():
            return self.close
        later[:-1] = np.cumprod(self.split[:0:-1], axis=0)[::-1]
        return self.close / later


def run_prices(panel: Panel, span: slice) -> RunPrices:
    """Return the prices of the bars of `span`."""
    return RunPrices(
        panel.open[span], panel.close[span], panel.high[span], panel.low[span], panel.dividend[span], panel.split[span]
    )
