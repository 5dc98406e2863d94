"""Leverage-aware risk: a levered fund counts as its multiple of its underlying, which has the longer history."""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.allocate import erc
from plimsoll.engine.kernels.derive import DELIST_SESSIONS
from plimsoll.engine.kernels.estimate import moments
from plimsoll.engine.kernels.estimate.moments import M02, M11, M20, WEIGHT
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Bools, Floats, Ints, Weights

# Rows of `Seen.tally`.
RETURNS: Final = 0  # known returns so far
LAST_ROW: Final = 1  # session index of the last row

# A yearly variance below this is none: funds that cancel each other.
NO_VARIANCE: Final = 1e-12


class Seen(NamedTuple):
    """What the past says about every symbol of a universe of K.

    moments: pairwise exponentially weighted sums. tally (2, K): see above. cov (K, K): of this bar, not memory.
    """

    moments: moments.State
    cov: Floats
    tally: Floats


def init(n_symbols: int) -> Seen:
    """Return the state before the first bar."""
    tally = np.zeros((2, n_symbols))
    tally[LAST_ROW] = -np.inf
    return Seen(moments.init(n_symbols), np.full((n_symbols, n_symbols), np.nan), tally)


@kernel
def observe(seen: Seen, params: moments.Params, ret: Floats, listed: Bools, anew: Bools, session: int) -> None:
    """Take in one row of returns (K,), which symbols have a row, which of them are new, the session's index.

    Mutates seen: of a symbol listed anew nothing that was seen before counts.

        Cov_ij = rho_ij sigma_i sigma_j,   sigma on a symbol's own history, rho on the rows common to both

    About zero. So two histories of different lengths never give a correlation beyond 1; NaN for a pair never seen
    together. Source: RiskMetrics Technical Document (1996), ch. 5.
    """
    for i in range(ret.shape[0]):
        if anew[i]:
            moments.forget(seen.moments, i)
            seen.tally[RETURNS, i] = 0.0
    moments.step(seen.moments, params, ret)
    pair, kin = seen.moments.pair, seen.moments.kin
    for i in range(ret.shape[0]):
        for j in range(i + 1):
            scale = (pair[M20, i, i] / pair[WEIGHT, i, i]) * (pair[M20, j, j] / pair[WEIGHT, j, j])
            m20, m02 = pair[M20, i, i], pair[M20, j, j]
            if kin[i] != kin[j]:
                m20, m02 = pair[M20, i, j], pair[M02, i, j]
            rho = pair[M11, i, j] / np.sqrt(m20 * m02) if i != j else 1.0
            seen.cov[i, j] = seen.cov[j, i] = rho * np.sqrt(scale)
    for i in range(ret.shape[0]):
        if listed[i]:
            seen.tally[LAST_ROW, i] = session
        if not np.isnan(ret[i]):
            seen.tally[RETURNS, i] += 1.0


@kernel
def is_fresh(seen: Seen, column: int, session: int) -> bool:
    """Return whether a symbol has had a row recently enough not to count as delisted."""
    return bool(session - seen.tally[LAST_ROW, column] < DELIST_SESSIONS)


@kernel
def usable(seen: Seen, base: Ints, min_obs: int, session: int, out: Bools) -> None:
    """Write to out (K,) which symbols can be held: a row within the last sessions, risk known from min_obs returns.

    base (K,) is each symbol's underlying, itself where it has none.
    """
    for i in range(out.shape[0]):
        out[i] = is_fresh(seen, i, session) and seen.tally[RETURNS, base[i]] >= min_obs


@kernel
def slot_covariance(holding: Floats, leverage: Floats, base: Ints, cov: Floats, bars: float, out: Floats) -> None:
    """Write the yearly covariance of S slots to out (S, S).

        out_ab = bars sum_ij h_ai L_i h_bj L_j Cov(u_i, u_j)

    holding (S, K) the share of each symbol in a slot, leverage and base (K,), cov (K, K) of the underlyings per bar; a
    pair never seen together counts as uncorrelated. Source: daily-reset funds, Cheng & Madhavan (2009).
    """
    for a in range(out.shape[0]):
        for b in range(a + 1):
            total = 0.0
            for i in range(base.shape[0]):
                for j in range(base.shape[0]):
                    if holding[a, i] != 0.0 and holding[b, j] != 0.0:
                        c = cov[base[i], base[j]]
                        if not np.isnan(c):
                            total += holding[a, i] * leverage[i] * (holding[b, j] * leverage[j] * c)
            out[a, b] = out[b, a] = bars * total


@kernel
def volatility(w: Floats, leverage: Floats, base: Ints, cov: Floats, bars: float) -> float:
    """Return the yearly volatility of weights (K,), looked through as in `slot_covariance`."""
    total = 0.0
    for i in range(w.shape[0]):
        for j in range(w.shape[0]):
            if w[i] != 0.0 and w[j] != 0.0:
                c = cov[base[i], base[j]]
                if not np.isnan(c):
                    total += w[i] * leverage[i] * (w[j] * leverage[j] * c)
    return float(np.sqrt(max(bars * total, 0.0)))


@kernel
def equity_beta(w: Floats, leverage: Floats, base: Ints, cov: Floats, equity: int) -> float:
    """Return sum w_i L_i beta_i, beta_i the beta of i's underlying to column `equity`; 0 where that never moved."""
    total = 0.0
    for i in range(w.shape[0]):
        if w[i] != 0.0 and not np.isnan(cov[base[i], equity]):
            total += w[i] * leverage[i] * cov[base[i], equity]
    return total / cov[equity, equity] if cov[equity, equity] > 0.0 else 0.0


@kernel
def drag(leverage: float, sigma: float) -> float:
    """Return what daily resetting costs a fund in log growth per year, at its underlying's volatility.

        (L^2 - L) sigma^2 / 2,   of L times the underlying's log growth; a trending path earns it back

    Source: Cheng & Madhavan (2009), Avellaneda & Zhang (2010).
    """
    return 0.5 * (leverage * leverage - leverage) * sigma * sigma


@kernel
def gross_exposure(w: Floats, leverage: Floats) -> float:
    """Return sum |w_i| |L_i|."""
    total = 0.0
    for i in range(w.shape[0]):
        total += abs(w[i]) * abs(leverage[i])
    return total


@kernel
def risk_weights(cov: Floats, budget: Floats, out: Floats) -> None:
    """Write weights (S,) of sum 1 whose shares of risk follow budget (S,) >= 0; a slot without budget gets 0.

    cov (S, S). Where no weights meet the budgets, sqrt(b_i) / sigma_i: the solution for uncorrelated slots.
    """
    n = 0
    for i in range(out.shape[0]):
        out[i] = 0.0
        n += 1 if budget[i] > 0.0 else 0
    if n == 0:
        return
    inner, share, part = np.empty((n, n)), np.empty(n), np.empty(n)
    a = 0
    for i in range(out.shape[0]):
        if budget[i] > 0.0:
            share[a] = budget[i]
            b = 0
            for j in range(out.shape[0]):
                if budget[j] > 0.0:
                    inner[a, b] = cov[i, j]
                    b += 1
            a += 1
    if erc.risk_budget(inner, share, erc.room(n), part) != code.OK:
        mass = 0.0
        for a in range(n):
            part[a] = np.sqrt(share[a] / max(inner[a, a], NO_VARIANCE))
            mass += part[a]
        for a in range(n):
            part[a] /= mass
    a = 0
    for i in range(out.shape[0]):
        if budget[i] > 0.0:
            out[i] = part[a]
            a += 1


def budget_weights(cov: Floats, budget: Floats) -> Weights:
    """Return what `risk_weights` writes."""
    out = np.empty(len(budget))
    risk_weights(np.ascontiguousarray(cov), budget, out)
    return out
