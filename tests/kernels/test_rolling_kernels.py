"""Rolling and exponential statistics against pandas, which computes them another way."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels.estimate.correlation import rolling_corr
from plimsoll.engine.kernels.estimate.ewma import COUNT, WEIGHT, WEIGHT2, ewma, ewma_covariance, init, params, scan
from plimsoll.engine.kernels.estimate.extreme import drawdown, rolling_max
from plimsoll.engine.kernels.estimate.smooth import ema, wma
from plimsoll.engine.kernels.estimate.stats import expanding_std, rolling_std, window_std


def table(n_rows: int = 120, n_assets: int = 4, seed: int = 1, gaps: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    made = rng.normal(0.001, 0.02, (n_rows, n_assets))
    made[rng.random(made.shape) < gaps] = np.nan
    return made


CASES = given(seed=st.integers(0, 10_000), window=st.integers(2, 40), gaps=st.sampled_from([0.0, 0.1, 0.6]))


@settings(max_examples=40, deadline=None)
@CASES
def test_rolling_std_is_pandas(seed: int, window: int, gaps: float) -> None:
    x = table(seed=seed, gaps=gaps)
    expected = pd.DataFrame(x).rolling(window, min_periods=2).std().to_numpy()
    np.testing.assert_allclose(rolling_std(x, window, min_obs=2), expected, rtol=1e-9, atol=1e-12)


def test_a_window_of_constants_has_no_deviation_at_all() -> None:
    assert rolling_std(np.full(40, 0.1), 7)[6:].tolist() == [0.0] * 34


def test_a_rolling_value_does_not_depend_on_where_the_history_began() -> None:
    x = table(gaps=0.0)
    for call in (lambda v: rolling_std(v, 20), lambda v: wma(v, 20), lambda v: rolling_max(v, 20)):
        assert call(x[37:])[19:].tobytes() == call(x)[56:].tobytes()


def test_the_window_form_is_the_rolling_form() -> None:
    x = table()
    rolling, out = rolling_std(x, 30, min_obs=3), np.empty(4)
    for stop in (30, 61, 120):
        window_std(stop - 30, stop, x, 1, 3, np.empty((3, 4)), out)
        assert out.tobytes() == rolling[stop - 1].tobytes()
    window_std(5, 5, x, 1, 3, np.empty((3, 4)), out)
    assert np.isnan(out).all()


@settings(max_examples=40, deadline=None)
@CASES
def test_rolling_max_is_pandas(seed: int, window: int, gaps: float) -> None:
    x = table(seed=seed, gaps=gaps)
    expected = pd.DataFrame(x).rolling(window, min_periods=1).max().to_numpy()
    assert rolling_max(x, window).tobytes() == expected.tobytes()


def test_rolling_max_tells_apart_neighbouring_numbers_and_survives_ties() -> None:
    rising = np.nextafter(1.0, 2.0) ** np.arange(1.0, 40.0)
    falling = rising[::-1]
    tied = np.repeat([3.0, 3.0, 1.0, 3.0, 2.0], 8)
    x = np.concatenate([rising, falling, tied])
    for window in (1, 2, 5, 17):
        expected = [x[max(0, t - window + 1) : t + 1].max() for t in range(x.size)]
        assert rolling_max(x, window).tolist() == expected


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), window=st.integers(1, 30))
def test_wma_weighs_the_newest_most(seed: int, window: int) -> None:
    x = table(seed=seed, gaps=0.0)[:, 0]
    w = np.arange(1, window + 1)
    expected = pd.Series(x).rolling(window).apply(lambda part: part @ w / w.sum(), raw=True).to_numpy()
    np.testing.assert_allclose(wma(x, window), expected, rtol=1e-9, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), span=st.floats(1.0, 100.0), gaps=st.sampled_from([0.0, 0.3]))
def test_ema_is_pandas_without_adjustment(seed: int, span: float, gaps: float) -> None:
    x = table(seed=seed, gaps=gaps)
    expected = pd.DataFrame(x).ewm(span=span, adjust=False, ignore_na=True).mean().to_numpy()
    np.testing.assert_allclose(ema(x, span), expected, rtol=1e-9, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), half_life=st.floats(0.5, 500.0), gaps=st.sampled_from([0.0, 0.3]))
def test_ewma_is_pandas_with_adjustment(seed: int, half_life: float, gaps: float) -> None:
    x = table(seed=seed, gaps=gaps)
    out = ewma(x, half_life)
    frame = pd.DataFrame(x)
    kind: dict[str, Any] = {"halflife": half_life, "adjust": True, "ignore_na": True}
    np.testing.assert_allclose(out[:, 0], frame.ewm(**kind).mean(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(out[:, 1], (frame**2).ewm(**kind).mean(), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(out[:, 2], frame.ewm(**kind).var(bias=True), rtol=1e-8, atol=1e-12)


def test_a_centre_of_mass_is_the_mean_age_of_the_weights() -> None:
    state = init(1)
    scan(state, params(centre_of_mass=60.0), np.ones((20_000, 1)), np.empty((20_000, 3, 1)))
    age = np.arange(20_000)
    decay = params(centre_of_mass=60.0).decay
    assert (decay**age * age).sum() / (decay**age).sum() == pytest.approx(60.0, rel=1e-9)
    assert state.sums[WEIGHT, 0] == pytest.approx(61.0, rel=1e-9)
    assert state.sums[COUNT, 0] == 20_000


def test_the_effective_size_grows_to_kishs_limit() -> None:
    state = init(1)
    scan(state, params(63.0), np.ones((20_000, 1)), np.empty((20_000, 3, 1)))
    assert state.sums[WEIGHT, 0] ** 2 / state.sums[WEIGHT2, 0] == pytest.approx(181.8, abs=0.05)


def test_ewma_covariance_uses_common_rows_and_own_ages() -> None:
    x = table(200, 3, 7, gaps=0.25)
    cov, decay = ewma_covariance(x, 30.0), 0.5 ** (1.0 / 30.0)
    for i in range(3):
        for j in range(3):
            both = x[np.isfinite(x[:, i]) & np.isfinite(x[:, j])]
            w = decay ** np.arange(len(both) - 1, -1, -1)
            assert cov[i, j] == pytest.approx((w * both[:, i] * both[:, j]).sum() / w.sum(), rel=1e-10)
    assert cov.tobytes() == cov.T.tobytes()


@settings(max_examples=40, deadline=None)
@CASES
def test_rolling_correlation_is_pandas_on_common_rows(seed: int, window: int, gaps: float) -> None:
    x = table(seed=seed, gaps=gaps)[:, :2]
    both = np.isfinite(x).all(axis=1)
    ours = rolling_corr(x[:, 0], x[:, 1], window, min_obs=2)
    for t in range(len(x)):
        rows = slice(max(0, t - window + 1), t + 1)
        kept = x[rows][both[rows]]
        if len(kept) < 2:
            assert np.isnan(ours[t])
        else:
            assert ours[t] == pytest.approx(np.corrcoef(kept.T)[0, 1], abs=1e-9)


def test_correlation_with_what_does_not_move_is_unknown() -> None:
    assert np.isnan(rolling_corr(np.full(20, 0.1), np.arange(20.0), 5)).all()


def test_expanding_std_and_drawdown_are_pandas() -> None:
    x = table(gaps=0.2)
    np.testing.assert_allclose(expanding_std(x), pd.DataFrame(x).expanding().std().ffill(), rtol=1e-9, atol=1e-15)
    level = 100.0 * np.exp(np.cumsum(table(gaps=0.0), axis=0))
    level[50, 2] = np.nan
    frame = pd.DataFrame(level)
    np.testing.assert_allclose(drawdown(level), frame / frame.cummax() - 1.0, rtol=1e-12, atol=1e-15)
    assert drawdown([100.0, 80.0, 120.0, 60.0]).tolist() == pytest.approx([0.0, -0.2, 0.0, -0.5])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rolling_std([1.0], 0), "window = 0"),
        (lambda: rolling_std([1.0], 5, min_obs=6), "window = 5"),
        (lambda: rolling_std([1.0], 5, ddof=1, min_obs=1), "min_obs = 1"),
        (lambda: rolling_std(np.ones((2, 2, 2)), 5), r"shape \(2, 2, 2\)"),
        (lambda: wma(["a"], 5), "not an array of numbers"),
        (lambda: rolling_max([1.0], 2.5), r"window = 2\.5"),
        (lambda: ema([1.0]), "exactly one of span and alpha"),
        (lambda: ema([1.0], alpha=1.5), r"alpha = 1\.5"),
        (lambda: ewma([1.0], 0.0), "0.0 bars"),
        (lambda: rolling_corr([1.0], [1.0, 2.0], 5), "different lengths"),
        (lambda: rolling_corr([1.0], [1.0], 1), "window = 1"),
    ],
)
def test_mistakes_are_told(call: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()
