"""What there is to see of one symbol, for the terminal and the page alike."""

from dataclasses import dataclass

import numpy as np

from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.types import Bools, Dates, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One symbol's bars; R rows, as they are kept.

    where : the file or catalog. interval : "1d", "5min" ... stamp : (R,) datetime64[s]. open, low, high,
    close : (R,) prices.
    volume : (R,), NaN unknown. dividend : (R,) per share, 0 = none. split : (R,), 1 = none. missing : (M,) sessions
    between the first row and the last that have none. revised : (V,) sessions that a later pull corrected.
    findings : what the gates said. said : how the rows are read. source : who told the last row of a catalog's, "".
    """

    symbol: str
    where: str
    interval: str
    stamp: Dates
    open: Floats
    low: Floats
    high: Floats
    close: Floats
    volume: Floats
    dividend: Floats
    split: Floats
    missing: Dates
    revised: Dates
    findings: tuple[GateFinding, ...] = ()
    said: tuple[str, ...] = ()
    source: str = ""

    def flagged(self) -> Bools:
        """Return which rows (R,) a finding speaks of; one of a session without a row, by the row before."""
        days = self.stamp.astype("datetime64[D]")
        told = np.array([one.session[:10] for one in self.findings if one.session], dtype="datetime64[D]")
        at = np.searchsorted(days, told, side="right") - 1
        flags: Bools = np.zeros(len(days), dtype=np.bool_)
        flags[at[at >= 0]] = True
        return flags
