import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.allocate.waterfill import bound_project, cap_project, cap_weights, fill_up

WEIGHTS = st.lists(st.floats(0.0, 1e6), min_size=1, max_size=30).filter(lambda w: sum(w) > 1e-6)


def test_the_worked_example_keeps_the_cap_where_clip_and_divide_breaks_it() -> None:
    np.testing.assert_allclose(cap_weights([0.6, 0.2, 0.1, 0.1], 0.35), [0.35, 0.325, 0.1625, 0.1625], rtol=1e-14)


def test_zeros_share_what_is_left_only_if_nothing_else_can_take_it() -> None:
    np.testing.assert_allclose(cap_weights([1.0, 0.0, 0.0, 0.0], 0.4), [0.4, 0.2, 0.2, 0.2])
    assert cap_weights([0.9, 0.1, 0.0], 0.6).tolist()[2] == 0.0
    np.testing.assert_allclose(cap_weights([0.0, 0.0], 0.6), [0.5, 0.5])


def test_a_cap_below_one_over_n_means_equal_weights() -> None:
    np.testing.assert_allclose(cap_weights([0.7, 0.2, 0.1], 0.01), [1 / 3, 1 / 3, 1 / 3])
    assert cap_weights([5.0], 0.35).tolist() == [1.0]


@settings(max_examples=200, deadline=None)
@given(weights=WEIGHTS, cap=st.floats(0.01, 1.5))
def test_capped_weights_are_the_multiples_that_fit(weights: list[float], cap: float) -> None:
    w, n = np.array(weights), len(weights)
    out, top = cap_weights(weights, cap), max(cap, 1.0 / n)
    assert out.sum() == pytest.approx(1.0, abs=1e-12)
    assert out.max() <= top * (1.0 + 1e-12)
    assert out.min() >= 0.0
    free = (out < top * (1.0 - 1e-9)) & (w > 1e-9 * w.sum())
    if free.any():  # all that is not capped is the same multiple of what it was, and nothing capped has a larger one
        factor = (out[free] / w[free]).mean()
        np.testing.assert_allclose(out[free], factor * w[free], rtol=1e-9)
        assert (w[out >= top * (1.0 - 1e-9)] * factor >= top * (1.0 - 1e-9)).all()


@settings(max_examples=100, deadline=None)
@given(weights=WEIGHTS, cap=st.floats(0.05, 1.0))
def test_capping_twice_changes_nothing(weights: list[float], cap: float) -> None:
    once = cap_weights(weights, cap)
    np.testing.assert_allclose(cap_weights(once, cap), once, rtol=1e-12, atol=1e-15)


@settings(max_examples=200, deadline=None)
@given(
    weights=st.lists(st.integers(0, 10_000), min_size=1, max_size=30), cap=st.floats(0.01, 1.5), total=st.floats(0, 2)
)
def test_filling_up_lifts_by_one_factor_and_leaves_what_the_bounds_do_not_take(
    weights: list[int], cap: float, total: float
) -> None:
    w = np.array(weights) / max(np.sum(weights), 1)
    out, top = w.copy(), np.maximum(cap, w)
    fill_up(cap, total, out)
    low, high = 0.0, 1.0  # the largest factor whose capped weights do not exceed the total
    while np.minimum(high * w, top).sum() < min(total, top[w > 0.0].sum()) and high < 1e15:
        high *= 2.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if np.minimum(middle * w, top).sum() < total else (low, middle)
    np.testing.assert_allclose(out, np.minimum(high * w, top), rtol=1e-9, atol=1e-12)
    assert out.sum() <= total + 1e-12
    assert (out[w == 0.0] == 0.0).all()


def test_three_of_four_equal_slots_stop_at_the_cap_and_the_rest_is_nobodys() -> None:
    out = np.array([0.25, 0.25, 0.25, 0.0])
    fill_up(0.30, 1.0, out)
    np.testing.assert_allclose(out, [0.30, 0.30, 0.30, 0.0], rtol=1e-15)
    alone = np.array([0.0, 0.6])  # above the cap already: it keeps what it has, and no more
    fill_up(0.35, 1.0, alone)
    assert alone.tolist() == [0.0, 0.6]


def by_bisection(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    lower, upper = 0.0, 1.0
    while np.clip(upper * x, low, high).sum() < 1.0 and upper < 1e15:
        upper *= 2.0
    for _ in range(300):
        middle = 0.5 * (lower + upper)
        lower, upper = (middle, upper) if np.clip(middle * x, low, high).sum() < 1.0 else (lower, middle)
    return np.clip(upper * x, low, high)


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 100_000), n=st.integers(1, 15))
def test_bounded_weights_are_those_that_bisection_finds(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.exponential(1.0, n) ** 3 + 1e-6
    low = rng.uniform(0.0, 1.0 / n, n)
    high = low + rng.exponential(2.0 / n, n) + 1e-3
    out = x.copy()
    fault = bound_project(low, high, out)
    if high.sum() < 1.0:
        assert fault == code.BAD_BOUNDS
        assert np.isnan(out).all()
    else:
        assert fault == code.OK
        assert out.sum() == pytest.approx(1.0, abs=1e-12)
        np.testing.assert_allclose(out, by_bisection(x, low, high), atol=1e-9)


def test_bounds_that_just_fit_are_used_in_full() -> None:
    out = np.array([0.9, 0.06, 0.04])
    assert bound_project(np.full(3, 1.0 / 3.0), np.full(3, 1.0 / 3.0), out) == code.OK
    np.testing.assert_allclose(out, 1.0 / 3.0)


@pytest.mark.parametrize(
    ("weights", "words"), [([0.5, -0.1], "NaN"), ([np.nan, 1.0], "NaN"), ([], "nothing to allocate"), ([np.inf], "NaN")]
)
def test_bad_weights_are_refused(weights: list[float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        cap_weights(weights, 0.5)


@pytest.mark.parametrize("cap", [0.0, -1.0, np.nan])
def test_a_cap_that_is_no_fraction_is_refused(cap: float) -> None:
    with pytest.raises(InputError, match="cap = "):
        cap_weights([1.0], cap)
    out = np.array([1.0])
    assert cap_project(cap, out) == code.BAD_BOUNDS
    assert np.isnan(out).all()
