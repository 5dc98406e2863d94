"""Tell what was tried, of every strategy family or of one."""

import math
import statistics
from pathlib import Path
from typing import Any

import pandas as pd

from plimsoll.engine.errors import ConfigError, did_you_mean
from plimsoll.engine.report.export import check_suffix, export_table
from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.trials.ledger import Family, TrialLedger, open_ledger
from plimsoll.engine.trials.row import TrialRow
from plimsoll.engine.verbs.host import PROGRAM, Host


def trials(
    family: str | None = None, *, folder: Path | str | None = None, ladder: bool = False, host: Host = PROGRAM
) -> list[dict[str, Any]]:
    """Return a row per strategy family that was ever run, or per trial of one family.

    Parameters
    ----------
    family : str, optional
        A strategy family; all families, counted, if left out.
    folder : path or "off", optional
        Folder of the trial ledger, as `backtest` takes it; nothing was tried where it is switched off.
    ladder : bool
        A row per rung of the family's ladders, or of all, instead: these are no trials.

    Raises
    ------
    InputError
        If the ledger cannot be read, or the family is unknown.
    """
    ledger = open_ledger(folder, host.env)
    if ledger is None:
        return []
    if family is not None:
        check_family(ledger, family)
    if ladder:
        return [trial_facts(row) for row in ledger.ladders(family)]
    if family is None:
        return [family_facts(ledger, one) for one in ledger.families()]
    return [trial_facts(row) for row in ledger.rows(family)]


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


def family_facts(ledger: TrialLedger, family: Family) -> dict[str, Any]:
    """Return what is counted for a family, and the best and the median Sharpe ratio of its trials."""
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


def check_family(ledger: TrialLedger, family: str) -> None:
    """Refuse a family of which nothing is recorded.

    Raises
    ------
    ConfigError
        Naming the one that was probably meant.
    """
    known = {one.name for one in ledger.families()}
    if family not in known:
        fix = did_you_mean(family, known)
        raise ConfigError(f"no trial of a family {family!r}", where=str(ledger.path), fix=fix)


def export_trials(
    ledger: TrialLedger, family: str | None, table: Path | None = None, returns: Path | None = None
) -> list[str]:
    """Write a row per trial, the returns of a family side by side, or both; return a line about each file.

    Raises
    ------
    InputError
        If a name ends in neither .csv nor .parquet, a file cannot be written, or returns are asked of all families.
    """
    for target in (table, returns):
        if target is not None:
            check_suffix(target)
    if returns is not None and family is None:
        names = ", ".join(one.name for one in ledger.families())
        raise ConfigError("the returns of which family?", where="--returns", fix=f"name one of: {names}")
    written = []
    if table is not None:
        frame = pd.DataFrame([trial_facts(row) for row in ledger.rows(family)])
        export_table(frame, table)
        written.append(f"{table}: {_count(len(frame), 'trial')}")
    if returns is not None and family is not None:
        sessions, matrix, ids = ledger.returns(family)
        index = pd.DatetimeIndex(sessions.astype("datetime64[s]"), name="session")
        export_table(pd.DataFrame(matrix, index=index, columns=[str(number) for number in ids]), returns)
        written.append(f"{returns}: {_count(len(ids), 'trial')} on {_count(len(sessions), 'session')}")
    return written


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
