"""Nested clustered optimisation: equal risk within the clusters of a tree, and equal risk across them.

Hierarchical risk parity cuts an ordered list in halves, whatever lies there. This keeps clusters whole: what is alike
shares what its cluster gets, in equal shares where it is the same, and does not count more for being there twice.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.kernels import check, code
from plimsoll.engine.kernels.allocate import clustering, erc, linkage
from plimsoll.engine.kernels.allocate.hrp import correlation_distance
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.linalg import covariance_fault, set_to
from plimsoll.engine.types import Floats, Ints, Weights


class Room(NamedTuple):
    """Room for the allocation of N assets on a tree that is there; nothing in it is memory between calls."""

    clusters: clustering.Work
    square: Floats  # (2, N N) covariance and correlation of a cluster, then of the clusters
    flat: Floats  # (6 N,) budgets, weights and what solving needs, of the same
    member: Ints  # (N,) the assets of a cluster


class Work(NamedTuple):
    """Room for one allocation of N assets; after a call it holds tree and clusters, for whoever wants to look."""

    tree: linkage.Work
    distance: Floats  # (N, N)
    deviation: Floats  # (N,)
    room: Room


def init(n_assets: int) -> Work:
    """Return room for n_assets >= 1."""
    space = Room(
        clustering.init(n_assets),
        np.zeros((2, n_assets * n_assets)),
        np.zeros(6 * n_assets),
        np.zeros(n_assets, dtype=np.int64),
    )
    return Work(linkage.init(n_assets), np.zeros((n_assets, n_assets)), np.zeros(n_assets), space)


@kernel
def room(n_assets: int) -> Room:
    """Return room for n_assets >= 1 on a tree made elsewhere, to a kernel."""
    n = n_assets
    clusters = clustering.Work(
        np.zeros((n, n)), np.zeros(n), np.zeros(n), np.zeros((2, n), dtype=np.int64), np.zeros(2 * n, dtype=np.int64)
    )
    return Room(clusters, np.zeros((2, n * n)), np.zeros(6 * n), np.zeros(n, dtype=np.int64))


@kernel
def equal_risk(m: int, square: Floats, flat: Floats) -> int:
    """Solve for equal risk of m parts whose covariance (m, m) fills the front of square[0]; the weights: flat[m:2m]."""
    set_to(flat[:m], 1.0)
    cov, corr = square[0, : m * m].reshape((m, m)), square[1, : m * m].reshape((m, m))
    vector = flat[2 * m : 6 * m].reshape((4, m))
    return int(erc.risk_budget(cov, flat[:m], erc.Work(corr, vector), flat[m : 2 * m]))


@kernel
def within(cov: Floats, cluster: int, label: Ints, space: Room, out: Floats) -> int:
    """Write the weights of one cluster's assets, of sum 1, to their places in out (N,); return OK or a code."""
    member, m = space.member, 0
    for i in range(label.shape[0]):
        if label[i] == cluster:
            member[m] = i
            m += 1
    for a in range(m):
        for b in range(m):
            space.square[0, a * m + b] = cov[member[a], member[b]]
    fault = equal_risk(m, space.square, space.flat)
    for a in range(m):
        out[member[a]] = space.flat[m + a]
    return fault


@kernel
def across(cov: Floats, count: int, label: Ints, space: Room, out: Floats) -> int:
    """Multiply the weights in out (N,), of sum 1 within each of `count` clusters, by their clusters' weights."""
    n = label.shape[0]
    set_to(space.square[0, : count * count], 0.0)
    for i in range(n):
        for j in range(n):
            space.square[0, label[i] * count + label[j]] += out[i] * cov[i, j] * out[j]
    fault = equal_risk(count, space.square, space.flat)
    for i in range(n):
        out[i] *= space.flat[count + label[i]]
    return fault


@kernel
def on_tree(cov: Floats, distance: Floats, tree: linkage.Work, space: Room, out: Floats) -> int:
    """Do what `nco` says on a tree that `linkage.single_linkage` made of distance (N, N), for a checked cov (N, N)."""
    count = clustering.cut(distance, tree, space.clusters)
    label, fault = space.clusters.label[1], code.OK
    for c in range(count):
        if fault == code.OK:
            fault = within(cov, c, label, space, out)
    if fault == code.OK and count > 1:
        fault = across(cov, count, label, space, out)
    if fault != code.OK:
        for i in range(out.shape[0]):
            out[i] = np.nan
    return fault


@kernel
def nco(cov: Floats, work: Work, out: Floats) -> int:
    """Write the nested clustered weights to out (N,), >= 0 and of sum 1.

    cov (N, N) any unit; work from `init` for the same N. The assets are clustered by single linkage on
    sqrt((1 - rho) / 2), the tree is cut as `clustering.cut` says, and every asset gets its equal-risk weight within its
    cluster times the equal-risk weight of that cluster. Returns OK, or the code of what is wrong, and then out is NaN.
    Source: Lopez de Prado (2019), A robust estimator of the efficient frontier; (2020), Machine learning for asset
    managers, 7.4, with equal risk contribution in place of minimum variance.
    """
    n = cov.shape[0]
    fault = covariance_fault(cov)
    if fault == code.OK and (out.shape[0] != n or work.deviation.shape[0] != n):
        fault = code.WRONG_SHAPE
    if fault != code.OK:
        for i in range(out.shape[0]):
            out[i] = np.nan
        return fault
    correlation_distance(cov, work.deviation, work.distance)
    linkage.single_linkage(work.distance, work.tree)
    return on_tree(cov, work.distance, work.tree, work.room, out)


def nco_weights(cov: ArrayLike) -> Weights:
    """Return the nested clustered weights (N,) of a covariance (N, N): equal risk within and across its clusters.

    Raises
    ------
    InputError
        cov is empty, not square, not finite, not symmetric or has a variance that is not positive; or no weights share
        the risk equally (cov is not positive semidefinite).
    """
    matrix = check.square(cov, "NCO")
    out = np.empty(matrix.shape[0])
    fault = nco(matrix, init(matrix.shape[0]), out)
    if fault != code.OK:
        check.covariance(matrix, "NCO")
        code.require(fault, "NCO")
    return out
