"""Tell what was tried, of every strategy family or of one."""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from plimsoll.engine.errors import ConfigError, did_you_mean
from plimsoll.engine.report.export import check_suffix, export_table
from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.luck import PER_YEAR, Luck, luck_of
from plimsoll.engine.trials.ledger import Family, TrialLedger, open_ledger
from plimsoll.engine.trials.row import TrialRow
from plimsoll.engine.trials.tries import tries_in
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
    return family_rows(ledger.rows(family))


def family_rows(rows: Sequence[TrialRow]) -> list[dict[str, Any]]:
    """Return the facts of a family's trials, each with the probability that its true Sharpe ratio is above zero.

    By itself, after all the family's trials, and after the independent ones that these are worth; NaN where there is
    nothing to deflate by.
    """
    records, tries = tries_in(rows)
    lucks = (luck_of(record, tries) for record in records)
    return [_with_luck(trial_facts(row), luck) for row, luck in zip(rows, lucks, strict=True)]


def _with_luck(facts: dict[str, Any], luck: Luck) -> dict[str, Any]:
    """Return a trial's facts with its probabilities behind the Sharpe ratio they are of."""
    before = {name: facts[name] for name in list(facts)[: list(facts).index("sharpe") + 1]}
    return {**before, **luck.figures(), **facts}


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
    """Return what is counted for a family, the best and the median Sharpe ratio of its trials, and what is left of it.

    The probabilities are those of the trial with the best ratio.
    """
    records, tries = tries_in(ledger.rows(family.name))
    known = [record for record in records if math.isfinite(record.ratio) and record.n >= m.FEWEST_SESSIONS]
    ratios = [record.ratio * PER_YEAR for record in known]
    best = luck_of(max(known, key=lambda record: record.ratio), tries) if known else Luck(m.NAN, m.NAN, m.NAN)
    return {
        "family": family.name,
        "trials": family.n_trials,
        "data_sets": family.n_data_sets,
        "first_recorded": family.first_recorded,
        "last_recorded": family.last_recorded,
        "effective_trials": tries.effective,
        "best_sharpe": max(ratios, default=m.NAN),
        "median_sharpe": statistics.median(ratios) if ratios else m.NAN,
        **{f"best_{name}": value for name, value in best.figures().items()},
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
        frame = pd.DataFrame(_every_row(ledger, family))
        export_table(frame, table)
        written.append(f"{table}: {_count(len(frame), 'trial')}")
    if returns is not None and family is not None:
        sessions, matrix, ids = ledger.returns(family)
        index = pd.DatetimeIndex(sessions.astype("datetime64[s]"), name="session")
        export_table(pd.DataFrame(matrix, index=index, columns=[str(number) for number in ids]), returns)
        written.append(f"{returns}: {_count(len(ids), 'trial')} on {_count(len(sessions), 'session')}")
    return written


def _every_row(ledger: TrialLedger, family: str | None) -> list[dict[str, Any]]:
    """Return the facts of a family's trials, or of all in the order they were recorded."""
    names = [one.name for one in ledger.families()] if family is None else [family]
    found = [facts for name in names for facts in family_rows(ledger.rows(name))]
    return sorted(found, key=lambda facts: int(facts["id"]))


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
