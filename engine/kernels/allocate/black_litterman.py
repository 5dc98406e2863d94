"""Black-Litterman: views blended with the equilibrium of an ERC portfolio, and the risk budgets that follow."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import check, code
from plimsoll.engine.kernels.allocate import erc
from plimsoll.engine.kernels.allocate.waterfill import bound_project
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.linalg import cholesky, inner, multiply, solve_factored
from plimsoll.engine.types import Floats, Weights


class Params(NamedTuple):
    """Strength of the prior and bounds of the budgets."""

    prior_sharpe: float = 0.5  # of the equilibrium portfolio, per unit of time of the covariance
    tau: float = 0.05  # uncertainty of the equilibrium, as a fraction of the covariance
    budget_min: float = 0.05
    budget_max: float = 0.70


class Work(NamedTuple):
    """Room for one blend of K views on N assets."""

    carried: Floats  # (K, N) views times covariance
    inside: Floats  # (K, K) covariance of the views' error
    vector: Floats  # (K,)
    asset: Floats  # (N,)


class Blend(NamedTuple):
    """What came out, and what led there."""

    prior_weights: Weights  # (N,) ERC
    prior_return: Floats  # (N,) implied by them
    posterior_return: Floats  # (N,)
    budget: Floats  # (N,) of risk, sum 1
    weights: Weights  # (N,) risk-budgeted


def init(n_views: int, n_assets: int) -> Work:
    """Return room for n_views and n_assets."""
    return Work(np.zeros((n_views, n_assets)), np.zeros((n_views, n_views)), np.zeros(n_views), np.zeros(n_assets))


@kernel
def room(n_views: int, n_assets: int) -> Work:
    """Return what `init` returns, to a kernel."""
    return Work(np.zeros((n_views, n_assets)), np.zeros((n_views, n_views)), np.zeros(n_views), np.zeros(n_assets))


@kernel
def implied_return(cov: Floats, weight: Floats, sharpe: float, out: Floats) -> None:
    """Write the returns out (N,) that make weight (N,) optimal with this Sharpe ratio.

        Pi = (SR / sigma(w)) Sigma w

    Source: Black & Litterman (1992); reverse optimisation after Sharpe (1974).
    """
    multiply(cov, weight, out)
    scale = sharpe / np.sqrt(inner(weight, out))
    for i in range(out.shape[0]):
        out[i] *= scale


@kernel
def posterior(
    cov: Floats, prior: Floats, view: Floats, target: Floats, confidence: Floats, tau: float, work: Work, out: Floats
) -> int:
    """Write the posterior expected returns to out (N,).

    cov (N, N) and prior (N,) per unit of time; view (K, N) one portfolio per row, target (K,) its expected return,
    confidence (K,) in (0, 1], where 1 makes the view certain. Returns OK or a code (out is then NaN).

        mu = Pi + tau Sigma P' (P tau Sigma P' + Omega)^-1 (q - P Pi),   Omega = diag((1 - c) / c * P tau Sigma P')

    Source: Black & Litterman (1992); Idzorek (2005) and Walters (2014) for Omega by confidence.
    """
    n = cov.shape[0]
    k = view.shape[0]
    fault = code.OK if tau > 0.0 and tau < np.inf else code.BAD_CONFIDENCE
    if view.shape[1] != n or target.shape[0] != k or confidence.shape[0] != k or prior.shape[0] != n:
        fault = code.WRONG_SHAPE
    if work.carried.shape[0] != k or work.carried.shape[1] != n:
        fault = code.WRONG_SHAPE
    if fault == code.OK:
        for a in range(k):
            if not 0.0 < confidence[a] <= 1.0:
                fault = code.BAD_CONFIDENCE
            multiply(cov, view[a], work.carried[a])
            work.vector[a] = target[a] - inner(view[a], prior)
        for a in range(k):
            for b in range(k):
                work.inside[a, b] = tau * inner(view[a], work.carried[b])
            if fault == code.OK:
                work.inside[a, a] += (1.0 - confidence[a]) / confidence[a] * work.inside[a, a]
    if fault == code.OK:
        fault = cholesky(work.inside)
    if fault != code.OK:
        for i in range(n):
            out[i] = np.nan
        return fault
    solve_factored(work.inside, work.vector)
    for i in range(n):
        out[i] = prior[i]
    for a in range(k):
        for i in range(n):
            out[i] += tau * work.carried[a, i] * work.vector[a]
    return code.OK


@kernel
def tilted_budget(prior_weight: Floats, expected: Floats, low: Floats, high: Floats, out: Floats) -> int:
    """Write the risk budgets to out (N,), sum 1, that mean-variance optimality would give the prior weights.

        b_i = max(w0_i mu_i, 0) / sum;   clipped to [low_i, high_i], then water-filled back to a sum of 1

    low, high (N,). NO_POSITIVE_RETURN where every product is <= 0. NaN in out with every code but OK.
    Source: at a mean-variance optimum risk contributions are proportional to w_i mu_i (Roncalli 2013, 2.2).
    """
    n = out.shape[0]
    total = 0.0
    for i in range(n):
        out[i] = max(prior_weight[i] * expected[i], 0.0)
        total += out[i]
    if not (total > 0.0 and total < np.inf):
        for i in range(n):
            out[i] = np.nan
        return code.NO_POSITIVE_RETURN
    for i in range(n):
        out[i] = min(max(out[i] / total, low[i]), high[i])
    return bound_project(low, high, out)


def black_litterman(
    cov: ArrayLike,
    view: ArrayLike,
    target: ArrayLike,
    confidence: ArrayLike = 0.5,
    params: Params | None = None,
    budget_floor: ArrayLike | None = None,
) -> Blend:
    """Return ERC weights tilted by views.

    cov (N, N) annual; view (K, N) or one portfolio (N,), target (K,) its annual expected return, confidence (K,) or
    one number in (0, 1]; budget_floor (N,) overrides `budget_min` per asset. No view, or a target equal to what the
    prior implies, gives exact ERC.

    Raises
    ------
    InputError
        Bad covariance, shapes that do not fit, a confidence out of range, bounds that cannot sum to 1, or views under
        which nothing has a positive expected return.
    """
    where = "Black-Litterman"
    chosen = Params() if params is None else params
    matrix = check.covariance(cov, where)
    n = matrix.shape[0]
    portfolios = np.ascontiguousarray(np.atleast_2d(np.asarray(view, dtype=np.float64)))
    if portfolios.size == 0:
        portfolios = np.zeros((0, n))
    k = portfolios.shape[0]
    targets = np.ascontiguousarray(np.broadcast_to(np.asarray(target, dtype=np.float64), (k,)))
    sure = np.ascontiguousarray(np.broadcast_to(np.asarray(confidence, dtype=np.float64), (k,)))
    if not (np.isfinite(portfolios).all() and np.isfinite(targets).all()):
        raise InputError("a view or its target is not finite", where=where)
    low = np.full(n, min(chosen.budget_min, 1.0 / n)) if budget_floor is None else check.series(budget_floor, where)
    if low.shape[0] != n:
        raise InputError(f"{low.shape[0]} floors for {n} assets", where=where, fix="pass one floor per asset")
    high = np.maximum(max(chosen.budget_max, 1.0 / n), low)
    prior_weights = erc.risk_budget_weights(matrix)
    prior, mu, budget = np.empty(n), np.empty(n), np.empty(n)
    implied_return(matrix, prior_weights, chosen.prior_sharpe, prior)
    fault = posterior(matrix, prior, portfolios, targets, sure, chosen.tau, init(k, n), mu)
    code.require(fault, where)
    code.require(tilted_budget(prior_weights, mu, low, high, budget), where)
    return Blend(prior_weights, prior, mu, budget, erc.risk_budget_weights(matrix, budget))
