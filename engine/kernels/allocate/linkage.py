"""Deterministic single linkage: the tree, and the order of its leaves."""

from typing import NamedTuple

import numpy as np

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats, Ints


class Work(NamedTuple):
    """Room for one clustering of N assets; nothing in it is memory between calls."""

    length: Floats  # (N - 1,) of each merge, ascending
    merge: Ints  # (N - 1, 2) smaller and larger cluster id; the merge makes cluster N + its row
    best: Floats  # (3, N) distance to the tree, length of each edge as found, and 0 or infinity once in the tree
    ids: Ints  # (6, 2 N) edge ends, sort order and scratch, union-find parents and ids, stack


def init(n_assets: int) -> Work:
    """Return room for n_assets >= 1."""
    edges = max(n_assets - 1, 1)
    return Work(
        np.zeros(edges),
        np.zeros((edges, 2), dtype=np.int64),
        np.zeros((3, n_assets)),
        np.zeros((6, 2 * n_assets), dtype=np.int64),
    )


@kernel
def spanning_tree(distance: Floats, best: Floats, ids: Ints) -> None:
    """Find the minimum spanning tree of distance (N, N), edges in the order they are found (Prim from asset 0).

    Row 1 of best gets the N - 1 lengths, rows 0 and 1 of index their ends: the asset added last and the new one.
    Ties go to the smallest index.
    """
    n = distance.shape[0]
    for i in range(n):
        best[0, i] = np.inf
        best[2, i] = 0.0
    x = 0
    for s in range(n - 1):
        best[2, x] = np.inf
        for i in range(n):
            best[0, i] = min(best[0, i], distance[x, i]) + best[2, i]
        y = 0
        least = np.inf
        for i in range(n):
            if best[0, i] < least:
                least = best[0, i]
                y = i
        best[1, s] = least
        ids[0, s] = x
        ids[1, s] = y
        x = y


@kernel
def sort_edges(n_edges: int, best: Floats, ids: Ints) -> None:
    """Sort the edges by length, equal ones in the order they were found; row 2 of index gets their numbers.

    Bottom-up merge sort, rows 2 and 3 of index taking turns.
    """
    for k in range(n_edges):
        ids[2, k] = k
    width = 1
    source, target = 2, 3
    while width < n_edges:
        for low in range(0, n_edges, 2 * width):
            middle = min(low + width, n_edges)
            high = min(low + 2 * width, n_edges)
            a, b = low, middle
            for k in range(low, high):
                if a < middle and (b >= high or best[1, ids[source, a]] <= best[1, ids[source, b]]):
                    ids[target, k] = ids[source, a]
                    a += 1
                else:
                    ids[target, k] = ids[source, b]
                    b += 1
        source, target = target, source
        width *= 2
    if source == 3:
        for k in range(n_edges):
            ids[2, k] = ids[3, k]


@kernel
def root_of(node: int, ids: Ints) -> int:
    """Return the representative of node's cluster, halving the path to it (row 4 of index holds the parents)."""
    while ids[4, node] != node:
        ids[4, node] = ids[4, ids[4, node]]
        node = ids[4, node]
    return node


@kernel
def single_linkage(distance: Floats, work: Work) -> None:
    """Cluster by single linkage: fill work.length and work.merge from distance (N, N), symmetric and without NaN.

    Equal, ties included, to the tree that scipy's `linkage(..., "single")` makes; ties are resolved by the order of
    the assets, so the order must be fixed by the caller (alphabetical). N = 1 leaves nothing to do.
    Source: Gower & Ross (1969), Minimum spanning trees and single linkage cluster analysis.
    """
    n = distance.shape[0]
    best, ids = work.best, work.ids
    spanning_tree(distance, best, ids)
    sort_edges(n - 1, best, ids)
    for i in range(n):
        ids[4, i] = i
        ids[5, i] = i  # the cluster id that a representative stands for
    for s in range(n - 1):
        edge = ids[2, s]
        p = root_of(ids[0, edge], ids)
        q = root_of(ids[1, edge], ids)
        work.length[s] = best[1, edge]
        work.merge[s, 0] = min(ids[5, p], ids[5, q])
        work.merge[s, 1] = max(ids[5, p], ids[5, q])
        ids[4, q] = p
        ids[5, p] = n + s


@kernel
def leaf_order(n: int, work: Work, order: Ints) -> None:
    """Write the leaves of the tree in work from left to right to order (N,), with an explicit stack.

    Source: Lopez de Prado (2016), Building diversified portfolios that outperform out of sample, 3.2.
    """
    order[0] = 0
    if n == 1:
        return
    stack = work.ids[5]
    stack[0] = 2 * n - 2
    depth = 1
    placed = 0
    while depth > 0:
        depth -= 1
        node = stack[depth]
        if node < n:
            order[placed] = node
            placed += 1
        else:
            stack[depth] = work.merge[node - n, 1]
            stack[depth + 1] = work.merge[node - n, 0]
            depth += 2
