from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels.estimate.ledoit_wolf import constant_correlation, identity, single_factor, weights


def loops(y: np.ndarray, w: np.ndarray, cov: np.ndarray | None = None) -> tuple[float, float]:
    """Ledoit and Wolf's intensity and mean correlation, sum by sum as the paper prints them.

    A covariance with another divisor than the moments' reproduces the mix of one library.
    """
    n = y.shape[1]
    moment = (y * w[:, None]).T @ y
    s = moment if cov is None else cov
    sd = np.sqrt(np.diag(s))
    rbar = sum(s[i, j] / sd[i] / sd[j] for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    pi = rho = gamma = 0.0
    for i in range(n):
        for j in range(n):
            square = w @ (y[:, i] ** 2 * y[:, j] ** 2) - 2.0 * moment[i, j] * s[i, j] + s[i, j] ** 2
            pi += square
            if i == j:
                rho += square
                continue
            third = w @ (y[:, i] ** 3 * y[:, j])
            third += -moment[i, i] * s[i, j] - moment[i, j] * s[i, i] + s[i, i] * s[i, j]
            rho += rbar * sd[j] / sd[i] * third
            gamma += (rbar * sd[i] * sd[j] - s[i, j]) ** 2
    return float(np.clip((pi - rho) / gamma * (w @ w), 0.0, 1.0)), rbar


def returns(n_rows: int, n_assets: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 0.01 * (
        rng.standard_t(5, size=(n_rows, n_assets)) + rng.uniform(0, 1, n_assets) * rng.normal(size=(n_rows, 1))
    )


def test_recorded_libraries_are_reproduced(golden: Any) -> None:
    for name, case in golden("ledoit_wolf")["cases"].items():
        if not isinstance(case.get("returns"), list):
            continue
        r = np.array(case["returns"])
        y, equal = r - r.mean(axis=0), np.full(len(r), 1.0 / len(r))
        ours, recorded = constant_correlation(r), case["ref_constant_correlation"]
        assert ours.intensity == pytest.approx(recorded["delta"], abs=1e-9), name
        assert ours.mean_correlation == pytest.approx(recorded["rbar"], abs=1e-9)
        np.testing.assert_allclose(ours.cov, recorded["sigma"], rtol=1e-9, atol=1e-15)
        assert loops(y, equal)[0] == pytest.approx(recorded["delta"], abs=1e-9)
        if "ppo_constant_correlation" in case:  # the oracle above, mixed as that library mixes, gives its figure
            mixed = loops(y, equal, np.cov(r.T))[0]
            assert mixed == pytest.approx(case["ppo_constant_correlation"]["delta"], abs=1e-9), name
        round_target = identity(r)
        assert round_target.intensity == pytest.approx(case["sklearn_ledoit_wolf"]["shrinkage"], abs=1e-9)
        np.testing.assert_allclose(round_target.cov, case["sklearn_ledoit_wolf"]["cov"], rtol=1e-9, atol=1e-15)
        for half_life in (21, 63):
            recorded = case.get(f"ref_constant_correlation_ewma_hl{half_life}")
            if recorded:
                ours = constant_correlation(r, half_life)
                assert ours.intensity == pytest.approx(recorded["delta"], abs=1e-9)
                assert ours.n_eff == pytest.approx(recorded["n_eff"], rel=1e-9)
                np.testing.assert_allclose(ours.cov, recorded["sigma"], rtol=1e-9, atol=1e-15)


def test_the_recorded_single_factor_target_is_reproduced(golden: Any) -> None:
    cases = golden("ledoit_wolf")["cases"]
    recorded = {name: case["ppo_single_factor"] for name, case in cases.items() if "ppo_single_factor" in case}
    assert len(recorded) >= 4
    for name, answer in recorded.items():
        ours = single_factor(cases[name]["returns"])
        assert ours.intensity == pytest.approx(answer["delta"], abs=1e-9), name
        np.testing.assert_allclose(ours.cov, answer["cov"], rtol=1e-8, atol=1e-15)


def factor_loops(y: np.ndarray, w: np.ndarray) -> float:
    """The one-factor intensity, sum by sum as the paper prints it, for any weights."""
    n, m = y.shape[1], y.mean(axis=1)
    s, b, v = (y * w[:, None]).T @ y, (y * w[:, None]).T @ m, w @ (m * m)
    pi = rho = gamma = 0.0
    for i in range(n):
        for j in range(n):
            square = w @ (y[:, i] ** 2 * y[:, j] ** 2) - s[i, j] ** 2
            pi += square
            if i == j:
                rho += square
                continue
            one = w @ (y[:, i] ** 2 * y[:, j] * m) - b[i] * s[i, j]
            other = w @ (y[:, j] ** 2 * y[:, i] * m) - b[j] * s[i, j]
            both = w @ (y[:, i] * y[:, j] * m * m) - v * s[i, j]
            rho += b[j] / v * one + b[i] / v * other - b[i] * b[j] / v**2 * both
            gamma += (b[i] * b[j] / v - s[i, j]) ** 2
    return float(np.clip((pi - rho) / gamma * (w @ w), 0.0, 1.0))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n_assets=st.integers(3, 8), half_life=st.floats(5.0, 500.0))
def test_the_single_factor_intensity_is_the_papers(seed: int, n_assets: int, half_life: float) -> None:
    r = returns(80, n_assets, seed)
    w = weights(80, half_life)
    assert single_factor(r, half_life).intensity == pytest.approx(factor_loops(r - w @ r, w), abs=1e-9)


def test_recorded_ragged_histories_are_reproduced(golden: Any) -> None:
    cases = golden("ledoit_wolf")["cases"]
    r = np.array(cases["T120_N6_blocks"]["returns"])
    r[:60, 1], r[100:, 3], r[:45, 4], r[10, 0] = np.nan, np.nan, np.nan, np.nan
    recorded = cases["ragged_T120_N6_hl63"]["ref_ragged"]
    ours = constant_correlation(r, 63.0, 20)
    assert ours.intensity == ours.intensity_lw == pytest.approx(recorded["delta"], abs=1e-9)
    assert ours.mean_correlation == pytest.approx(recorded["rbar"], abs=1e-9)
    assert ours.n_eff == pytest.approx(np.min(recorded["n_eff"]), rel=1e-9)
    np.testing.assert_allclose(ours.cov, recorded["sigma"], rtol=1e-9, atol=1e-15)

    case = cases["ragged_nonpsd_T300_N3"]
    ours = constant_correlation(np.array(case["returns_null_is_missing"], dtype=float), case["half_life"])
    recorded = case["ref_ragged"]
    assert ours.intensity_lw == pytest.approx(recorded["delta_lw"], abs=1e-9)
    assert ours.intensity == pytest.approx(recorded["delta"], abs=1e-9)
    np.testing.assert_allclose(ours.cov, recorded["sigma"], rtol=1e-8, atol=1e-15)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n_assets=st.integers(3, 8), half_life=st.floats(5.0, 500.0))
def test_the_short_sums_are_the_papers_long_ones(seed: int, n_assets: int, half_life: float) -> None:
    r = returns(80, n_assets, seed)
    w = weights(80, half_life)
    ours = constant_correlation(r, half_life)
    intensity, mean = loops(r - w @ r, w)
    assert ours.intensity == pytest.approx(intensity, abs=1e-9)
    assert ours.mean_correlation == pytest.approx(mean, abs=1e-12)


def test_equal_weights_are_a_half_life_without_end() -> None:
    r = returns(60, 5, 1)
    np.testing.assert_allclose(constant_correlation(r, 1e12).cov, constant_correlation(r).cov, rtol=1e-9)
    np.testing.assert_allclose(identity(r, 1e12).cov, identity(r).cov, rtol=1e-9)


def test_effective_sizes_are_kishs() -> None:
    assert 1.0 / (weights(252, 63.0) ** 2).sum() == pytest.approx(160.4, abs=0.05)
    assert 1.0 / (weights(20_000, 63.0) ** 2).sum() == pytest.approx(181.8, abs=0.05)
    assert 1.0 / (weights(252, 21.0) ** 2).sum() == pytest.approx(60.6, abs=0.05)


def test_one_missing_value_hardly_changes_the_estimate() -> None:
    r = returns(200, 6, 2)
    holed = r.copy()
    holed[0, 3] = np.nan
    np.testing.assert_allclose(constant_correlation(holed).cov, constant_correlation(r).cov, rtol=0.15, atol=4e-6)


def test_variances_stay_the_samples_own_and_the_shrunk_matrix_is_positive_definite() -> None:
    r = returns(300, 6, 3)
    r[:240, 1] = np.nan
    r[250:, 2] = np.nan
    ours = constant_correlation(r, None, 20)
    np.testing.assert_allclose(np.diag(ours.cov), np.nanvar(r, axis=0), rtol=1e-12)
    assert np.linalg.eigvalsh(ours.cov).min() > 0.0
    assert ours.cov.tobytes() == ours.cov.T.tobytes()


def test_a_pair_without_overlap_takes_the_mean_correlation_and_no_say() -> None:
    r = returns(200, 4, 6)
    r[:100, 0], r[100:, 1] = np.nan, np.nan
    ours = constant_correlation(r)
    sd = np.sqrt(np.diag(ours.cov))
    assert ours.cov[0, 1] / (sd[0] * sd[1]) == pytest.approx(ours.mean_correlation, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_two_assets_are_their_own_target_so_nothing_is_shrunk(seed: int) -> None:
    r = returns(80, 2, seed)
    holed = r.copy()
    holed[:10, 0] = np.nan
    assert constant_correlation(r, 21.0).intensity == 0.0
    assert constant_correlation(holed, 21.0).intensity == 0.0


def test_one_asset_and_perfect_targets_need_no_shrinking() -> None:
    r = returns(50, 1, 8)
    assert constant_correlation(r).cov[0, 0] == pytest.approx(r.var(), rel=1e-12)
    assert constant_correlation(r).intensity == identity(r).intensity == 0.0
    twins = np.repeat(r, 2, axis=1)
    np.testing.assert_allclose(constant_correlation(twins).cov, np.full((2, 2), r.var()), rtol=1e-9)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r[:1], "1 rows"),
        (lambda r: np.where(np.arange(4) == 2, np.nan, r), "column 2 is never known"),
        (lambda r: np.full_like(r, 0.001), "no column moves"),
        (lambda r: np.where(np.arange(4) == 1, np.inf, r), "infinite"),
        (lambda _: np.array([["a", "b"]]), "not an array of numbers"),
    ],
)
def test_returns_that_say_nothing_are_refused(change: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        constant_correlation(change(returns(60, 4, 9)))


@pytest.mark.parametrize("hole", [False, True])
def test_a_column_that_does_not_move_has_no_variance_and_no_say(hole: bool) -> None:
    r = returns(60, 4, 9)
    if hole:
        r[3, 0] = np.nan
    alone = constant_correlation(r[:, [0, 1, 3]])
    r[:, 2] = 0.0007
    ours = constant_correlation(r)
    np.testing.assert_array_equal(ours.cov[np.ix_([0, 1, 3], [0, 1, 3])], alone.cov)
    assert (ours.cov[2] == 0.0).all()
    assert (ours.cov[:, 2] == 0.0).all()
    assert ours[1:] == alone[1:]


def test_the_identity_target_refuses_holes_and_says_where() -> None:
    r = returns(60, 4, 9)
    r[7, 2] = np.nan
    with pytest.raises(InputError, match="row 7, column 2 is NaN"):
        identity(r)
    with pytest.raises(InputError, match="half_life = 0"):
        identity(returns(60, 4, 9), 0.0)
