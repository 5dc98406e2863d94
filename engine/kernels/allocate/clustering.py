"""How many clusters a tree has: the cut whose clusters are told apart best, by silhouettes."""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.allocate import linkage
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats, Ints

# A spread of silhouettes below this is rounding: all assets sit equally well.
NO_SPREAD: Final = 1e-12


class Work(NamedTuple):
    """Room for the clusters of N assets; after a call row 1 of label holds them, for whoever wants to look."""

    total: Floats  # (N, N) sum of the distances from an asset to those of a cluster
    size: Floats  # (N,) assets of a cluster, 0 = it was merged into another
    fit: Floats  # (N,) silhouettes
    label: Ints  # (2, N) of each asset at the cut that is looked at, and at the best one
    place: Ints  # (2 N,) where the cluster of an id of the tree is kept


def init(n_assets: int) -> Work:
    """Return room for n_assets >= 1."""
    return Work(
        np.zeros((n_assets, n_assets)),
        np.zeros(n_assets),
        np.zeros(n_assets),
        np.zeros((2, n_assets), dtype=np.int64),
        np.zeros(2 * n_assets, dtype=np.int64),
    )


@kernel
def silhouettes(total: Floats, size: Floats, label: Ints, fit: Floats) -> None:
    """Write (b - a) / max(a, b) of each asset to fit (N,), 0 where it is alone in its cluster.

    a is its mean distance to the others of its cluster, b the least mean distance to those of another one. total (N, N)
    sums of distances, by asset and cluster; size (N,); label (N,).
    Source: Rousseeuw (1987), Silhouettes: a graphical aid to the interpretation and validation of cluster analysis.
    """
    n = fit.shape[0]
    for i in range(n):
        own = label[i]
        fit[i] = 0.0
        if size[own] > 1.0:
            inside = total[i, own] / (size[own] - 1.0)
            outside = np.inf
            for c in range(n):
                if c != own and size[c] > 0.0:
                    outside = min(outside, total[i, c] / size[c])
            larger = max(inside, outside)
            fit[i] = (outside - inside) / larger if larger > 0.0 else 0.0


@kernel
def quality(fit: Floats) -> float:
    """Return the mean of silhouettes (N,) over their standard deviation; 0 where the mean is not positive."""
    n = fit.shape[0]
    mean = 0.0
    for i in range(n):
        mean += fit[i] / n
    squares = 0.0
    for i in range(n):
        squares += (fit[i] - mean) ** 2 / n
    if mean <= 0.0:
        return 0.0
    return mean / np.sqrt(squares) if squares > NO_SPREAD * NO_SPREAD else np.inf


@kernel
def merge_into(i: int, j: int, label: Ints, total: Floats, size: Floats) -> None:
    """Merge the cluster kept at j into the one kept at i."""
    for k in range(size.shape[0]):
        if label[k] == j:
            label[k] = i
        total[k, i] += total[k, j]
    size[i] += size[j]
    size[j] = 0.0


@kernel
def number(label: Ints, place: Ints) -> int:
    """Number the clusters of label (N,) from 0 in the order of their first assets; return how many there are."""
    n = label.shape[0]
    for i in range(n):
        place[i] = -1
    count = 0
    for i in range(n):
        if place[label[i]] < 0:
            place[label[i]] = count
            count += 1
        label[i] = place[label[i]]
    return count


@kernel
def cut(distance: Floats, tree: linkage.Work, work: Work) -> int:
    """Cut a tree into 2 to N / 2 clusters and return their number; 1 where no cut tells any apart.

    distance (N, N) what `linkage.single_linkage` made the tree of. Row 1 of work.label gets the number of each asset's
    cluster. The cut is the one with the largest mean of silhouettes over their standard deviation, the coarser one of
    equals; where none has a positive mean all assets are one cluster.
    Source: Lopez de Prado & Lewis (2019), Detection of false investment strategies using unsupervised learning methods,
    and Lopez de Prado (2020), Machine learning for asset managers, 4.4 and 7.4, whose range this is; there the clusters
    are those of k-means from random starts, here those of the tree.
    """
    n = distance.shape[0]
    label, best = work.label[0], work.label[1]
    for i in range(n):
        label[i] = i
        best[i] = 0
        work.place[i] = i
        work.size[i] = 1.0
        for j in range(n):
            work.total[i, j] = distance[i, j]
    top = 0.0
    for s in range(n - 1):
        p, q = work.place[tree.merge[s, 0]], work.place[tree.merge[s, 1]]
        merge_into(min(p, q), max(p, q), label, work.total, work.size)
        work.place[n + s] = min(p, q)
        if 2 <= n - 1 - s <= n // 2:
            silhouettes(work.total, work.size, label, work.fit)
            found = quality(work.fit)
            if found > 0.0 and found >= top:
                top = found
                for k in range(n):
                    best[k] = label[k]
    return number(best, work.place)
