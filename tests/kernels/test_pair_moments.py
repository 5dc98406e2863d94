"""Recursive pairwise moments and what is shrunk from them, against sums written out pair by pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.planes import planes, whole

from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.estimate import moments, pair_rows, shrinkage
from plimsoll.engine.kernels.estimate.ledoit_wolf import constant_correlation_intensity, weights
from plimsoll.engine.kernels.estimate.moments import COUNT, WEIGHT, WEIGHT2
from plimsoll.engine.kernels.estimate.psd import EIGENVALUE_FLOOR, is_positive

PLANES_SHOWN = ("w", "w2", "11", "20", "02", "22", "31", "13", "n")


def returns(n_rows: int, n_assets: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 0.01 * (rng.standard_t(5, size=(n_rows, n_assets)) + rng.normal(size=(n_rows, 1)))


def every(state: moments.State) -> np.ndarray:
    return np.arange(len(state.kin))


def pairwise(r: np.ndarray, decay: float) -> dict[str, np.ndarray]:
    """Sums about zero over common rows, each pair ageing by its own rows: written out, pair by pair."""
    n = r.shape[1]
    made = {key: np.zeros((n, n)) for key in PLANES_SHOWN}
    for i in range(n):
        for j in range(i + 1):
            both = r[np.isfinite(r[:, i]) & np.isfinite(r[:, j])]
            w = decay ** np.arange(len(both) - 1, -1, -1)
            x, y = both[:, i], both[:, j]
            terms = {
                "w": w, "w2": w * w, "11": w * x * y, "20": w * x * x, "02": w * y * y, "22": w * x * x * y * y,
                "31": w * x**3 * y, "13": w * x * y**3,
            }  # fmt: skip
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
    for plane, key in enumerate(PLANES_SHOWN):
        np.testing.assert_allclose(planes(state)[plane], expected[key], rtol=1e-10, atol=1e-18, err_msg=key)


def test_long_rows_are_the_same_sums_as_short_ones() -> None:
    n, decay = moments.LONG + 30, 0.5 ** (1.0 / 21.0)
    r = returns(12, n, 6)
    r[:5, 3], r[8:, 410], r[4, ::7] = np.nan, np.nan, np.nan
    state = moments.init(n)
    moments.scan(state, moments.params(21.0), r)
    sums = np.zeros((len(PLANES_SHOWN), n, n))
    for row in r:
        both = np.isfinite(row)[:, None] & np.isfinite(row)[None, :]
        x = np.nan_to_num(row)
        i, j, one = x[:, None], x[None, :], np.ones((n, n))
        terms = np.stack([one, one, i * j, i**2 * one, j**2 * one, i**2 * j**2, i**3 * j, i * j**3, one])
        fades = np.array([decay, decay**2, *[decay] * 6, 1.0])[:, None, None]
        sums = np.where(both, sums * fades + terms, sums)
    np.testing.assert_allclose(planes(state), np.tril(sums), rtol=1e-12, atol=1e-20)


@settings(max_examples=150, deadline=None)
@given(
    n=st.integers(1, 12), seed=st.integers(0, 2**32 - 1), holes=st.sampled_from([0.0, 0.02, 0.3]),
    late=st.booleans(), forgets=st.booleans(),
)  # fmt: skip
def test_what_kin_have_in_common_is_the_pairs_own_to_the_bit(
    n: int, seed: int, holes: float, late: bool, forgets: bool
) -> None:
    """Sums that every pair has for itself, in the order of the recursion, against planes that kin share."""
    rng, decay = np.random.default_rng(seed), 0.5 ** (1.0 / 9.0)
    r = returns(40, n, seed)
    r[rng.random(r.shape) < holes] = np.nan
    if late:
        for j in range(n):
            r[: rng.integers(0, 12) * (rng.random() < 0.4), j] = np.nan
    state = moments.init(n)
    sums = np.zeros((len(PLANES_SHOWN), n, n))
    rows: list[list[int]] = [[] for _ in range(n)]
    for t, row in enumerate(r):
        if forgets and rng.random() < 0.1:
            gone = int(rng.integers(n))
            moments.forget(state, gone)
            sums[:, gone], sums[:, :, gone], rows[gone] = 0.0, 0.0, [-1 - t]
        moments.step(state, moments.params(9.0), row)
        both = np.isfinite(row)[:, None] & np.isfinite(row)[None, :]
        x = np.nan_to_num(row)
        x2 = x * x
        x3 = x2 * x
        one = np.ones((n, n))
        terms = np.stack(
            [one, one, np.outer(x, x), np.outer(x2, one[0]), np.outer(one[0], x2), np.outer(x2, x2), np.outer(x3, x),
             np.outer(x, x3), one]
        )  # fmt: skip
        fades = np.array([decay, decay * decay, *[decay] * 6, 1.0])[:, None, None]
        sums = np.where(both, sums * fades + terms, sums)
        for j in np.flatnonzero(np.isfinite(row)):
            rows[j].append(t)
    np.testing.assert_array_equal(planes(state), np.tril(sums))
    for i in range(n):
        assert state.kin[i] == state.kin[state.kin[i]] <= i
        assert rows[state.kin[i]] == rows[i]
        assert forgets or state.kin[i] == min(j for j in range(n) if rows[j] == rows[i])
    chosen = np.array([j for j in range(n) if rng.random() < 0.6], dtype=np.int64)
    part = planes(moments.sub_moments(state, chosen))
    np.testing.assert_array_equal(part, np.tril(sums[:, chosen][:, :, chosen]))
    known = [(i, j) for i in range(n) for j in range(i) if sums[8, i, j] >= 5]
    size = len(known) / sum(sums[1, i, j] / (sums[0, i, j] * sums[0, i, j]) for i, j in known) if known else 0.0
    assert moments.effective_size(state, 5) == pytest.approx(size, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(2, 14), seed=st.integers(0, 2**32 - 1), first_is_late=st.booleans())
def test_who_is_kin_has_no_say_in_what_is_shrunk(n: int, seed: int, first_is_late: bool) -> None:
    r, rng = returns(90, n, seed), np.random.default_rng(seed)
    r[:30, rng.random(n) < 0.4] = np.nan
    r[:40, 0] = np.nan if first_is_late else r[:40, 0]
    state = moments.init(n)
    moments.scan(state, moments.params(21.0), r)
    out, info, apart, facts = np.empty((n, n)), np.zeros(3), np.empty((n, n)), np.zeros(3)
    assert shrinkage.shrink_pairs(state, 20, 1.0, shrinkage.init(n), info, out) == code.OK
    assert shrinkage.shrink_pairs(whole(planes(state)), 20, 1.0, shrinkage.init(n), facts, apart) == code.OK
    np.testing.assert_array_equal(out, apart)
    np.testing.assert_array_equal(info, facts)


def test_recursive_shrinkage_is_the_batch_formula_about_zero() -> None:
    r = returns(400, 6, 5)
    state, work = moments.init(6), shrinkage.init(6)
    moments.scan(state, moments.params(63.0), r)
    info, out = np.zeros(shrinkage.INFO_SIZE), np.empty((6, 6))
    assert shrinkage.shrink_pairs(state, 20, 1.0, work, info, out) == 0
    w = weights(400, 63.0)
    cov = (r * w[:, None]).T @ r
    intensity, mean = constant_correlation_intensity(r, w, cov)  # the batch form, here about zero
    target = mean * np.sqrt(np.outer(np.diag(cov), np.diag(cov)))
    np.fill_diagonal(target, np.diag(cov))
    assert info[0] == info[1] == pytest.approx(intensity, abs=1e-9)
    np.testing.assert_allclose(out, intensity * target + (1.0 - intensity) * cov, rtol=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(2, 30), n_rows=st.integers(3, 90), seed=st.integers(0, 10_000), half_life=st.floats(3.0, 200.0),
    towards=st.sampled_from([0.0, 0.5, 1.0]), hole=st.booleans(),
)  # fmt: skip
def test_a_matrix_that_is_surely_positive_is(
    n: int, n_rows: int, seed: int, half_life: float, towards: float, hole: bool
) -> None:
    r = returns(n_rows, n, seed)
    if hole:
        r[n_rows // 2, seed % n] = np.nan
    state, work, none = moments.init(n), shrinkage.init(n), np.zeros(n)
    moments.scan(state, moments.params(half_life), r)
    rows = pair_rows.rows_of(state, every(state))
    common = towards * pair_rows.mean_correlation(state, every(state), rows, 2, work.corr)
    deviation = np.sqrt(np.diag(state.pair[moments.M11]))
    intensity = pair_rows.intensity_of(state, every(state), rows, 2, deviation, common, work.corr, none, np.empty(n))
    shrinkage.mirror(work.corr)
    known = np.where(np.isnan(work.corr), common, work.corr)
    for used in (intensity, 1e-7, 1e-5, 0.3):
        sure = shrinkage.is_surely_positive(state, every(state), rows, common, used)
        if hole:
            assert not sure
        if sure:
            assert is_positive(known, common, used, work.trial)
            shrunk = used * common + (1.0 - used) * known
            np.fill_diagonal(shrunk, 1.0)
            assert np.linalg.eigvalsh(shrunk)[0] > 10.0 * EIGENVALUE_FLOOR
    info, out = np.zeros(shrinkage.INFO_SIZE), np.empty((n, n))
    assert shrinkage.shrink_pairs(state, 2, towards, work, info, out) == code.OK
    assert info[1] >= info[0]


def test_most_matrices_of_whole_histories_need_no_factorisation() -> None:
    state, work = moments.init(40), shrinkage.init(40)
    moments.scan(state, moments.params(63.0), returns(30, 40, 3))  # fewer rows than assets: the sample is singular
    rows = pair_rows.rows_of(state, every(state))
    common = pair_rows.mean_correlation(state, every(state), rows, 20, work.corr)
    assert np.linalg.eigvalsh(work.corr)[0] < EIGENVALUE_FLOOR  # reads what is below the diagonal
    assert shrinkage.is_surely_positive(state, every(state), rows, common, 0.1)
    assert not shrinkage.is_surely_positive(state, every(state), rows, common, 0.0)
    moments.forget(state, 7)
    rows = pair_rows.rows_of(state, every(state))
    assert not shrinkage.is_surely_positive(state, every(state), rows, common, 0.1)


def test_without_correlation_the_target_is_that_of_own_variances() -> None:
    r = returns(250, 6, 8)
    state, work = moments.init(6), shrinkage.init(6)
    moments.scan(state, moments.params(np.inf), r)
    info, out = np.zeros(shrinkage.INFO_SIZE), np.empty((6, 6))
    assert shrinkage.shrink_pairs(state, 20, 0.0, work, info, out) == code.OK
    cov = r.T @ r / 250
    noise = (r * r).T @ (r * r) / 250 - cov * cov  # n times the variance of an entry
    beside = ~np.eye(6, dtype=bool)
    intensity = noise[beside].sum() / 250 / (cov[beside] ** 2).sum()
    assert 0.0 < intensity < 1.0
    assert info == pytest.approx([intensity, intensity, 0.0], rel=1e-9)
    np.testing.assert_allclose(out, np.where(beside, (1.0 - intensity) * cov, cov), rtol=1e-9)


def test_without_correlation_pairs_that_never_met_have_none() -> None:
    r = returns(120, 3, 8)
    r[:60, 0], r[60:, 1] = np.nan, np.nan
    state, out = moments.init(3), np.empty((3, 3))
    moments.scan(state, moments.params(63.0), r)
    assert shrinkage.shrink_pairs(state, 20, 0.0, shrinkage.init(3), np.zeros(3), out) == code.OK
    assert out[0, 1] == 0.0
    assert np.linalg.eigvalsh(out)[0] > 0.0


def test_a_new_asset_does_not_demote_the_pairs_of_the_old_ones() -> None:
    r = returns(300, 5, 7)
    r[:-5, 4] = np.nan
    state = moments.init(5)
    moments.scan(state, moments.params(63.0), r)
    old = moments.init(4)
    moments.scan(old, moments.params(63.0), np.ascontiguousarray(r[:, :4]))
    assert planes(state)[:, :4, :4].tobytes() == planes(old).tobytes()
    assert planes(state)[COUNT, 4, 4] == 5.0
    assert planes(state)[WEIGHT, 0, 0] ** 2 / planes(state)[WEIGHT2, 0, 0] > 150.0


def test_moments_of_an_asset_without_history_give_a_code_and_nan() -> None:
    r = returns(60, 3, 9)
    r[:, 2] = np.nan
    state, out = moments.init(3), np.zeros((3, 3))
    moments.scan(state, moments.params(21.0), r)
    fault = shrinkage.shrink_pairs(state, 5, 1.0, shrinkage.init(3), np.zeros(3), out)
    assert fault == code.TOO_FEW_OBSERVATIONS
    assert np.isnan(out).all()


def test_an_asset_that_has_not_moved_has_variance_zero_and_leaves_the_others_as_they_are() -> None:
    r = returns(60, 4, 9)
    r[:, 2] = 0.0
    others = [0, 1, 3]
    state, alone = moments.init(4), moments.init(3)
    moments.scan(state, moments.params(21.0), r)
    moments.scan(alone, moments.params(21.0), np.ascontiguousarray(r[:, others]))
    out, cov, info, facts = np.full((4, 4), np.nan), np.empty((3, 3)), np.full(3, np.nan), np.zeros(3)
    assert shrinkage.shrink_pairs(state, 5, 1.0, shrinkage.init(4), info, out) == code.OK
    assert shrinkage.shrink_pairs(alone, 5, 1.0, shrinkage.init(3), facts, cov) == code.OK
    np.testing.assert_array_equal(out[np.ix_(others, others)], cov)
    np.testing.assert_array_equal(info, facts)
    assert (out[2] == 0.0).all()
    assert (out[:, 2] == 0.0).all()


def test_where_nothing_has_moved_the_covariance_is_zero() -> None:
    state, out, info = moments.init(3), np.full((3, 3), np.nan), np.full(3, np.nan)
    moments.scan(state, moments.params(21.0), np.zeros((30, 3)))
    assert shrinkage.shrink_pairs(state, 5, 1.0, shrinkage.init(3), info, out) == code.OK
    assert (out == 0.0).all()
    assert (info == 0.0).all()


def test_beside_assets_that_cannot_be_told_apart_a_still_one_has_no_covariance_either() -> None:
    r = np.repeat(returns(60, 1, 3), 3, axis=1)  # correlations of one, and so is the target: nothing mends it
    r[:, 1] = 0.0
    state, info, out = moments.init(3), np.zeros(shrinkage.INFO_SIZE), np.zeros((3, 3))
    moments.scan(state, moments.params(21.0), r)
    assert shrinkage.shrink_pairs(state, 20, 1.0, shrinkage.init(3), info, out) == code.NOT_POSITIVE_DEFINITE
    assert np.isnan(out).all()
    assert np.isnan(shrinkage.shrunk_variance(state, every(state), np.ones(3), 20, shrinkage.init(3), info))


def test_room_of_another_size_gives_a_code() -> None:
    state, out = moments.init(3), np.zeros((3, 3))
    fault = shrinkage.shrink_pairs(state, 5, 1.0, shrinkage.init(2), np.zeros(3), out)
    assert fault == code.WRONG_SHAPE
    assert np.isnan(out).all()


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 9),
    seed=st.integers(0, 2**32 - 1),
    towards=st.sampled_from([0.0, 1.0]),
    holes=st.sampled_from([0.0, 0.3]),
    still=st.booleans(),
    data=st.data(),
)
def test_some_of_the_assets_are_shrunk_where_they_stand_as_their_own_moments_are(
    n: int, seed: int, towards: float, holes: float, still: bool, data: st.DataObject
) -> None:
    r = returns(60, n, seed)
    r[np.random.default_rng(seed).random(r.shape) < holes] = np.nan
    if still:
        r[:, 0] = 0.0
    state = moments.init(n)
    moments.scan(state, moments.params(21.0), r)
    chosen = np.array(sorted(data.draw(st.sets(st.integers(0, n - 1), min_size=1))))
    k = len(chosen)
    own, facts, there, info = np.empty((k, k)), np.zeros(3), np.empty((k, k)), np.zeros(3)
    copied = shrinkage.shrink_pairs(
        whole(np.ascontiguousarray(planes(state)[:, chosen][:, :, chosen])), 20, towards, shrinkage.init(k), facts, own
    )
    assert shrinkage.shrink_chosen(state, chosen, 20, towards, shrinkage.init(k), info, there) == copied
    np.testing.assert_array_equal(there, own)
    np.testing.assert_array_equal(info, facts)


@settings(max_examples=80, deadline=None)
@given(
    n=st.integers(1, 9),
    seed=st.integers(0, 2**32 - 1),
    late=st.integers(0, 60),
    still=st.booleans(),
    common=st.floats(0.0, 2.0),
)
def test_the_variance_of_weights_is_that_of_the_covariance_written_out(
    n: int, seed: int, late: int, still: bool, common: float
) -> None:
    rng = np.random.default_rng(seed)
    r = 0.01 * (rng.normal(size=(80, n)) + common * rng.normal(size=(80, 1)))
    r[:late, n // 2] = np.nan
    if still:
        r[:, 0] = 0.0
    state, w = moments.init(n), rng.normal(size=n)
    moments.scan(state, moments.params(40.0), r)
    cov, info, used = np.empty((n, n)), np.zeros(shrinkage.INFO_SIZE), np.zeros(shrinkage.INFO_SIZE)
    assert shrinkage.shrink_pairs(state, 20, 1.0, shrinkage.init(n), info, cov) == code.OK
    got = shrinkage.shrunk_variance(state, every(state), w, 20, shrinkage.init(n), used)
    scale = float(np.abs(w) @ np.sqrt(np.diag(cov))) ** 2
    assert got == pytest.approx(float(w @ cov @ w), rel=1e-9, abs=1e-14 * scale)
    assert used.tobytes() == info.tobytes()


def test_there_is_no_variance_where_there_is_no_covariance() -> None:
    state, room, info = moments.init(3), shrinkage.init(3), np.zeros(shrinkage.INFO_SIZE)
    assert np.isnan(shrinkage.shrunk_variance(state, every(state), np.ones(3), 20, room, info))
    moments.scan(state, moments.params(21.0), returns(60, 3, 1))
    assert np.isnan(shrinkage.shrunk_variance(state, every(state)[::-1].copy(), np.ones(3), 20, room, info))


@pytest.mark.parametrize("chosen", [[1, 0], [0, 0], [2, 1]])
def test_assets_that_do_not_ascend_give_a_code(chosen: list[int]) -> None:
    state, out = moments.init(3), np.zeros((2, 2))
    moments.scan(state, moments.params(21.0), returns(40, 3, 1))
    fault = shrinkage.shrink_chosen(state, np.array(chosen), 5, 1.0, shrinkage.init(2), np.zeros(3), out)
    assert fault == code.WRONG_SHAPE
    assert np.isnan(out).all()


def test_nothing_is_kept_beyond_the_diagonal() -> None:
    state = moments.init(4)
    moments.scan(state, moments.params(21.0), returns(40, 4, 1))
    assert not np.triu(planes(state), 1).any()
    moments.forget(state, 2)
    others = [0, 1, 3]
    assert not planes(state)[:, 2].any()
    assert not planes(state)[:, :, 2].any()
    assert (planes(state)[COUNT][np.ix_(others, others)][np.tril_indices(3)] == 40.0).all()
