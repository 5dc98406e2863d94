"""Equity engine and crisis alpha: TQQQ, managed futures, gold and cash by leverage-aware risk budgets."""

from typing import ClassVar, Final, Literal, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.allocate import black_litterman as bl
from plimsoll.engine.kernels.allocate.waterfill import bound_project
from plimsoll.engine.kernels.derive import rows_until
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Bools, Codes, Floats, Weights
from plimsoll.strategies.blueprint import (
    NOTES,
    BlueprintParams,
    Layout,
    Slot,
    observe,
    observe_span,
    settle,
    settle_span,
    signals_due,
)
from plimsoll.strategies.blueprint_bar import LEVEL, N_NOTES, Book, Path, open_book, shift
from plimsoll.strategies.growth import SLACK, growth
from plimsoll.strategies.look_through import budget_weights, risk_weights
from plimsoll.strategies.plan import common_plan, reference_weights
from plimsoll.strategies.schedule import due_bars

ENGINE, FUTURES, GOLD = range(3)
YEAR_BARS = 252
LEAST: Final = 1e-6  # what a slot without a budget begins from where the others may not have all of it


class Terms(NamedTuple):
    """What the kernels are told of `CrisisAlpha.Params`; times: the engine's leverage, engine_floor NaN = none."""

    times: float
    view_sharpe: float
    spread: float
    fee: float
    prior_sharpe: float
    tau: float
    confidence: float
    b_min: float
    b_max: float
    engine_floor: float
    guard_shift: float


class CrisisAlpha(Strategy):
    """Hold TQQQ, managed futures and gold at risk budgets that a Black-Litterman view on QQQ tilts to TQQQ.

    Needs QQQ (the risk of TQQQ is three times its underlying's), TLT, gold; managed futures take part equally, each
    from 60 returns on. Before any does, their budget goes in equal parts to gold and to cash; nothing is put in their
    place. Holds no duration, so the correlation guard has nothing to move: its state is noted. Fails when
    stocks, gold and trend followers fall together, in whipsaws of the 12-month sign, and after calm years, when the
    estimated risk of the engine is small.

        prior   b0 = 1/3 each, the engine's at least b_core;   w0 = RB(Sigma, b0);   Pi = SR_prior / sigma(w0) Sigma w0
        view    q = L (r + SR_view sigma_QQQ f) - (L - 1)(r + spread) - fee,   f = [QQQ beat bills in a year]
        budget  b = max(w0 mu, 0) / sum, in [b_min, b_max];   w = RB(Sigma, b)
        volatility scalar, look-through limits, cash fund, bands: `plimsoll.strategies.blueprint`

    ERC by itself undoes a TQQQ overweight, so `b_core` states it, as the portfolio that the view departs from: a view
    that says nothing new leaves b0. With `core_floor = "budget"` the prior is ERC and b_core bounds what the view has
    made of it; it then lies above nearly every view, which changes nothing. b_core = b_min is the tilted ERC alone.

    Source: Black & Litterman (1992) on the risk parity of Maillard, Roncalli & Teiletche (2010); managed futures after
    Moskowitz, Ooi & Pedersen (2012). View, bounds and the rule before 2019 are ours.
    """

    class Params(BlueprintParams):
        """The tilt; what is shared is in `BlueprintParams`."""

        managed_futures: tuple[str, ...] = Field(("DBMF", "KMLM"), min_length=1)
        prior_sharpe: float = Field(0.5, gt=0)
        tau: float = Field(0.05, gt=0)
        view_sharpe: float = Field(0.6, ge=0)
        view_confidence: float = Field(0.5, gt=0, le=1)
        spread: float = Field(0.010, ge=0)  # financing of the engine over bills, per year
        fee: float = Field(0.0086, ge=0)  # of the engine, per year
        b_core: float = Field(0.50, ge=0, le=1)
        core_floor: Literal["prior", "budget"] = "prior"  # b_core bounds the engine's budget before the view, or after
        b_min: float = Field(0.05, ge=0, le=1)
        b_max: float = Field(0.70, gt=0, le=1)

        @model_validator(mode="after")
        def _budgets_fit(self) -> "CrisisAlpha.Params":
            if not self.b_min <= self.b_core <= self.b_max:
                raise ValueError("b_min <= b_core <= b_max does not hold")
            if self.b_core + 2.0 * self.b_min > 1.0 or 3.0 * self.b_max < 1.0:
                raise ValueError("no budgets within b_core, b_min and b_max sum to 1")
            return self

    diagnostics: ClassVar[tuple[str, ...]] = (*NOTES, "view", "budget_engine", "budget_futures", "budget_gold")

    def __init__(self, params: StrategyParams | None = None) -> None:
        super().__init__(params)
        p = self.params
        slots = (
            Slot("engine", (p.engine,)),
            Slot("managed_futures", p.managed_futures, "equal"),
            Slot("gold", (p.gold,)),
        )
        self.layout = Layout(p, slots)
        self.watched, self.full_vol = self.layout.watched, p.risk_target
        self.terms = Terms(
            float(self.layout.leverage[self.layout.engine]), p.view_sharpe, p.spread, p.fee, p.prior_sharpe, p.tau,
            p.view_confidence, p.b_min, p.b_max, p.b_core if p.core_floor == "budget" else np.nan, p.guard_shift,
        )  # fmt: skip
        self.optional = tuple(dict.fromkeys((*p.managed_futures, *p.cash_funds, p.bill)))

    @property
    def universe(self) -> tuple[str, ...]:
        """Engine, managed futures, gold, cash funds, then what is only watched."""
        return self.layout.symbols

    @property
    def warmup_bars(self) -> int:
        """A year for the sign of the view."""
        return YEAR_BARS + 1

    def init(self, n_symbols: int) -> Book:
        """Nothing seen yet."""
        return open_book(n_symbols, 3, 2)

    def on_bar(self, ctx: Context) -> Weights | None:
        """Take in the bar; answer by schedule and band once the engine trades."""
        p, book, layout = self.params, ctx.state, self.layout
        day = observe(ctx, book, layout)
        weights = np.full(3, np.nan)
        if day.renewed:
            book.signal[:] = np.nan  # read from a history that counts no more
        if day.present[ENGINE]:
            if signals_due(ctx, book, p):
                level, under = ctx.past.tr(YEAR_BARS + SLACK), int(layout.base[layout.engine])
                read(level, under, layout.bill, YEAR_BARS, book.signal)
            seen = np.empty(4)
            fault = weigh(
                book.cov, day.present, book.signal, day.guard[LEVEL], self.prior(), layout.plan.slot, self.terms,
                seen, weights,
            )  # fmt: skip
            code.require(fault, "risk budgets")
            for name, value in zip(self.diagnostics[len(NOTES) :], seen, strict=True):
                ctx.note(name, value)
        return settle(ctx, book, day, p, layout, weights)

    def scan(self, run: Scan) -> None:
        """Run through the whole span."""
        p, book, layout = self.params, run.state, self.layout
        path, weights = observe_span(run, book, layout), np.empty((run.n_bars, 3))
        under, due = int(layout.base[layout.engine]), due_bars(run.clock, p.rebalance)
        fault = weigh_scan(
            run.tr, run.ret, run.notional.status, due, path, book.signal, under, layout.bill, YEAR_BARS, self.prior(),
            layout.plan.slot, self.terms, run.notes, weights,
        )  # fmt: skip
        code.require(fault, "risk budgets")
        settle_span(run, book, path, p, layout, weights)

    def view(self, sigma: float, rose: float, bill: float) -> float:
        """Return the engine's expected return: its volatility, 1 if its underlying beat bills, the bill rate."""
        return float(expected_return(sigma, rose, bill, self.terms))

    def prior(self) -> Floats:
        """Return the risk budgets (S,), sum 1, before the view, every slot present."""
        p = self.params
        engine = max(1.0 / 3.0, p.b_core if p.core_floor == "prior" else 0.0)
        out: Floats = np.full(3, (1.0 - engine) / 2.0)
        out[ENGINE] = engine
        return out

    def budgets(self, cov: Floats, view: float, present: Bools) -> tuple[Floats, float]:
        """Return the risk budgets (S,), sum 1, and the share of the portfolio not kept in cash for an absent slot."""
        out = np.empty(3)
        fault, kept = risk_budgets(np.ascontiguousarray(cov), view, present, self.prior(), self.terms, out)
        code.require(fault, "risk budgets")
        return out, kept

    def implied(self) -> dict[str, str]:
        """Return weights in a reference market, bands and triggers that follow from the parameters."""
        p, names = self.params, [slot.name for slot in self.layout.slots]

        def mix(rose: float, cov: Floats) -> Floats:
            view = self.view(float(np.sqrt(cov[ENGINE, ENGINE])), rose, 0.0)
            return budget_weights(cov, self.budgets(cov, view, np.ones(3, dtype=np.bool_))[0])

        return {
            "weights, QQQ above bills over 12 months": reference_weights(p, names, lambda cov: mix(1.0, cov)),
            "weights, QQQ below bills over 12 months": reference_weights(p, names, lambda cov: mix(0.0, cov)),
            "managed futures": f"{', '.join(p.managed_futures)} in equal parts, each from {p.min_obs} returns on",
            **common_plan(p),
        }


@kernel
def read(level: Floats, under: int, bill: int, bars: int, signal: Floats) -> None:
    """Write to signal (2,) whether the engine's underlying beat bills over `bars` bars, and what bills made of it.

    level (n, K) total-return index, n >= bars + SLACK; under, bill: columns.
    """
    gained, paid = growth(level, under, bars), growth(level, bill, bars)
    signal[1] = 0.0 if np.isnan(paid) else paid
    signal[0] = 1.0 if gained > signal[1] else 0.0


@kernel
def expected_return(sigma: float, rose: float, bill: float, p: Terms) -> float:
    """Return the view: expected return per year of the engine of volatility sigma; rose 1 or 0, bill rate."""
    hope = p.view_sharpe * sigma / p.times * rose
    return p.times * (bill + hope) - (p.times - 1.0) * (bill + p.spread) - p.fee


@kernel
def weigh(
    cov: Floats, present: Bools, signal: Floats, guard: float, prior: Floats, slot: Bools, p: Terms, note: Floats,
    out: Floats,
) -> int:  # fmt: skip
    """Write the slot weights (3,) of a bar with an engine; return OK or a code.

    cov (3, 3) yearly, present (3,), signal (2,) from `read`, guard: how far it is up, slot (3, 3) as in
    `plimsoll.strategies.blueprint_bar.Plan`. note (4,) receives the view and the budgets.
    """
    budget = np.empty(3)
    note[0] = expected_return(np.sqrt(cov[ENGINE, ENGINE]), signal[0], signal[1], p)
    fault, kept = risk_budgets(cov, note[0], present, prior, p, budget)
    if fault != code.OK:
        return fault
    shift(budget, present, guard, p.guard_shift, slot)
    risk_weights(cov, budget, out)
    for s in range(3):
        note[1 + s] = budget[s]
        out[s] *= kept
    return code.OK


@kernel
def weigh_scan(
    level: Floats, ret: Floats, status: Codes, due: Bools, path: Path, signal: Floats, under: int, bill: int,
    bars: int, prior: Floats, slot: Bools, p: Terms, notes: Floats, out: Floats,
) -> int:  # fmt: skip
    """Run `read` where it is due and `weigh` at every bar with an engine; out (T, 3) is NaN without one.

    level, ret, status (T, K), due (T,), notes (T, 12). Returns OK, or the code at which it stopped.
    """
    for t in range(level.shape[0]):
        if path.renewed[t]:
            signal[0] = signal[1] = np.nan
        if not path.present[t, ENGINE]:
            out[t, 0] = np.nan
            continue
        if due[t] or np.isnan(signal[0]):
            read(rows_until(level, t, bars + SLACK, ret, status), under, bill, bars, signal)
        fault = weigh(
            path.slot[t], path.present[t], signal, path.guard[t, LEVEL], prior, slot, p, notes[t, N_NOTES:], out[t]
        )
        if fault != code.OK:
            return fault
    return code.OK


@kernel
def risk_budgets(cov: Floats, view: float, present: Bools, prior: Floats, p: Terms, out: Floats) -> tuple[int, float]:
    """Write the risk budgets (3,), sum 1; return OK or a code, and the share not kept in cash for an absent slot.

    present (3,) which slots have a fund, the engine among them; prior (3,) before the view, every slot present.
    """
    n, mass = 0, 0.0
    for s in range(3):
        if present[s]:
            n += 1
            mass += prior[s]
    inner, there, tilted = np.empty((n, n)), np.empty(n), np.empty(n)
    a = 0
    for i in range(3):
        if present[i]:
            there[a] = prior[i] / mass
            b = 0
            for j in range(3):
                if present[j]:
                    inner[a, b] = cov[i, j]
                    b += 1
            a += 1
    tilt(inner, there, view, p, tilted)
    absent = 0.0 if present[FUTURES] else prior[FUTURES]
    cash, a, total = 0.0, 0, 0.0
    low, high = np.zeros(3), np.zeros(3)
    for i in range(3):
        out[i] = 0.0
        if present[i]:
            out[i] = tilted[a] * (1.0 - absent)
            low[i], high[i] = min(p.b_min, 1.0 / n), max(p.b_max, 1.0 / n)
            a += 1
    if absent > 0.0:
        out[GOLD] += absent / 2.0 if present[GOLD] else 0.0
        cash = absent / 2.0 if present[GOLD] else absent
    if not np.isnan(p.engine_floor):
        low[ENGINE] = p.engine_floor
    for i in range(3):
        total += out[i]
    for i in range(3):
        out[i] = min(max(out[i] / total, low[i]), high[i])
    lift(low, high, present, out)
    return bound_project(low, high, out), 1.0 - cash


@kernel
def lift(low: Floats, high: Floats, present: Bools, budget: Floats) -> None:
    """Give slots without a budget (3,) a beginning where the others may not have all: they share the rest alike."""
    room = 0.0
    for i in range(3):
        room += high[i] if budget[i] > 0.0 else low[i]
    if room < 1.0:
        for i in range(3):
            if present[i] and budget[i] == 0.0:
                budget[i] = LEAST


@kernel
def tilt(cov: Floats, prior_budget: Floats, view: float, p: Terms, out: Floats) -> None:
    """Write budgets (n,) before their bounds; prior_budget (n,), the view is on the first asset of cov (n, n).

    The prior itself where nothing has a positive expected return.
    """
    n = cov.shape[0]
    base, prior, mu, pick = np.empty(n), np.empty(n), np.empty(n), np.zeros((1, n))
    target, sure, low, high = np.empty(1), np.empty(1), np.zeros(n), np.ones(n)
    risk_weights(cov, prior_budget, base)
    bl.implied_return(cov, base, p.prior_sharpe, prior)
    pick[0, 0], target[0], sure[0] = 1.0, view, p.confidence
    fault = bl.posterior(cov, prior, pick, target, sure, p.tau, bl.room(1, n), mu)
    if fault != code.OK or bl.tilted_budget(base, mu, low, high, out) != code.OK:
        for i in range(n):
            out[i] = prior_budget[i]
