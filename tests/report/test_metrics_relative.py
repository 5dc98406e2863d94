"""Statistics against a benchmark."""

import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from plimsoll.engine.report.metrics import relative

GOLDEN = Path(__file__).parents[2] / ".." / "shared" / "golden" / "metrics.json"
BENCH = np.array([0.01, -0.02, 0.03, -0.01])

daily = st.floats(-0.1, 0.1, allow_nan=False).map(lambda x: round(x, 5))


def test_a_levered_benchmark_plus_a_constant_gives_back_its_beta_and_alpha() -> None:
    returns = 1.5 * BENCH + 0.0004
    assert relative.beta(returns, BENCH) == pytest.approx(1.5, rel=1e-12)
    assert relative.alpha_ann(returns, BENCH) == pytest.approx(0.0004 * 252.0, rel=1e-9)
    assert relative.correlation(returns, BENCH) == pytest.approx(1.0, rel=1e-12)


def test_tracking_error_and_information_ratio_by_hand() -> None:
    returns = BENCH + np.array([0.001, 0.003, 0.001, 0.003])  # active mean .002, sd .001 * sqrt(4/3)
    sd = 0.001 * math.sqrt(4.0 / 3.0)
    assert relative.tracking_error_ann(returns, BENCH) == pytest.approx(sd * math.sqrt(252.0), rel=1e-9)
    assert relative.information_ratio(returns, BENCH) == pytest.approx(0.002 / sd * math.sqrt(252.0), rel=1e-9)


def test_captures_are_ratios_of_geometric_means_on_rising_and_falling_sessions() -> None:
    returns = np.array([0.02, -0.01, 0.015, -0.02])
    up = math.sqrt(1.02 * 1.015) - 1.0
    down = math.sqrt(0.99 * 0.98) - 1.0
    assert relative.up_capture(returns, BENCH) == pytest.approx(up / (math.sqrt(1.01 * 1.03) - 1.0), rel=1e-12)
    assert relative.down_capture(returns, BENCH) == pytest.approx(down / (math.sqrt(0.98 * 0.99) - 1.0), rel=1e-12)


def test_reference_figures_are_met() -> None:
    if not GOLDEN.exists():
        pytest.skip("the reference figures are not on this machine")
    data = json.loads(GOLDEN.read_text())
    returns, bench = np.array(data["input"]["returns"]), np.array(data["input"]["benchmark"])
    got = {
        "beta": relative.beta(returns, bench),
        "alpha_arith_annual_rf0": relative.alpha_ann(returns, bench),
        "corr": relative.correlation(returns, bench),
        "tracking_error_ann": relative.tracking_error_ann(returns, bench),
        "information_ratio_ann": relative.information_ratio(returns, bench),
    }
    assert got == pytest.approx({key: data["reference"][key] for key in got}, rel=1e-9)


def test_empyrical_agrees() -> None:
    rng = np.random.default_rng(11)
    bench = rng.normal(0.0003, 0.01, 800)
    returns = 0.7 * bench + rng.normal(0.0001, 0.005, 800)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        empyrical = pytest.importorskip("empyrical")
        beta = float(empyrical.beta(returns, bench))
        per_session = float(empyrical.excess_sharpe(returns, bench))
        rising, falling = (float(f(returns, bench)) for f in (_ups(empyrical), _downs(empyrical)))
    assert relative.beta(returns, bench) == pytest.approx(beta, rel=1e-9)
    assert relative.information_ratio(returns, bench) == pytest.approx(per_session * math.sqrt(252.0), rel=1e-9)
    assert relative.up_capture(returns, bench) == pytest.approx(rising, rel=1e-9)
    assert relative.down_capture(returns, bench) == pytest.approx(falling, rel=1e-9)


def _ups(empyrical: Any) -> Callable[..., float]:
    """Its annualised returns of rising sessions, taken back to one session."""
    return lambda r, b: _per_session(empyrical, r[b > 0]) / _per_session(empyrical, b[b > 0])


def _downs(empyrical: Any) -> Callable[..., float]:
    return lambda r, b: _per_session(empyrical, r[b < 0]) / _per_session(empyrical, b[b < 0])


def _per_session(empyrical: Any, returns: np.ndarray) -> float:
    return float((1.0 + empyrical.annual_return(returns)) ** (1.0 / 252.0) - 1.0)


@pytest.mark.parametrize(
    "statistic", [relative.beta, relative.correlation, relative.alpha_ann], ids=lambda f: f.__name__
)
def test_a_benchmark_that_does_not_move_defines_nothing(statistic: Callable[..., float]) -> None:
    assert math.isnan(statistic(BENCH, np.full(4, 0.001)))


def test_the_benchmark_itself_has_no_information_ratio() -> None:
    assert relative.tracking_error_ann(BENCH, BENCH) == 0.0
    assert math.isnan(relative.information_ratio(BENCH, BENCH))


def test_no_falling_session_leaves_the_down_capture_undefined() -> None:
    assert math.isnan(relative.down_capture(BENCH, np.abs(BENCH)))


def test_losing_everything_in_rising_sessions_is_minus_one_over_the_benchmark() -> None:
    returns = np.array([-1.0, 0.0, 0.0, 0.0])
    mean = math.sqrt(1.01 * 1.03) - 1.0
    assert relative.up_capture(returns, BENCH) == pytest.approx(-1.0 / mean)


@given(arrays(np.float64, 30, elements=daily), arrays(np.float64, 30, elements=daily))
def test_correlation_is_symmetric_and_bounded(a: np.ndarray, b: np.ndarray) -> None:
    value = relative.correlation(a, b)
    assert math.isnan(value) or -1.0 <= value <= 1.0
    assert relative.correlation(b, a) == pytest.approx(value, rel=1e-9, abs=1e-12, nan_ok=True)
