"""`plimsoll trials`."""

import json
import math
import os
import statistics
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from plimsoll.engine.errors import ConfigError, OutputError, did_you_mean
from plimsoll.engine.report.export import check_suffix, export_table
from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.labels import shown
from plimsoll.engine.report.metrics.table import plain
from plimsoll.engine.trials.ledger import VARIABLE, Family, TrialLedger, open_ledger
from plimsoll.engine.trials.row import TrialRow


def show_trials(
    family: str | None, setting: str | None, export: Path | None, returns: Path | None, *, as_json: bool
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
    if ledger is None:
        _say_off("--trials off" if setting else f"{VARIABLE}={os.environ[VARIABLE]}", exporting, as_json=as_json)
        return
    known = ledger.families()
    if family is not None:
        _check_family(family, known, ledger)
    if not known and (exporting or not as_json):
        _say_empty(ledger, exporting)
        return
    if exporting:
        told = _export(ledger, family, export, returns)
        if not as_json:
            sys.stdout.write(told)
            return
    if family is None:
        _show_families([_family_facts(ledger, one) for one in known], as_json=as_json)
    else:
        _show_family([trial_facts(row) for row in ledger.rows(family)], as_json=as_json)


def trial_facts(row: TrialRow) -> dict[str, Any]:
    """Return a trial's figures and hashes as plain values; what is not defined is NaN."""
    facts = {
        "id": row.id,
        "family": row.family,
        "name": row.name,
        "kind": row.kind,
        "first_session": str(row.sessions[0]),
        "last_session": str(row.sessions[-1]),
        "sessions": len(row.sessions),
        "cagr": m.cagr(row.returns),
        "vol_ann": m.vol_ann(row.returns),
        "sharpe": m.sharpe(row.returns),
        "max_drawdown": m.max_drawdown(row.returns),
        "recorded_at": row.recorded_at,
        "version": row.version,
        "config_hash": row.config_hash,
        "data_hash": row.data_hash,
        "returns_hash": row.returns_hash,
    }
    return m.annualised(facts, len(row.returns))


def _family_facts(ledger: TrialLedger, family: Family) -> dict[str, Any]:
    ratios = [trial_facts(row)["sharpe"] for row in ledger.rows(family.name)]
    defined = [ratio for ratio in ratios if math.isfinite(ratio)]
    return {
        "family": family.name,
        "trials": family.n_trials,
        "data_sets": family.n_data_sets,
        "first_recorded": family.first_recorded,
        "last_recorded": family.last_recorded,
        "best_sharpe": max(defined, default=m.NAN),
        "median_sharpe": statistics.median(defined) if defined else m.NAN,
    }


def _check_family(family: str, known: tuple[Family, ...], ledger: TrialLedger) -> None:
    if family not in {one.name for one in known}:
        fix = did_you_mean(family, [one.name for one in known])
        raise ConfigError(f"no trial of a family {family!r}", where=str(ledger.path), fix=fix)


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


def _export(ledger: TrialLedger, family: str | None, export: Path | None, returns: Path | None) -> str:
    """Write the files asked for and return what to tell about them."""
    if returns is not None and family is None:
        names = ", ".join(one.name for one in ledger.families())
        raise ConfigError("the returns of which family?", where="--returns", fix=f"name one of: {names}")
    written = []
    if export is not None:
        frame = pd.DataFrame([trial_facts(row) for row in ledger.rows(family)])
        export_table(frame, export)
        written.append(f"{export}: {_count(len(frame), 'trial')}")
    if returns is not None and family is not None:
        sessions, matrix, ids = ledger.returns(family)
        index = pd.DatetimeIndex(sessions.astype("datetime64[s]"), name="session")
        export_table(pd.DataFrame(matrix, index=index, columns=[str(number) for number in ids]), returns)
        written.append(f"{returns}: {_count(len(ids), 'trial')} on {_count(len(sessions), 'session')}")
    return "\n".join(written) + "\n"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _show_families(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        _print_json(rows)
        return
    columns = ("family", "trials", "data sets", "first recorded", "last recorded", "best Sharpe", "median Sharpe")
    cells: list[tuple[str, ...]] = [
        (
            *(row["family"], str(row["trials"]), str(row["data_sets"])),
            *(_minute(row[key]) for key in ("first_recorded", "last_recorded")),
            *(shown(plain(row[key]), "ratio") for key in ("best_sharpe", "median_sharpe")),
        )
        for row in rows
    ]
    _print_table(columns, cells, left=("family",))


def _show_family(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        _print_json(rows)
        return
    columns = ("id", "name", "kind", "sessions", "from", "to", "CAGR", "Sharpe", "max drawdown", "recorded")
    cells: list[tuple[str, ...]] = [
        (
            *(str(row["id"]), row["name"], row["kind"], str(row["sessions"])),
            *(row["first_session"], row["last_session"], shown(plain(row["cagr"]), "percent")),
            *(shown(plain(row["sharpe"]), "ratio"), shown(plain(row["max_drawdown"]), "percent")),
            _minute(row["recorded_at"]),
        )
        for row in rows
    ]
    _print_table(columns, cells, left=("name", "kind"))


def _print_json(rows: list[dict[str, Any]]) -> None:
    sys.stdout.write(json.dumps(plain(rows), indent=2, allow_nan=False) + "\n")


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
