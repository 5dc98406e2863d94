"""Small linear algebra as explicit loops: the same bits in a step, in a scan, and interpreted."""

import numpy as np

from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.types import Floats

# Relative difference of mirrored entries up to which a matrix still counts as symmetric: rounding of a sum, no more.
SYMMETRY_TOLERANCE = 1e-10


@kernel
def copy_to(out: Floats, source: Floats) -> None:
    """Write source (N,) to out (N,): `out[:] = source`, which compiles to a hundred times the code."""
    for i in range(out.shape[0]):
        out[i] = source[i]


@kernel
def set_to(out: Floats, value: float) -> None:
    """Write value to each of out (N,): `out[:] = value`, for the same reason."""
    for i in range(out.shape[0]):
        out[i] = value


@kernel
def covariance_fault(cov: Floats) -> int:
    """Return OK, or the code of the first thing that keeps cov (N, N) from being a covariance.

    Checked are shape, finiteness, symmetry and positive variances, not definiteness.
    """
    n = cov.shape[0]
    if n == 0:
        return code.EMPTY
    if cov.shape[1] != n:
        return code.WRONG_SHAPE
    total = 0.0
    for i in range(n):
        for j in range(n):
            total += abs(cov[i, j] - cov[i, j])  # NaN or infinity makes NaN, in one sum without a branch
    if total != 0.0:
        return code.NOT_FINITE
    for i in range(n):
        if cov[i, i] <= 0.0:
            return code.NO_VARIANCE
    for i in range(n):
        for j in range(i):
            gap = abs(cov[i, j] - cov[j, i])
            if gap > 0.0 and gap > SYMMETRY_TOLERANCE * np.sqrt(cov[i, i] * cov[j, j]):
                return code.NOT_SYMMETRIC
    return code.OK


@kernel
def cholesky(a: Floats) -> int:
    """Factor a (N, N) in place into U with U'U = a; only the upper triangle is read and written.

    Returns NOT_POSITIVE_DEFINITE at the first pivot that is not positive (a is then partly overwritten), else OK.
    Row by row, so that the inner loop runs along memory and elementwise; four rows are taken off the rest at once, in
    their order, so that the bits are those of one after the other and the rest goes through memory a fourth as often.
    Source: Golub & Van Loan (2013), Matrix Computations, algorithm 4.2.2 (outer product form).
    """
    n = a.shape[0]
    for start in range(0, n, 4):
        stop = min(start + 4, n)
        for k in range(start, stop):
            if not (a[k, k] > 0.0 and a[k, k] < np.inf):
                return code.NOT_POSITIVE_DEFINITE
            pivot = np.sqrt(a[k, k])
            for j in range(k, n):
                a[k, j] /= pivot
            for i in range(k + 1, stop):
                take_off(a, k, i)
        for i in range(stop, n):
            f0, f1, f2, f3 = a[start, i], a[start + 1, i], a[start + 2, i], a[start + 3, i]
            if f0 != 0.0 and f1 != 0.0 and f2 != 0.0 and f3 != 0.0:
                for j in range(i, n):
                    left = a[i, j] - f0 * a[start, j] - f1 * a[start + 1, j]
                    a[i, j] = left - f2 * a[start + 2, j] - f3 * a[start + 3, j]
            else:
                for k in range(start, stop):
                    take_off(a, k, i)
    return code.OK


@inline_kernel
def take_off(a: Floats, k: int, i: int) -> None:
    """Take row k times a[k, i] off row i of a (N, N), from its diagonal on; nothing where the factor is 0."""
    factor = a[k, i]
    if factor != 0.0:
        for j in range(i, a.shape[0]):
            a[i, j] -= factor * a[k, j]


@kernel
def solve_factored(u: Floats, b: Floats) -> None:
    """Overwrite b (N,) with the solution of U'U x = b, u (N, N) from `cholesky`."""
    n = u.shape[0]
    for i in range(n):
        b[i] /= u[i, i]
        for j in range(i + 1, n):
            b[j] -= u[i, j] * b[i]
    for i in range(n - 1, -1, -1):
        total = b[i]
        for j in range(i + 1, n):
            total -= u[i, j] * b[j]
        b[i] = total / u[i, i]


@kernel
def multiply(a: Floats, x: Floats, out: Floats) -> None:
    """Write a x to out (N,) for a symmetric a (N, N): columns are read as rows, so the inner loop is elementwise."""
    n = a.shape[0]
    for i in range(n):
        out[i] = 0.0
    for j in range(n):
        factor = x[j]
        for i in range(n):
            out[i] += factor * a[j, i]


@kernel
def total(x: Floats) -> float:
    """Return the sum of x (N,), in the order in which numpy adds up to 128 values.

    Fewer than eight one after the other; else eight running sums, added in pairs, and then what is left over.
    """
    n = x.shape[0]
    if n < 8:
        plain = 0.0
        for i in range(n):
            plain += x[i]
        return plain
    a, b, c, d, e, f, g, h = x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
    whole = n - n % 8
    for i in range(8, whole, 8):
        a += x[i]
        b += x[i + 1]
        c += x[i + 2]
        d += x[i + 3]
        e += x[i + 4]
        f += x[i + 5]
        g += x[i + 6]
        h += x[i + 7]
    found = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for i in range(whole, n):
        found += x[i]
    return found


@kernel
def inner(x: Floats, y: Floats) -> float:
    """Return the sum of x_i y_i, in order."""
    total = 0.0
    for i in range(x.shape[0]):
        total += x[i] * y[i]
    return total


@kernel
def quadratic(a: Floats, x: Floats, work: Floats) -> float:
    """Return x' a x for a symmetric a (N, N); work (N,) is overwritten with a x."""
    multiply(a, x, work)
    return inner(x, work)
