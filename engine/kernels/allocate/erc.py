"""Risk budgeting: weights whose contributions to the portfolio's variance follow given budgets (ERC: equal ones)."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import check, code
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.linalg import covariance_fault, multiply
from plimsoll.engine.types import Floats, Weights

# Solved when no asset moves by more than this fraction in a sweep.
STEP_TOLERANCE: Final = 1e-12
# Enough for well-conditioned covariances whose factors nearly cancel (a five-factor one of 200 assets needs 2,000).
MAX_SWEEPS: Final = 10_000
# Accepted only if every share of risk is this close to its budget.
SHARE_TOLERANCE: Final = 1e-8


class Work(NamedTuple):
    """Room for one solution of N assets; nothing in it is memory between calls."""

    corr: Floats  # (N, N)
    vector: Floats  # (4, N) deviation, budget, solution, correlation times solution


def init(n_assets: int) -> Work:
    """Return room for n_assets >= 1."""
    return Work(np.zeros((n_assets, n_assets)), np.zeros((4, n_assets)))


@kernel
def room(n_assets: int) -> Work:
    """Return what `init` returns, to a kernel."""
    return Work(np.zeros((n_assets, n_assets)), np.zeros((4, n_assets)))


@kernel
def prepare(cov: Floats, budget: Floats, corr: Floats, vector: Floats) -> int:
    """Fill deviations, normalised budgets and the correlation matrix; return OK or the code of what is wrong."""
    n = cov.shape[0]
    fault = covariance_fault(cov)
    if fault != code.OK:
        return fault
    if budget.shape[0] != n or vector.shape[1] != n:
        return code.WRONG_SHAPE
    mass = 0.0
    for i in range(n):
        if not (budget[i] >= 0.0 and budget[i] < np.inf):
            return code.BAD_BUDGET
        mass += budget[i]
    if not (mass > 0.0 and mass < np.inf):
        return code.BAD_BUDGET
    for i in range(n):
        vector[0, i] = np.sqrt(cov[i, i])
        vector[1, i] = budget[i] / mass
    for i in range(n):
        for j in range(n):
            corr[i, j] = cov[i, j] / (vector[0, i] * vector[0, j])
        corr[i, i] = 1.0
    return code.OK


@kernel
def descend(corr: Floats, vector: Floats, tolerance: float) -> int:
    """Minimise y' C y / 2 - sum b_i ln y_i by cyclical coordinate descent; return the number of sweeps.

    vector (4, N): row 1 the budgets, row 2 the start and then the solution y, row 3 C y, kept up to date. It ends when
    no y_i moves by more than the fraction `tolerance` in a sweep.

        y_i <- ( -c_i + sqrt(c_i^2 + 4 b_i) ) / 2,   c_i = (C y)_i - y_i

    Source: Griveau-Billion, Richard & Roncalli (2013), A fast algorithm for computing high-dimensional risk parity.
    """
    n = corr.shape[0]
    budget, y, cy = vector[1], vector[2], vector[3]
    for sweep in range(MAX_SWEEPS):
        largest = 0.0
        for i in range(n):
            if budget[i] == 0.0:
                continue
            rest = cy[i] - y[i]
            root = np.sqrt(rest * rest + 4.0 * budget[i])
            # the second form does not cancel when rest is large and positive
            new = 0.5 * (root - rest) if rest <= 0.0 else 2.0 * budget[i] / (root + rest)
            change = new - y[i]
            largest = max(largest, abs(change) / new)
            y[i] = new
            for j in range(n):
                cy[j] += change * corr[i, j]
        if not largest >= tolerance:
            return sweep + 1
    return MAX_SWEEPS


@kernel
def accept(vector: Floats, tolerance: float, out: Floats) -> int:
    """Write the weights y_i / sigma_i, of sum 1, to out if every share of risk meets its budget; else NaN.

    vector (4, N): deviations, budgets, y, and C y computed afresh. tolerance : of a share.
    """
    n = out.shape[0]
    total = 0.0
    mass = 0.0
    for i in range(n):
        total += vector[2, i] * vector[3, i]
        out[i] = vector[2, i] / vector[0, i]
        mass += out[i]
    worst = 0.0
    for i in range(n):
        out[i] /= mass
        worst = max(worst, abs(vector[2, i] * vector[3, i] / total - vector[1, i]))
    if total > 0.0 and mass > 0.0 and worst < tolerance:
        return code.OK
    for i in range(n):
        out[i] = np.nan
    return code.NOT_CONVERGED


@kernel
def risk_budget(cov: Floats, budget: Floats, work: Work, out: Floats) -> int:
    """Write long-only weights of sum 1 to out (N,) with w_i (cov w)_i / w' cov w = budget_i / sum(budget).

    cov (N, N) any unit; budget (N,) >= 0, where 0 means weight 0; work from `init`. Solved on the correlation matrix
    and divided by the deviations at the end. Returns OK, or a code, and then out is NaN. Leave cash out: a bill fund
    in the set receives nearly everything.
    Source: Maillard, Roncalli & Teiletche (2010); Spinu (2013) for the scaling.
    """
    corr, vector = work.corr, work.vector
    n = out.shape[0]
    fault = prepare(cov, budget, corr, vector) if n == cov.shape[0] else code.WRONG_SHAPE
    if fault != code.OK:
        for i in range(n):
            out[i] = np.nan
        return fault
    for i in range(n):
        vector[2, i] = 1.0  # inverse volatility
    return solve(corr, vector, STEP_TOLERANCE, SHARE_TOLERANCE, out)


@kernel
def solve(corr: Floats, vector: Floats, step: float, share: float, out: Floats) -> int:
    """Do what `risk_budget` says on what `prepare` has filled in, from weights times deviations > 0 in row 2 of vector.

    step, share : the fraction that nothing moves by any more, and how close every share of risk has to be.
    """
    n = out.shape[0]
    for i in range(n):
        vector[2, i] = vector[2, i] if vector[1, i] > 0.0 else 0.0
    multiply(corr, vector[2], vector[3])
    scale = 0.0
    for i in range(n):
        scale += vector[2, i] * vector[3, i]
    # scaled so that y' C y = sum(b) = 1 as at the solution
    scale = 1.0 / np.sqrt(scale) if scale > 0.0 else 1.0 / n
    for i in range(n):
        vector[2, i] *= scale
        vector[3, i] *= scale
    descend(corr, vector, step)
    multiply(corr, vector[2], vector[3])
    return accept(vector, share, out)


def risk_budget_weights(cov: ArrayLike, budget: ArrayLike | None = None) -> Weights:
    """Return the long-only weights (N,) of a covariance (N, N) that follow risk budgets (N,); equal ones by default.

    Raises
    ------
    InputError
        cov is empty, not square, not finite, not symmetric or has a variance that is not positive; the budgets are
        negative or all zero; or no weights meet them (cov is not positive semidefinite).
    """
    matrix = check.square(cov, "ERC")
    n = matrix.shape[0]
    shares = np.full(n, 1.0 / n) if budget is None else check.series(budget, "ERC")
    if shares.shape[0] != n:
        raise InputError(f"{shares.shape[0]} budgets for {n} assets", where="ERC", fix="pass one budget per asset")
    out = np.empty(n)
    fault = risk_budget(matrix, shares, init(n), out)
    if fault != code.OK:
        check.covariance(matrix, "ERC")
        code.require(fault, "ERC")
    return out
