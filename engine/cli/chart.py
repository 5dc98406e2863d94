"""A chart of letters: a column covers its bars from the lowest low to the highest high, nothing is left out."""

import textwrap
from collections.abc import Mapping
from typing import Final

import numpy as np

from plimsoll.engine.types import Bools, Dates, Floats, Ints

WIDTH: Final = 80
HEIGHT: Final = 14
LABEL: Final = 10


def chart(
    stamp: Dates,
    low: Floats,
    high: Floats,
    close: Floats,
    marks: Mapping[str, tuple[str, Bools]],
    *,
    log: bool = False,
    width: int = WIDTH,
) -> list[str]:
    """Return the lines of a chart, none longer than `width`.

    stamp, low, high, close : (R,), R >= 1; NaN is not drawn. marks : label -> a letter and which bars (R,) have it; a
    row below the chart where any has. log : equal distances are equal ratios.
    """
    columns = min(width - LABEL - 1, len(stamp))
    column = np.arange(len(stamp), dtype=np.int64) * columns // len(stamp)
    starts = np.searchsorted(column, np.arange(columns))
    bottom, top = (np.where(np.isnan(low), close, low), np.where(np.isnan(high), close, high))
    known = np.isfinite(bottom) & np.isfinite(top) & np.isfinite(close) & ((bottom > 0.0) | (not log))
    if not known.any():
        return ["no price to draw"]
    least, most = float(bottom[known].min()), float(top[known].max())
    floor = np.minimum.reduceat(np.where(known, bottom, np.inf), starts)
    ceiling = np.maximum.reduceat(np.where(known, top, -np.inf), starts)
    rows = [_row(values, least, most, log) for values in (floor, ceiling, _last(close, known, starts))]
    lines = []
    for row in reversed(range(HEIGHT)):
        cells = [_cell(row, *(int(one[k]) for one in rows)) if np.isfinite(floor[k]) else " " for k in range(columns)]
        lines.append(f"{_label(row, least, most, log):>{LABEL}} {''.join(cells)}".rstrip())
    lines.append(_dates(stamp, columns))
    for label, (letter, have) in marks.items():
        if have.any():
            hit = np.maximum.reduceat(have.astype(np.int8), starts)
            lines.append(f"{label:>{LABEL}} {''.join(letter if one else ' ' for one in hit)}".rstrip())
    return lines


def folded(line: str, width: int) -> list[str]:
    """Return a line as lines of at most `width` columns, those after the first indented; a longer word stays whole."""
    return textwrap.wrap(line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _row(values: Floats, least: float, most: float, log: bool) -> Ints:
    """Return the row of the chart of each value, 0 at the bottom."""
    if most <= least:
        return np.full(len(values), HEIGHT // 2, dtype=np.int64)
    finite = np.where(np.isfinite(values), values, least)
    share = np.log(finite / least) / np.log(most / least) if log else (finite - least) / (most - least)
    rows: Ints = np.clip(np.round(share * (HEIGHT - 1)), 0, HEIGHT - 1).astype(np.int64)
    return rows


def _last(close: Floats, known: Bools, starts: Ints) -> Floats:
    """Return the last close that is known of each column's bars."""
    at = np.where(known, np.arange(len(close)), -1)
    last = np.maximum.reduceat(at, starts)
    found: Floats = np.where(last >= 0, close[last], np.nan)
    return found


def _cell(row: int, low: int, high: int, close: int) -> str:
    if row == close:
        return "o"
    return "|" if low <= row <= high else " "


def _label(row: int, least: float, most: float, log: bool) -> str:
    """Return the price of every third row."""
    if (HEIGHT - 1 - row) % 3 and row:
        return ""
    share = row / (HEIGHT - 1)
    price = least * (most / least) ** share if log else least + (most - least) * share
    return f"{price:,.2f}" if price < 1e6 else f"{price:,.0f}"


def _dates(stamp: Dates, columns: int) -> str:
    first, middle, last = (str(stamp[at])[:10] for at in (0, len(stamp) // 2, -1))
    if columns < 2 * len(first) + 2:
        return f"{'':{LABEL}} {first}" if first == last else f"{'':{LABEL}} {first} to {last}"
    line = f"{first}{'':{columns - 20}}{last}"
    if columns >= 36:
        at = columns // 2 - 5
        line = line[:at] + middle + line[at + 10 :]
    return f"{'':{LABEL}} {line}"
