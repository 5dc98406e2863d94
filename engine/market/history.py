"""One symbol's daily rows as traded, from whatever source: what normalisers make, gates judge and the catalog keeps."""

from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plimsoll.engine.market.bars import RawBars
from plimsoll.engine.types import Bools, Dates, Floats, Ints

Kind: TypeAlias = Literal["traded", "index", "adjusted"]
PRICES: Final = ("open", "high", "low", "close")
VALUES: Final = (*PRICES, "volume", "dividend", "split", "gain")


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """R daily rows as traded, nothing adjusted; NaN = not known.

    kind : traded, an index (only closes matter, it is never traded), or adjusted (closes are adjusted for everything,
        the other prices are the same, there are no actions and no volume: returns are all that can be had of it).
    session : (R,) datetime64[D], ascending. source : (R,) which source told the row.
    open, high, low, close : dollars per share of that session. volume : shares of that session.
    dividend : all cash per share of that session on its ex-date, 0 = none. split : new shares per old one in force at
        that open, 1 = none. gain : what of the cash a source calls a capital gain, 0 = none.
    """

    symbol: str
    kind: Kind
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

    @property
    def index(self) -> bool:
        """Whether it is an index."""
        return self.kind == "index"

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
        traded = self.kind != "adjusted"
        unknown = np.full(len(self), np.nan)
        return RawBars(
            symbol=self.symbol,
            where=where,
            interval="1d",
            stamp=self.session.astype("datetime64[s]"),
            open=self.open if traded else unknown,
            high=self.high if traded else unknown,
            low=self.low if traded else unknown,
            close=self.close if traded else unknown,
            volume=self.volume if traded else unknown,
            adj_close=None if traded else self.close,
            dividend=self.dividend if traded else None,
            split=self.split if traded else None,
        )


def joined(first: History, second: History) -> History:
    """Return the rows of both in the order of their sessions; where both have one, `first`'s come first."""
    both: dict[str, Any] = {
        name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in ("session", "source", *VALUES)
    }
    order = np.argsort(both["session"], kind="stable")
    return replace(first, **{name: column[order] for name, column in both.items()})
