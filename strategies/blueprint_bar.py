"""One bar of a blueprint as kernels: what is seen of the market, and the way from slot weights to an answer.

`observe` needs the market alone and `settle` the notional portfolio too; what lies between, from the covariance of the
slots to their weights, is each blueprint's own. A scan runs the three one after the other over the whole span.
"""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.account.track import Notional, drift, take
from plimsoll.engine.kernels.estimate import moments
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.linalg import total
from plimsoll.engine.types import Bools, Floats, Ints
from plimsoll.strategies import correlation_regime as regime
from plimsoll.strategies import look_through

# Rows of `Plan.slot`.
EQUAL: Final = 0  # all usable members in equal parts; else the first one
GIVER: Final = 1  # the guard moves budget from it
TAKER: Final = 2

# Columns of `Path.guard`.
RHO: Final = 0
LEVEL: Final = 1
TOGETHER: Final = 2  # the regime: +1, -1, 0 not known yet
GUARD: Final = 3

N_NOTES: Final = 8
_TINY: Final = 1e-12  # keeps a division by nothing held finite


class Rules(NamedTuple):
    """Columns of the engine and of the guard's two funds; numbers of `BlueprintParams`."""

    engine: int
    equity: int
    bond: int
    min_obs: int
    risk_target: float
    vol_floor: float
    scalar_band: float
    engine_max: float
    look_through_max: float
    beta_max: float
    guard_shift: float
    drift_band: float


class Plan(NamedTuple):
    """Where everything is in a universe of K symbols and S slots.

    leverage (K,); base (K,) column of the underlying, itself where there is none; member (S, M) columns of each slot,
    -1 = none; slot (3, S) as named above; cash (C,), duration (D,) columns.
    """

    leverage: Floats
    base: Ints
    member: Ints
    slot: Bools
    cash: Ints
    duration: Ints
    fade: moments.Params
    guard: regime.Params
    rules: Rules


class Book(NamedTuple):
    """Memory of a blueprint: what was seen, the correlation regime, the scalar in force, the last target, the signals.

    All NaN before the first. usable (K,), holding (S, K), cov (S, S): of this bar, not memory.
    """

    seen: look_through.Seen
    guard: regime.State
    scalar: Floats
    target: Floats
    signal: Floats
    usable: Bools
    holding: Floats
    cov: Floats


class Path(NamedTuple):
    """What `observe` made of T bars.

    cov (T, K, K) of the underlyings, holding (T, S, K), present (T, S) which slots hold anything, slot (T, S, S) yearly
    covariance, guard (T, 3) as named above, fund (T,) column of the cash fund, -1 = none, renewed (T,) whether any
    symbol was listed anew.
    """

    cov: Floats
    holding: Floats
    present: Bools
    slot: Floats
    guard: Floats
    fund: Ints
    renewed: Bools


def open_book(n_symbols: int, n_slots: int, n_signals: int = 0) -> Book:
    """Return the memory before the first bar."""
    return Book(
        look_through.init(n_symbols), regime.init(), np.full(1, np.nan), np.full(n_symbols, np.nan),
        np.full(n_signals, np.nan),
        np.zeros(n_symbols, dtype=np.bool_), np.zeros((n_slots, n_symbols)), np.zeros((n_slots, n_slots)),
    )  # fmt: skip


def open_path(n_bars: int, n_symbols: int, n_slots: int) -> Path:
    """Return room for n_bars."""
    return Path(
        np.empty((n_bars, n_symbols, n_symbols)), np.empty((n_bars, n_slots, n_symbols)),
        np.empty((n_bars, n_slots), dtype=np.bool_),
        np.empty((n_bars, n_slots, n_slots)), np.empty((n_bars, GUARD)), np.empty(n_bars, dtype=np.int64),
        np.empty(n_bars, dtype=np.bool_),
    )  # fmt: skip


@kernel
def observe(
    ret: Floats, listed: Bools, anew: Bools, session: int, bars_per_year: float, book: Book, plan: Plan, guard: Floats,
    present: Bools,
) -> int:  # fmt: skip
    """Take in one bar: returns (K,), which symbols have a row, which are new, the session's index.

    Mutates book; guard (3,) is written as named above, present (S,) says which slots hold anything. Returns the column
    of the cash fund, -1 where none is listed.
    """
    rules, seen, member, holding = plan.rules, book.seen, plan.member, book.holding
    look_through.observe(seen, plan.fade, ret, listed, anew, session)
    if anew[rules.equity] or anew[rules.bond]:
        regime.forget(book.guard)
    regime.step(book.guard, plan.guard, ret[rules.equity], ret[rules.bond])
    look_through.usable(seen, plan.base, rules.min_obs, session, book.usable)
    for s in range(member.shape[0]):
        for k in range(holding.shape[1]):
            holding[s, k] = 0.0
        count = 0
        for m in range(member.shape[1]):
            k = member[s, m]
            if k >= 0 and book.usable[k] and seen.cov[plan.base[k], plan.base[k]] > 0.0:
                if count == 0 or plan.slot[EQUAL, s]:
                    holding[s, k] = 1.0
                count += 1
        present[s] = count > 0
        if plan.slot[EQUAL, s] and count > 0:
            for k in range(holding.shape[1]):
                holding[s, k] /= count
    look_through.slot_covariance(holding, plan.leverage, plan.base, seen.cov, bars_per_year, book.cov)
    memory = book.guard.memory
    guard[RHO], guard[LEVEL], guard[TOGETHER] = memory[regime.RHO], memory[regime.LEVEL], memory[regime.REGIME]
    for i in range(plan.cash.shape[0]):
        fund: int = plan.cash[i]
        if look_through.is_fresh(seen, fund, session):
            return fund
    return -1


@kernel
def observe_scan(
    ret: Floats, listed: Bools, anew: Bools, session: Ints, bars_per_year: float, book: Book, plan: Plan, path: Path
) -> None:
    """Run `observe` over all bars (T, K) and write down what it made of them."""
    for t in range(ret.shape[0]):
        path.fund[t] = observe(
            ret[t], listed[t], anew[t], session[t], bars_per_year, book, plan, path.guard[t], path.present[t]
        )
        path.renewed[t] = False
        for i in range(ret.shape[1]):
            path.renewed[t] = path.renewed[t] or anew[t, i]
            for j in range(ret.shape[1]):
                path.cov[t, i, j] = book.seen.cov[i, j]
            for s in range(book.holding.shape[0]):
                path.holding[t, s, i] = book.holding[s, i]
        for a in range(book.cov.shape[0]):
            for b in range(book.cov.shape[0]):
                path.slot[t, a, b] = book.cov[a, b]


@kernel
def shift(budget: Floats, present: Bools, level: float, amount: float, slot: Bools) -> None:
    """Move up to amount times level of risk budget (S,), in place, from givers to takers that are present (S,).

    level : how far the correlation guard is up; slot (3, S) as in `Plan`.
    """
    giver, taker = np.empty(budget.shape[0], dtype=np.bool_), np.empty(budget.shape[0], dtype=np.bool_)
    for s in range(budget.shape[0]):
        giver[s] = slot[GIVER, s] and present[s]
        taker[s] = slot[TAKER, s] and present[s]
    regime.shift_budget(budget, amount * level, giver, taker)


@kernel
def settle(
    slot_weights: Floats, cov: Floats, holding: Floats, guard: Floats, fund: int, bars_per_year: float, scalar: Floats,
    target: Floats, plan: Plan, note: Floats,
) -> None:  # fmt: skip
    """Write the target (K,) that slot weights (S,) come to: volatility scalar, limits, cash fund.

    cov (K, K), holding (S, K), guard (3,), fund: of this bar, as in `Path`. Mutates scalar (1,) and target, whose last
    value bounds duration while stocks and bonds move together; note (8,) as in `plimsoll.strategies.blueprint.NOTES`.

        k = min(risk_target / sigma, 1),   sigma looked through, floored; k moves only by more than `scalar_band`

    k never exceeds 1, whatever a slot without a fund leaves in cash: no leverage on leverage.
    """
    rules, lev, base = plan.rules, plan.leverage, plan.base
    engine, under = rules.engine, base[rules.engine]
    w = np.zeros(target.shape[0])
    for s in range(holding.shape[0]):
        for i in range(w.shape[0]):
            w[i] += slot_weights[s] * holding[s, i]
    sigma = look_through.volatility(w, lev, base, cov, bars_per_year)
    k = min(rules.risk_target / max(sigma, rules.vol_floor), 1.0)
    if not abs(k / scalar[0] - 1.0) <= rules.scalar_band:
        scalar[0] = k
    scale(w, min(scalar[0], 1.0 / max(total(w), 1.0)))
    w[engine] = min(w[engine], rules.engine_max)
    scale(w, min(1.0, rules.look_through_max / max(look_through.gross_exposure(w, lev), _TINY)))
    beta = look_through.equity_beta(w, lev, base, cov, under)
    scale(w, min(1.0, rules.beta_max / max(beta, _TINY)))
    if guard[TOGETHER] > 0.0:
        for i in plan.duration:
            w[i] = w[i] if np.isnan(target[i]) or w[i] <= target[i] else target[i]
    note[0], note[1], note[2] = guard[RHO], guard[LEVEL], scalar[0]
    note[3] = look_through.volatility(w, lev, base, cov, bars_per_year)
    note[4] = look_through.gross_exposure(w, lev)
    note[5] = look_through.equity_beta(w, lev, base, cov, under)
    note[6] = w[engine]
    note[7] = look_through.drag(lev[engine], np.sqrt(cov[under, under] * bars_per_year))
    if fund >= 0:
        w[fund] += max(1.0 - total(w), 0.0)  # a rounding below zero would be a short sale
    for i in range(w.shape[0]):
        target[i] = w[i]


@kernel
def scale(w: Floats, factor: float) -> None:
    """Multiply w (K,) in place."""
    for i in range(w.shape[0]):
        w[i] *= factor


@kernel
def is_far(held: Floats, target: Floats, band: float) -> bool:
    """Return whether a held weight (K,) is more than `band` away from its target (K,)."""
    far = False
    for i in range(held.shape[0]):
        far = far or abs(held[i] - target[i]) > band
    return far


@kernel
def settle_scan(
    slot_weights: Floats, path: Path, due: Bools, bars_per_year: float, scalar: Floats, target: Floats, plan: Plan,
    notes: Floats, notional: Notional,
) -> None:  # fmt: skip
    """Run `settle` over all bars and answer when it is due (T,) or a holding has drifted too far.

    slot_weights (T, S), NaN where the engine is absent: before there is a target that is no answer, later it is cash.
    notes (T, 8 and more).
    """
    nothing = np.zeros(slot_weights.shape[1])
    for t in range(slot_weights.shape[0]):
        drift(t, notional)
        absent = np.isnan(slot_weights[t, 0])
        if absent and np.isnan(target[0]):
            continue
        settle(
            nothing if absent else slot_weights[t], path.cov[t], path.holding[t], path.guard[t], path.fund[t],
            bars_per_year, scalar, target, plan, notes[t],
        )  # fmt: skip
        if (due[t] or is_far(notional.weight, target, plan.rules.drift_band)) and not take(t, target, notional):
            return
