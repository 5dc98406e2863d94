"""Long-only minimum variance, for comparison: the fragile choice the integrator replaces."""

import numpy as np

from plimsoll.engine.types import Floats


def min_variance(cov: Floats) -> Floats:
    """Return the weights (N,) >= 0 of sum 1 with the least variance under a positive definite cov (N, N).

    Active set on the KKT conditions: drop the most negative weight, take back the asset whose marginal variance is
    lowest below the portfolio's, until neither is left.
    Source: Markowitz (1956), the critical line at its minimum-variance end.
    """
    n = len(cov)
    active = np.ones(n, dtype=bool)
    for _ in range(10 * n):
        chosen = np.flatnonzero(active)
        w = np.zeros(n)
        w[chosen] = np.linalg.solve(cov[np.ix_(chosen, chosen)], np.ones(len(chosen)))
        w /= w.sum()
        if w.min() < 0.0:
            active[int(w.argmin())] = False
            continue
        slack = cov @ w - w @ cov @ w
        outside = np.flatnonzero(~active & (slack < -1e-12 * float(w @ cov @ w)))
        if not len(outside):
            found: Floats = w
            return found
        active[outside[slack[outside].argmin()]] = True
    clipped: Floats = np.maximum(w, 0.0)
    weights: Floats = clipped / clipped.sum()
    return weights
