"""What the four engine-and-diversifier blueprints share: parameters, slots, and the way from weights to an answer.

Signals are read on the month's last session and stand for a month; risk, guard and multiples are measured at every
close, and with them a target is computed. It is answered on the month's last session, which fills on the first session
of the next one, and on any other session when a held weight is more than `drift_band` away from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from plimsoll.engine.kernels.estimate import moments
from plimsoll.engine.market.instruments import instrument
from plimsoll.engine.sleeve.strategy import Context, StrategyParams
from plimsoll.engine.types import Bools, Floats, Ints, Weights
from plimsoll.strategies import correlation_regime as regime
from plimsoll.strategies import look_through
from plimsoll.strategies.schedule import Schedule, is_due

MANDATE = (0.12, 0.18)
_TINY = 1e-12  # keeps a division by nothing held finite

# What `settle` notes, beside each strategy's own diagnostics.
NOTES = ("stock_bond_rho", "guard", "scalar", "sigma", "look_through", "equity_beta", "engine_weight", "engine_drag")


class BlueprintParams(StrategyParams):
    """Settings all four have; `risk_target` is the one to choose, the rest follows the published rules."""

    risk_target: float = Field(0.15, gt=0, lt=1)  # cap on the portfolio's volatility per year
    allow_outside_mandate: bool = False  # risk_target outside 0.12 to 0.18
    engine: str = "TQQQ"
    gold: str = "IAU"
    cash_funds: tuple[str, ...] = ("SGOV", "BIL")  # the first that is listed holds what is left; else ledger cash
    bill: str = "BIL"  # watched: the yield of cash
    rebalance: Schedule = "M"
    drift_band: float = Field(0.10, gt=0, lt=1)
    half_life_bars: float = Field(42.0, gt=0)  # of the covariance
    min_obs: int = Field(60, ge=2)  # returns before a fund takes part; a levered one is known by its underlying
    vol_floor: float = Field(0.05, ge=0)
    scalar_band: float = Field(0.10, ge=0)  # the volatility scalar moves only by more than this fraction
    look_through_max: float = Field(2.0, gt=0)  # sum |w| L
    beta_max: float = Field(1.8, gt=0)  # to the engine's underlying
    engine_max: float = Field(0.50, gt=0, le=1)
    guard_equity: str = "QQQ"
    guard_bond: str = "TLT"
    guard_half_life_bars: float = Field(63.0, gt=0)
    guard_threshold: float = Field(0.10, ge=0, lt=1)
    guard_dwell_bars: int = Field(21, ge=1)
    guard_ramp_bars: int = Field(21, ge=1)
    guard_shift: float = Field(0.10, ge=0, le=1)

    @model_validator(mode="after")
    def _within_mandate(self) -> "BlueprintParams":
        low, high = MANDATE
        if not (low <= self.risk_target <= high or self.allow_outside_mandate):
            raise ValueError(
                f"risk_target {self.risk_target:g} is outside {low:g} to {high:g}; "
                "set allow_outside_mandate = true to use it"
            )
        return self


@dataclass(frozen=True, slots=True)
class Slot:
    """One line of a blueprint: a symbol, or several of which the first usable one or all in equal parts are held."""

    name: str
    symbols: tuple[str, ...]
    share: Literal["first", "equal"] = "first"


class Layout:
    """Where everything is: symbols in order, their leverage and underlying, the slots.

    leverage (K,), base (K,) column of the underlying (itself where it has none), equity, bond, engine: columns.
    givers, takers (S,): slots the guard moves budget from and to. duration: columns it lets no weight rise in.
    watched: symbols that are never held.
    """

    def __init__(self, p: BlueprintParams, slots: Sequence[Slot], watched: Sequence[str] = ()) -> None:
        self.slots = tuple(slots)
        held = [symbol for slot in slots for symbol in slot.symbols]
        under = [instrument(symbol).underlying for symbol in held]
        everything = (*held, *p.cash_funds, p.guard_equity, p.guard_bond, *under, *watched, p.bill)
        self.symbols: tuple[str, ...] = tuple(dict.fromkeys(symbol for symbol in everything if symbol))
        at = self.column
        self.leverage: Floats = np.array([instrument(symbol).leverage for symbol in self.symbols])
        under = [instrument(symbol).underlying for symbol in self.symbols]
        self.base: Ints = np.array([at(u) if u in self.symbols else k for k, u in enumerate(under)])
        self.members = tuple(tuple(at(symbol) for symbol in slot.symbols) for slot in slots)
        self.cash = tuple(at(symbol) for symbol in p.cash_funds)
        self.engine, self.equity, self.bond, self.bill = at(p.engine), at(p.guard_equity), at(p.guard_bond), at(p.bill)
        self.guard = regime.Params(
            0.5 ** (1.0 / p.guard_half_life_bars), p.guard_threshold, p.guard_dwell_bars, p.guard_ramp_bars
        )
        self.watched: tuple[str, ...] = tuple(s for s in self.symbols if s not in (*held, *p.cash_funds))
        self.decay = moments.params(p.half_life_bars)
        kinds = [{instrument(symbol).kind for symbol in slot.symbols} for slot in slots]
        self.givers: Bools = np.array(["bond" in kinds[s] and self.levered(s) for s in range(len(slots))])
        self.takers: Bools = np.array([bool(kind & {"gold", "managed_futures"}) for kind in kinds])
        self.duration = tuple(k for s, m in enumerate(self.members) for k in m if "bond" in kinds[s])

    def column(self, symbol: str) -> int:
        """Return the column of a symbol."""
        return self.symbols.index(symbol)

    def levered(self, slot: int) -> bool:
        """Return whether a slot holds a fund with more than its underlying's exposure."""
        return any(abs(self.leverage[k]) > 1.0 for k in self.members[slot])


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


def open_book(n_symbols: int, n_slots: int, n_signals: int = 0) -> Book:
    """Return the memory before the first bar."""
    return Book(
        look_through.init(n_symbols), regime.init(), np.full(1, np.nan), np.full(n_symbols, np.nan),
        np.full(n_signals, np.nan),
        np.zeros(n_symbols, dtype=np.bool_), np.zeros((n_slots, n_symbols)), np.zeros((n_slots, n_slots)),
    )  # fmt: skip


def observe(ctx: Context, book: Book, p: BlueprintParams, layout: Layout) -> Bools:
    """Take in the bar; return which slots (S,) have something to hold. Fills `book.holding` and `book.cov`."""
    ret, anew = ctx.past.ret(1)[0], ctx.listed_anew
    look_through.observe(book.seen, layout.decay, ret, ctx.listed, anew, ctx.session_index)
    if anew[layout.equity] or anew[layout.bond]:
        book.guard.memory[:] = regime.init().memory
    if anew.any():
        book.signal[:] = np.nan  # read from a history that counts no more
    regime.step(book.guard, layout.guard, ret[layout.equity], ret[layout.bond])
    look_through.usable(book.seen, layout.base, p.min_obs, ctx.session_index, book.usable)
    book.holding[:] = 0.0
    for row, (slot, members) in enumerate(zip(layout.slots, layout.members, strict=True)):
        there = [k for k in members if book.usable[k] and book.seen.cov[layout.base[k], layout.base[k]] > 0.0]
        for k in there if slot.share == "equal" else there[:1]:
            book.holding[row, k] = 1.0 / len(there) if slot.share == "equal" else 1.0
    bars = ctx.bars_per_year
    look_through.slot_covariance(book.holding, layout.leverage, layout.base, book.seen.cov, bars, book.cov)
    present: Bools = np.asarray(book.holding.any(axis=1))
    return present


def signals_due(ctx: Context, book: Book, p: BlueprintParams) -> bool:
    """Return whether the signals are to be read: on the schedule, and when there are none yet."""
    return bool(np.isnan(book.signal[0])) or is_due(ctx, p.rebalance)


def guard_budget(book: Book, p: BlueprintParams, layout: Layout, budget: Floats, present: Bools) -> float:
    """Move up to `guard_shift` of risk budget (S,), in place, from levered duration to gold and managed futures.

    As far as the correlation guard is up; returns what moved. A blueprint without levered duration has nothing to move.
    """
    amount = p.guard_shift * book.guard.memory[regime.LEVEL]
    return float(regime.shift_budget(budget, amount, layout.givers & present, layout.takers & present))


def settle(ctx: Context, book: Book, p: BlueprintParams, layout: Layout, slot_weights: Floats) -> Weights | None:
    """Turn slot weights (S,) into an answer: volatility scalar, limits, cash fund, schedule and drift band."""
    w = slot_weights @ book.holding
    _scale(ctx, book, p, layout, w)
    _limit(book, p, layout, w)
    _note(ctx, book, layout, w)
    fund = next((c for c in layout.cash if look_through.is_fresh(book.seen, c, ctx.session_index)), None)
    if fund is not None:
        w[fund] += max(1.0 - w.sum(), 0.0)  # a rounding below zero would be a short sale
    book.target[:] = w
    far = float(np.abs(ctx.sleeve.weights - w).max()) > p.drift_band
    return w if far or is_due(ctx, p.rebalance) else None


def _scale(ctx: Context, book: Book, p: BlueprintParams, layout: Layout, w: Weights) -> None:
    """Scale w (K,) in place to the volatility cap, and to a sum of at most 1.

        k = min(risk_target / sigma, 1),   sigma looked through, floored; k moves only by more than `scalar_band`

    k never exceeds 1, whatever a slot without a fund leaves in cash: no leverage on leverage.
    """
    sigma = look_through.volatility(w, layout.leverage, layout.base, book.seen.cov, ctx.bars_per_year)
    k = min(p.risk_target / max(sigma, p.vol_floor), 1.0)
    if not abs(k / book.scalar[0] - 1.0) <= p.scalar_band:
        book.scalar[0] = k
    w *= min(book.scalar[0], 1.0 / max(w.sum(), 1.0))


def _limit(book: Book, p: BlueprintParams, layout: Layout, w: Weights) -> None:
    """Cut w (K,) in place to the limits on the engine, on leverage looked through and on beta.

    While stocks and bonds move together no weight in duration exceeds its last target.
    """
    lev, base, engine = layout.leverage, layout.base, layout.engine
    w[engine] = min(w[engine], p.engine_max)
    w *= min(1.0, p.look_through_max / max(look_through.gross_exposure(w, lev), _TINY))
    beta = look_through.equity_beta(w, lev, base, book.seen.cov, int(base[engine]))
    w *= min(1.0, p.beta_max / max(beta, _TINY))
    if book.guard.memory[regime.REGIME] > 0.0:
        for column in layout.duration:
            w[column] = np.fmin(w[column], book.target[column])


def _note(ctx: Context, book: Book, layout: Layout, w: Weights) -> None:
    """Note the numbers of `NOTES`."""
    lev, base, cov, bars = layout.leverage, layout.base, book.seen.cov, ctx.bars_per_year
    under = int(base[layout.engine])
    values = (
        book.guard.memory[regime.RHO],
        book.guard.memory[regime.LEVEL],
        book.scalar[0],
        look_through.volatility(w, lev, base, cov, bars),
        look_through.gross_exposure(w, lev),
        look_through.equity_beta(w, lev, base, cov, under),
        w[layout.engine],
        look_through.drag(lev[layout.engine], np.sqrt(cov[under, under] * bars)),
    )
    for name, value in zip(NOTES, values, strict=True):
        ctx.note(name, value)
