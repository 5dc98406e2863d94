from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.allocate import hrp
from plimsoll.engine.kernels.allocate.hrp import hrp_weights

# Lopez de Prado (2016), the numerical example: weights in per cent, and the order of the leaves.
PAPER_HRP = [7.00, 7.59, 10.84, 19.03, 9.72, 10.19, 6.62, 9.10, 7.12, 12.79]
PAPER_ORDER = [8, 1, 9, 0, 6, 2, 5, 3, 4, 7]


def paper_covariance() -> np.ndarray:
    """Draw the paper's ten series; its Python 2 picked the parent columns 2, 0, 4, 1, 1."""
    stream = np.random.RandomState(12345)  # the published figures rest on this generator
    x = stream.normal(0, 1, size=(10_000, 5))
    y = x[:, [2, 0, 4, 1, 1]] + stream.normal(0, 0.25, size=(10_000, 5))
    return np.cov(np.hstack([x, y]).T)


def random_covariance(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    loading = rng.normal(size=(n, 3))
    scale = rng.uniform(0.05, 0.5, n)
    return (loading @ loading.T + np.diag(rng.uniform(0.3, 1.0, n))) * np.outer(scale, scale)


def reference_bisection(cov: np.ndarray, order: list[int]) -> np.ndarray:
    """Split the ordered list as the paper's text says, with numpy on sub-matrices."""
    weights = np.ones(len(order))

    def variance(items: list[int]) -> float:
        part = cov[np.ix_(items, items)]
        inverse = 1.0 / np.diag(part)
        inverse /= inverse.sum()
        return float(inverse @ part @ inverse)

    clusters = [order]
    while clusters:
        clusters = [half for c in clusters if len(c) > 1 for half in (c[: len(c) // 2], c[len(c) // 2 :])]
        for left, right in zip(clusters[::2], clusters[1::2], strict=True):
            share = 1.0 - variance(left) / (variance(left) + variance(right))
            weights[left] *= share
            weights[right] *= 1.0 - share
    return weights


def test_the_papers_weights_come_out_to_the_printed_digits() -> None:
    cov = paper_covariance()
    np.testing.assert_allclose(100.0 * hrp_weights(cov, "paper"), PAPER_HRP, atol=0.005)
    work = hrp.init(10, hrp.PAPER)
    assert hrp.hrp(cov, hrp.PAPER, work, np.empty(10)) == code.OK
    assert work.order.tolist() == PAPER_ORDER


def test_the_papers_inverse_variance_weights_come_out_too() -> None:
    inverse = 1.0 / np.diag(paper_covariance())
    published = [10.36, 10.28, 10.36, 10.25, 10.31, 9.74, 9.80, 9.65, 9.64, 9.61]
    np.testing.assert_allclose(100.0 * inverse / inverse.sum(), published, atol=0.005)


def test_every_recorded_covariance_gives_the_recorded_weights(golden: Any) -> None:
    for name, case in golden("hrp")["cases"].items():
        cov = np.array(case["cov"])
        for recorded in ("w_ref_condensed_halves", "w_skfolio_noopt"):
            np.testing.assert_allclose(hrp_weights(cov), case[recorded], atol=1e-9, err_msg=name)
        # that library rounds correlations to six decimals before it clusters
        np.testing.assert_allclose(hrp_weights(cov), case["w_pyportfolioopt"], atol=1e-9, err_msg=name)
        np.testing.assert_allclose(hrp_weights(cov, "paper"), case["w_ref_paper_euclid_halves"], atol=1e-9)
        for metric, order in ((hrp.CORR, "order_condensed"), (hrp.PAPER, "order_paper_euclid")):
            work = hrp.init(len(cov), metric)
            hrp.hrp(cov, metric, work, np.empty(len(cov)))
            assert work.order.tolist() == case[order], name


@settings(max_examples=60, deadline=None)
@given(n=st.integers(2, 24), seed=st.integers(0, 10_000), metric=st.sampled_from(["corr", "paper"]))
def test_weights_follow_the_order_as_the_text_describes(n: int, seed: int, metric: str) -> None:
    cov = random_covariance(n, seed)
    work, out = hrp.init(n, hrp.METRICS[metric]), np.empty(n)
    hrp.hrp(cov, hrp.METRICS[metric], work, out)
    np.testing.assert_allclose(out, reference_bisection(cov, work.order.tolist()), rtol=1e-10)
    assert out.min() >= 0.0
    assert out.sum() == pytest.approx(1.0, abs=1e-14)


@settings(max_examples=60, deadline=None)
@given(variances=st.lists(st.floats(1e-8, 1e4), min_size=1, max_size=40), metric=st.sampled_from(["corr", "paper"]))
def test_uncorrelated_assets_get_inverse_variance_weights(variances: list[float], metric: str) -> None:
    inverse = 1.0 / np.array(variances)
    np.testing.assert_allclose(hrp_weights(np.diag(variances), metric), inverse / inverse.sum(), rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 20), seed=st.integers(0, 10_000), power=st.integers(-60, 60))
def test_weights_do_not_depend_on_the_unit(n: int, seed: int, power: int) -> None:
    cov = random_covariance(n, seed)
    assert hrp_weights(cov * 4.0**power).tobytes() == hrp_weights(cov).tobytes()  # a power of 4 scales without rounding


@settings(max_examples=40, deadline=None)
@given(v=st.tuples(st.floats(0.01, 2.0), st.floats(0.01, 2.0)), rho=st.floats(-0.99, 0.99))
def test_two_assets_get_inverse_variance_whatever_the_correlation(v: tuple[float, float], rho: float) -> None:
    cross = rho * np.sqrt(v[0] * v[1])
    weights = hrp_weights([[v[0], cross], [cross, v[1]]])
    np.testing.assert_allclose(weights, [v[1] / sum(v), v[0] / sum(v)], rtol=1e-12)


def test_three_copies_of_one_asset_get_50_25_25_because_halves_cut_the_cluster() -> None:
    np.testing.assert_allclose(sorted(hrp_weights(np.full((3, 3), 0.04))), [0.25, 0.25, 0.5])


def test_one_asset_gets_everything() -> None:
    assert hrp_weights([[0.3]]).tolist() == [1.0]


def test_a_matrix_without_full_rank_is_fine() -> None:
    returns = np.random.default_rng(0).normal(size=(5, 12))
    weights = hrp_weights(np.cov(returns.T))
    assert weights.min() > 0.0
    assert weights.sum() == pytest.approx(1.0)


BAD = {
    "empty": (np.empty((0, 0)), code.EMPTY, r"shape \(0, 0\)"),
    "not square": (np.ones((2, 3)), code.WRONG_SHAPE, r"shape \(2, 3\)"),
    "missing": (np.array([[1.0, np.nan], [np.nan, 1.0]]), code.NOT_FINITE, r"entry \[0, 1\] is nan"),
    "infinite": (np.array([[np.inf, 0.0], [0.0, 1.0]]), code.NOT_FINITE, r"entry \[0, 0\] is inf"),
    "no variance": (np.diag([1.0, 0.0]), code.NO_VARIANCE, "variance of asset 1 is 0"),
    "negative": (np.diag([-1.0, 1.0]), code.NO_VARIANCE, "variance of asset 0 is -1"),
    "asymmetric": (np.array([[1.0, 0.5], [0.4, 1.0]]), code.NOT_SYMMETRIC, "not symmetric"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("metric", [hrp.CORR, hrp.PAPER])
def test_a_bad_covariance_gives_a_code_and_no_weights(name: str, metric: int) -> None:
    cov, expected, _ = BAD[name]
    out = np.zeros(cov.shape[0])
    assert hrp.hrp(cov, metric, hrp.init(max(cov.shape), metric), out) == expected
    assert np.isnan(out).all()


@pytest.mark.parametrize("name", BAD)
def test_a_bad_covariance_is_told_in_one_line(name: str) -> None:
    with pytest.raises(InputError, match=BAD[name][2]) as caught:
        hrp_weights(BAD[name][0])
    assert "\n" not in str(caught.value)


def test_an_unknown_metric_is_answered_with_the_right_one() -> None:
    with pytest.raises(InputError, match="did you mean 'paper'"):
        hrp_weights(np.eye(2), "papre")


def test_room_of_another_size_or_metric_gives_a_code() -> None:
    out = np.zeros(3)
    for room, metric in ((hrp.init(2), hrp.CORR), (hrp.init(3), hrp.PAPER)):
        assert hrp.hrp(np.eye(3), metric, room, out) == code.WRONG_SHAPE
        assert np.isnan(out).all()
