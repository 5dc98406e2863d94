"""Equity engine and convex rate hedge: TQQQ, PFIX, gold, duration when bonds hedge, and cash."""

from typing import ClassVar, NamedTuple

import numpy as np
from pydantic import Field, model_validator

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
from plimsoll.strategies.blueprint_bar import TOGETHER as GUARD_REGIME
from plimsoll.strategies.growth import SLACK, growth
from plimsoll.strategies.plan import common_plan, reference_weights
from plimsoll.strategies.schedule import due_bars

SLOTS = ("engine", "rate_hedge", "gold", "duration", "intermediate")
HALF_YEAR_BARS = 126

# Regimes of the budgets.
TOGETHER, APART_FALLING, APART = range(3)

# Places in `State.ramp`.
REGIME, AGE = range(2)


class State(NamedTuple):
    """book: shared memory. ramp (2,): regime in force (NaN before), bars since it began. budget (2, S): start, now."""

    book: Book
    ramp: Floats
    budget: Floats


class Terms(NamedTuple):
    """What the kernels are told of `ConvexRateHedge.Params`."""

    ramp_bars: float
    guard_shift: float


class ConvexRateHedge(Strategy):
    """Hold TQQQ with a rate hedge, and with duration only while bonds hedge stocks and inflation subsides.

    Needs QQQ, TLT, gold, TMF (or another duration fund), IEF and TIP. PFIX exists since May 2021: before, and for any
    fund that is absent, its budget stays in cash and no substitute is held. Fails when rates rise slowly (PFIX decays
    like an option), when the correlation turns faster than the regime's dwell, and in 2022 before PFIX turned up.

        w_i = (b_i / sigma_i) / sum_j (b_j / sigma_j),   b by regime:
        regime      engine PFIX gold TMF IEF
        +             .55  .20  .25   0   0    stock-bond correlation > 0
        -, falling    .60  .05  .15 .20   0    correlation < 0 and TIP/IEF no higher than 126 sessions ago
        -             .60  .10  .30   0   0    otherwise

    Budgets are of stand-alone risk. Of contributions to risk they would be no use here: a hedge contributes negatively,
    so any positive budget for PFIX beside duration, however small, makes both large. Where duration may not be held
    its budget is gold's; `budget_apart` and `inflation_bars` state another rule. They move to a new regime's in a
    straight line over `guard_ramp_bars`; then the guard of `strategies.correlation_regime`, and scalar, limits and
    bands of `plimsoll.strategies.blueprint`. The overweight of the engine is its budget.

    Source: rule after AQR, "A Changing Stock-Bond Correlation" (2023); the budgets are ours. TIP/IEF is a price-only
    proxy of expected inflation.
    """

    class Params(BlueprintParams):
        """Budgets of risk by regime, in the order engine, rate hedge, gold, duration, intermediate."""

        rate_hedge: str = "PFIX"
        duration: str = "TMF"
        intermediate: str = "IEF"
        inflation_linked: str = "TIP"  # watched, against `inflation_base`
        inflation_base: str = "IEF"
        budget_together: tuple[float, float, float, float, float] = (0.55, 0.20, 0.25, 0.0, 0.0)
        budget_apart_falling: tuple[float, float, float, float, float] = (0.60, 0.05, 0.15, 0.20, 0.0)
        budget_apart: tuple[float, float, float, float, float] = (0.60, 0.10, 0.30, 0.0, 0.0)
        inflation_bars: int = Field(HALF_YEAR_BARS, ge=1)

        @model_validator(mode="after")
        def _budgets_sum_to_one(self) -> "ConvexRateHedge.Params":
            for name in ("budget_together", "budget_apart_falling", "budget_apart"):
                budget = getattr(self, name)
                if min(budget) < 0.0 or abs(sum(budget) - 1.0) > 1e-9 or budget[0] == 0.0:
                    raise ValueError(f"{name} must be fractions >= 0 that sum to 1, with some for the engine")
            if self.budget_together[3] > 0.0:
                raise ValueError("budget_together may hold no levered duration")
            return self

    diagnostics: ClassVar[tuple[str, ...]] = (*NOTES, "regime", "inflation", *(f"budget_{name}" for name in SLOTS))

    def __init__(self, params: StrategyParams | None = None) -> None:
        super().__init__(params)
        p = self.params
        held = (p.engine, p.rate_hedge, p.gold, p.duration, p.intermediate)
        slots = [Slot(name, (symbol,)) for name, symbol in zip(SLOTS, held, strict=True)]
        self.layout = Layout(p, slots, (p.inflation_linked, p.inflation_base))
        self.watched, self.full_vol = self.layout.watched, p.risk_target
        self.optional = tuple(dict.fromkeys((p.rate_hedge, *p.cash_funds, p.bill)))

    @property
    def universe(self) -> tuple[str, ...]:
        """Engine, rate hedge, gold, duration, intermediate, cash funds, then what is only watched."""
        return self.layout.symbols

    @property
    def warmup_bars(self) -> int:
        """Bars until the trend of inflation is known."""
        return int(self.params.inflation_bars) + 1

    def init(self, n_symbols: int) -> State:
        """No regime yet."""
        return State(open_book(n_symbols, len(SLOTS), 1), np.full(2, np.nan), np.zeros((2, len(SLOTS))))

    def on_bar(self, ctx: Context) -> Weights | None:
        """Take in the bar; answer by schedule and band once the engine trades."""
        p, state, layout = self.params, ctx.state, self.layout
        book, weights, seen = state.book, np.full(len(SLOTS), np.nan), np.empty(2 + len(SLOTS))
        day = observe(ctx, book, layout)
        if day.renewed:
            book.signal[:] = np.nan  # read from a history that counts no more
        if signals_due(ctx, book, p):
            level = ctx.past.tr(p.inflation_bars + SLACK)
            book.signal[0] = excess_growth(level, *self.proxy, p.inflation_bars)
        if weigh(
            book.cov, day.present, day.guard, book.signal[0], self.budgets, state.ramp, state.budget,
            layout.plan.slot, self.terms, seen, weights,
        ):  # fmt: skip
            for name, value in zip(self.diagnostics[len(NOTES) :], seen, strict=True):
                ctx.note(name, value)
        return settle(ctx, book, day, p, layout, weights)

    def scan(self, run: Scan) -> None:
        """Run through the whole span."""
        p, state, layout = self.params, run.state, self.layout
        path, weights = observe_span(run, state.book, layout), np.empty((run.n_bars, len(SLOTS)))
        weigh_scan(
            run.tr, run.ret, run.notional.status, due_bars(run.clock, p.rebalance), path, state.book.signal, self.proxy,
            p.inflation_bars, self.budgets, state.ramp, state.budget, layout.plan.slot, self.terms, run.notes, weights,
        )  # fmt: skip
        settle_span(run, state.book, path, p, layout, weights)

    @property
    def proxy(self) -> tuple[int, int]:
        """Columns of the inflation-linked and of the plain bonds."""
        p, layout = self.params, self.layout
        return layout.column(p.inflation_linked), layout.column(p.inflation_base)

    @property
    def budgets(self) -> Floats:
        """Budgets (3, S) by regime."""
        p = self.params
        return np.array((p.budget_together, p.budget_apart_falling, p.budget_apart))

    @property
    def terms(self) -> Terms:
        """What the kernels are told."""
        return Terms(float(self.params.guard_ramp_bars), self.params.guard_shift)

    def placed(self, budget: Floats, present: Bools) -> tuple[Floats, float]:
        """Return budgets over the funds that are there, sum 1, and the share that is not left in cash."""
        out = np.empty(len(budget))
        return out, place(budget, present, out)

    def implied(self) -> dict[str, str]:
        """Return weights in a reference market, bands and triggers that follow from the parameters."""
        p = self.params

        def plan(budget: tuple[float, ...]) -> str:
            return reference_weights(p, SLOTS, lambda cov: standalone_weights(cov, np.array(budget)))

        return {
            "weights, correlation positive": plan(p.budget_together),
            "weights, correlation negative, inflation falling": plan(p.budget_apart_falling),
            "weights, correlation negative, inflation rising": plan(p.budget_apart),
            "inflation": f"{p.inflation_linked} over {p.inflation_base}, {p.inflation_bars} bars; rising if above 0",
            **common_plan(p),
        }


def standalone_weights(cov: Floats, budget: Floats) -> Weights:
    """Return what `standalone` writes."""
    w = np.empty(len(budget))
    standalone(np.ascontiguousarray(cov), budget, w)
    return w


@kernel
def standalone(cov: Floats, budget: Floats, out: Floats) -> None:
    """Write weights (S,) of sum 1 with w_i sigma_i in proportion to budget (S,) >= 0; a slot without budget gets 0."""
    mass = 0.0
    for i in range(out.shape[0]):
        out[i] = budget[i] / np.sqrt(cov[i, i]) if budget[i] > 0.0 else 0.0
        mass += out[i]
    for i in range(out.shape[0]):
        out[i] /= mass


@kernel
def excess_growth(level: Floats, linked: int, plain: int, bars: int) -> float:
    """Return the growth of one column of level (n, K) over that of another, NaN where it is not known."""
    return (1.0 + growth(level, linked, bars)) / (1.0 + growth(level, plain, bars)) - 1.0


@kernel
def advance(together: float, inflation: float, goals: Floats, ramp_bars: float, ramp: Floats, budget: Floats) -> None:
    """Move the budgets one bar along the line to those of today's regime; unknown inflation is not falling.

    together: +1, -1, 0 not known; goals (3, S). Mutates ramp (2,) and budget (2, S).
    """
    if together == 0.0:
        ramp[REGIME] = ramp[AGE] = np.nan  # not known yet, or not any more: nothing to come from
        return
    now = TOGETHER if together > 0.0 else (APART_FALLING if inflation <= 0.0 else APART)
    first, moved = np.isnan(ramp[REGIME]), ramp[REGIME] != now
    if first or moved:
        for s in range(budget.shape[1]):
            budget[0, s] = goals[now, s] if first else budget[1, s]
        ramp[AGE] = ramp_bars if first else 0.0
    ramp[REGIME] = now
    ramp[AGE] = min(ramp[AGE] + 1.0, ramp_bars)
    for s in range(budget.shape[1]):
        budget[1, s] = budget[0, s] + (goals[now, s] - budget[0, s]) * (ramp[AGE] / ramp_bars)


@kernel
def place(budget: Floats, present: Bools, out: Floats) -> float:
    """Write budgets (S,) over the slots that are present (S,), sum 1; return the share not left in cash."""
    kept = 0.0
    for s in range(out.shape[0]):
        out[s] = budget[s] if present[s] else 0.0
        kept += out[s]
    for s in range(out.shape[0]):
        out[s] /= kept
    return min(kept, 1.0)


@kernel
def weigh(
    cov: Floats, present: Bools, guard: Floats, inflation: float, goals: Floats, ramp: Floats, budget: Floats,
    slot: Bools, p: Terms, note: Floats, out: Floats,
) -> bool:  # fmt: skip
    """Advance the budgets and write the slot weights (S,), NaN without an engine or a regime; whether there are any.

    cov (S, S) yearly, present (S,), guard (3,), slot (3, S) as in `plimsoll.strategies.blueprint_bar`; goals,
    ramp, budget as in `advance`. note (2 + S,) receives regime, inflation and the budgets.
    """
    advance(guard[GUARD_REGIME], inflation, goals, p.ramp_bars, ramp, budget)
    out[0] = np.nan
    if guard[GUARD_REGIME] == 0.0 or not present[0]:
        return False
    placed = note[2:]
    kept = place(budget[1], present, placed)
    shift(placed, present, guard[LEVEL], p.guard_shift, slot)
    note[0], note[1] = ramp[REGIME], inflation
    standalone(cov, placed, out)
    for s in range(out.shape[0]):
        out[s] *= kept
    return True


@kernel
def weigh_scan(
    level: Floats, ret: Floats, status: Codes, due: Bools, path: Path, signal: Floats, proxy: tuple[int, int],
    bars: int, goals: Floats, ramp: Floats, budget: Floats, slot: Bools, p: Terms, notes: Floats, out: Floats,
) -> None:  # fmt: skip
    """Run `weigh` over all bars, inflation read where it is due (T,) or not known; out (T, S), notes (T, 8 + 2 + S).

    level, ret, status (T, K); signal (1,) inflation, over `bars` bars of the two columns of proxy.
    """
    for t in range(level.shape[0]):
        if path.renewed[t]:
            signal[0] = np.nan
        if due[t] or np.isnan(signal[0]):
            window = rows_until(level, t, bars + SLACK, ret, status)
            signal[0] = excess_growth(window, proxy[0], proxy[1], bars)
        weigh(
            path.slot[t], path.present[t], path.guard[t], signal[0], goals, ramp, budget, slot, p, notes[t, N_NOTES:],
            out[t],
        )  # fmt: skip
