from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputError
from engine.kernels import moments, shrinkage
from engine.kernels.ledoit_wolf import constant_correlation, identity, weights
from engine.kernels.moments import COUNT, WEIGHT, WEIGHT2


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


def pairwise(r: np.ndarray, decay: float) -> dict[str, np.ndarray]:
    """Sums about zero over common rows, each pair ageing by its own rows: written out, pair by pair."""
    n = r.shape[1]
    made = {key: np.zeros((n, n)) for key in ("w", "w2", "11", "20", "22", "31", "n")}
    for i in range(n):
        for j in range(n):
            both = r[np.isfinite(r[:, i]) & np.isfinite(r[:, j])]
            w = decay ** np.arange(len(both) - 1, -1, -1)
            x, y = both[:, i], both[:, j]
            terms = {"w": w, "w2": w * w, "11": w * x * y, "20": w * x * x, "22": w * x * x * y * y, "31": w * x**3 * y}
            for key, term in terms.items():
                made[key][i, j] = term.sum()
            made["n"][i, j] = len(both)
    return made


def test_recursive_moments_are_the_pairs_weighted_sums() -> None:
    r = returns(150, 5, 4)
    r[:60, 1], r[100:120, 3] = np.nan, np.nan
    state = moments.init(5)
    moments.scan(state, moments.params(21.0), r)
    expected = pairwise(r, 0.5 ** (1.0 / 21.0))
    for plane, key in enumerate(("w", "w2", "11", "20", "22", "31", "n")):
        np.testing.assert_allclose(state.pair[plane], expected[key], rtol=1e-10, atol=1e-18, err_msg=key)


def test_recursive_shrinkage_is_the_batch_formula_about_zero() -> None:
    r = returns(400, 6, 5)
    state, work = moments.init(6), shrinkage.init(6)
    moments.scan(state, moments.params(63.0), r)
    info, out = np.zeros(shrinkage.INFO_SIZE), np.empty((6, 6))
    assert shrinkage.shrink_pairs(state.pair, 20, work, info, out) == 0
    w = weights(400, 63.0)
    intensity, mean = loops(r, w)
    cov = (r * w[:, None]).T @ r
    target = mean * np.sqrt(np.outer(np.diag(cov), np.diag(cov)))
    np.fill_diagonal(target, np.diag(cov))
    assert info[0] == info[1] == pytest.approx(intensity, abs=1e-9)
    np.testing.assert_allclose(out, intensity * target + (1.0 - intensity) * cov, rtol=1e-9)


def test_a_pair_without_overlap_takes_the_mean_correlation_and_no_say() -> None:
    r = returns(200, 4, 6)
    r[:100, 0], r[100:, 1] = np.nan, np.nan
    ours = constant_correlation(r)
    sd = np.sqrt(np.diag(ours.cov))
    assert ours.cov[0, 1] / (sd[0] * sd[1]) == pytest.approx(ours.mean_correlation, rel=1e-12)


def test_a_new_asset_does_not_demote_the_pairs_of_the_old_ones() -> None:
    r = returns(300, 5, 7)
    r[:-5, 4] = np.nan
    state = moments.init(5)
    moments.scan(state, moments.params(63.0), r)
    old = moments.init(4)
    moments.scan(old, moments.params(63.0), np.ascontiguousarray(r[:, :4]))
    assert state.pair[:, :4, :4].tobytes() == old.pair.tobytes()
    assert state.pair[COUNT, 4, 4] == 5.0
    assert state.pair[WEIGHT, 0, 0] ** 2 / state.pair[WEIGHT2, 0, 0] > 150.0


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
        (lambda r: np.where(np.arange(4) == 1, 0.001, r), "column 1 does not move"),
        (lambda r: np.where(np.arange(4) == 1, np.inf, r), "infinite"),
        (lambda _: np.array([["a", "b"]]), "not an array of numbers"),
    ],
)
def test_returns_that_say_nothing_are_refused(change: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        constant_correlation(change(returns(60, 4, 9)))


def test_the_identity_target_refuses_holes_and_says_where() -> None:
    r = returns(60, 4, 9)
    r[7, 2] = np.nan
    with pytest.raises(InputError, match="row 7, column 2 is NaN"):
        identity(r)
    with pytest.raises(InputError, match="half_life = 0"):
        identity(returns(60, 4, 9), 0.0)


def test_moments_of_an_asset_without_history_or_movement_give_a_code_and_nan() -> None:
    for last, fault in ((np.nan, 12), (0.0, 5)):
        r = returns(60, 3, 9)
        r[:, 2] = last
        state, out = moments.init(3), np.zeros((3, 3))
        moments.scan(state, moments.params(21.0), r)
        assert shrinkage.shrink_pairs(state.pair, 5, shrinkage.init(3), np.zeros(3), out) == fault
        assert np.isnan(out).all()
