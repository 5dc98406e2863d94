"""`plimsoll trials`."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from plimsoll.engine.errors import ConfigError, OutputError
from plimsoll.engine.report.export import check_suffix
from plimsoll.engine.report.metrics.labels import DASH, shown
from plimsoll.engine.report.metrics.table import plain
from plimsoll.engine.trials.ledger import VARIABLE, TrialLedger, open_ledger
from plimsoll.engine.verbs.trials import check_family, export_trials, trials


def show_trials(
    family: str | None, setting: str | None, export: Path | None, returns: Path | None, *, ladder: bool, as_json: bool
) -> None:
    """Print what was tried, of every family or of one; write it to files instead where asked.

    Raises
    ------
    InputError
        If the ledger cannot be read, the family is unknown, or a file cannot be written.
    """
    for target in (export, returns):
        if target is not None:
            check_suffix(target)
    ledger = open_ledger(setting, os.environ)
    exporting = export is not None or returns is not None
    if ladder and exporting:
        raise ConfigError("rungs are no trials and are not exported", where="--ladder", fix="leave out one of the two")
    if ledger is None:
        _say_off("--trials off" if setting else f"{VARIABLE}={os.environ[VARIABLE]}", exporting, as_json=as_json)
        return
    if family is not None:
        check_family(ledger, family)
    if not ledger.families() and (exporting or not as_json):
        _say_empty(ledger, exporting)
        return
    if exporting:
        told = export_trials(ledger, family, export, returns)
        if not as_json:
            sys.stdout.write("\n".join(told) + "\n")
            return
    rows = trials(family, folder=setting, ladder=ladder)
    if as_json:
        sys.stdout.write(json.dumps(plain(rows), indent=2, allow_nan=False) + "\n")
    elif ladder and not rows:
        sys.stdout.write(f"no ladder is recorded yet in {ledger.path}; `report.ladder` asks for one\n")
    elif family is None and not ladder:
        _print_families(rows)
    else:
        _print_family(rows, luck=not ladder)


def _say_off(why: str, exporting: bool, *, as_json: bool) -> None:
    """Say that nothing is recorded; a reader of JSON gets an empty list, and the line on stderr."""
    if exporting:
        raise OutputError("there is nothing to export", cause=f"the trial ledger is switched off, {why}")
    if as_json:
        sys.stdout.write("[]\n")
    (sys.stderr if as_json else sys.stdout).write(f"the trial ledger is switched off ({why})\n")


def _say_empty(ledger: TrialLedger, exporting: bool) -> None:
    if exporting:
        raise OutputError("there is nothing to export", where=str(ledger.path), cause="no trial is recorded yet")
    sys.stdout.write(f"no trial is recorded yet in {ledger.path}; every `plimsoll backtest` adds one\n")


def _print_families(rows: list[dict[str, Any]]) -> None:
    columns: tuple[str, ...] = (
        "family",
        "trials",
        "data sets",
        "first recorded",
        "last recorded",
        "median Sharpe",
        "best Sharpe",
    )
    columns += ("P(>0)", "after all", "independent", "after these")
    cells: list[tuple[str, ...]] = [
        (
            *(row["family"], str(row["trials"]), str(row["data_sets"])),
            *(_minute(row[key]) for key in ("first_recorded", "last_recorded")),
            *(shown(plain(row[key]), "ratio") for key in ("median_sharpe", "best_sharpe")),
            *(shown(plain(row[f"best_{key}"]), "percent") for key in ("probabilistic_sharpe", "deflated_sharpe")),
            shown(plain(row["effective_trials"]), "count"),
            shown(plain(row["best_deflated_sharpe_effective"]), "percent"),
        )
        for row in rows
    ]
    _print_table(columns, cells, left=("family",))
    _explain("the best trial", "of its family; after these: trials that move together count once")


def _print_family(rows: list[dict[str, Any]], *, luck: bool) -> None:
    columns: tuple[str, ...] = ("id", "name", "kind", "sessions", "from", "to", "CAGR", "Sharpe")
    columns += ("P(>0)", "after all", "max drawdown", "recorded") if luck else ("max drawdown", "recorded")
    cells: list[tuple[str, ...]] = [
        (
            *(str(row["id"]), row["name"], row["kind"], str(row["sessions"])),
            *(row["first_session"], row["last_session"], shown(plain(row["cagr"]), "percent")),
            shown(plain(row["sharpe"]), "ratio"),
            *(shown(plain(row[key]), "percent") for key in ("probabilistic_sharpe", "deflated_sharpe") if luck),
            shown(plain(row["max_drawdown"]), "percent"),
            _minute(row["recorded_at"]),
        )
        for row in rows
    ]
    _print_table(columns, cells, left=("name", "kind"))
    if luck:
        _explain("a trial", f"of its family, {len(rows):,} here")


def _explain(whose: str, of: str) -> None:
    sys.stdout.write(
        f"\nP(>0): probability that the true Sharpe of {whose} is above zero, had it been the only try;\n"
        f"after all: the same after every trial {of}; {DASH}: nothing to deflate by\n"
    )


def _print_table(columns: tuple[str, ...], cells: list[tuple[str, ...]], left: tuple[str, ...]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    console.width = max(console.width, 140)
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="left" if column in left else "right", overflow="fold")
    for row in cells:
        table.add_row(*row)
    console.print(table)


def _minute(recorded_at: str) -> str:
    return recorded_at[:16].replace("T", " ")
