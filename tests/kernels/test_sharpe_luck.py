"""What a Sharpe ratio is worth: the papers' figures to their printed precision, scipy's, and plain properties."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels.overfit.normal import cdf, quantile
from plimsoll.engine.kernels.overfit.sharpe import (
    dsr,
    expected_maximum,
    lucky_ratio,
    min_backtest_years,
    min_track_record,
    psr,
)

Golden = Callable[[str], dict[str, Any]]
# Bailey & Lopez de Prado (2014): 2.5 a year of 250 sessions over five of them, V = .5 a year
RATIO, N, VARIANCE = 2.5 / math.sqrt(250.0), 1250, 0.5 / 250.0
ratios = st.floats(-0.3, 0.3)
skews = st.floats(-2.0, 2.0)
kurtoses = st.floats(6.0, 20.0)  # moments of a real series: g4 >= 1 + g3^2


@pytest.mark.parametrize("z", [-38.0, -20.0, -8.0, -3.0, -1.0, -1e-9, 0.0, 0.5, 2.0, 6.0])
def test_the_normal_distribution_is_scipys_to_the_last_digits(z: float) -> None:
    assert cdf(z) == pytest.approx(norm.cdf(z), rel=2e-13 if z < -8.0 else 1e-15)


@pytest.mark.parametrize("p", [1e-300, 1e-20, 1e-6, 0.01, 0.075, 0.3, 0.425, 0.5, 0.575, 0.8, 0.95, 0.999])
def test_its_quantiles_are_scipys_to_the_last_digits(p: float) -> None:
    assert quantile(p) == pytest.approx(norm.ppf(p), rel=2e-15, abs=1e-16)


def test_quantiles_end_where_probabilities_do() -> None:
    assert (quantile(0.0), quantile(1.0)) == (-math.inf, math.inf)
    assert all(math.isnan(quantile(p)) for p in (-0.1, 1.1, math.nan))


@pytest.mark.parametrize(
    ("g3", "g4", "ratio", "printed"),
    [(0.0, 3.0, 0.458, "0.982"), (-2.448, 10.164, 0.458, "0.913"), (-2.448, 10.164, 0.036 / 0.079, "0.9127")],
)
def test_two_years_of_a_hedge_fund_have_the_papers_probabilities(
    g3: float, g4: float, ratio: float, printed: str
) -> None:
    found = psr(ratio, 24, g3, g4)
    assert f"{found:.{len(printed) - 2}f}" == printed


@pytest.mark.parametrize(
    ("trials", "g3", "g4", "printed"),
    [(100, -3.0, 10.0, "0.9004"), (46, -3.0, 10.0, "0.9505"), (88, 0.0, 3.0, "0.9505")],
)
def test_the_deflated_ratio_has_the_papers_probabilities(trials: int, g3: float, g4: float, printed: str) -> None:
    assert f"{dsr(RATIO, N, g3, g4, VARIANCE, trials):.4f}" == printed


def test_the_best_of_a_hundred_without_skill_shows_the_papers_ratio() -> None:
    assert f"{lucky_ratio(VARIANCE, 100):.4f}" == "0.1132"
    assert f"{lucky_ratio(VARIANCE, 100) * math.sqrt(250.0):.3f}" == "1.789"


@pytest.mark.parametrize(("trials", "printed"), [(10, "2.48"), (45, "5.0"), (100, "6.4")])
def test_so_many_trials_need_the_papers_years(trials: int, printed: str) -> None:
    assert f"{min_backtest_years(trials):.{len(printed) - 2}f}" == printed


def test_a_public_audit_of_a_leveraged_etf_strategy_is_met() -> None:
    """Jutsu-Labs print .9987, .9982 and .9975 for 243, 1,000 and 5,000 trials, but not the ratio they are of.

    Whatever it is, one ratio must give all three.
    """
    printed = {243: "0.9987", 1000: "0.9982", 5000: "0.9975"}
    giving = [
        ratio
        for ratio in np.linspace(0.05, 0.065, 3001).tolist()
        if all(f"{dsr(ratio, 4125, 0.0, 3.0, 1.41e-5, n):.4f}" == text for n, text in printed.items())
    ]
    assert len(giving) > 1
    assert max(giving) - min(giving) < 3e-4  # so it is told to half a hundredth a year


def test_recomputed_figures_are_met(golden: Golden) -> None:
    found = golden("overfit")
    for name, want in found["dsr_paper"]["results"].items():
        trials = int(name.removeprefix("N="))
        assert expected_maximum(trials) == pytest.approx(want["emax_std_normal"], rel=1e-12)
        assert lucky_ratio(VARIANCE, trials) == pytest.approx(want["sr0_daily"], rel=1e-12)
        assert dsr(RATIO, N, -3.0, 10.0, VARIANCE, trials) == pytest.approx(want["dsr_skew-3_kurt10"], rel=1e-12)
        assert dsr(RATIO, N, 0.0, 3.0, VARIANCE, trials) == pytest.approx(want["dsr_normal"], rel=1e-12)
    fund, want = found["psr_paper"]["inputs"], found["psr_paper"]
    ratio = fund["mean_monthly"] / fund["std_monthly"]
    assert psr(ratio, fund["T"], 0.0, 3.0) == pytest.approx(want["psr0_normal"], rel=1e-12)
    assert psr(ratio, fund["T"], fund["skew"], fund["kurt_raw"]) == pytest.approx(want["psr0_nonnormal"], rel=1e-12)
    records = found["mintrl"]
    for annual in (1, 2):
        length = min_track_record(annual / math.sqrt(252.0), 0.0, 3.0)
        assert length == pytest.approx(records[f"sr_daily={annual}/sqrt252,vs0,normal"], rel=1e-12)
    length = min_track_record(ratio, fund["skew"], fund["kurt_raw"])
    assert length == pytest.approx(records["psr_example_alpha.05"], rel=1e-12)
    for trials, want in found["minbtl_years"].items():
        assert min_backtest_years(int(trials)) == pytest.approx(want["emax_form_E1"], rel=1e-12)
        assert min_backtest_years(int(trials)) < want["upper_bound_2lnN"]


@given(ratios, st.integers(30, 5000), skews, kurtoses, st.floats(1e-6, 1e-3), st.integers(2, 10_000), st.integers(1, 9))
def test_more_trials_never_raise_the_probability_and_deflation_costs(
    ratio: float, n: int, g3: float, g4: float, variance: float, trials: int, more: int
) -> None:
    before, after = (dsr(ratio, n, g3, g4, variance, count) for count in (trials, trials + more))
    assert after <= before <= psr(ratio, n, g3, g4)
    if 1e-12 < before < 1.0 - 1e-12:
        assert after < before


@given(st.floats(1.0, 1e6), st.floats(0.0, 10.0))
def test_the_expected_maximum_grows_with_the_trials_and_is_zero_for_one(trials: float, more: float) -> None:
    assert 0.0 == expected_maximum(1.0) <= expected_maximum(trials) <= expected_maximum(trials + more)


@pytest.mark.parametrize(("trials", "within"), [(10, 0.04), (100, 0.03), (1000, 0.03)])
def test_the_expected_maximum_is_that_of_drawn_numbers(trials: int, within: float) -> None:
    drawn = np.random.default_rng(7).standard_normal((4000, trials)).max(axis=1)
    noise = 4.0 * float(drawn.std()) / math.sqrt(len(drawn))
    assert expected_maximum(trials) == pytest.approx(float(drawn.mean()), abs=within + noise)


@given(st.floats(0.01, 0.3), skews, kurtoses, st.floats(0.55, 0.999))
def test_a_record_of_the_minimum_length_has_the_level_asked_for(
    ratio: float, g3: float, g4: float, level: float
) -> None:
    needed = min_track_record(ratio, g3, g4, 0.0, level)
    if needed > 2.0:
        spread = (ratio - 0.0) * math.sqrt(needed - 1.0) / math.sqrt(1.0 - g3 * ratio + (g4 - 1.0) / 4.0 * ratio**2)
        assert norm.cdf(spread) == pytest.approx(level, rel=1e-12)
        assert psr(ratio, math.ceil(needed), g3, g4) >= level - 1e-12
        assert psr(ratio, math.floor(needed), g3, g4) <= level + 1e-12


def test_a_ratio_that_is_not_above_the_other_needs_for_ever() -> None:
    assert min_track_record(0.05, 0.0, 3.0, against=0.05) == math.inf
    assert min_track_record(-0.1, 0.0, 3.0) == math.inf


def test_what_contradicts_itself_is_no_number() -> None:
    assert math.isnan(psr(1.0, 100, 3.0, 3.0))  # a skewness of 3 needs a kurtosis of 10
    assert math.isnan(min_track_record(1.0, 3.0, 3.0))
    assert math.isnan(psr(0.1, 1, 0.0, 3.0))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: dsr(0.1, 100, 0.0, 3.0, 0.0, 10),
            "deflated Sharpe ratio: the Sharpe ratios of the trials have vari",
        ),
        (lambda: dsr(0.1, 100, 0.0, 3.0, math.nan, 10), "have variance nan"),
        (lambda: dsr(0.1, 100, 0.0, 3.0, 1e-4, 0), "0 trials; count at least one"),
        (lambda: expected_maximum(math.inf), "inf trials"),
        (lambda: min_backtest_years(10, 0.0), "target 0.0; an annualised ratio above 0"),
        (lambda: min_track_record(0.1, 0.0, 3.0, level=95.0), "level 95.0; a probability between .5 and 1"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(call: Callable[[], float], says: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
