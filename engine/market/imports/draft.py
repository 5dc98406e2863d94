"""One symbol's rows as one file tells them, in exchange time, nothing adjusted and nothing judged yet."""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.imports.layout import Layout, Told
from plimsoll.engine.market.imports.sheet import Sheet
from plimsoll.engine.types import Bools, Dates, Floats, Ints

VALUES: Final[tuple[str, ...]] = ("open", "high", "low", "close", "adj_close", "volume", "dividend", "split", "gain")


class Passed(NamedTuple):
    """The text that a draft's rows stand in, word for word: a sheet, and the line of each row (R,) after its header."""

    sheet: Sheet
    line: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """R rows, ascending.

    stamp : (R,) datetime64[s], the bar's start by New York's clock, midnight for daily rows. interval : "1d", "5min".
    columns : what the file has of `VALUES`, (R,), NaN = not known. told : what its prices contain, "" = not known yet.
    said : what was recognised and assumed, a line each. passed : set where the file already is as this package writes.
    """

    symbol: str
    layout: Layout
    where: str
    interval: str
    stamp: Dates
    columns: dict[str, Floats]
    told: Told
    said: tuple[str, ...] = ()
    passed: Passed | None = None

    def take(self, rows: Bools | Ints) -> "Draft":
        """Return the rows that a mask or an index array picks."""
        return replace(
            self,
            stamp=self.stamp[rows],
            columns={name: column[rows] for name, column in self.columns.items()},
            passed=None if self.passed is None else self.passed._replace(line=self.passed.line[rows]),
        )

    def saying(self, *lines: str) -> "Draft":
        """Return it with more said."""
        return replace(self, said=tuple(dict.fromkeys((*self.said, *(line for line in lines if line)))))


def joined(drafts: list[Draft]) -> Draft:
    """Return the rows of one symbol's files, such as a file a day, as one draft.

    Raises
    ------
    DataError
        If they are of different vendors, intervals or columns, or two of them tell the same bar.
    """
    first, *more = drafts
    for other in more:
        if (other.layout.key, other.interval) != (first.layout.key, first.interval):
            what = f"{first.symbol} is in {first.where} ({first.layout.title}, {first.interval}) too"
            cause = f"this is {other.layout.title}, {other.interval}; rows of two sources are never mixed"
            raise DataError(what, where=other.where, cause=cause, fix="import one of them")
        if other.columns.keys() != first.columns.keys() or other.told != first.told:
            raise DataError(f"{first.symbol}: other columns than {first.where} has", where=other.where)
    if not more:
        return first
    stamp = np.concatenate([one.stamp for one in drafts])
    order = np.argsort(stamp, kind="stable")
    columns = {name: np.concatenate([one.columns[name] for one in drafts])[order] for name in first.columns}
    ascending = stamp[order]
    twice = np.flatnonzero(ascending[1:] == ascending[:-1])
    if len(twice):
        bar = str(ascending[twice[0]]).replace("T", " ")
        fix = "import each bar once"
        raise DataError(f"{first.symbol}, {bar}: the bar is in two of the files", where=first.where, fix=fix)
    said = tuple(dict.fromkeys(line for one in drafts for line in one.said))
    whole = replace(first, stamp=ascending, columns=columns, said=said, passed=None)
    return whole.saying(f"{len(drafts)} files were joined")
