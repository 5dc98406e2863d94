"""Every statistic of the report on ties, constants, one to three returns and accounts that are mostly cash.

The oracles are written with Python's own `fractions`, `statistics` and `math`, from the definitions, not from the code.
"""

import math
import statistics as stat
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.table import relative_block, series_block
from plimsoll.engine.report.result import Result

Make = Callable[..., Result]
Oracle = Callable[[list[float]], float | None]


def index(r: list[float]) -> list[float]:
    out = [1.0]
    for x in r:
        out.append(out[-1] * (1.0 + x))
    return out


def falls(r: list[float]) -> list[float]:
    levels = index(r)
    return [level / max(levels[: k + 1]) - 1.0 for k, level in enumerate(levels)][1:]


def quantile(r: list[float], q: Fraction) -> float:
    ordered = sorted(r)
    at = q * (len(r) - 1)
    low = math.floor(at)
    high = min(low + 1, len(r) - 1)
    return ordered[low] + float(at - low) * (ordered[high] - ordered[low])


def tail_mean(r: list[float]) -> float:
    """Write every return down 100 times; the worst 5 n of the 100 n copies are the worst 5%, no fraction needed."""
    copies = sorted(x for x in r for _ in range(100))[: 5 * len(r)]
    return math.fsum(copies) / len(copies)


def moved(r: list[float]) -> bool:
    return len(r) > 1 and max(r) != min(r)


def moment(r: list[float], k: int) -> float | None:
    if not moved(r):
        return None
    mean = stat.fmean(r)
    return stat.fmean([(x - mean) ** k for x in r]) / stat.fmean([(x - mean) ** 2 for x in r]) ** (k / 2)


def ratio(above: float, below: float) -> float | None:
    return above / below if below else None


def psr(r: list[float]) -> float | None:
    if not moved(r):
        return None
    s, g3, g4 = stat.fmean(r) / stat.stdev(r), moment(r, 3), moment(r, 4)
    assert g3 is not None
    assert g4 is not None
    variance = 1.0 - g3 * s + (g4 - 1.0) / 4.0 * s * s
    return stat.NormalDist().cdf(s * math.sqrt(len(r) - 1) / math.sqrt(variance)) if variance > 0 else None


def downside(r: list[float]) -> float:
    return math.sqrt(stat.fmean([min(x, 0.0) ** 2 for x in r]) * 252)


ORACLES: dict[str, Oracle] = {
    "total_return": lambda r: index(r)[-1] - 1.0,
    "cagr": lambda r: index(r)[-1] ** (252 / len(r)) - 1.0,
    "vol_ann": lambda r: stat.stdev(r) * math.sqrt(252) if moved(r) else (None if len(r) < 2 else 0.0),
    "sharpe": lambda r: stat.fmean(r) / stat.stdev(r) * math.sqrt(252) if moved(r) else None,
    "probabilistic_sharpe": psr,
    "probabilistic_sharpe_excess": psr,  # without a bill series
    "sortino": lambda r: ratio(stat.fmean(r) * 252, downside(r)),
    "downside_dev_ann": downside,
    "max_drawdown": lambda r: min(falls(r)),
    "average_drawdown": lambda r: stat.fmean(falls(r)),
    "calmar": lambda r: ratio(index(r)[-1] ** (252 / len(r)) - 1.0, -min(falls(r))),
    "ulcer": lambda r: math.sqrt(stat.fmean([x * x for x in falls(r)])),
    "skew": lambda r: moment(r, 3),
    "kurtosis": lambda r: moment(r, 4),
    "value_at_risk": lambda r: quantile(r, Fraction(1, 20)),
    "expected_shortfall": tail_mean,
    "omega": lambda r: ratio(sum(max(x, 0.0) for x in r), sum(max(-x, 0.0) for x in r)),
    "profit_factor": lambda r: ratio(sum(x for x in r if x > 0), -sum(x for x in r if x < 0)),
    "tail_ratio": lambda r: ratio(abs(quantile(r, Fraction(19, 20))), abs(quantile(r, Fraction(1, 20)))),
    "hit_rate": lambda r: ratio(sum(x > 0 for x in r), sum(x != 0 for x in r)),
    "payoff": lambda r: (
        stat.fmean([x for x in r if x > 0]) / -stat.fmean([x for x in r if x < 0])
        if any(x > 0 for x in r) and any(x < 0 for x in r)
        else None
    ),
    "best_day": max,
    "worst_day": min,
}
# Told by other tests: dates and labels, months, spells and the calendar's CAGR; over bills it is the same function.
ELSEWHERE = {
    "cagr_calendar", "sharpe_excess", "max_drawdown_duration", "max_drawdown_recovery", "max_drawdown_open",
    "longest_drawdown", "best_day_session", "worst_day_session", "best_month", "best_month_label", "worst_month",
    "worst_month_label",
}  # fmt: skip

SERIES = {
    "one gain": [0.01],
    "one loss": [-0.01],
    "one zero": [0.0],
    "two equal": [0.01, 0.01],
    "two": [0.02, -0.01],
    "three with a tie": [-0.01, -0.01, 0.03],
    "three": [0.01, 0.0, -0.02],
    "constant gain": [0.001] * 60,
    "constant loss": [-0.001] * 60,
    "all zero": [0.0] * 60,
    "mostly cash": [0.0] * 240 + [-0.05] * 12,
    "mostly cash, one gain": [0.0] * 59 + [0.02],
    "mostly cash at a rate": [0.0002] * 57 + [-0.03, 0.01, 0.02],
    "ties at the quantile": [-0.02] * 10 + [0.01] * 90,
    "two values": [0.01, -0.01] * 30,
}


def days(n: int) -> Any:
    return np.busday_offset("2020-01-01", np.arange(n), roll="forward")


def test_an_oracle_is_written_for_every_statistic_of_a_series() -> None:
    assert set(series_block(np.array([0.01, -0.02]), days(2), None)) == set(ORACLES) | ELSEWHERE


@pytest.mark.parametrize("name", SERIES)
def test_every_statistic_has_its_value_or_a_dash(name: str) -> None:
    r = SERIES[name]
    block = series_block(np.array(r), days(len(r)), None)
    for key, oracle in ORACLES.items():
        wanted = oracle(r)
        if wanted is None or (len(r) < 21 and key in m.ANNUALISED):
            assert block[key] is None or not math.isfinite(block[key]), key
        else:
            assert block[key] == pytest.approx(wanted, rel=1e-9, abs=1e-12), key


@given(st.lists(st.sampled_from([-0.05, -0.01, 0.0, 0.0, 0.0, 0.01, 0.03]), min_size=21, max_size=70))
def test_every_statistic_of_returns_full_of_ties_has_its_value_or_a_dash(r: list[float]) -> None:
    block = series_block(np.array(r), days(len(r)), None)
    for key, oracle in ORACLES.items():
        wanted = oracle(r)
        got = block[key]
        if wanted is None:
            assert got is None or not math.isfinite(got), key
        else:
            assert got == pytest.approx(wanted, rel=1e-7, abs=1e-12), key


@pytest.mark.parametrize(
    ("losses", "size", "n", "exact"),
    [(12, -0.05, 252, -0.05 * 12 / 12.6), (1, -0.30, 20, -0.30), (1, -0.30, 21, -0.30 / 1.05), (1, -0.30, 19, -0.30)],
    ids=["twelve of 252", "one of twenty", "one flat day more", "fewer than one in twenty"],
)
def test_a_shortfall_does_not_collapse_where_returns_tie_at_the_quantile(
    losses: int, size: float, n: int, exact: float
) -> None:
    returns = np.zeros(n)
    returns[:losses] = size
    assert m.expected_shortfall(returns) == pytest.approx(exact, rel=1e-12)
    assert round(exact, 4) in {-0.0476, -0.3, -0.2857}


@given(st.lists(st.sampled_from([-0.3, -0.05, -0.01, 0.0, 0.0, 0.02]), min_size=1, max_size=90), st.floats(0.01, 0.5))
def test_a_shortfall_is_the_least_of_its_dual(r: list[float], level: float) -> None:
    # Rockafellar & Uryasev (2000): min over z of z + E max(loss - z, 0) / level; convex, with its corners at the losses
    losses = [-x for x in r]
    dual = min(z + math.fsum(max(x - z, 0.0) for x in losses) / len(r) / level for z in losses)
    assert m.expected_shortfall(np.array(r), level) == pytest.approx(-dual, rel=1e-9, abs=1e-12)


def test_rounding_of_a_flat_account_is_no_loss_to_divide_by() -> None:
    noisy = np.tile([1.1e-16, -1.1e-16, 0.0], 40)
    block = series_block(noisy, days(120), None)
    for key in ("sharpe", "sortino", "calmar", "omega", "profit_factor", "tail_ratio", "payoff", "hit_rate", "skew"):
        assert not math.isfinite(block[key]), key
    earning = np.where(np.arange(120) % 40 == 0, 0.001, noisy)
    block = series_block(earning, days(120), None)
    assert block["hit_rate"] == 1.0
    for key in ("sortino", "calmar", "omega", "payoff"):
        assert not math.isfinite(block[key]), key


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("bench", ["constant", "opposite", "itself"])
def test_every_relative_figure_of_one_to_three_returns_is_right_or_a_dash(n: int, bench: str) -> None:
    r = np.array([0.02, -0.01, 0.005])[:n]
    b = {"constant": np.full(n, 0.01), "opposite": -r, "itself": r.copy()}[bench]
    block = relative_block(r, b, None)
    slope = {"constant": None, "opposite": -1.0, "itself": 1.0}[bench]
    for key in ("beta", "correlation"):
        if n == 1 or slope is None:
            assert not math.isfinite(block[key])
        else:
            assert block[key] == pytest.approx(slope)
    for key in ("alpha_ann", "alpha_excess_ann", "tracking_error_ann", "information_ratio"):
        assert not math.isfinite(block[key])
    if bench == "itself":
        assert block["up_capture"] == pytest.approx(1.0)
        assert n == 1 or block["down_capture"] == pytest.approx(1.0)
    if bench == "constant":
        assert block["up_capture"] == pytest.approx((np.prod(1 + r) ** (1 / n) - 1) / 0.01)
        assert not math.isfinite(block["down_capture"])


def test_relative_figures_of_a_mostly_idle_account_against_a_moving_benchmark() -> None:
    b = np.tile([0.01, -0.02, 0.005], 20)
    r = np.zeros(60)
    block = relative_block(r, b, None)
    assert block["beta"] == 0.0
    assert not math.isfinite(block["correlation"])
    assert block["alpha_ann"] == 0.0
    assert block["tracking_error_ann"] == pytest.approx(stat.stdev(b.tolist()) * math.sqrt(252))
    assert (block["up_capture"], block["down_capture"]) == (0.0, 0.0)


def test_sessions_on_which_the_benchmark_stands_still_are_in_neither_capture() -> None:
    block = relative_block(np.array([0.02, 0.07, -0.01, -0.05]), np.array([0.01, 0.0, -0.02, 0.0]), None)
    assert block["up_capture"] == pytest.approx(2.0)
    assert block["down_capture"] == pytest.approx(0.5)


def test_no_figure_a_year_is_given_of_fewer_than_21_sessions(make_result: Make) -> None:
    short, long = make_result(sessions=20).metrics, make_result(sessions=21).metrics

    def annual(block: Any, path: str = "") -> dict[str, Any]:
        if isinstance(block, list):
            block = {str(k): item for k, item in enumerate(block)}
        if not isinstance(block, dict):
            return {path: block} if path.rpartition(".")[2] in m.ANNUALISED and "by_year" not in path else {}
        return {k: v for key, item in block.items() for k, v in annual(item, f"{path}.{key}").items()}

    found = {path: value for path, value in annual(short).items() if not path.startswith(".conventions")}
    assert len(found) > 40
    assert set(found.values()) == {None}
    known = {key for key, value in annual(long).items() if value is not None}
    assert {".cagr", ".sharpe", ".relative.alpha_ann", ".costs.drag_bps_per_year", ".benchmark.vol_ann"} <= known
    assert short["total_return"] is not None
    assert short["max_drawdown"] is not None
    assert short["probabilistic_sharpe"] is not None


def test_a_part_of_a_year_below_21_sessions_has_no_volatility_a_year(make_result: Make) -> None:
    rows = make_result(sessions=270).metrics["by_year"]
    assert [row["sessions"] for row in rows] == [259, 11]
    assert (rows[0]["vol_ann"] is None, rows[1]["vol_ann"], rows[1]["sharpe"]) == (False, None, None)
