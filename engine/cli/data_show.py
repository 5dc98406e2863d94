"""`plimsoll data show`: a chart of letters, what happened, the last rows; or a page."""

import json
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from plimsoll.engine.cli.chart import LABEL, WIDTH, chart, folded
from plimsoll.engine.cli.data import FROM_FILE, DataOutput, columns, print_table, run_show
from plimsoll.engine.cli.data_import import finding_lines
from plimsoll.engine.errors import OutputError
from plimsoll.engine.report.prices.sight import Sight
from plimsoll.engine.types import Bools, Dates
from plimsoll.engine.verbs.data_show import rows_of, see_data
from plimsoll.engine.verbs.host import Host

# Less does not hold a date and a price.
NARROWEST: Final = 40


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """What to show and how.

    data : a folder, None = the catalog. interval : of the folder's bars, "" = as its files say. html : the page's file,
    None = the terminal.
    """

    symbol: str
    rows: int
    data: Path | None
    interval: str
    log: bool
    html: Path | None


def show_symbol(wanted: ShowOptions, output: DataOutput) -> None:
    """Print or write what there is to see of a symbol.

    Raises
    ------
    InputError
        If it is not there, cannot be read, or the page cannot be written.
    """
    if output.as_json and wanted.data is None:
        run_show(wanted.symbol, wanted.rows, output)
        return
    host = Host(os.environ, clock=_now)
    sight = see_data(wanted.symbol, data=wanted.data, interval=wanted.interval, catalog=output.catalog, host=host)
    if output.as_json:
        sys.stdout.write(json.dumps(rows_of(sight, wanted.rows), indent=2, allow_nan=False) + "\n")
        return
    if wanted.html is not None:
        _page(sight, wanted.html)
        return
    for line in lines_of(sight, log=wanted.log, width=columns()):
        sys.stdout.write(f"{line}\n")
    if wanted.data is None:
        run_show(wanted.symbol, wanted.rows, output)
        return
    rows = rows_of(sight, wanted.rows)
    print_table(tuple(rows[0]), rows)


def lines_of(sight: Sight, *, log: bool, width: int = WIDTH) -> list[str]:
    """Return the chart and what is said below it, folded where it is longer than `width`."""
    n_rows = len(sight.stamp)
    marks: dict[str, tuple[str, Bools]] = {
        "dividends": ("d", sight.dividend > 0.0),
        "splits": ("s", sight.split != 1.0),
        "gaps": (".", _before(sight, sight.missing)),
        "revised": ("v", np.isin(sight.stamp.astype("datetime64[D]"), sight.revised)),
        "findings": ("!", sight.flagged()),
    }
    drawn_width = max(min(WIDTH, width), NARROWEST)
    drawn = chart(sight.stamp, sight.low, sight.high, sight.close, marks, log=log, width=drawn_width)
    what = "sessions" if sight.interval == "1d" else f"{sight.interval} bars"
    n_columns = drawn_width - LABEL - 1
    per = f"a column is {n_rows / n_columns:.0f} of them: " if n_rows > n_columns else ""
    head = (
        f"{sight.symbol}: {n_rows:,} {what}, {str(sight.stamp[0])[:10]} to {str(sight.stamp[-1])[:10]}, "
        f"close {sight.close[-1]:,.10g}; {per}| from low to high, o the last close{', log scale' if log else ''}"
    )
    lines = [head, *_actions(sight)]
    if len(sight.missing):
        shown = ", ".join(str(day) for day in sight.missing[:3]) + (", ..." if len(sight.missing) > 3 else "")
        lines.append(f"{len(sight.missing)} sessions without a row: {shown}")
    if len(sight.revised):
        shown = ", ".join(str(day) for day in sight.revised[-3:])
        lines.append(f"{len(sight.revised)} sessions were revised, the last {shown}")
    lines += [*sight.said, *(finding_lines(sight.findings, _command(sight)) if sight.findings else ())]
    return drawn + [part for line in lines for part in folded(line, max(width, NARROWEST))]


def _command(sight: Sight) -> str:
    """Return the command that a word for a session goes with."""
    if sight.source and not sight.source.startswith(FROM_FILE):
        return f"plimsoll data pull {sight.symbol}"
    return f"plimsoll data import {'FILE --out catalog' if sight.source else sight.where}"


def _actions(sight: Sight) -> list[str]:
    paid, split = np.flatnonzero(sight.dividend > 0.0), np.flatnonzero(sight.split != 1.0)
    lines = []
    if len(paid):
        last = paid[-1]
        lines.append(f"{len(paid)} dividends, the last {sight.dividend[last]:.6g} on {str(sight.stamp[last])[:10]}")
    if len(split):
        shown = ", ".join(f"{sight.split[at]:.6g} on {str(sight.stamp[at])[:10]}" for at in split[-5:])
        lines.append(f"{len(split)} splits (new shares for an old one): {shown}")
    return lines


def _before(sight: Sight, days: Dates) -> Bools:
    """Return which rows (R,) stand before a session of `days` that has no row."""
    have: Bools = np.zeros(len(sight.stamp), dtype=np.bool_)
    have[np.searchsorted(sight.stamp.astype("datetime64[D]"), days) - 1] = True
    return have


def _page(sight: Sight, path: Path) -> None:
    from plimsoll.engine.report.prices.page import prices_html

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(prices_html(sight), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror}", where=str(path)) from error
    sys.stdout.write(f"{path}\n")


def _now() -> datetime:
    return datetime.now(UTC)
