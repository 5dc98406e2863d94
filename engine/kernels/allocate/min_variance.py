"""Long-only minimum variance, for comparison: the fragile choice the integrator replaces."""

import numpy as np

from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.linalg import cholesky, quadratic, set_to, solve_factored
from plimsoll.engine.types import Bools, Floats

# A weight taken back has to lower the variance by more than rounding does, relative to the variance.
SLACK = 1e-12


@kernel
def least_variance(cov: Floats, out: Floats) -> int:
    """Write the weights (N,) >= 0 of sum 1 with the least variance under a positive definite cov (N, N) to out.

    Active set on the KKT conditions: drop the most negative weight, take back the asset whose marginal variance is
    lowest below the portfolio's, until neither is left. Returns NOT_POSITIVE_DEFINITE where cov is none, else OK.
    Source: Markowitz (1956), the critical line at its minimum-variance end.
    """
    n = cov.shape[0]
    active = np.ones(n, dtype=np.bool_)
    for _ in range(10 * n):
        if _solve_active(cov, active, out) != code.OK:
            return code.NOT_POSITIVE_DEFINITE
        lowest = 0
        for i in range(n):
            lowest = i if out[i] < out[lowest] else lowest
        if out[lowest] < 0.0:
            active[lowest] = False
            continue
        back = _better_outside(cov, active, out)
        if back < 0:
            return code.OK
        active[back] = True
    total = 0.0
    for i in range(n):
        out[i] = max(out[i], 0.0)
        total += out[i]
    for i in range(n):
        out[i] /= total
    return code.OK


@kernel
def _solve_active(cov: Floats, active: Bools, out: Floats) -> int:
    """Write the weights of sum 1 with the least variance, of either sign, over the active assets; others get 0."""
    n, k = active.shape[0], 0
    chosen = np.empty(n, dtype=np.int64)
    for i in range(n):
        if active[i]:
            chosen[k] = i
            k += 1
    factor, w = np.empty((k, k)), np.ones(k)
    for a in range(k):
        for b in range(k):
            factor[a, b] = cov[chosen[a], chosen[b]]
    if cholesky(factor) != code.OK:
        return code.NOT_POSITIVE_DEFINITE
    solve_factored(factor, w)
    total = 0.0
    for a in range(k):
        total += w[a]
    set_to(out, 0.0)
    for a in range(k):
        out[chosen[a]] = w[a] / total
    return code.OK


@kernel
def _better_outside(cov: Floats, active: Bools, w: Floats) -> int:
    """Return the idle asset whose marginal variance is lowest below the portfolio's, -1 where there is none."""
    found, least = -1, 0.0
    marginal = np.empty(w.shape[0])
    variance = quadratic(cov, w, marginal)
    for i in range(w.shape[0]):
        slack = marginal[i] - variance
        if not active[i] and slack < -SLACK * variance and slack < least:
            found, least = i, slack
    return found


def min_variance(cov: Floats) -> Floats:
    """Return the weights (N,) of `least_variance`; equal ones where cov is not positive definite."""
    out: Floats = np.empty(len(cov))
    if least_variance(np.ascontiguousarray(cov), out) != code.OK:
        out[:] = 1.0 / len(out)
    return out
