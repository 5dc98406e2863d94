"""One symbol's daily rows as traded, from whatever source: what normalisers make, gates judge and the catalog keeps."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from plimsoll.engine.market.bars import RawBars
from plimsoll.engine.types import Bools, Dates, Floats, Ints

PRICES: Final = ("open", "high", "low", "close")
VALUES: Final = (*PRICES, "volume", "dividend", "split", "gain")


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """R daily rows as traded, nothing adjusted; NaN = not known.

    index : the series is an index: closes only matter, it is never traded.
    session : (R,) datetime64[D], ascending. source : (R,) which source told the row.
    open, high, low, close : dollars per share of that session. volume : shares of that session.
    dividend : all cash per share of that session on its ex-date, 0 = none. split : new shares per old one in force at
        that open, 1 = none. gain : what of the cash a source calls a capital gain, 0 = none.
    """

    symbol: str
    index: bool
    session: Dates
    source: NDArray[np.str_]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    dividend: Floats
    split: Floats
    gain: Floats

    def __len__(self) -> int:
        """Return R."""
        return len(self.session)

    def take(self, rows: Bools | Ints | slice) -> "History":
        """Return the rows that a mask, an index array or a slice picks."""
        picked: dict[str, Any] = {name: getattr(self, name)[rows] for name in ("session", "source", *VALUES)}
        return replace(self, **picked)

    def column(self, name: str) -> Floats:
        """Return one of `VALUES`."""
        found: Floats = getattr(self, name)
        return found

    def raw(self, where: str) -> RawBars:
        """Return the rows in the form every source hands over."""
        return RawBars(
            symbol=self.symbol,
            where=where,
            interval="1d",
            stamp=self.session.astype("datetime64[s]"),
            open=self.open,
            high=self.high,
            low=self.low,
            close=self.close,
            volume=self.volume,
            dividend=self.dividend,
            split=self.split,
        )


def joined(first: History, second: History) -> History:
    """Return the rows of both in the order of their sessions; where both have one, `first`'s come first."""
    both: dict[str, Any] = {
        name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in ("session", "source", *VALUES)
    }
    order = np.argsort(both["session"], kind="stable")
    return replace(first, **{name: column[order] for name, column in both.items()})
