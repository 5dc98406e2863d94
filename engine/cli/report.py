"""`plimsoll report`."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from plimsoll.engine.cli.options import command_host
from plimsoll.engine.report.compare import words
from plimsoll.engine.report.compare.comparison import Comparison
from plimsoll.engine.report.folder import json_bytes
from plimsoll.engine.verbs.compare import compare
from plimsoll.engine.verbs.report import report

if TYPE_CHECKING:
    from plimsoll.engine.report.tearsheet.page_table import PageTable

PAGE = "compare.html"


@dataclass(frozen=True, slots=True)
class Output:
    """Where a page goes and how much is said."""

    out: Path | None
    force: bool
    as_json: bool
    quiet: bool


def run_report(run: Path, output: Output) -> None:
    """Print a finished run as its backtest did; write its page anew where asked."""
    result = report(run, output.out, force=output.force)
    page = run / "report.html" if output.out is None else output.out
    if output.quiet:
        sys.stdout.write(f"{page}\n")
        return
    result.summary(as_json=output.as_json)
    if not output.as_json:
        sys.stdout.write(f"Report    {page}\n")


def run_compare(
    first: Path, others: Sequence[Path], focus: Sequence[str], data: Path | None, seed: int, output: Output
) -> None:
    """Compare runs, write the page, print the tables."""
    out, force = output.out, output.force
    if out is None and first.is_dir():
        out, force = first / PAGE, True  # the page of the last comparison, made of what is on the disk
    host = command_host(quiet=output.quiet)
    made = compare(first, *others, focus=focus, data=data, seed=seed, out=out, force=force, host=host)
    if output.as_json:
        sys.stdout.write(json_bytes(_plain(made.comparison)).decode())
    elif output.quiet:
        sys.stdout.write("" if made.page is None else f"{made.page}\n")
    else:
        _show(made.comparison)
        sys.stdout.write("No page: name one with --out\n" if made.page is None else f"Page      {made.page}\n")


def _show(found: Comparison) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    settings = words.setting_table(found)
    years = words.year_table(found)
    for table in (words.figure_table(found), words.focus_table(found), years, words.test_table(found), settings):
        if table is not None and table.rows:
            console.print(_table(table))
    for line in words.verdicts(found):
        console.print(line, markup=False)


def _table(table: "PageTable") -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(title=table.caption, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, head in enumerate(table.head):
        made.add_column(Text(head), justify="left" if place == 0 else "right", overflow="fold")
    for row in table.rows:
        made.add_row(*(Text(cell) for cell in row))
    return made


def _plain(found: Comparison) -> dict[str, Any]:
    """Return the tables in plain values; NaN becomes null."""
    lined = found.lined
    frames = {
        "figures": found.figures, "years": found.years, "crises": found.crises, "differences": found.tests,
        "settings": found.settings,
    }  # fmt: skip
    tables = {name: _frame(frame) for name, frame in frames.items()}
    periods = found.focus.index.get_level_values(0).unique() if len(found.focus) else ()
    tables["focus"] = {str(period): _frame(found.focus.loc[period]) for period in periods}
    runs = {label: {"run_id": run.run_id, "data_hash": run.data_hash} for label, run in lined.runs.items()}
    span = {"first": str(lined.sessions[0]), "last": str(lined.sessions[-1]), "sessions": len(lined.sessions)}
    return {"runs": runs, "span": span, "left_out": list(lined.left_out), "seed": found.seed} | tables


def _frame(frame: pd.DataFrame) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for key, values in frame.iterrows():
        rows[str(key)] = {str(name): _value(value) for name, value in values.items()}
    return rows


def _value(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    return None if pd.isna(value) else int(value) if isinstance(value, int) else float(value)
