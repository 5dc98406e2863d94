"""The smallest eigenvalue of a symmetric matrix, as explicit loops: the same bits wherever it is asked for."""

from typing import Final

import numpy as np

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats

# Relative width at which the bisection for an eigenvalue stops: that of two doubles side by side.
WIDTH: Final = 4.5e-16


@kernel
def tridiagonalise(a: Floats, diagonal: Floats, beside: Floats, w: Floats) -> None:
    """Overwrite a symmetric a (N, N) and write a tridiagonal matrix with its eigenvalues: diagonal (N,), beside (N,).

    beside[k] stands next to diagonal[k] and diagonal[k + 1]; its last entry is 0. Both triangles are read, so that each
    inner loop runs along memory; w (N,) is scratch.
    Source: Golub & Van Loan (2013), Matrix Computations, algorithm 8.3.1 (Householder).
    """
    n = a.shape[0]
    for k in range(n):
        diagonal[k] = a[k, k]
        beside[k] = a[k, k + 1] if k + 1 < n else 0.0
        rest = 0.0
        for j in range(k + 2, n):
            rest += a[k, j] * a[k, j]
        if rest == 0.0:
            continue
        head = a[k, k + 1]
        norm = np.sqrt(head * head + rest)
        beside[k] = -norm if head > 0.0 else norm
        a[k, k + 1] = head - beside[k]
        scale = 2.0 / (rest + a[k, k + 1] * a[k, k + 1])
        for j in range(k + 1, n):
            w[j] = 0.0
        for i in range(k + 1, n):
            factor = scale * a[k, i]
            for j in range(k + 1, n):
                w[j] += factor * a[i, j]
        along = 0.0
        for j in range(k + 1, n):
            along += w[j] * a[k, j]
        along *= 0.5 * scale
        for j in range(k + 1, n):
            w[j] -= along * a[k, j]
        for i in range(k + 1, n):
            v_i, w_i = a[k, i], w[i]
            for j in range(k + 1, n):
                a[i, j] -= v_i * w[j] + w_i * a[k, j]


@kernel
def smallest_eigenvalue(diagonal: Floats, beside: Floats) -> float:
    """Return the smallest eigenvalue of the tridiagonal matrix that `tridiagonalise` writes, to rounding.

    Source: Golub & Van Loan (2013), section 8.4 (bisection by the sign of the pivots, between Gershgorin's bounds).
    """
    n = diagonal.shape[0]
    low, high = np.inf, np.inf
    for k in range(n):
        reach = abs(beside[k]) + (abs(beside[k - 1]) if k > 0 else 0.0)
        low = min(low, diagonal[k] - reach)
        high = min(high, diagonal[k])  # no eigenvalue is smallest above the smallest entry
    while high - low > WIDTH * max(abs(low), abs(high)):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        pivot = diagonal[0] - middle
        at = 1
        while pivot > 0.0 and at < n:
            pivot = diagonal[at] - middle - beside[at - 1] * beside[at - 1] / pivot
            at += 1
        if pivot > 0.0:  # every pivot is: all eigenvalues lie above
            low = middle
        else:
            high = middle
    return high
