"""Numbers as people's programs write them: currency signs, thousands, K and M, and a comma for the decimal mark."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.csv.explain import EMPTY
from plimsoll.engine.market.imports.flags import Mark, ask
from plimsoll.engine.types import Floats

# What foreign files write for "not known", beside what our own may.
UNKNOWN: Final = (*EMPTY, "-", "--", "None", "N/D", "#N/A", "<NA>")
_SCALE: Final = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
_SIGNS: Final = re.compile(r"[$€£\s\u00a0\u202f'%]")
_NUMBER: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([KMBT]?)")
_GROUPS: Final = {mark: re.compile(rf"\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+") for mark in ".,"}


def decimal_mark(cells: Sequence[str], where: str, *, separator: str) -> Mark:
    """Return the decimal mark that a file's prices show.

    Both marks in one cell: the later one. A mark that is never followed by three digits alone is one; a comma between
    groups of three everywhere may be either, and is asked for. So is such a point where semicolons separate the cells,
    as they do where the comma is the decimal mark; elsewhere a point is one.

    Raises
    ------
    DataError
        If the file cannot tell.
    """
    plain = [text for cell in cells if (text := _SIGNS.sub("", cell).lstrip("+-").rstrip("KMBT")) not in UNKNOWN]
    both = [cell for cell in plain if "." in cell and "," in cell]
    if both:
        return "." if both[0].rfind(".") > both[0].rfind(",") else ","
    for mark in (",", "."):
        used = [cell for cell in plain if mark in cell]
        if not used:
            continue
        if any(not _GROUPS[mark].fullmatch(cell) for cell in used):
            return "," if mark == "," else "."
        if mark == "," or separator == ";":
            what = f"{used[0]!r} may be a number with three decimals or one with thousands"
            raise ask(what, where, "--decimal '.' or --decimal ','")
    return "."


def numbers(cells: Sequence[str | None], mark: Mark, where: str, column: str, skip: int) -> Floats:
    """Return cells (R,) as numbers, NaN where not known. skip : lines before the first of them.

    Raises
    ------
    DataError
        At the first cell that is no number.
    """
    found = np.full(len(cells), np.nan)
    other = "," if mark == "." else "."
    for row, cell in enumerate(cells):
        if cell is None or (text := _SIGNS.sub("", cell)) in UNKNOWN:
            continue
        parts = _NUMBER.fullmatch(text.replace(other, "").replace(mark, "."))
        if parts is None:
            raise DataError(f"line {row + skip + 1}: {column} {cell[:40]!r} is not a number", where=where)
        found[row] = float(parts[1]) * _SCALE[parts[2]]
    return found
