"""The table of a sweep, and what is read off it: the returns, the best settings, the summary."""

import sys
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plimsoll.engine.config.schema import Config
from plimsoll.engine.config.toml import dump_toml
from plimsoll.engine.report.metrics.table import plain
from plimsoll.engine.research.sweep.block import BlockRows
from plimsoll.engine.research.sweep.figures import COUNTS, FIGURES, YES_OR_NO, equal, ranking
from plimsoll.engine.research.sweep.grid import plain_value
from plimsoll.engine.research.sweep.luck import SweepLuck
from plimsoll.engine.research.sweep.plan import SweepPlan
from plimsoll.engine.types import Dates, Floats, Ints

OK: Final = "ok"
FAILED: Final = "failed"
# Settings times sessions beyond which their returns are not written as one table (8 bytes each).
MAX_RETURN_CELLS: Final = 50_000_000


def sweep_tables(plan: SweepPlan, parts: Iterable[BlockRows]) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return the table of a sweep and the returns behind it, reading each part once.

    The table has a row per setting: its number, its values, the session it was measured `from` and how many `sessions`,
    its figures, `status` and, where it failed, the `reason`.
    The returns have a row per session and a column per setting, NaN where it was not traded; None where that is more
    than `MAX_RETURN_CELLS`.
    """
    days = [np.unique(panel.clock.session) for panel in plan.panels]
    sessions = np.unique(np.concatenate(days))
    rows_of = [np.searchsorted(sessions, own) for own in days]
    kept = len(sessions) * len(plan.settings) <= MAX_RETURN_CELLS
    returns: Floats = np.full((len(plan.settings), len(sessions)) if kept else (0, 0), np.nan)
    values = np.full((len(plan.settings), len(FIGURES)), np.nan, order="F")  # each figure becomes a column
    reasons = np.full(len(plan.settings), "", dtype=object)
    begins = np.full(len(plan.settings), "", dtype=object)
    lengths = np.zeros(len(plan.settings), dtype=np.int64)
    for rows in parts:
        lengths[rows.settings] = rows.length
        for number, first, length in zip(rows.settings, rows.first, rows.length, strict=True):
            begins[number] = sys.intern(str(days[plan.panel_of[number]][first])) if length else ""
        values[rows.settings] = rows.figures
        reasons[rows.settings] = np.array(rows.reasons, dtype=object)
        for number, first, own in rows.each() if kept else ():
            returns[number, rows_of[plan.panel_of[number]][first : first + len(own)]] = own
    return _table(plan, values, reasons, (begins, lengths)), _returns(sessions, returns) if kept else None


def _table(
    plan: SweepPlan, values: Floats, reasons: NDArray[np.object_], spans: tuple[NDArray[np.object_], Ints]
) -> pd.DataFrame:
    failed = reasons != ""
    columns: dict[str, Any] = {"setting": np.arange(len(plan.settings))}
    for at, key in enumerate(plan.keys):
        columns[key] = _column([setting.chosen[at] for setting in plan.settings])
    columns["from"], columns["sessions"] = spans
    for at, name in enumerate(FIGURES):
        columns[name] = values[:, at]
        if name in YES_OR_NO:
            columns[name] = values[:, at] == 1.0
        elif name in COUNTS and not failed.any():
            columns[name] = values[:, at].astype(np.int64)
    columns["status"] = np.where(failed, FAILED, OK).astype(object)
    columns["reason"] = reasons
    return pd.DataFrame(columns, copy=False).rename_axis(index="row")


def _returns(sessions: Dates, returns: Floats) -> pd.DataFrame:
    traded = np.isfinite(returns).any(axis=0)
    index = pd.DatetimeIndex(sessions[traded].astype("datetime64[s]"), name="session")
    kept = returns if traded.all() else returns[:, traded]  # a copy is hundreds of megabytes
    return pd.DataFrame(kept.T, index=index, columns=[str(k) for k in range(len(returns))])


def ranked(table: pd.DataFrame, metric: str) -> list[int]:
    """Return the numbers of the settings that ran from best to worst by a figure; those without one are left out."""
    return ranking(table[metric].to_numpy(dtype=np.float64), metric)


def best_files(plan: SweepPlan, table: pd.DataFrame, metric: str, top: int) -> dict[str, bytes]:
    """Return the best settings as configuration files by name."""
    files = {}
    for place, number in enumerate(ranked(table, metric)[:top], start=1):
        config = plan.settings[number].config
        head = f"# setting {number} of a sweep of {len(table)}, {metric} {table[metric][number]:.6g}\n"
        content = f'{head}# config_hash = "{config.digest}"\n{config.toml()}'
        files[f"{place:02d}-{config.digest[:8]}.toml"] = content.encode()
    return files


def summary_of(plan: SweepPlan, table: pd.DataFrame, metric: str, top: int, luck: SweepLuck) -> dict[str, Any]:
    """Return the best settings, the median and the worst, how many there were, and what luck left, in plain values."""
    alike = equal(table[metric].to_numpy(dtype=np.float64), metric)
    order = [number for group in alike for number in group]
    failures = table.loc[table["status"] == FAILED, ["setting", "reason"]]
    summary: dict[str, Any] = {
        "name": plan.base.run.name,
        "metric": metric,
        "keys": list(plan.keys),
        "settings": len(table),
        "failed": len(failures),
        "skipped": plan.skipped,
        "window": plan.window.plain(),
        "over_bills": over_bills(plan.base),
        "equal": [group for group in alike if len(group) > 1 and set(group) & set(order[:top])],
        "top": [_row(table, number) for number in order[:top]],
        "median": _row(table, order[(len(order) - 1) // 2]) if order else None,
        "worst": _row(table, order[-1]) if order else None,
        "luck": luck.facts(order[0]) if order else None,
        "failures": failures.head(20).to_dict("records"),
    }
    cleaned: dict[str, Any] = plain(summary)
    return cleaned


def facts_of(plan: SweepPlan, table: pd.DataFrame, metric: str) -> dict[str, str]:
    """Return what the page says about the sweep beside its numbers."""
    panel = plan.panels[0]
    facts = {
        "settings": f"{len(table):,}",
        "failed": f"{int((table['status'] == FAILED).sum()):,}",
        "left out as not valid": f"{plan.skipped:,}",
        "drawn": "the whole grid" if plan.count is None else f"at random, seed {plan.base.run.seed}",
        "configuration": plan.base.digest,
        "data": ", ".join(dict.fromkeys(one.data_hash for one in plan.panels)),
        "source": panel.source,
        "measured over": _measured(plan),
        "over bills": over_bills(plan.base),
        "span of the data": f"{panel.clock.session[0]} to {panel.clock.session[-1]}",
    }
    if plan.as_base is not None and np.isfinite(table[metric][plan.as_base]):
        facts["base_metric"] = repr(float(table[metric][plan.as_base]))
    if any(one.synthetic for one in plan.panels):
        facts["synthetic"] = "The prices are generated; no figure here says anything about a market."
    return facts


def over_bills(config: Config) -> str:
    """Return what returns "over bills" are over: what cash earns, for a sweep takes no other rate by default."""
    rate = config.financing.cash_rate
    return str(rate) if rate != 0.0 else "a rate of 0: financing.cash_rate names no bill fund"


def _measured(plan: SweepPlan) -> str:
    window = plan.window
    if window.own:
        return "each setting its own sessions: figures of different spans are not alike"
    ends = [f"from {window.start}"] * (window.start is not None) + [f"to {window.end}"] * (window.end is not None)
    return "the same sessions for all settings" + (f", {' '.join(ends)}" if ends else "")


def _row(table: pd.DataFrame, number: int) -> dict[str, Any]:
    return {str(name): value for name, value in table.iloc[number].to_dict().items() if name != "reason"}


def _column(values: Sequence[Any]) -> Any:
    """Return the values of a key as one column: numbers or truth values where all are, else text."""
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return np.array(values, dtype=np.bool_)
    if kinds == {int}:
        return np.array(values, dtype=np.int64)
    if kinds <= {int, float}:
        return np.array(values, dtype=np.float64)
    return np.array([_text(value) for value in values], dtype=object)


def _text(value: Any) -> str:
    if isinstance(value, (str, date)):
        return str(value)
    return dump_toml({"v": plain_value(value)}).removeprefix("v = ").strip()
