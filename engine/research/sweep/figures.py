"""The figures of one setting: those of `metrics.json` of its backtest, without its tables.

The same numbers; turnover and costs may differ in the last bits, because they are added up bar by bar.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from plimsoll.engine.errors import ConfigError, DataError, did_you_mean
from plimsoll.engine.kernels.overfit.sharpe import psr
from plimsoll.engine.report.metrics import book, relative
from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.sweep.table import LOWER_IS_BETTER, equal_groups
from plimsoll.engine.research.sweep.evaluate import SettingOutcome
from plimsoll.engine.runtime.beside import Beside
from plimsoll.engine.types import Floats, Ints

FIGURES: Final = (
    "sharpe", "sharpe_excess", "probabilistic_sharpe", "cagr", "vol_ann", "max_drawdown", "calmar", "sortino", "ulcer",
    "total_return", "final_equity", "skew", "kurtosis", "value_at_risk", "expected_shortfall", "hit_rate",
    "turnover", "cost_bps", "gross_mean", "gross_max", "time_in_market",
    "beta", "alpha_ann", "information_ratio",
    "orders", "fills", "decisions", "margin_calls", "ruined",
)  # fmt: skip
# True or false in the table: nothing to rank by.
YES_OR_NO: Final = ("ruined",)
# Whole numbers in the table.
COUNTS: Final = ("orders", "fills", "decisions", "margin_calls")
# Where `metrics.json` keeps a figure that is not at its top.
IN_METRICS: Final[Mapping[str, tuple[str, ...]]] = {
    "final_equity": ("run", "final_equity"),
    "turnover": ("turnover", "two_sided_per_year"),
    "cost_bps": ("costs", "drag_bps_per_year"),
    "gross_mean": ("exposure", "gross", "mean"),
    "gross_max": ("exposure", "gross", "max"),
    "time_in_market": ("exposure", "time_in_market"),
    "beta": ("relative", "beta"),
    "alpha_ann": ("relative", "alpha_ann"),
    "information_ratio": ("relative", "information_ratio"),
    "orders": ("run", "orders"),
    "fills": ("run", "fills"),
    "decisions": ("run", "decisions"),
    "margin_calls": ("counts", "margin_calls"),
    "ruined": ("run", "ruined"),
}


def figures(outcome: SettingOutcome) -> Floats:
    """Return (len(FIGURES),) the figures of an outcome in their order; NaN where one is not defined.

    Raises
    ------
    DataError
        If a return is not finite.
    """
    returns = m.checked(outcome.returns, "session returns")
    bill = 0.0 if outcome.bill is None else _fitting(outcome.bill, returns, "bill returns")
    n = len(returns)
    beside = _relative(outcome.benchmark, returns)
    found = {
        **m.of_growth(returns),
        **m.of_moments(returns),
        "sharpe_excess": m.sharpe(returns, bill),
        "sortino": m.sortino(returns),
        "final_equity": outcome.final_equity,
        "value_at_risk": m.value_at_risk(returns),
        "expected_shortfall": m.expected_shortfall(returns),
        "hit_rate": m.hit_rate(returns),
        "turnover": _per_year(outcome.traded, n),
        "cost_bps": _per_year(outcome.costs, n) * 1e4,
        "gross_mean": book.mean_of(outcome.gross),
        "gross_max": book.most_of(outcome.gross),
        "time_in_market": book.share_of(outcome.gross > book.DUST),
        "orders": outcome.orders,
        "fills": outcome.fills,
        "decisions": outcome.decisions,
        "margin_calls": outcome.margin_calls,
        "ruined": outcome.ruined,
    }
    alone = psr(found["sharpe"] / math.sqrt(m.SESSIONS_PER_YEAR), n, found["skew"], found["kurtosis"])
    found = {**m.annualised(found, n), "probabilistic_sharpe": alone, **beside}
    values = np.array([float(found[name]) for name in FIGURES])
    return np.where(np.isfinite(values), values, np.nan)


def _relative(beside: Beside | None, returns: Floats) -> dict[str, float]:
    if beside is None:
        return dict.fromkeys(("beta", "alpha_ann", "information_ratio"), m.NAN)
    theirs, ours = m.checked(beside.theirs, "benchmark returns"), beside.over(returns)
    block = {
        "beta": relative.beta(ours, theirs),
        "alpha_ann": relative.alpha_ann(ours, theirs, beside.per_year),
        "information_ratio": relative.information_ratio(ours, theirs, beside.per_year),
    }
    return m.annualised(block, len(ours))


def in_metrics(metrics: Mapping[str, Any], name: str) -> Any:
    """Return the value of a figure in `metrics.json`; None where it is not defined."""
    value: Any = metrics
    for part in IN_METRICS.get(name, (name,)):
        value = None if value is None else value[part]
    return value


def check_metric(name: str) -> str:
    """Return the name of a figure to rank by.

    Raises
    ------
    ConfigError
        If there is none of that name, or it is true or false.
    """
    if name in YES_OR_NO:
        raise ConfigError(f"nothing can be ranked by {name!r}", where="--metric", cause="it is true or false")
    if name not in FIGURES:
        raise ConfigError(f"unknown metric {name!r}", where="--metric", fix=did_you_mean(name, FIGURES))
    return name


def ranking(values: Sequence[float] | Floats, metric: str) -> list[int]:
    """Return the positions of `values` from best to worst, the earlier first among equals (to 1e-9); NaN left out."""
    return [at for group in equal(values, metric) for at in group]


def equal(values: Sequence[float] | Floats, metric: str) -> list[list[int]]:
    """Return the positions of `values` from best to worst, those equal to 1e-9 in one group; NaN left out."""
    given = np.asarray(values, dtype=np.float64)
    score = -given if metric in LOWER_IS_BETTER else given
    known: Ints = np.flatnonzero(np.isfinite(given)).astype(np.int64)
    return [known[group].tolist() for group in equal_groups(score[known], known)]


def _per_year(ratio: float, n_sessions: int) -> float:
    return ratio * m.SESSIONS_PER_YEAR / n_sessions if n_sessions else m.NAN


def _fitting(series: Floats, returns: Floats, role: str) -> Floats:
    if len(series) != len(returns):
        raise DataError(f"{len(series)} {role} for {len(returns)} sessions")
    return m.checked(series, role)
