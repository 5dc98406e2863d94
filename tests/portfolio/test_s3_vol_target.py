"""Stage 3: the one volatility target, against the quadratic form of a covariance estimated in plain numpy."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.book_run import UNBOUND, UNGOVERNED, Steady, run_book, walk_panel

from plimsoll.engine.kernels.estimate import moments
from plimsoll.engine.kernels.estimate.ledoit_wolf import constant_correlation
from plimsoll.engine.portfolio.stages import s3_vol_target as s3
from plimsoll.engine.types import Floats

P = s3.Params()


class Scaled(NamedTuple):
    factor: float
    vol: float
    fallback: bool
    intensity: float


def moments_of(ret: Floats, half_life: float = 63.0) -> moments.State:
    state = moments.init(ret.shape[1])
    moments.scan(state, moments.params(half_life), np.ascontiguousarray(ret))
    return state


def scaled(w: Floats, seen: moments.State, p: s3.Params = P, window: Floats | None = None) -> Scaled:
    """Bring a book to 10% a year."""
    vol, fallback, intensity = s3.book_vol(w, seen, window, p)
    return Scaled(s3.factor_to(w, 0.10, vol, p), vol, fallback, intensity)


def returns(seed: int, n: int = 5, n_bars: int = 300) -> Floats:
    rng = np.random.default_rng(seed)
    ret: Floats = (rng.standard_normal((n_bars, 2)) @ rng.normal(0, 1, (2, n)) + rng.standard_normal((n_bars, n))) * (
        rng.uniform(0.003, 0.02, n)
    )
    return ret


def plain_covariance(ret: Floats, half_life: float = 63.0) -> Floats:
    """RiskMetrics about zero, shrunk to a common correlation by the intensity that the engine reports."""
    w = 0.5 ** (np.arange(len(ret))[::-1] / half_life)
    sample = (ret * w[:, None]).T @ ret / w.sum()
    sd = np.sqrt(np.diag(sample))
    corr = sample / np.outer(sd, sd)
    off = ~np.eye(len(sd), dtype=bool)
    return np.array([sample, np.where(off, corr[off].mean(), 1.0) * np.outer(sd, sd)])


def plain_vol(w: Floats, ret: Floats, intensity: float) -> float:
    held = w != 0.0
    sample, target = plain_covariance(ret[:, held])
    cov = intensity * target + (1.0 - intensity) * sample
    return float(np.sqrt(w[held] @ cov @ w[held] * 252.0))


@given(st.integers(0, 2**32 - 1), st.floats(0.5, 40.0))
@settings(max_examples=50)
def test_unless_it_is_clipped_the_volatility_after_is_the_target_exactly(seed: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    ret, w = returns(seed), rng.normal(0, size / 10.0, 5)
    w[rng.integers(5)] = 0.0
    seen = moments_of(ret)
    got = scaled(w, seen)
    assert got.vol == pytest.approx(plain_vol(w, ret, got.intensity), rel=1e-9)
    if 0.0 < got.factor < 2.0:
        assert plain_vol(got.factor * w, ret, got.intensity) == pytest.approx(0.10, rel=1e-9)
    else:
        assert 2.0 * plain_vol(w, ret, got.intensity) <= 0.10 * (1 + 1e-12)


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10.0))
@settings(max_examples=40)
def test_the_result_does_not_depend_on_the_size_of_the_book_handed_in(seed: int, by: float) -> None:
    loose = s3.Params(l_max=1e6)
    seen, w = moments_of(returns(seed)), np.random.default_rng(seed).normal(0, 0.3, 5)
    one = scaled(w, seen, loose).factor * w
    other = scaled(by * w, seen, loose).factor * by * w
    np.testing.assert_allclose(other, one, rtol=1e-10)


@pytest.mark.parametrize(("size", "factor"), [(1e-4, 2.0), (1e4, 0.3)], ids=["small book", "large book"])
def test_the_scale_is_clipped_to_its_bounds(size: float, factor: float) -> None:
    seen = moments_of(returns(1))
    assert scaled(np.full(5, size), seen, s3.Params(l_min=0.3)).factor == factor


def test_an_empty_book_stays_empty() -> None:
    assert scaled(np.zeros(5), moments_of(returns(1)), s3.Params(l_min=0.3)).factor == 0.0


def test_only_the_symbols_held_have_a_say_in_the_shrinkage() -> None:
    ret = returns(2, 6)
    w = np.array([0.3, 0.0, 0.5, 0.0, 0.2, 0.0])
    alone = scaled(w[::2].copy(), moments_of(ret[:, ::2]))
    assert scaled(w, moments_of(ret)) == alone
    ret[:, 1] = np.nan  # whatever is not held need not have a history
    assert scaled(w, moments_of(ret)) == alone


def test_with_equal_weights_of_the_past_the_estimate_is_close_to_the_batch_golden() -> None:
    ret = returns(3, 5, 400)
    ret -= ret.mean(axis=0)
    w = np.array([0.2, -0.1, 0.4, 0.3, 0.2])
    cov = constant_correlation(ret).cov
    vol = scaled(w, moments_of(ret, 1e9)).vol
    assert vol == pytest.approx(float(np.sqrt(w @ cov @ w * 252.0)), rel=1e-6)


def test_where_there_is_no_covariance_everything_is_taken_to_move_together() -> None:
    ret = returns(4, 3)
    ret[:, 1] = np.nan  # no history, so no correlation either
    w = np.array([0.4, 0.3, -0.3])
    got = scaled(w, moments_of(ret))
    assert got.fallback
    sd = np.sqrt(np.diag(plain_covariance(ret[:, [0, 2]])[0]) * 252.0)
    assert got.vol == pytest.approx(0.4 * sd[0] + 0.3 * sd[1], rel=1e-10)


def test_a_constant_series_does_not_disable_the_covariance_of_the_others() -> None:
    ret = returns(4, 3)
    w = np.array([0.4, 0.3, -0.3])
    alone = scaled(w[[0, 2]], moments_of(ret[:, [0, 2]]))
    ret[:, 1] = 0.0
    assert scaled(w, moments_of(ret)) == alone
    assert not alone.fallback


def test_six_independent_assets_beside_a_constant_one_realise_the_volatility_they_aim_at() -> None:
    names = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "CSH")
    panel = walk_panel(21, names, (0.10,) * 6 + (0.0,), 900, corr=0.0)
    at = panel.column("CSH")
    panel.block[:2, :, at] = panel.high[:, at] = panel.low[:, at] = 1.0
    sleeve = Steady(dict.fromkeys(names[:6], 0.98 / 6.0) | {"CSH": 0.02})
    stages = {"preset": "book", **UNBOUND, **UNGOVERNED}
    book = run_book(panel, {"s": sleeve}, first=300, integrator=stages)
    # twice 0.98 * 10% / sqrt(6), the scale at its bound of 2; taken to move together: the target of 10% / sqrt(6), 4.1%
    assert book.equity["ret"].iloc[1:].std() * 252**0.5 == pytest.approx(0.079, rel=0.08)


def test_a_factor_model_may_stand_in_for_the_shrunk_covariance() -> None:
    ret = returns(5, 30, 120)
    w = np.full(30, 1.0 / 30.0)
    got = scaled(w, moments_of(ret), s3.Params(factors=5), ret)
    centred = ret - ret.mean(axis=0)
    sample = centred.T @ centred / (len(ret) - 1)
    assert not got.fallback
    assert got.vol == pytest.approx(float(np.sqrt(w @ sample @ w * 252.0)), rel=0.15)
    assert got.vol != scaled(w, moments_of(ret)).vol


@pytest.mark.slow
def test_on_sessions_where_nothing_binds_a_book_realises_the_volatility_it_aims_at() -> None:
    names = ("AAA", "BBB", "CCC", "DDD")
    panel = walk_panel(11, names, (0.08, 0.12, 0.2, 0.3), 2600, corr=0.2)
    sleeves = {s.lower(): Steady({s: 1.0}) for s in names}
    stages = {"preset": "book", **UNBOUND, **UNGOVERNED, "vol_target": {"l_max": 10.0}}
    book = run_book(panel, sleeves, first=300, integrator=stages)
    counts = book.result.counts
    assert counts["unbound_share"] > 0.99
    assert 0.95 < counts["unbound_vol_ratio"] < 1.08
    assert book.equity["ret"].std() * 252**0.5 == pytest.approx(0.10, rel=0.08)  # by hand


def test_under_the_default_caps_the_ratio_stays_within_a_fifth_of_one() -> None:
    names = tuple(f"S{i:02d}" for i in range(16))
    vols = tuple(np.linspace(0.10, 0.35, 16))
    panel = walk_panel(12, names, vols, 900, corr=0.25)
    sleeves = {f"s{k}": Steady(dict.fromkeys(names[k::4], 0.25)) for k in range(4)}
    counts = run_book(panel, sleeves, first=300).result.counts
    assert counts["unbound_share"] > 0.2
    assert 0.8 < counts["unbound_vol_ratio"] < 1.2
