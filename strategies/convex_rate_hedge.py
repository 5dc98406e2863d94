"""Equity engine and convex rate hedge: TQQQ, PFIX, gold, duration when bonds hedge, and cash."""

from typing import ClassVar, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Bools, Floats, Weights
from plimsoll.strategies import correlation_regime as regime
from plimsoll.strategies.blueprint import (
    NOTES,
    BlueprintParams,
    Book,
    Layout,
    Slot,
    guard_budget,
    observe,
    open_book,
    settle,
    signals_due,
)
from plimsoll.strategies.growth import SLACK, growth
from plimsoll.strategies.plan import common_plan, reference_weights

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
        book = state.book
        present = observe(ctx, book, p, layout)
        together = book.guard.memory[regime.REGIME]
        if signals_due(ctx, book, p):
            book.signal[0] = self._inflation(ctx)
        inflation = float(book.signal[0])
        self._advance(state, float(together), inflation)
        if not present[0] or together == 0.0:
            return None if np.isnan(book.target[0]) else settle(ctx, book, p, layout, np.zeros(len(SLOTS)))
        budget, kept = self.placed(state.budget[1], present)
        guard_budget(book, p, layout, budget, present)
        for name, value in zip(self.diagnostics[len(NOTES) :], (state.ramp[REGIME], inflation, *budget), strict=True):
            ctx.note(name, value)
        return settle(ctx, book, p, layout, standalone_weights(book.cov, budget) * kept)

    def _inflation(self, ctx: Context) -> float:
        """Return the growth of inflation-linked over plain bonds, NaN where it is not known."""
        p, layout = self.params, self.layout
        level, bars = ctx.past.tr(p.inflation_bars + SLACK), p.inflation_bars
        linked = growth(level, layout.column(p.inflation_linked), bars)
        plain = growth(level, layout.column(p.inflation_base), bars)
        return float((1.0 + linked) / (1.0 + plain) - 1.0)

    def _advance(self, state: State, together: float, inflation: float) -> None:
        """Move the budgets one bar along the line to those of today's regime; unknown inflation is not falling."""
        if together == 0.0:
            state.ramp[:] = np.nan  # not known yet, or not any more: nothing to come from
            return
        now = TOGETHER if together > 0.0 else APART_FALLING if inflation <= 0.0 else APART
        goal = np.array((self.params.budget_together, self.params.budget_apart_falling, self.params.budget_apart)[now])
        ramp, budget = state.ramp, state.budget
        if np.isnan(ramp[REGIME]):
            budget[0], ramp[AGE] = goal, self.params.guard_ramp_bars
        elif ramp[REGIME] != now:
            budget[0], ramp[AGE] = budget[1], 0.0
        ramp[REGIME] = now
        ramp[AGE] = min(ramp[AGE] + 1.0, self.params.guard_ramp_bars)
        budget[1] = budget[0] + (goal - budget[0]) * (ramp[AGE] / self.params.guard_ramp_bars)

    def placed(self, budget: Floats, present: Bools) -> tuple[Floats, float]:
        """Return budgets over the funds that are there, sum 1, and the share that is not left in cash."""
        out = np.where(present, budget, 0.0)
        kept = float(out.sum())
        return out / kept, min(kept, 1.0)

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
    """Return weights (S,) of sum 1 with w_i sigma_i in proportion to budget (S,) >= 0; a slot without budget gets 0."""
    w: Floats = np.zeros(len(budget))
    chosen = budget > 0.0
    w[chosen] = budget[chosen] / np.sqrt(np.diag(cov)[chosen])
    w /= w.sum()
    return w
