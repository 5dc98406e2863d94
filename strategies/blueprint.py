"""What the four engine-and-diversifier blueprints share: parameters, slots, and the way from weights to an answer.

Signals are read on the month's last session and stand for a month; risk, guard and multiples are measured at every
close, and with them a target is computed. It is answered on the month's last session, which fills on the first session
of the next one, and on any other session when a held weight is more than `drift_band` away from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from plimsoll.engine.kernels.estimate import moments
from plimsoll.engine.market.instruments import instrument
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Context, StrategyParams
from plimsoll.engine.types import Bools, Floats, Ints, Weights
from plimsoll.strategies import blueprint_bar as bar
from plimsoll.strategies import correlation_regime as regime
from plimsoll.strategies.blueprint_bar import Book, Path, Plan, Rules
from plimsoll.strategies.schedule import Schedule, due_bars, is_due

MANDATE = (0.12, 0.18)

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


@dataclass(frozen=True, slots=True)
class Day:
    """What `observe` says of a bar beside the memory.

    fund : column of the cash fund, -1 = none. guard (3,) : correlation, how far it is up, and its regime, as in
    `plimsoll.strategies.blueprint_bar`. present (S,) : which slots hold anything. renewed : anything was listed anew.
    """

    fund: int
    guard: Floats
    present: Bools
    renewed: bool


class Layout:
    """Where everything is: symbols in order, their leverage and underlying, the slots.

    leverage (K,), base (K,) column of the underlying (itself where it has none), engine, bill: columns.
    givers, takers (S,): slots the guard moves budget from and to. plan: what the kernels are told.
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
        self.engine, self.bill = at(p.engine), at(p.bill)
        self.watched: tuple[str, ...] = tuple(s for s in self.symbols if s not in (*held, *p.cash_funds))
        kinds = [{instrument(symbol).kind for symbol in slot.symbols} for slot in slots]
        self.givers: Bools = np.array(["bond" in kinds[s] and self.levered(s) for s in range(len(slots))])
        self.takers: Bools = np.array([bool(kind & {"gold", "managed_futures"}) for kind in kinds])
        duration = [k for s, m in enumerate(self.members) for k in m if "bond" in kinds[s]]
        self.plan = self._plan(p, np.array(duration, dtype=np.int64))

    def _plan(self, p: BlueprintParams, duration: Ints) -> Plan:
        at, widest = self.column, max(len(columns) for columns in self.members)
        member = np.full((len(self.slots), widest), -1)
        for row, columns in zip(member, self.members, strict=True):
            row[: len(columns)] = columns
        equal = np.array([slot.share == "equal" for slot in self.slots])
        cash = np.array([at(symbol) for symbol in p.cash_funds], dtype=np.int64)
        guard = regime.Params(
            0.5 ** (1.0 / p.guard_half_life_bars), p.guard_threshold, p.guard_dwell_bars, p.guard_ramp_bars
        )
        rules = Rules(
            self.engine, at(p.guard_equity), at(p.guard_bond), p.min_obs, p.risk_target, p.vol_floor, p.scalar_band,
            p.engine_max, p.look_through_max, p.beta_max, p.guard_shift, p.drift_band,
        )  # fmt: skip
        slot = np.array([equal, self.givers, self.takers])
        fade = moments.params(p.half_life_bars)
        return Plan(self.leverage, self.base, member, slot, cash, duration, fade, guard, rules)

    def column(self, symbol: str) -> int:
        """Return the column of a symbol."""
        return self.symbols.index(symbol)

    def levered(self, slot: int) -> bool:
        """Return whether a slot holds a fund with more than its underlying's exposure."""
        return any(abs(self.leverage[k]) > 1.0 for k in self.members[slot])


def observe(ctx: Context, book: Book, layout: Layout) -> Day:
    """Take in the bar; fills `book.holding` and `book.cov`."""
    guard, present, anew = np.empty(bar.GUARD), np.empty(len(layout.slots), dtype=np.bool_), ctx.listed_anew
    ret, listed, session, bars = ctx.past.ret(1)[0], ctx.listed, ctx.session_index, ctx.bars_per_year
    fund = bar.observe(ret, listed, anew, session, bars, book, layout.plan, guard, present)
    return Day(fund, guard, present, bool(anew.any()))


def settle(
    ctx: Context, book: Book, day: Day, p: BlueprintParams, layout: Layout, slot_weights: Floats
) -> Weights | None:
    """Turn slot weights (S,), NaN where the engine is absent, into an answer: limits, cash fund, schedule, drift band.

    Without an engine there is no answer before the first target, and cash after it.
    """
    if np.isnan(slot_weights[0]):
        if np.isnan(book.target[0]):
            return None
        slot_weights = np.zeros(len(slot_weights))
    note, plan = np.empty(bar.N_NOTES), layout.plan
    bar.settle(
        slot_weights, book.seen.cov, book.holding, day.guard, day.fund, ctx.bars_per_year, book.scalar, book.target,
        plan, note,
    )  # fmt: skip
    for name, value in zip(NOTES, note, strict=True):
        ctx.note(name, value)
    due = is_due(ctx, p.rebalance) or bar.is_far(ctx.sleeve.weights, book.target, p.drift_band)
    return book.target.copy() if due else None


def signals_due(ctx: Context, book: Book, p: BlueprintParams) -> bool:
    """Return whether the signals are to be read: on the schedule, and when there are none yet."""
    return bool(np.isnan(book.signal[0])) or is_due(ctx, p.rebalance)


def observe_span(run: Scan, book: Book, layout: Layout) -> Path:
    """Do what `observe` does over the whole span of a scan."""
    clock, path = run.clock, bar.open_path(run.n_bars, len(run.symbols), len(layout.slots))
    bar.observe_scan(
        run.ret, run.listed, run.listed_anew, clock.session_index, clock.bars_per_year, book, layout.plan, path
    )
    return path


def settle_span(run: Scan, book: Book, path: Path, p: BlueprintParams, layout: Layout, slot_weights: Floats) -> None:
    """Do what `settle` does over the whole span of a scan, slot_weights (T, S)."""
    bar.settle_scan(
        slot_weights, path, due_bars(run.clock, p.rebalance), run.clock.bars_per_year, book.scalar, book.target,
        layout.plan, run.notes, run.notional,
    )  # fmt: skip
