"""The table of a parameter sweep, checked and taken apart: keys, metrics, ranks."""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from plimsoll.engine.errors import InputError
from plimsoll.engine.report.metrics.labels import DASH, EXPOSURE, PNL, RELATIVE, SERIES, Kind, shown, title
from plimsoll.engine.report.sweep.levels import GridKey, grid_keys
from plimsoll.engine.types import Bools, Floats, Ints

OK: Final = "ok"
SAME: Final = 1e-9
MAIN: Final = (
    "sharpe",
    "sharpe_excess",
    "probabilistic_sharpe",
    "deflated_sharpe",
    "cagr",
    "vol_ann",
    "max_drawdown",
    "sortino",
    "calmar",
    "turnover",
    "cost_bps",
)
_LOWER = """
vol_ann downside_dev_ann ulcer kurtosis tracking_error_ann turnover cost_bps gross_max max_drawdown_duration
max_drawdown_recovery longest_drawdown orders fills decisions margin_calls ruined
"""
_SIGNED = """
probabilistic_sharpe deflated_sharpe
max_drawdown average_drawdown value_at_risk expected_shortfall worst_day worst_month best_day best_month hit_rate
final_equity time_in_market gross_mean
"""
LOWER_IS_BETTER: Final = frozenset(_LOWER.split())
# Their sign is given beforehand, so a share above zero says nothing.
ONE_SIGN: Final = LOWER_IS_BETTER | frozenset(_SIGNED.split())
_OWN: Final[tuple[tuple[str, str, Kind], ...]] = (
    ("probabilistic_sharpe", "Probability Sharpe > 0", "percent"),
    ("deflated_sharpe", "… after all tries", "percent"),
    ("turnover", "Turnover a year", "ratio"),
    ("cost_bps", "Costs, bps a year", "bps"),
    ("final_equity", "Final equity, USD", "count"),
    ("gross_mean", "Gross, mean", "percent"),
    ("gross_max", "Gross, at most", "percent"),
    *((key, title(key), "count") for key in ("orders", "fills", "decisions", "margin_calls")),
)
_LABELS: Final = {key: (text, kind) for key, text, kind in (*SERIES, *RELATIVE, *EXPOSURE, *PNL, *_OWN)}


class Metric(NamedTuple):
    """One metric: its column, title, how to print it, and which way is better."""

    key: str
    title: str
    kind: Kind
    lower: bool

    def shown(self, value: float) -> str:
        """Return `value` as text; a dash where it is not a finite number."""
        return shown(value, self.kind) if np.isfinite(value) else DASH


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep of n settings.

    settings (n,) their numbers; ok (n,) whether they finished; reasons (n,) why not.
    metrics : the ranking metric first, then the main ones, then the rest.
    values : metric -> (n,), NaN where it failed or is not defined.
    rank : positions of the settings with a known ranking metric, best first, ties (to 1e-9) by number.
    n_ruined : how many lost everything, where the table says so.
    begins, lengths : first session and number of sessions of each setting; empty where the table does not say.
    """

    name: str
    keys: tuple[GridKey, ...]
    metrics: tuple[Metric, ...]
    settings: Ints
    ok: Bools
    reasons: tuple[str, ...]
    values: Mapping[str, Floats]
    rank: Ints
    n_ruined: int
    begins: tuple[str, ...]
    lengths: Ints

    @property
    def metric(self) -> Metric:
        """The metric that ranks the settings."""
        return self.metrics[0]

    @property
    def ranked(self) -> Floats:
        """The ranking metric of each setting (n,)."""
        return self.values[self.metric.key]

    @property
    def equal_to_best(self) -> int:
        """How many settings the ranking metric does not tell from the best one."""
        score = goodness(self.ranked[self.rank], self.metric)
        return len(equal_groups(score, self.settings[self.rank])[0]) if len(score) else 0

    @property
    def varying(self) -> list[GridKey]:
        """The keys in which the settings differ."""
        return [key for key in self.keys if key.varies]


def read_sweep(name: str, table: pd.DataFrame, keys: Sequence[str], metric: str) -> Sweep:
    """Return the sweep in `table`: a row a setting, columns as `sweep_html` describes them.

    Raises
    ------
    InputError
        The table has no row or lacks a column, no key is given, or `metric` is no column of numbers.
    """
    if metric not in table.columns and "status" in table.columns and not (table["status"] == OK).any():
        table = table.assign(**{metric: np.nan})  # every setting failed: no metric was ever written
    _check(table, keys, metric)
    ok = table["status"].to_numpy(dtype=object) == OK
    metrics = _metrics(table, keys, metric)
    values = {m.key: _floats(table[m.key], ok) for m in metrics}
    settings = table["setting"].to_numpy(dtype=np.int64)
    score = goodness(values[metric], metrics[0])
    known = np.flatnonzero(np.isfinite(score))
    groups = equal_groups(score[known], settings[known])
    rank = known[np.concatenate([np.empty(0, dtype=np.int64), *groups])].astype(np.int64)
    reasons = tuple("" if pd.isna(reason) else str(reason) for reason in table["reason"])
    begins = tuple(sys.intern(str(first)) for first in table["from"]) if "from" in table.columns else ()
    lengths = table["sessions"].to_numpy(dtype=np.int64) if "sessions" in table.columns else np.zeros(0, dtype=np.int64)
    n_ruined = int((pd.to_numeric(table["ruined"], errors="coerce") == 1).sum()) if "ruined" in table.columns else 0
    return Sweep(name, grid_keys(table, keys), metrics, settings, ok, reasons, values, rank, n_ruined, begins, lengths)


def equal_groups(score: Floats, numbers: Ints) -> list[Ints]:
    """Return the positions of scores (n,), all finite, in groups from high to low, each in the order of its numbers.

    Those within 1e-9 of the highest of a group are equal to it: settings that differ by less differ by rounding.
    """
    order: Ints = np.lexsort((numbers, -score)).astype(np.int64)
    heads, head = [], math.nan  # nothing is near it
    for k, value in enumerate(score[order].tolist()):
        if not abs(head - value) <= SAME * max(1.0, abs(head)):
            heads.append(k)
            head = value
    parts = np.split(order, heads[1:]) if heads else []
    return [part[np.argsort(numbers[part], kind="stable")] for part in parts]


def goodness(values: Floats, metric: Metric) -> Floats:
    """Return the values with the sign that makes higher better."""
    return -values if metric.lower else values


def _check(table: pd.DataFrame, keys: Sequence[str], metric: str) -> None:
    if not keys:
        raise InputError("a sweep without a key", where="sweep report", fix="name the columns of its grid keys")
    missing = [name for name in ("setting", "status", "reason", *keys, metric) if name not in table.columns]
    if missing:
        raise InputError(f"the table has no column {missing[0]!r}", where="sweep report", fix="compare its header")
    if len(table) == 0:
        raise InputError("the table has no setting", where="sweep report", cause="nothing was run")
    if not _is_numeric(table[metric]):
        raise InputError(f"metric {metric!r} is not a column of numbers", where="sweep report", fix="rank by another")


def _is_numeric(column: "pd.Series[float]") -> bool:
    dtype = column.dtype
    empty = bool(column.isna().all())  # every setting failed: nothing says what the column would have held
    return empty or (pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype))


def _metrics(table: pd.DataFrame, keys: Sequence[str], metric: str) -> tuple[Metric, ...]:
    taken = {"setting", "status", "reason", "from", "sessions", *keys}
    numeric = [str(name) for name in table.columns if name not in taken and _is_numeric(table[name])]
    numeric = [name for name in numeric if table[name].notna().any()]
    order = dict.fromkeys((metric, *(key for key in MAIN if key in numeric), *numeric))
    fallback: tuple[str, Kind]
    out = []
    for key in order:
        fallback = (title(key), "ratio")
        text, kind = _LABELS.get(key, fallback)
        out.append(Metric(key, text, kind if kind not in {"text", "flag"} else "ratio", key in LOWER_IS_BETTER))
    return tuple(out)


def _floats(column: "pd.Series[float]", ok: Bools) -> Floats:
    numbers = column if column.dtype == np.float64 else pd.to_numeric(column, errors="coerce")
    plain = numbers.dtype == np.float64  # with a value for what is missing it would be copied
    values = np.asarray(numbers if plain else numbers.to_numpy(np.float64, na_value=np.nan), dtype=np.float64)
    known = ok & np.isfinite(values)
    return values if known.all() else np.where(known, values, np.nan)
