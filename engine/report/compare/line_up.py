"""Several runs brought onto the sessions that all of them have."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from plimsoll.engine.errors import DataError
from plimsoll.engine.report.metrics.returns import start_of
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Dates, Floats


@dataclass(frozen=True, slots=True, eq=False)
class LineUp:
    """The series that are compared, all over the same sessions; n sessions.

    runs : the runs by label, the first is the one the others are held against. series : label to net returns (n,), the
    benchmark of the first run after the runs where it covers them. bill (n,) : the first run's bill returns, 0 where it
    has none. start : the close that all are measured from. left_out : why a series is missing, in words.
    """

    runs: Mapping[str, Record]
    metrics: Mapping[str, Mapping[str, Any]]
    series: Mapping[str, Floats]
    sessions: Dates
    start: np.datetime64
    bill: Floats
    bill_name: str
    left_out: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        """The label that the others are held against."""
        return next(iter(self.runs))


def line_up(runs: Sequence[Record], metrics: Sequence[Mapping[str, Any]], names: Sequence[str] | None = None) -> LineUp:
    """Bring runs onto their common sessions.

    A return spans whatever a run has between two common sessions, compounded. names : what the runs are called; their
    own names by default, with the configuration's hash where two have the same.

    Raises
    ------
    DataError
        If there are fewer than two common sessions.
    """
    labels = _labels(runs) if names is None else list(names)
    common = runs[0].sessions
    for run in runs[1:]:
        common = np.intersect1d(common, run.sessions)
    if len(common) < 2:
        spans = "; ".join(f"{label} {_span(run)}" for label, run in zip(labels, runs, strict=True))
        fix = "compare runs whose spans overlap"
        raise DataError("the runs have fewer than two sessions in common", where=spans, fix=fix)
    series = {label: _over(run.returns, common) for label, run in zip(labels, runs, strict=True)}
    left_out = []
    for role in ("benchmark",):
        found: pd.Series | None = getattr(runs[0], role)
        if found is None:
            continue
        values = _over(found, common)
        if np.isfinite(values).all():
            series[str(found.name) if str(found.name) not in series else f"{found.name}, benchmark"] = values
        else:
            left_out.append(f"benchmark {found.name}: no return on {int((~np.isfinite(values)).sum()):,} sessions")
    bill, name = np.zeros(len(common)), "0"
    if runs[0].bill is not None:
        values = _over(runs[0].bill, common)
        if np.isfinite(values).all():
            bill, name = values, str(runs[0].bill.name)
    first = int(np.searchsorted(runs[0].sessions, common[0]))
    start = start_of(common) if first == 0 else runs[0].sessions[first - 1]
    figures = dict(zip(labels, metrics, strict=True))
    return LineUp(dict(zip(labels, runs, strict=True)), figures, series, common, start, bill, name, tuple(left_out))


def _labels(runs: Sequence[Record]) -> list[str]:
    names = Counter(run.name for run in runs)
    labels = [run.name if names[run.name] == 1 else run.run_id for run in runs]
    seen = Counter(labels)
    return [label if seen[label] == 1 else f"{label} ({k + 1})" for k, label in enumerate(labels)]


def _span(run: Record) -> str:
    return f"{run.sessions[0]} to {run.sessions[-1]}" if len(run.sessions) else "without a session"


def _over(series: pd.Series, common: Dates) -> Floats:
    """Return (n,) returns between common sessions, compounded over what lies between; NaN where one is not known."""
    days = np.asarray(series.index.to_numpy(), dtype="datetime64[D]")
    at = np.searchsorted(days, common)
    known = (at < len(days)) & (days[np.minimum(at, max(len(days) - 1, 0))] == common) if len(days) else None
    if known is None or not known.all():
        return np.full(len(common), np.nan)
    values = series.to_numpy(dtype=np.float64)
    out = values[at].copy()
    for k in np.flatnonzero(np.diff(at) > 1) + 1:  # a stretch of one session keeps its very bits
        out[k] = np.prod(1.0 + values[at[k - 1] + 1 : at[k] + 1]) - 1.0
    return out
