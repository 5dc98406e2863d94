"""Runs compared, as tables: figures, years, focus periods, crises, tests of difference, settings that differ."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from plimsoll.engine.errors import InputError
from plimsoll.engine.report.compare.line_up import LineUp
from plimsoll.engine.report.metrics import relative
from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.bootstrap import BLOCK_SESSIONS, DRAWS, difference_tests
from plimsoll.engine.report.metrics.crises import crisis_rows
from plimsoll.engine.report.metrics.periods import by_year
from plimsoll.engine.report.metrics.table import series_block
from plimsoll.engine.types import Bools, Floats

# Figures of a return series, then those of an account, that no benchmark has.
SERIES_KEYS: Final = (
    "total_return", "cagr", "vol_ann", "sharpe", "sharpe_excess", "sortino", "max_drawdown", "longest_drawdown",
    "calmar", "expected_shortfall", "worst_day", "best_day", "hit_rate",
)  # fmt: skip
ACCOUNT_KEYS: Final = {
    "turnover": ("turnover", "two_sided_per_year"),
    "cost_bps": ("costs", "drag_bps_per_year"),
    "financing_bps": ("costs", "financing_bps_per_year"),
    "gross": ("exposure", "gross", "mean"),
    "look_through": ("exposure", "look_through_gross", "mean"),
}
# What a configuration says about where and how it is run, not about what is run.
_NOT_COMPARED: Final = ("run.name", "data.path", "run.modules")
_SLEEVE_NAME: Final = re.compile(r"sleeve\.\d+\.name")
ABSENT: Final = "not set"


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Several runs over the same sessions. Frames hold numbers: returns as fractions, labels as columns.

    lined : the series. figures : a row per figure; those of the account are each run's own span's. years : return per
    calendar year. focus : (period, figure) by label. crises : return in each fall of the market. tests : a row per
    series other than the first, its difference to the first and how sure that is. settings : keys whose values differ.
    """

    lined: LineUp
    figures: pd.DataFrame
    years: pd.DataFrame
    focus: pd.DataFrame
    crises: pd.DataFrame
    tests: pd.DataFrame
    settings: pd.DataFrame
    seed: int

    @property
    def conventions(self) -> str:
        """How the tests are made, in words."""
        return (
            f"First less second a year, standard errors and two-sided p-values from {DRAWS:,} samples of paired blocks "
            f"of {BLOCK_SESSIONS} sessions, seed {self.seed}; over {self.lined.bill_name} on both sides."
        )


def compare_series(lined: LineUp, focus: Sequence[str] = (), seed: int = 42) -> Comparison:
    """Return the comparison of runs that were lined up.

    focus : years or ranges of them, "2013", "2019-2021".

    Raises
    ------
    InputError
        If a focus period is no year and no range, or no common session lies in it.
    """
    return Comparison(
        lined,
        _figures(lined),
        _years(lined),
        _focus(lined, focus),
        _crises(lined),
        _tests(lined, seed),
        _settings(lined),
        seed,
    )


def _figures(lined: LineUp) -> pd.DataFrame:
    columns: dict[str, dict[str, Any]] = {}
    for label, returns in lined.series.items():
        block = series_block(returns, lined.sessions, lined.bill, start=lined.start)
        column = {key: block[key] for key in SERIES_KEYS}
        figures: Mapping[str, Any] | None = lined.metrics.get(label)
        for key, path in ACCOUNT_KEYS.items():
            value: Any = figures
            for part in path:
                value = None if value is None else value[part]
            column[key] = value
        columns[label] = column
    return pd.DataFrame(columns, dtype=object).rename_axis(index="figure")


def _years(lined: LineUp) -> pd.DataFrame:
    columns = {
        label: {int(year.label): year.total for year in by_year(returns, lined.sessions)}
        for label, returns in lined.series.items()
    }
    return pd.DataFrame(columns).rename_axis("year")


def _focus(lined: LineUp, focus: Sequence[str]) -> pd.DataFrame:
    """Return total return, volatility, Sharpe ratio over bills and drawdown of each period."""
    rows: dict[tuple[str, str], dict[str, float]] = {}
    for period in focus:
        chosen = _period(period, lined)
        for label, returns in lined.series.items():
            part, bill = returns[chosen], lined.bill[chosen]
            found = {
                "total_return": m.total_return(part),
                "vol_ann": m.vol_ann(part),
                "sharpe_excess": m.sharpe(part, bill),
                "max_drawdown": m.max_drawdown(part),
            }
            for name, value in found.items():
                rows.setdefault((period, name), {})[label] = value
    index = pd.MultiIndex.from_tuples(list(rows), names=["period", "figure"])
    return pd.DataFrame(list(rows.values()), index=index, columns=list(lined.series))


def _period(text: str, lined: LineUp) -> Bools:
    first, _, last = text.partition("-")
    if not first.isdigit() or not (last or first).isdigit():
        raise InputError(f"{text!r} is no year and no range of years", where="focus", fix="write 2013 or 2019-2021")
    years = lined.sessions.astype("datetime64[Y]").astype(np.int64) + 1970
    chosen: Bools = (years >= int(first)) & (years <= int(last or first))
    if not chosen.any():
        span = f"{lined.sessions[0]} to {lined.sessions[-1]}"
        raise InputError(f"no common session lies in {text}", where="focus", cause=f"the runs have {span} in common")
    return chosen


def _crises(lined: LineUp) -> pd.DataFrame:
    columns: dict[str, dict[str, float]] = {}
    for label, returns in lined.series.items():
        rows = [row for row in crisis_rows(returns, lined.sessions) if row["name"][:4].isdigit() and row["whole"]]
        columns[label] = {row["name"]: row["total_return"] for row in rows}
    return pd.DataFrame(columns, dtype=np.float64).rename_axis(index="crisis")


def _tests(lined: LineUp, seed: int) -> pd.DataFrame:
    """Return the first run less each other series: means, Sharpe ratios, tracking."""
    own = lined.series[lined.base]
    rows = {label: _test(own, other, lined.bill, seed) for label, other in lined.series.items() if label != lined.base}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index="run")


def _test(own: Floats, other: Floats, bill: Floats, seed: int) -> dict[str, float]:
    row: dict[str, float] = {}
    for name, (value, error, p) in difference_tests(own - bill, other - bill, seed).items():
        row |= {name: value, f"{name}_error": error, f"{name}_p": p}
    return row | {
        "cagr": m.cagr(own) - m.cagr(other),
        "max_drawdown": m.max_drawdown(own) - m.max_drawdown(other),
        "tracking_error_ann": relative.tracking_error_ann(own, other),
        "information_ratio": relative.information_ratio(own, other),
        "correlation": relative.correlation(own, other),
        "beta": relative.beta(own, other),
    }


def _settings(lined: LineUp) -> pd.DataFrame:
    """Return the keys whose values are not the same in all runs, as texts; sleeves are matched by their place."""
    flat = {label: _flat(run.config) for label, run in lined.runs.items()}
    keys = dict.fromkeys(key for values in flat.values() for key in values)
    rows = {
        key: {label: values.get(key, ABSENT) for label, values in flat.items()}
        for key in keys
        if key not in _NOT_COMPARED
        and not _SLEEVE_NAME.fullmatch(key)
        and len({values.get(key, ABSENT) for values in flat.values()}) > 1
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(lined.runs), dtype=object)
    return table.rename_axis(index="key")


def _flat(value: Any, key: str = "") -> dict[str, str]:
    if isinstance(value, Mapping):
        parts = [_flat(item, f"{key}.{name}" if key else str(name)) for name, item in value.items()]
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        parts = [_flat(item, f"{key}.{number}") for number, item in enumerate(value)]
    else:
        return {key: str(value)}
    return {name: text for part in parts for name, text in part.items()}
