"""Statistics of one series: numbers derived by hand, an independent library, published figures."""

import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plimsoll.engine.kernels.overfit.sharpe import psr
from plimsoll.engine.report.metrics import returns as m

GOLDEN = Path(__file__).parents[2] / ".." / "shared" / "golden" / "metrics.json"
FOUR = np.array([0.10, -0.20, 0.05, 0.30])  # index 1, 1.1, 0.88, 0.924, 1.2012


def golden() -> dict[str, Any]:
    if not GOLDEN.exists():
        pytest.skip("the reference figures are not on this machine")
    return dict(json.loads(GOLDEN.read_text()))


def shortfall_by_minimisation(returns: np.ndarray, level: float) -> float:
    """Return -min over z of z + mean(max(loss - z, 0)) / level: theorem 1 of Rockafellar & Uryasev (2000).

    The function is convex and has its corners at the losses, one of which is therefore a minimum.
    """
    losses = -returns
    return -min(float(z + np.mean(np.maximum(losses - z, 0.0)) / level) for z in losses)


def test_growth_starts_at_one_and_compounds() -> None:
    np.testing.assert_allclose(m.growth(FOUR), [1.0, 1.1, 0.88, 0.924, 1.2012], rtol=1e-15)
    assert m.total_return(FOUR) == pytest.approx(0.2012, abs=1e-15)


def test_cagr_raises_the_final_value_to_the_share_of_a_year() -> None:
    assert m.cagr(FOUR) == pytest.approx(1.2012**63 - 1.0, rel=1e-12)  # 252 / 4 sessions
    assert m.cagr(np.full(252, 0.0)) == 0.0


def test_calendar_cagr_counts_days_from_the_close_before_the_first_session() -> None:
    days = np.array(["2024-01-02", "2024-12-31"], dtype="datetime64[D]")
    assert m.start_of(days) == np.datetime64("2024-01-01")
    value = m.cagr_calendar(np.array([0.1, 0.0]), m.start_of(days), days[-1])
    assert value == pytest.approx(1.1 ** (365.25 / 365.0) - 1.0, rel=1e-12)


def test_start_before_a_monday_is_the_friday() -> None:
    assert m.start_of(np.array(["2024-01-08"], dtype="datetime64[D]")) == np.datetime64("2024-01-05")


def test_sharpe_and_volatility_of_two_returns_by_hand() -> None:
    returns = np.array([0.01, 0.03])  # mean .02, sd (ddof 1) = .02 / sqrt 2
    assert m.vol_ann(returns) == pytest.approx(0.02 / math.sqrt(2.0) * math.sqrt(252.0), rel=1e-12)
    assert m.sharpe(returns) == pytest.approx(math.sqrt(2.0) * math.sqrt(252.0), rel=1e-12)
    assert m.sharpe(returns, 0.02) == pytest.approx(0.0, abs=1e-9)
    assert m.sharpe(returns, np.array([0.0, 0.02])) != m.sharpe(returns)


def test_downside_deviation_averages_over_all_sessions_not_only_the_losses() -> None:
    returns = np.array([0.02, -0.02, 0.02, 0.02])
    assert m.downside_dev_ann(returns) == pytest.approx(0.01 * math.sqrt(252.0), rel=1e-12)
    assert m.sortino(returns) == pytest.approx(0.01 * 252.0 / (0.01 * math.sqrt(252.0)), rel=1e-12)


def test_a_loss_on_the_first_day_is_a_drawdown() -> None:
    assert m.max_drawdown(np.array([-0.25, 0.10])) == pytest.approx(-0.25)
    np.testing.assert_allclose(m.underwater(FOUR), [0.0, -0.2, -0.16, 0.0], atol=1e-15)


def test_calmar_and_ulcer_by_hand() -> None:
    assert m.calmar(FOUR) == pytest.approx((1.2012**63 - 1.0) / 0.2, rel=1e-12)
    assert m.ulcer(FOUR) == pytest.approx(math.sqrt((0.2**2 + 0.16**2) / 4.0), rel=1e-12)


def test_gains_over_losses_by_hand() -> None:
    assert m.omega(FOUR) == pytest.approx(0.45 / 0.20)
    assert m.profit_factor(FOUR) == m.omega(FOUR)
    assert m.payoff(FOUR) == pytest.approx(0.15 / 0.20)
    assert m.hit_rate(np.array([0.1, 0.0, -0.1, 0.2])) == pytest.approx(2.0 / 3.0)  # the zero does not count


def test_value_at_risk_interpolates_and_the_shortfall_weighs_the_worst_five_per_cent() -> None:
    returns = np.arange(-10, 11) / 100.0  # 21 values: the 5% quantile is the second, 5% are 1.05 of them
    assert m.value_at_risk(returns) == pytest.approx(-0.09)
    assert m.expected_shortfall(returns) == pytest.approx((-0.10 - 0.05 * 0.09) / 1.05)
    assert m.tail_ratio(returns) == pytest.approx(1.0)


def test_skew_and_kurtosis_are_the_biased_moments() -> None:
    returns = np.array([0.0, 0.0, 0.0, 1.0])  # deviations -.25 x 3, .75: m2 .1875, m3 .09375, m4 .08203125
    assert m.skew(returns) == pytest.approx(0.09375 / 0.1875**1.5, rel=1e-12)
    assert m.kurtosis(returns) == pytest.approx(0.08203125 / 0.1875**2, rel=1e-12)


@pytest.mark.parametrize(("skew", "kurtosis", "published"), [(-2.448, 10.164, 0.913), (0.0, 3.0, 0.982)])
def test_probabilistic_sharpe_gives_the_figures_of_its_paper(skew: float, kurtosis: float, published: float) -> None:
    # Bailey & Lopez de Prado (2012), section 4: a Sharpe ratio of .458 from 24 months
    assert psr(0.458, 24, skew, kurtosis) == pytest.approx(published, abs=5e-4)


def test_probabilistic_sharpe_of_a_series_uses_the_ratio_per_session() -> None:
    returns = np.random.default_rng(1).normal(0.0005, 0.01, 500)
    ratio = float(np.mean(returns) / np.std(returns, ddof=1))
    assert m.probabilistic_sharpe(returns) == pytest.approx(psr(ratio, 500, m.skew(returns), m.kurtosis(returns)))
    own = m.sharpe(returns)
    assert m.probabilistic_sharpe(returns, against=own) == pytest.approx(0.5, abs=1e-12)


def test_reference_figures_are_met() -> None:
    data = golden()
    returns, want = np.array(data["input"]["returns"]), data["reference"]
    sessions = np.busday_offset(data["input"]["start"], np.arange(len(returns)))
    got = {
        "total_return": m.total_return(returns),
        "cagr_252_periods": m.cagr(returns),
        "cagr_calendar_365.25": m.cagr_calendar(returns, m.start_of(sessions), sessions[-1]),
        "ann_vol_ddof1": m.vol_ann(returns),
        "sharpe_rf0_ddof1": m.sharpe(returns),
        "downside_dev_all_obs_mar0_ann": m.downside_dev_ann(returns),
        "sortino_mar0": m.sortino(returns),
        "max_drawdown_incl_start": m.max_drawdown(returns),
        "calmar": m.calmar(returns),
        "ulcer_index_pct_free": m.ulcer(returns),
        "avg_drawdown": float(np.mean(m.underwater(returns))),
        "skew_biased": m.skew(returns),
        "kurtosis_raw_biased": m.kurtosis(returns),
        "hist_var_5pct_linear_interp": m.value_at_risk(returns),
    }
    assert got == pytest.approx({key: want[key] for key in got}, rel=1e-9)
    # empyrical takes the mean of the int((n - 1) * 5%) + 1 worst: here 13 for 12.6, so it says a little less
    assert m.expected_shortfall(returns) < data["empyrical"]["conditional_value_at_risk_5pct"]
    assert m.expected_shortfall(returns) == pytest.approx(shortfall_by_minimisation(returns, 0.05), rel=1e-12)
    assert m.sharpe(returns, 1e-4) == pytest.approx(data["empyrical"]["sharpe_ratio_rf_1e-4_daily"], rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_empyrical_agrees(seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        empyrical = pytest.importorskip("empyrical")
        rng = np.random.default_rng(seed)
        returns = rng.standard_t(4, 700) * 0.01 + 0.0003
        want = {
            "cagr": empyrical.annual_return(returns),
            "vol": empyrical.annual_volatility(returns),
            "sharpe": empyrical.sharpe_ratio(returns),
            "sharpe over a rate": empyrical.sharpe_ratio(returns, risk_free=1e-4),
            "sortino": empyrical.sortino_ratio(returns),
            "downside": empyrical.downside_risk(returns),
            "drawdown": empyrical.max_drawdown(returns),
            "calmar": empyrical.calmar_ratio(returns),
            "omega": empyrical.omega_ratio(returns),
            "tail": empyrical.tail_ratio(returns),
            "var": empyrical.value_at_risk(returns),
        }
    got = {
        "cagr": m.cagr(returns),
        "vol": m.vol_ann(returns),
        "sharpe": m.sharpe(returns),
        "sharpe over a rate": m.sharpe(returns, 1e-4),
        "sortino": m.sortino(returns),
        "downside": m.downside_dev_ann(returns),
        "drawdown": m.max_drawdown(returns),
        "calmar": m.calmar(returns),
        "omega": m.omega(returns),
        "tail": m.tail_ratio(returns),
        "var": m.value_at_risk(returns),
    }
    assert got == pytest.approx({key: float(value) for key, value in want.items()}, rel=1e-9)
