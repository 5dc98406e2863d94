"""Hierarchical risk parity: cluster by correlation, then split risk between the halves of the ordered list.

Two metrics. `corr` (default) clusters on sqrt((1 - rho) / 2), as two libraries do; `paper` on the Euclidean distance
between the columns of that matrix, which is what the paper's own code computes and its printed weights need.

Weights depend on the order of the assets: ties are resolved by it and an odd list gives its middle asset to the right
half. Fix the order (alphabetical) before calling. Exact copies are no problem for the arithmetic, but where the halves
cut a cluster, identical assets get unequal weights: three copies alone get 50, 25 and 25 per cent.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.errors import InputError, did_you_mean
from plimsoll.engine.kernels import check, code
from plimsoll.engine.kernels.allocate import linkage
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.linalg import covariance_fault
from plimsoll.engine.types import Floats, Ints, Weights

CORR: Final = 0
PAPER: Final = 1
METRICS: Final = {"corr": CORR, "paper": PAPER}


class Work(NamedTuple):
    """Room for one allocation of N assets; after a call it holds the tree, for whoever wants to look at it."""

    tree: linkage.Work
    distance: Floats  # (N, N)
    column: Floats  # (N, N) only for the paper's metric, else (0, 0)
    vector: Floats  # (2, N)
    order: Ints  # (N,) leaves from left to right
    stack: Ints  # (2, N)


def init(n_assets: int, metric: int = CORR) -> Work:
    """Return room for n_assets >= 1."""
    side = n_assets if metric == PAPER else 0
    return Work(
        linkage.init(n_assets),
        np.zeros((n_assets, n_assets)),
        np.zeros((side, side)),
        np.zeros((2, n_assets)),
        np.zeros(n_assets, dtype=np.int64),
        np.zeros((2, n_assets), dtype=np.int64),
    )


@kernel
def room(n_assets: int) -> Work:
    """Return what `init` returns for the metric CORR, to a kernel."""
    n = n_assets
    tree = linkage.Work(
        np.zeros(max(n - 1, 1)), np.zeros((max(n - 1, 1), 2), dtype=np.int64), np.zeros((3, n)),
        np.zeros((6, 2 * n), dtype=np.int64),
    )  # fmt: skip
    return Work(
        tree, np.zeros((n, n)), np.zeros((0, 0)), np.zeros((2, n)), np.zeros(n, dtype=np.int64),
        np.zeros((2, n), dtype=np.int64),
    )  # fmt: skip


@kernel
def correlation_distance(cov: Floats, sd: Floats, out: Floats) -> None:
    """Write sqrt((1 - rho_ij) / 2) to out (N, N), rho clipped to [-1, 1], diagonal zero; sd (N,) is overwritten.

    Source: Mantegna (1999); Lopez de Prado (2016), 3.1.
    """
    n = cov.shape[0]
    for i in range(n):
        sd[i] = np.sqrt(cov[i, i])
    for i in range(n):
        for j in range(i):
            rho = cov[i, j] / (sd[i] * sd[j])
            out[i, j] = np.sqrt(0.5 * (1.0 - min(max(rho, -1.0), 1.0)))
            out[j, i] = out[i, j]
        out[i, i] = 0.0


@kernel
def column_distance(distance: Floats, out: Floats) -> None:
    """Write the Euclidean distance between columns i and j of distance (N, N), symmetric, to out (N, N)."""
    n = distance.shape[0]
    for i in range(n):
        for j in range(n):
            out[i, j] = 0.0
        for k in range(n):
            centre = distance[k, i]
            for j in range(n):
                gap = centre - distance[k, j]
                out[i, j] += gap * gap
        for j in range(n):
            out[i, j] = np.sqrt(out[i, j])


@kernel
def cluster_variance(cov: Floats, inverse: Floats, order: Ints, first: int, stop: int) -> float:
    """Return the variance of the inverse-variance portfolio of the assets order[first:stop]."""
    total = 0.0
    mass = 0.0
    for a in range(first, stop):
        i = order[a]
        across = 0.0
        for b in range(first, a):
            across += inverse[order[b]] * cov[i, order[b]]
        total += inverse[i] * (inverse[i] * cov[i, i] + 2.0 * across)
        mass += inverse[i]
    return total / (mass * mass)


@kernel
def bisect(cov: Floats, inverse: Floats, order: Ints, stack: Ints, out: Floats) -> None:
    """Split the weight 1 down the ordered list, halves at a time, left floor(n / 2), against their variances."""
    n = order.shape[0]
    for i in range(n):
        out[i] = 1.0
    stack[0, 0] = 0
    stack[1, 0] = n
    depth = 1
    while depth > 0:
        depth -= 1
        first, stop = stack[0, depth], stack[1, depth]
        if stop - first < 2:
            continue
        middle = first + (stop - first) // 2
        left = cluster_variance(cov, inverse, order, first, middle)
        right = cluster_variance(cov, inverse, order, middle, stop)
        for k in range(first, middle):
            out[order[k]] *= right / (left + right)
        for k in range(middle, stop):  # not 1 less the other share, which would cancel where one side dwarfs the other
            out[order[k]] *= left / (left + right)
        stack[0, depth] = middle
        stack[1, depth] = stop
        stack[0, depth + 1] = first
        stack[1, depth + 1] = middle
        depth += 2


@kernel
def hrp(cov: Floats, metric: int, work: Work, out: Floats) -> int:
    """Write the hierarchical risk parity weights to out (N,), >= 0 and of sum 1.

    cov (N, N) any unit; metric CORR or PAPER; work from `init` for the same N and metric. Returns OK, or the code of
    what is wrong, and then out is NaN: never weights from garbage. Weights do not change when cov is multiplied by a
    number.
    Source: Lopez de Prado (2016), Building diversified portfolios that outperform out of sample.
    """
    n = cov.shape[0]
    fault = covariance_fault(cov)
    room = work.column.shape[0] if metric == PAPER else n
    if fault == code.OK and (out.shape[0] != n or work.order.shape[0] != n or room != n):
        fault = code.WRONG_SHAPE
    if fault != code.OK:
        for i in range(out.shape[0]):
            out[i] = np.nan
        return fault
    correlation_distance(cov, work.vector[0], work.distance)
    if metric == PAPER:
        column_distance(work.distance, work.column)
        linkage.single_linkage(work.column, work.tree)
    else:
        linkage.single_linkage(work.distance, work.tree)
    split(cov, work, out)
    return code.OK


@kernel
def split(cov: Floats, work: Work, out: Floats) -> None:
    """Write the weights of a covariance (N, N) on the tree in work to out (N,)."""
    n = cov.shape[0]
    linkage.leaf_order(n, work.tree, work.order)
    for i in range(n):
        work.vector[1, i] = 1.0 / cov[i, i]
    bisect(cov, work.vector[1], work.order, work.stack, out)


def hrp_weights(cov: ArrayLike, metric: str = "corr") -> Weights:
    """Return the hierarchical risk parity weights (N,) of a covariance (N, N).

    Identical assets may get different weights, under the default metric as under the paper's: the ordered list is cut
    in halves, and a cluster that lies across a cut is treated as two. Three copies of one asset get 50, 25 and 25%;
    equal risk contribution (`plimsoll.engine.kernels.allocate.erc`) gives them a third each.

    Raises
    ------
    InputError
        cov is empty, not square, not finite, not symmetric or has a variance that is not positive; or the metric is
        not one of `corr` and `paper`.
    """
    if metric not in METRICS:
        raise InputError(f"metric = {metric!r}", where="HRP", fix=did_you_mean(metric, METRICS))
    matrix = check.square(cov, "HRP")
    out = np.empty(matrix.shape[0])
    if hrp(matrix, METRICS[metric], init(matrix.shape[0], METRICS[metric]), out) != code.OK:
        check.covariance(matrix, "HRP")
    return out
