"""The six tiers: what they promise, where the source contradicts itself, and the map to funds."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.strategies import exposure as tiers
from plimsoll.strategies.exposure import Tiers, fund_weights
from plimsoll.strategies.overlay_range import RANGES

GATES = (tiers.ALWAYS, tiers.BEAR_ONLY)

strengths = st.floats(-150.0, 150.0)
sigmas = st.floats(0.02, 1.0)
ratios = st.floats(0.3, 4.0)
drawdowns = st.floats(0.0, 0.9)


def between(name: str) -> st.SearchStrategy[float]:
    return st.floats(*RANGES[name])


@st.composite
def settings_of(draw: st.DrawFn, mode: int) -> Tiers:
    """Any settings within the published ranges."""
    names = ("t_max", "k_long", "k_short", "e_min", "e_short", "e_max", "alpha_vix", "dd_soft", "dd_hard", "p_min")
    values = {name: draw(between(name)) for name in names}
    return Tiers(
        mode=mode, dd_gate=draw(st.sampled_from(GATES)), lambda_vol=draw(between("sigma_target_multiplier")), **values
    )


def e_of(
    p: Tiers, strength: float, sigma: float = 0.2, ratio: float = 1.0, dd: float = 0.0, base: float = 0.2
) -> float:
    return tiers.exposure(p, strength, sigma, base, ratio, dd, np.zeros(tiers.COLUMNS))


@pytest.mark.parametrize("mode", [tiers.LITERAL, tiers.DERISK])
@given(data=st.data(), sigma=sigmas, ratio=ratios)
def test_no_trend_and_no_drawdown_is_exactly_one(mode: int, data: st.DataObject, sigma: float, ratio: float) -> None:
    p = data.draw(settings_of(mode))
    assert e_of(p, 0.0, sigma, ratio) == 1.0
    assert e_of(p, np.nan, np.nan, np.nan) == 1.0


@pytest.mark.parametrize("mode", [tiers.LITERAL, tiers.DERISK])
@given(data=st.data(), strength=strengths, more=st.floats(0.0, 100.0), sigma=sigmas, ratio=ratios, dd=drawdowns)
def test_a_stronger_trend_never_lowers_exposure(
    mode: int, data: st.DataObject, strength: float, more: float, sigma: float, ratio: float, dd: float
) -> None:
    p = data.draw(settings_of(mode))
    assert e_of(p, strength + more, sigma, ratio, dd) >= e_of(p, strength, sigma, ratio, dd) - 1e-12


@given(
    p=settings_of(tiers.DERISK), strength=strengths, sigma=sigmas, ratio=ratios, dd=drawdowns, more=st.floats(0.0, 0.5)
)
def test_derisk_a_deeper_drawdown_never_buys(
    p: Tiers, strength: float, sigma: float, ratio: float, dd: float, more: float
) -> None:
    assert e_of(p, strength, sigma, ratio, dd + more) <= e_of(p, strength, sigma, ratio, dd) + 1e-12


@given(
    p=settings_of(tiers.DERISK),
    strength=strengths,
    sigma=sigmas,
    ratio=st.floats(1.0, 4.0),
    dd=drawdowns,
    more=st.floats(0.0, 3.0),
)
def test_derisk_more_fear_never_buys(
    p: Tiers, strength: float, sigma: float, ratio: float, dd: float, more: float
) -> None:
    assert e_of(p, strength, sigma, ratio + more, dd) <= e_of(p, strength, sigma, ratio, dd) + 1e-12


@given(
    p=settings_of(tiers.DERISK),
    strength=strengths,
    over=st.floats(1.0, 5.0),
    ratio=ratios,
    dd=drawdowns,
    more=st.floats(1.0, 5.0),
)
def test_derisk_more_volatility_above_target_never_buys(
    p: Tiers, strength: float, over: float, ratio: float, dd: float, more: float
) -> None:
    target = p.lambda_vol * 0.2
    calm, wild = (e_of(p, strength, target * x, ratio, dd) for x in (over, over * more))
    assert wild <= calm + 1e-12


@given(p=settings_of(tiers.DERISK), strength=strengths, sigma=sigmas, ratio=ratios, dd=drawdowns)
def test_derisk_is_never_above_literal(p: Tiers, strength: float, sigma: float, ratio: float, dd: float) -> None:
    assert (
        e_of(p, strength, sigma, ratio, dd) <= e_of(p._replace(mode=tiers.LITERAL), strength, sigma, ratio, dd) + 1e-12
    )


def test_derisk_goes_net_short_only_in_a_strong_downtrend_with_a_drawdown() -> None:
    p = Tiers(mode=tiers.DERISK)
    assert e_of(p, -60.0, dd=0.30) == pytest.approx(-0.30)
    assert e_of(p, -60.0, dd=0.0) == pytest.approx(0.70)
    assert e_of(p, -29.0, dd=0.30) > 0.5
    assert e_of(p, 60.0, dd=0.30) == pytest.approx(0.70)


def test_literal_exposure_stays_within_040_and_180_over_the_whole_published_box_so_it_never_shorts() -> None:
    names = ("t_max", "k_long", "k_short", "e_min", "e_short", "e_max", "alpha_vix", "dd_soft", "dd_hard", "p_min")
    corners = product(*(sorted(set(RANGES[name])) for name in names))
    low, high = np.inf, -np.inf
    inputs = list(product((-100.0, -30.0, 0.0, 100.0), (0.05, 0.2, 0.8), (0.5, 2.0), (0.0, 0.15, 0.5)))
    weights = np.zeros(3)
    for corner in corners:
        for lam, gate in product(RANGES["sigma_target_multiplier"], GATES):
            p = Tiers(dd_gate=gate, lambda_vol=lam, **dict(zip(names, corner, strict=True)))
            for strength, sigma, ratio, dd in inputs:
                e = e_of(p, strength, sigma, ratio, dd)
                low, high = min(low, e), max(high, e)
                fund_weights(p, e, True, True, weights)
                assert weights[2] == 0.0
    assert low == pytest.approx(0.40)
    assert high == pytest.approx(1.80)


def test_literal_shows_the_contradictions_of_its_source() -> None:
    bear = Tiers(k_short=0.4)
    assert e_of(bear, -60.0, sigma=0.05, dd=0.0) == pytest.approx(0.40)
    assert e_of(bear, -60.0, sigma=0.05, dd=0.25) == pytest.approx(0.70)  # a drawdown buys
    assert e_of(bear, -60.0, sigma=0.80) == pytest.approx(0.80)  # high volatility buys


@pytest.mark.parametrize("mode", [tiers.LITERAL, tiers.DERISK])
@given(e=st.floats(-0.75, 1.8), has_long=st.booleans(), has_short=st.booleans())
def test_the_funds_carry_the_exposure_up_to_their_caps(mode: int, e: float, has_long: bool, has_short: bool) -> None:
    p, w = Tiers(mode=mode), np.zeros(3)
    carried = fund_weights(p, e, has_long, has_short, w)
    assert (w >= 0.0).all()
    assert w.sum() <= 1.0 + 1e-15
    assert w @ [1.0, 3.0, -3.0] == pytest.approx(carried, abs=1e-12)
    assert carried == (min(e, 1.0) if not has_long else e) or (e < 0.0 and not has_short and carried == 0.0)
    if not has_long:
        assert w[1] == 0.0
    if not has_short:
        assert w[2] == 0.0


def test_the_caps_bind_on_their_funds_alone() -> None:
    w = np.zeros(3)
    fund_weights(Tiers(w_sqqq_max=0.2), -0.9, True, True, w)
    np.testing.assert_allclose(w, [0.0, 0.0, 0.2])
    fund_weights(Tiers(mode=tiers.DERISK, w_tqqq_max=0.25), 1.8, True, True, w)
    np.testing.assert_allclose(w, [0.75, 0.25, 0.0])
    fund_weights(Tiers(w_tqqq_max=0.25), 1.8, True, True, w)
    np.testing.assert_allclose(w, [0.6, 0.4, 0.0])


def test_the_gate_keeps_the_governor_asleep_until_the_trend_is_negative() -> None:
    p = Tiers(dd_gate=tiers.BEAR_ONLY)
    assert e_of(p, 30.0, dd=0.5) == e_of(p, 30.0, dd=0.0)
    assert e_of(p, 0.0, dd=0.5) == 1.0
    assert e_of(p, -1e-9, dd=0.5) == pytest.approx(p.e_min)


def test_the_drawdown_factor_is_a_straight_line_between_its_thresholds() -> None:
    p = Tiers(dd_soft=0.1, dd_hard=0.2, p_min=0.2)
    np.testing.assert_allclose(
        [tiers.drawdown_factor(p, x) for x in (0.0, 0.1, 0.15, 0.2, 0.9)], [1.0, 1.0, 0.6, 0.2, 0.2]
    )


def test_no_volatility_scales_as_far_as_allowed() -> None:
    assert e_of(Tiers(), 60.0, sigma=0.0) == pytest.approx(1.0 + 0.45 * 1.5)
