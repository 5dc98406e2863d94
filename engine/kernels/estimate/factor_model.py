"""Statistical factor model: a covariance for more assets than rows, in plain numpy, off the path of a bar."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import check
from plimsoll.engine.kernels.estimate.ledoit_wolf import weights
from plimsoll.engine.types import Floats

WHERE = "factor model"


class FactorModel(NamedTuple):
    """Sigma = B F B' + diag(specific), per bar."""

    loading: Floats  # (N, K) B, orthonormal columns, each with its largest entry positive
    factor_variance: Floats  # (K,) diagonal of F, descending
    specific_variance: Floats  # (N,) what the factors leave of each variance
    cov: Floats  # (N, N)


def pca_factor_model(returns: ArrayLike, n_factors: int = 5, half_life: float | None = None) -> FactorModel:
    """Return the factor model of returns (T, N) from their first principal components.

    At most min(n_factors, T - 1, N) factors; half_life in bars weighs by age, None equally. Population moments about
    the weighted mean. The diagonal of the result is the sample's; it is positive definite where every asset has some
    variance of its own.

        Y sqrt(w) = U D V',   B = V_k,  F = D_k^2,  specific_i = S_ii - sum_k B_ik^2 F_k

    Raises
    ------
    InputError
        Fewer than two rows, a return that is NaN or infinite, n_factors < 1, or half_life <= 0.

    Source: Connor & Korajczyk (1986), asymptotic principal components; Jolliffe (2002), 3.5 and 7.
    """
    table = check.matrix(returns, WHERE)
    n_rows, n_assets = table.shape
    if n_rows < 2:
        raise InputError(f"{n_rows} rows", where=WHERE, fix="pass at least 2")
    bad = np.argwhere(~np.isfinite(table))
    if bad.size:
        t, i = bad[0]
        raise InputError(
            f"row {t}, column {i} is {table[t, i]}", where=WHERE, fix="drop the column or shrink pairwise instead"
        )
    w = weights(n_rows, half_life)
    y = (table - w @ table) * np.sqrt(w)[:, None]
    k = min(check.whole(n_factors, "n_factors", 1, WHERE), n_rows - 1, n_assets)
    _, size, right = np.linalg.svd(y, full_matrices=False)
    loading = right[:k].T
    largest = loading[np.abs(loading).argmax(axis=0), np.arange(k)]
    loading = np.ascontiguousarray(loading * np.where(largest < 0.0, -1.0, 1.0))
    factor_variance = size[:k] ** 2
    common = (loading * factor_variance) @ loading.T
    variance = (y * y).sum(axis=0)
    specific = np.maximum(variance - np.diag(common), 0.0)
    common[np.diag_indices(n_assets)] = np.diag(common) + specific
    return FactorModel(loading, factor_variance, specific, common)
