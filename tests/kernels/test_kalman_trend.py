from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels.estimate import kalman
from plimsoll.engine.kernels.estimate.kalman import LEVEL, NOISE, OSCILLATOR, RAW, SLOPE, STRENGTH, SURPRISE
from plimsoll.engine.kernels.estimate.kalman_preset import (
    canonical,
    jutsu_signed_double,
    jutsu_v25_unsigned,
    preset,
    trend_strength,
    zeiierman,
)

TREND = {"level": LEVEL, "velocity": SLOPE, "trend_strength": STRENGTH}
ORIGIN = {"level": LEVEL, "x2": SLOPE, "trend_strength": STRENGTH, "oscillator": OSCILLATOR}
CASES = {
    "canonical": (canonical(), {**TREND, "R": NOISE, "raw": RAW, "oscillator": OSCILLATOR}),
    "canonical_standard_R500": (canonical("standard", noise=500.0), TREND),
    "canonical_parkinson_R500": (canonical("parkinson", noise=500.0), TREND),
    "canonical_gaps": (canonical(), {**TREND, "R": NOISE}),
    "jutsu_innovation_signed_double": (jutsu_signed_double(), {"innovation": SURPRISE, "trend_strength": STRENGTH}),
    "zeiierman_volume_R500": (zeiierman(), ORIGIN),
    "zeiierman_standard_R500": (zeiierman("standard"), ORIGIN),
    "jutsu_nov2025_unsigned": (jutsu_v25_unsigned(), {"trend_strength": STRENGTH}),
}


def path(n: int = 400, seed: int = 4) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0004, 0.012, n)))
    return {
        "close": close,
        "high": close * (1.0 + rng.uniform(0.001, 0.02, n)),
        "low": close * (1.0 - rng.uniform(0.001, 0.02, n)),
        "volume": rng.lognormal(10.0, 0.4, n),
    }


@pytest.mark.parametrize("name", CASES)
def test_every_recorded_series_is_reproduced(name: str, golden: Any) -> None:
    file = golden("kalman")
    bars = {key: np.array(values, dtype=float) for key, values in file["input"].items()}
    if name == "canonical_gaps":
        bars["close"][40], bars["volume"][60], bars["volume"][61] = np.nan, 0.0, np.nan
    params, columns = CASES[name]
    out = trend_strength(bars["close"], bars["high"], bars["low"], bars["volume"], params)
    for key, column in columns.items():
        ours = out[:, column]
        if name == "jutsu_nov2025_unsigned":  # that code said 0 where nothing was known yet
            ours = np.nan_to_num(ours)
        recorded = np.array(file["output"][name][key], dtype=float)
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(recorded))
        np.testing.assert_allclose(ours, recorded, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    ("noise", "gain"),
    [(500.0, (0.0904, 0.00427)), (1000.0, (0.0765, 0.00304)), (2000.0, (0.0647, 0.00216)), (5000.0, (0.0518, 0.00138))],
)
def test_gains_settle_where_the_riccati_equation_says(noise: float, gain: tuple[float, float]) -> None:
    params = canonical("standard", noise=noise)
    close = np.full(3000, 100.0)
    close[-1] = 101.0  # settled on a constant price, the answer to a step of 1 is the gain itself
    out = trend_strength(close, params=params)
    assert out[-1, LEVEL] - 100.0 == pytest.approx(gain[0], rel=6e-3)
    assert out[-1, SLOPE] == pytest.approx(gain[1], rel=6e-3)


def test_first_strength_comes_at_bar_88_of_the_defaults() -> None:
    out = trend_strength(**path(), params=canonical())
    assert np.flatnonzero(np.isfinite(out[:, STRENGTH]))[0] == 1 + 59 + 14 + 14
    assert np.isnan(out[0, NOISE])
    assert np.isnan(out[0, SURPRISE])


@settings(max_examples=40, deadline=None)
@given(
    scale=st.floats(1e-4, 1e4),
    model=st.sampled_from(["standard", "volume", "parkinson"]),
    seed=st.integers(0, 10_000),
)
def test_strength_does_not_depend_on_the_unit_of_price(scale: float, model: str, seed: int) -> None:
    bars = path(200, seed)
    scaled = {key: values * scale if key != "volume" else values for key, values in bars.items()}
    one, other = (trend_strength(**b, params=canonical(model)) for b in (bars, scaled))
    np.testing.assert_allclose(other[:, STRENGTH], one[:, STRENGTH], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(other[:, LEVEL], one[:, LEVEL] * scale, rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), name=st.sampled_from(["canonical", "jutsu_signed_double", "zeiierman"]))
def test_strength_stays_between_minus_and_plus_100(seed: int, name: str) -> None:
    strength = trend_strength(**path(300, seed), params=preset(name))[:, STRENGTH]
    assert np.nanmax(np.abs(strength)) <= 100.0 * (1.0 + 1e-12)


def test_unsigned_preset_never_says_negative_and_signed_one_does() -> None:
    bars = path(500)
    assert np.nanmin(trend_strength(**bars, params=jutsu_v25_unsigned())[:, STRENGTH]) >= 0.0
    assert np.nanmin(trend_strength(**bars, params=jutsu_signed_double())[:, STRENGTH]) < 0.0


def test_raw_is_the_signal_over_the_largest_of_the_lookback() -> None:
    params = canonical(norm_lookback=30, norm_min=10)
    out = trend_strength(**path(), params=params)
    signal = out[1:, SLOPE]  # the first bar has none
    for t in range(9, signal.size):
        largest = np.abs(signal[max(0, t - 29) : t + 1]).max()
        assert out[1 + t, RAW] == 100.0 * signal[t] / largest


def test_a_gap_carries_the_outputs_and_takes_no_time_step() -> None:
    bars = path()
    missing = {key: np.insert(values, 200, np.nan) for key, values in bars.items()}
    whole, holed = trend_strength(**bars), trend_strength(**missing)
    kept = [LEVEL, SLOPE, OSCILLATOR, STRENGTH]
    assert holed[200, kept].tobytes() == holed[199, kept].tobytes()
    assert np.isnan(holed[200, [RAW, NOISE, SURPRISE]]).all()
    assert np.delete(holed, 200, axis=0).tobytes() == whole.tobytes()


@pytest.mark.parametrize("price", [0.0, -3.0, np.inf])
def test_a_price_that_cannot_be_is_a_gap(price: float) -> None:
    bars = path()
    for key in bars:
        bars[key] = bars[key].copy()
    known = {key: np.delete(values, 150) for key, values in bars.items()}
    bars["close"][150] = price
    assert np.delete(trend_strength(**bars), 150, axis=0).tobytes() == trend_strength(**known).tobytes()


@pytest.mark.parametrize("volume", [0.0, np.nan])
def test_unknown_volume_leaves_the_noise_alone_and_compares_the_next_with_the_last_valid(volume: float) -> None:
    bars = path(120)
    bars["volume"][50] = volume
    noise = trend_strength(**bars, params=canonical())[:, NOISE]
    assert noise[50] == 2000.0
    assert noise[51] == pytest.approx(2000.0 * bars["volume"][49] / bars["volume"][51], rel=1e-12)


def test_volume_modes_differ_as_defined_and_the_cap_binds() -> None:
    close, volume = np.full(3, 10.0), np.array([100.0, 400.0, 1.0])
    noise = {
        mode: trend_strength(close, volume=volume, params=canonical(volume_mode=mode, noise=1.0))[1:, NOISE].tolist()
        for mode in ("symmetric", "pine", "jutsu_v25")
    }
    assert noise == {"symmetric": [0.25, 10.0], "pine": [1.0, 10.0], "jutsu_v25": [0.25, 1.0]}


def test_parkinson_noise_grows_with_the_range_and_ignores_a_flat_bar_before() -> None:
    high, low = np.array([11.0, 12.0, 10.0, 12.0, 200.0]), np.array([10.0, 10.0, 10.0, 10.0, 10.0])
    out = trend_strength(np.full(5, 10.0), high, low, params=canonical("parkinson", noise=1.0))
    assert out[1:, NOISE].tolist() == [3.0, 1.0, 1.0, 11.0]


def test_a_flat_price_has_no_trend() -> None:
    out = trend_strength(np.full(150, 20.0), params=canonical("standard"))
    assert out[-1, STRENGTH] == 0.0


def test_mistakes_are_told_in_one_line() -> None:
    with pytest.raises(InputError, match="did you mean 'parkinson'"):
        canonical("parkinsn")
    with pytest.raises(InputError, match="did you mean 'zeiierman'"):
        preset("zeierman")
    with pytest.raises(InputError, match="noise = 0"):
        canonical(noise=0.0)
    with pytest.raises(InputError, match=r"ratio_cap = 0\.5"):
        canonical(ratio_cap=0.5)
    with pytest.raises(InputError, match="different lengths: close 3, high 3, low 3, volume 2"):
        trend_strength(np.ones(3), volume=np.ones(2))


def test_no_bars_give_no_rows() -> None:
    assert trend_strength(np.empty(0)).shape == (0, kalman.COLUMNS)
