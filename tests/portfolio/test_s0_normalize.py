"""Stage 0 against plain numpy: one scale of risk for every sleeve."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support.book_run import Replay, Steady, book_config, build_book, run_book, settings_of, walk_panel
from support.panels import make_panel

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.portfolio.stages import s0_normalize as s0
from plimsoll.engine.runtime.resolve import make_strategy
from plimsoll.engine.types import Floats

DECAY = 0.5 ** (1.0 / 42.0)
PARAMS = s0.Params(sleeve_vol=0.10, vol_floor=0.02, min_obs=20, decay=DECAY, unit_gross=False, bars_per_year=252.0)
UNIT_GROSS = PARAMS._replace(unit_gross=True)
NO_CASH = np.zeros(4, dtype=np.bool_)

weights4 = arrays(np.float64, 4, elements=st.floats(-2.0, 2.0).map(lambda x: round(x, 6)))


def normalized(w: Floats, is_cash: Floats = NO_CASH, full: float = 1.0, unit_gross: bool = False) -> list[Floats]:
    mix, unit = np.full(len(w), 9.0), np.full(len(w), 9.0)
    s0.normalize(np.asarray(w, dtype=np.float64), is_cash, full, unit_gross, mix, unit)
    return [mix, unit]


def limits(n_sleeves: int, gross: float = 1.0, vol: float = np.inf, scale: float = 5.0) -> s0.Limits:
    return s0.Limits(np.full(n_sleeves, gross), np.full(n_sleeves, vol), np.full(n_sleeves, scale))


def seen(weight: Floats, ret: Floats, p: s0.Params, own: s0.Limits) -> Iterator[s0.State]:
    """Observe every bar, yielding the state after each. weight (T, S, N), ret (T, N)."""
    _, n_sleeves, n = weight.shape
    state, out = s0.init(n_sleeves, n), np.zeros((3, n_sleeves))
    for t in range(len(weight)):
        s0.observe(weight[t], ret[t], np.zeros(n, dtype=np.bool_), own, p, state, out)
        yield state


def walked(weight: Floats, ret: Floats, p: s0.Params = PARAMS, own: s0.Limits | None = None) -> tuple[s0.State, Floats]:
    """Observe every bar; return the state and the (T, S) scales."""
    scales = []
    for state in seen(weight, ret, p, limits(weight.shape[1]) if own is None else own):
        scales.append(state.scale.copy())
    return state, np.array(scales)


def plain_vol(observed: list[float], decay: float = DECAY) -> float:
    """A direct weighted mean of squares: weights decay^age, divided by their sum."""
    age = np.arange(len(observed))[::-1]
    return float(np.sqrt(np.average(np.square(observed), weights=decay**age) * 252.0))


@given(weights4, st.floats(0.01, 100.0))
def test_unit_gross_weights_do_not_depend_on_the_size_of_the_answer(w: Floats, by: float) -> None:
    if np.abs(w).sum() < 1e-6:
        return
    for one, other in zip(normalized(w, unit_gross=True), normalized(by * w, unit_gross=True), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)
    assert np.abs(normalized(w, unit_gross=True)[1]).sum() == pytest.approx(1.0, abs=1e-12)


@given(weights4, st.floats(0.01, 100.0), st.sampled_from([1.0, 2.0]))
def test_the_mix_does_not_depend_on_size_and_conviction_is_gross_over_full_gross(
    w: Floats, by: float, full: float
) -> None:
    gross = np.abs(by * w).sum()
    mix, unit = normalized(by * w, full=full)
    if gross < 1e-6:
        return
    assert np.abs(mix).sum() == pytest.approx(1.0, abs=1e-12)
    assert np.abs(unit).sum() == pytest.approx(min(gross / full, 1.0), abs=1e-12)
    np.testing.assert_allclose(unit, mix * min(gross / full, 1.0), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(mix, normalized(w, full=full)[0], rtol=1e-10, atol=1e-12)


def test_a_sleeve_at_one_per_cent_keeps_its_size_under_conviction_and_loses_it_under_unit_gross() -> None:
    w = np.array([0.006, 0.004, 0.0, 0.0])
    assert normalized(w)[1].tolist() == w.tolist()
    assert normalized(w, unit_gross=True)[1] == pytest.approx([0.6, 0.4, 0.0, 0.0])


def test_cash_equivalents_are_stripped_and_count_as_less_conviction() -> None:
    is_cash = np.array([False, True, False, True])
    mix, unit = normalized(np.array([0.12, 0.88, 0.0, 0.0]), is_cash)
    assert mix.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert unit.tolist() == [0.12, 0.0, 0.0, 0.0]
    for array in normalized(np.array([0.0, 0.5, 0.0, 0.5]), is_cash):  # bills only: idle
        assert not array.any()


@pytest.mark.parametrize("unit_gross", [True, False])
def test_all_cash_is_idle(unit_gross: bool) -> None:
    for array in normalized(np.zeros(4), unit_gross=unit_gross):
        assert not array.any()


@given(st.integers(0, 2**32 - 1), st.integers(5, 90))
def test_volatility_and_scale_equal_a_direct_weighted_sum_over_live_sessions(seed: int, n_bars: int) -> None:
    rng = np.random.default_rng(seed)
    n_sleeves, n = 3, 4
    weight = rng.normal(0.2, 0.4, (n_bars, n_sleeves, n))
    weight[rng.random((n_bars, n_sleeves)) < 0.3] = 0.0  # idle now and then
    ret = rng.normal(0.0, 0.01, (n_bars, n))
    ret[rng.random((n_bars, n)) < 0.1] = np.nan
    state, scales = walked(weight, ret)
    for s in range(n_sleeves):
        observed: list[float] = []
        for t in range(n_bars):
            if t > 0 and np.abs(weight[t - 1, s]).sum() > 0.0:
                mix = weight[t - 1, s] / np.abs(weight[t - 1, s]).sum()
                observed.append(float(np.nansum(mix * ret[t])))
            if len(observed) < 20:
                assert scales[t, s] == 0.0
            else:
                assert scales[t, s] == pytest.approx(min(0.10 / max(plain_vol(observed), 0.02), 5.0), rel=1e-10)
        if observed:
            assert state.vol[s] == pytest.approx(plain_vol(observed), rel=1e-10)


def test_the_scale_is_zero_until_twenty_observations_and_not_one_longer() -> None:
    rng = np.random.default_rng(3)
    weight = np.full((23, 1, 1), 0.5)
    _, scales = walked(weight, rng.normal(0, 0.01, (23, 1)))
    assert not scales[:20].any()  # the first bar has nothing to look back on: 19 observations at bar 19
    assert (scales[20:] > 0.0).all()


def test_an_idle_sleeve_freezes_its_estimates_and_comes_back_at_the_scale_it_left() -> None:
    rng = np.random.default_rng(4)
    ret = rng.normal(0.0, 0.015, (160, 2))
    weight = np.tile([[0.7, 0.3]], (160, 1, 1))
    weight[60:120] = 0.0
    state = s0.init(1, 2)
    out, kept = np.zeros((3, 1)), None
    for t in range(160):
        s0.observe(weight[t], ret[t], NO_CASH[:2], limits(1), PARAMS, state, out)
        if t == 60:  # still earns on the weights of the close before
            kept = (state.vol[0], state.scale[0], state.sums.copy())
        elif 60 < t <= 120:
            assert kept is not None
            assert (state.vol[0], state.scale[0]) == kept[:2]
            assert state.sums.tobytes() == kept[2].tobytes()
            assert np.isnan(state.ret[0])
            assert np.isnan(state.scaled[0])
            assert not state.unit.any() or t == 120
    assert kept is not None
    assert state.vol[0] != kept[0]


def test_what_a_sleeve_earns_is_scaled_with_the_scale_of_the_close_before() -> None:
    rng = np.random.default_rng(5)
    ret = rng.normal(0.0, 0.01, (40, 1)) * np.linspace(0.5, 3.0, 40)[:, None]
    state, out = s0.init(1, 1), np.zeros((3, 1))
    before = 0.0
    for t in range(40):
        s0.observe(np.full((1, 1), -0.4), ret[t], NO_CASH[:1], limits(1), PARAMS, state, out)
        if before > 0.0:
            assert state.scaled[0] == pytest.approx(-ret[t, 0] * before, rel=1e-12)
        else:
            assert np.isnan(state.scaled[0])
        before = state.scale[0]


@pytest.mark.parametrize(
    ("daily", "scale"),
    [(0.10 / 252**0.5, 1.0), (0.05 / 252**0.5, 2.0), (0.40 / 252**0.5, 0.25), (0.001 / 252**0.5, 5.0), (0.0, 5.0)],
    ids=["at target", "calm", "wild", "below the floor", "no volatility at all"],
)
def test_a_sleeve_of_known_volatility_gets_the_scale_that_follows(daily: float, scale: float) -> None:
    ret = np.where(np.arange(30) % 2 == 0, daily, -daily)[:, None]
    _, scales = walked(np.full((30, 1, 1), 0.5), ret)
    assert scales[-1, 0] == pytest.approx(scale, rel=1e-12)


@pytest.mark.parametrize(("floor", "most", "scale"), [(0.05, 9.0, 2.0), (0.001, 3.0, 3.0), (0.001, 99.0, 10.0)])
def test_floor_and_largest_scale_bind_each_on_its_own(floor: float, most: float, scale: float) -> None:
    daily = 0.01 / 252**0.5
    ret = np.where(np.arange(30) % 2 == 0, daily, -daily)[:, None]
    _, scales = walked(np.full((30, 1, 1), 0.5), ret, PARAMS._replace(vol_floor=floor), limits(1, scale=most))
    assert scales[-1, 0] == pytest.approx(scale, rel=1e-12)


@pytest.mark.parametrize("conviction", [1.0, 0.4])
def test_the_ex_ante_volatility_of_a_sleeve_is_the_target_times_its_conviction(conviction: float) -> None:
    rng = np.random.default_rng(6)
    n_bars = 120
    ret = rng.normal(0.0, [0.008, 0.012], (n_bars, 2))
    weight = np.tile(conviction * np.array([0.5, -0.5]), (n_bars, 1, 1))
    state, _ = walked(weight, ret)
    z = state.scale[0] * state.unit[0]
    earned = ret[1:] @ z  # what today's position would have earned over the history
    assert plain_vol(list(earned)) == pytest.approx(0.10 * conviction, rel=1e-10)


def test_a_book_keeps_conviction_where_the_seeds_letter_levers_it_back_up() -> None:
    panel = walk_panel(1, ("AAA", "BBB"), (0.15, 0.15), 120)
    sleeves = {"full": Steady({"AAA": 1.0}), "tenth": Steady({"BBB": 0.1})}
    loose = {"preset": "book", "vol_target": {"l_max": 1.0}, "net": {"min_obs": 1}}
    conviction = run_book(panel, sleeves, first=100, integrator=loose).stage("raw")
    literal = run_book(panel, sleeves, first=100, integrator={**loose, "normalize": {"mode": "unit_gross"}}).stage(
        "raw"
    )
    assert (conviction[:, 1] / conviction[:, 0] < 0.2).all()
    assert (literal[:, 1] / literal[:, 0] > 0.5).all()


# ------------------------------------------------------------------------------------------ fully convinced at a limit
@given(
    weights4, st.sampled_from([1.0, 2.0, 0.4]), st.sampled_from([0.05, 0.15, np.inf]), st.floats(0.0, 1.5),
    st.floats(0.01, 100.0),
)  # fmt: skip
def test_conviction_is_the_larger_share_of_the_two_limits_and_at_most_one(
    w: Floats, full_gross: float, full_vol: float, vol: float, by: float
) -> None:
    gross = np.abs(w).sum()
    if gross < 1e-6:
        return
    full = s0.full_size(full_gross, full_vol, vol)
    mix, unit = normalized(w, full=full)
    c = np.abs(unit).sum()
    assert c == pytest.approx(min(1.0, max(gross / full_gross, gross * vol / full_vol)), rel=1e-12)
    np.testing.assert_allclose(unit, c * mix, rtol=1e-12, atol=1e-15)
    larger = np.abs(normalized(by * w, full=full)[1]).sum()  # homogeneous until it is convinced, then the same
    assert larger == pytest.approx(min(1.0, by * gross / full), rel=1e-9)


def storm(calm: float = 0.006, wild: float = 0.03, n_bars: int = 400) -> Floats:
    """Returns (T, 1) of one symbol, calm for half the time and wild for the other half, the sign alternating."""
    size = np.where(np.arange(n_bars) < n_bars // 2, calm, wild)
    return (np.where(np.arange(n_bars) % 2 == 0, 1.0, -1.0) * size)[:, None]


def test_who_sizes_to_a_volatility_is_not_taken_to_doubt_in_a_storm_and_by_gross_alone_is() -> None:
    ret = storm()
    sigma = np.repeat([0.006, 0.03], 200) * np.sqrt(252.0)
    weight = np.minimum(1.0, 0.15 / sigma)[:, None, None]  # what a strategy that knows its volatility would hold
    kept = [np.abs(s.unit).sum() for s in seen(weight, ret, PARAMS, limits(1, vol=0.15))]
    cut = [np.abs(s.unit).sum() for s in seen(weight, ret, PARAMS, limits(1))]
    assert kept[199] == cut[199] == 1.0  # at its full gross in the calm
    assert kept[-1] == pytest.approx(1.0, abs=0.02)
    assert cut[-1] == pytest.approx(0.15 / sigma[-1], rel=1e-12)


def test_before_its_volatility_is_known_a_sleeves_gross_alone_says_how_convinced_it_is() -> None:
    weight = np.full((25, 1, 1), 0.3)
    convinced = [np.abs(s.unit).sum() for s in seen(weight, storm(0.03, 0.03)[:25], PARAMS, limits(1, vol=0.10))]
    np.testing.assert_allclose(convinced[:20], 0.3, rtol=1e-12)  # 20 observations are there at bar 20
    np.testing.assert_allclose(convinced[20:], 1.0, rtol=1e-12)


def test_each_sleeve_has_its_own_largest_scale() -> None:
    ret = np.where(np.arange(30) % 2 == 0, 0.001, -0.001)[:, None]
    own = limits(2)._replace(max_scale=np.array([2.0, 7.0]))
    _, scales = walked(np.full((30, 2, 1), 0.5), ret, own=own)
    wanted = 0.10 / 0.02  # below the floor of volatility
    assert scales[-1].tolist() == [2.0, wanted]


def test_limits_come_from_the_strategy_and_the_configuration_wins() -> None:
    panel = walk_panel(2, ("AAA",), (0.15,), 60)
    sleeves = {"s": Steady({"AAA": 1.0}, full_gross=2.0, full_vol=0.12)}
    plain = settings_of(build_book(panel, sleeves)).watch.limits
    assert [one.tolist() for one in plain] == [[2.0], [0.12], [5.0]]
    told = {"s": {"full_gross": 4.0, "full_vol": 0.2, "max_scale": 1.5}}
    given_ = settings_of(build_book(panel, sleeves, sleeve=told)).watch.limits
    assert [one.tolist() for one in given_] == [[4.0], [0.2], [1.5]]


@pytest.mark.parametrize(
    ("integrator", "vol"),
    [
        ({}, 0.12),
        ({"normalize": {"conviction": "gross"}}, np.inf),
        ({"readings": "literal"}, np.inf),
        ({"normalize": {"mode": "unit_gross"}}, np.inf),
        ({"readings": "literal", "normalize": {"conviction": "fuller"}}, 0.12),
    ],
    ids=["ruled", "gross", "literal", "unit gross", "literal but for this"],
)
def test_a_volatility_that_a_strategy_sizes_to_counts_unless_gross_alone_is_asked_for(
    integrator: dict[str, object], vol: float
) -> None:
    panel = walk_panel(2, ("AAA",), (0.15,), 60)
    sleeves = {"s": Steady({"AAA": 1.0}, full_vol=0.12)}
    settings = settings_of(build_book(panel, sleeves, integrator={"preset": "book", **integrator}))
    assert settings.watch.limits.full_vol.tolist() == [vol]


def test_conviction_is_refused_where_nothing_is_left_of_it() -> None:
    values = book_config(
        ("s",), integrator={"preset": "book", "normalize": {"mode": "unit_gross", "conviction": "gross"}}
    )
    with pytest.raises(ConfigError, match="'conviction' has no effect beside mode 'unit_gross'"):
        load_config(values)


DECLARED = {
    "level61": (2.0, 0.10), "crisis_alpha": (1.0, 0.15), "convex_rate_hedge": (1.0, 0.15),
    "inflation_beta": (1.0, 0.15), "vol_barbell": (1.0, 0.15), "kalman_overlay": (1.0, None), "trend": (1.0, None),
    "carry": (1.0, None), "vol_premium": (1.0, None), "macro_regime": (1.0, None), "pairs": (1.0, None),
}  # fmt: skip


def test_the_strategies_of_the_book_declare_what_they_size_themselves_to() -> None:
    config = load_config(Path(__file__).parents[2] / "config" / "book.toml")
    made = {one.name: make_strategy(one.strategy, one.params, where=one.name) for one in config.sleeve}
    assert {name: (one.full_gross, one.full_vol) for name, one in made.items()} == DECLARED


def test_what_is_declared_follows_the_parameters() -> None:
    level61 = make_strategy("regime_risk_parity", {"vol_target": 0.08, "max_leverage": 1.5}, where="s")
    assert (level61.full_gross, level61.full_vol) == (1.5, 0.08)
    assert make_strategy("vol_barbell", {"risk_target": 0.12}, where="s").full_vol == 0.12


def test_stage_zero_reads_weights_as_they_drifted_since_the_last_answer() -> None:
    n_bars = 60
    close = np.column_stack((100.0 * 1.01 ** np.arange(n_bars), np.where(np.arange(n_bars) % 2 == 0, 100.0, 101.0)))
    path = np.full((n_bars, 2), np.nan)
    path[0] = 0.5, 0.5
    setup = build_book(make_panel(close, symbols=("AAA", "BBB")), {"s": Replay(("AAA", "BBB"), path)})
    for t in range(n_bars):
        setup.system.observe(t)
    grown = 0.5 * close[-1] / close[0]
    expected = grown / grown.sum()
    np.testing.assert_allclose(setup.system.integrator.save()["s0.mix"][0, :2], expected, rtol=1e-12)
