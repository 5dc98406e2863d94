"""One symbol, three spellings: ours, Yahoo's and Alpaca's; and a book's own, which may be any of them."""

import re
from collections.abc import Iterable
from typing import Final

from plimsoll.engine.errors import DataError

# Series that exist as indices only, by our name: nobody can trade them, and a source that sells shares has none.
INDICES: Final = frozenset(
    ("VIX", "VIX9D", "VIX3M", "VIX6M", "VVIX", "SKEW", "IRX", "FVX", "TNX", "TYX", "GSPC", "NDX", "DJI", "RUT", "OVX")
)
_NAME: Final = re.compile(r"[A-Z0-9][A-Z0-9]*([.][A-Z]{1,3})?")


def canonical(name: str) -> str:
    """Return our spelling of a symbol: capitals, a class of shares after a point (BRK.B), an index without caret.

    Raises
    ------
    DataError
        If it is no symbol of the New York market.
    """
    word = name.strip().upper()
    plain = pointed(word.removeprefix("^"))
    if not _NAME.fullmatch(plain) or (word.startswith("^") and plain not in INDICES):
        fix = "write SPY, BRK.B or VIX" if not word.startswith("^") else f"indices known: {', '.join(sorted(INDICES))}"
        raise DataError(f"{name!r} is not a symbol this catalog can hold", fix=fix)
    return plain


def is_index(symbol: str) -> bool:
    """Say whether a symbol in our spelling names an index: seen by strategies, never traded."""
    return symbol in INDICES


def yahoo_name(symbol: str) -> str:
    """Return Yahoo's spelling: BRK-B, ^VIX."""
    return f"^{symbol}" if is_index(symbol) else symbol.replace(".", "-")


def alpaca_name(symbol: str) -> str | None:
    """Return Alpaca's spelling, BRK.B; None for an index, which it has not."""
    return None if is_index(symbol) else pointed(symbol)


def pointed(symbol: str) -> str:
    """Return a symbol with a class of shares after a point, as brokers write it, whoever wrote it: BRK-B, BRK/B."""
    return symbol.replace("-", ".").replace("/", ".")


class Spelling:
    """How a book writes what others write with a point; `symbols` : the book's.

    Raises
    ------
    DataError
        If two of them are one symbol to a broker.
    """

    def __init__(self, symbols: Iterable[str] = ()) -> None:
        self._ours: dict[str, str] = {}
        for symbol in symbols:
            other = self._ours.setdefault(pointed(symbol), symbol)
            if other != symbol:
                raise DataError(f"{symbol} and {other} are one symbol to a broker", fix="drop one")

    def ours(self, symbol: str) -> str:
        """Return the book's spelling of a symbol however it is written; one that is not the book's stays as it is."""
        return self._ours.get(pointed(symbol), symbol)

    @property
    def theirs(self) -> tuple[str, ...]:
        """The book's symbols as brokers write them, in the book's order."""
        return tuple(self._ours)
