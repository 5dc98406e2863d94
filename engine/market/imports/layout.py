"""One vendor's or tool's layout: what it is recognised by, what its columns mean, what its documentation promises."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from plimsoll.engine.market.imports.flags import Adjustment, BarStamp, DateOrder
from plimsoll.engine.market.imports.sheet import Sheet

# What a column may be. `time` belongs to `date`; `gain` is what of the cash a source calls a capital gain.
Role: TypeAlias = Literal[
    "date", "time", "symbol", "open", "high", "low", "close", "adj_close", "volume", "dividend", "split", "gain"
]
# Besides what prices contain: "actions" = the listed actions and the prices' grid tell, "own" = the CSV reader's rules.
Told: TypeAlias = Adjustment | Literal["actions", "own", ""]


@dataclass(frozen=True, slots=True)
class Layout:
    """What is known of one layout; "" = it cannot be known, and the user is asked.

    key : its short name; "file:KEY" is the source of rows in a catalog. title : its name in messages.
    fits : the fingerprint. columns : header name, lower case, or position in a file without a header -> its role.
    date_order : of dates with slashes. zone : of stamps without one. stamp : where a bar's stamp stands.
    adjustment : what prices contain. unit : prices are whole numbers of 1 / unit. symbol_of : a symbol from a file's
    name, "" if it has none. unfold : from a table of many symbols side by side to one table each, with their symbols.
    note : what is worth saying of every such file.
    """

    key: str
    title: str
    fits: Callable[[Sheet], bool]
    columns: Mapping[str | int, Role]
    date_order: DateOrder | Literal[""] = ""
    zone: str = ""
    stamp: BarStamp | Literal[""] = ""
    adjustment: Told = ""
    adjustment_of: Callable[[Sheet], Told] | None = None
    unit: float = 1.0
    symbol_of: Callable[[Sheet], str] | None = None
    unfold: Callable[[Sheet], Iterable[tuple[str, Sheet]]] | None = None
    note: str = ""

    @property
    def source(self) -> str:
        """Who told the rows, for the catalog."""
        return f"file:{self.key}"

    def told(self, sheet: Sheet) -> Told:
        """Return what the prices of one file contain, as far as the layout or the file's name tells."""
        return self.adjustment_of(sheet) if self.adjustment_of is not None else self.adjustment


# What a table of no vendor in particular, or a user who adds to one, may call what was paid and split.
ACTIONS: Final[Mapping[str | int, Role]] = {
    **dict.fromkeys(("adj_close", "adj close", "adjclose", "adjusted_close", "adjusted close"), "adj_close"),
    **dict.fromkeys(("dividend", "dividends"), "dividend"),
    **dict.fromkeys(("split", "splits", "stock splits", "stock_splits"), "split"),
    **dict.fromkeys(("capital gains", "capital_gains"), "gain"),
}


def headed(*names: str) -> Callable[[Sheet], bool]:
    """Return the fingerprint of a header that holds all of `names` (lower case)."""
    wanted = frozenset(names)
    return lambda sheet: wanted <= set(sheet.names)


def same(*names: Role) -> dict[str | int, Role]:
    """Return the columns whose names are what they mean."""
    return {name: name for name in names}
