"""Trials that are variations of one: a tree by average linkage, cut where its clusters are told apart best."""

import numpy as np

from plimsoll.engine.kernels.allocate.clustering import merge_into, silhouettes
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats, Ints


@kernel
def nearest_pair(between: Floats, size: Floats) -> tuple[int, int]:
    """Return the two closest clusters, the first in order of equals; between (N, N), size (N,) 0 = merged away."""
    n = size.shape[0]
    first, second, least = 0, 0, np.inf
    for i in range(n):
        if size[i] > 0.0:
            for j in range(i + 1, n):
                if size[j] > 0.0 and between[i, j] < least:
                    first, second, least = i, j, between[i, j]
    return first, second


@kernel
def join(i: int, j: int, between: Floats, size: Floats) -> None:
    """Write the distances of the union of clusters i and j to the others into row and column i of between (N, N).

    Source: Sokal & Michener (1958), the unweighted pair group method; Lance & Williams (1967) for the update.
    """
    total = size[i] + size[j]
    for k in range(size.shape[0]):
        if (k - i) * (k - j) != 0 and size[k] > 0.0:
            between[i, k] = (size[i] * between[i, k] + size[j] * between[j, k]) / total
            between[k, i] = between[i, k]


@kernel
def cut(distance: Floats, best: Ints) -> float:
    """Write each item's cluster to best (N,), numbered by their smallest members; return the mean silhouette, N >= 3.

    distance (N, N) symmetric, 0 on the diagonal. Of the cuts into 2 to N - 1 clusters the one with the largest mean
    silhouette is taken, the coarser of equals.
    Source: Rousseeuw (1987), Silhouettes: a graphical aid to the interpretation and validation of cluster analysis.
    """
    n = distance.shape[0]
    between, total = distance.copy(), distance.copy()
    size, fit = np.ones(n), np.zeros(n)
    label = np.arange(n)
    top = -np.inf
    for _ in range(n - 2):
        i, j = nearest_pair(between, size)
        join(i, j, between, size)
        merge_into(i, j, label, total, size)
        silhouettes(total, size, label, fit)
        mean = 0.0
        for k in range(n):
            mean += fit[k] / n
        if mean >= top:
            top = mean
            for k in range(n):
                best[k] = label[k]
    return top
