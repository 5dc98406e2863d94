"""Equity engine and crisis alpha: TQQQ, managed futures, gold and cash by leverage-aware risk budgets."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.allocate import black_litterman as bl
from plimsoll.engine.kernels.allocate.waterfill import bound_project
from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Bools, Floats, Weights
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
from plimsoll.strategies.look_through import budget_weights
from plimsoll.strategies.plan import common_plan, reference_weights

ENGINE, FUTURES, GOLD = range(3)
YEAR_BARS = 252


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
        present = observe(ctx, book, p, layout)
        if not present[ENGINE]:
            return None if np.isnan(book.target[0]) else settle(ctx, book, p, layout, np.zeros(3))
        if signals_due(ctx, book, p):
            level = ctx.past.tr(YEAR_BARS + SLACK)
            gained = growth(level, int(layout.base[layout.engine]), YEAR_BARS)
            bill = np.nan_to_num(growth(level, layout.bill, YEAR_BARS))
            book.signal[:] = float(gained > bill), bill
        view = self.view(float(np.sqrt(book.cov[ENGINE, ENGINE])), *book.signal)
        budget, kept = self.budgets(book.cov, view, present)
        guard_budget(book, p, layout, budget, present)
        for name, value in zip(self.diagnostics[len(NOTES) :], (view, *budget), strict=True):
            ctx.note(name, value)
        return settle(ctx, book, p, layout, budget_weights(book.cov, budget) * kept)

    def view(self, sigma: float, rose: float, bill: float) -> float:
        """Return the engine's expected return: its volatility, 1 if its underlying beat bills, the bill rate."""
        p, times = self.params, self.layout.leverage[self.layout.engine]
        hope = p.view_sharpe * sigma / times * rose
        return float(times * (bill + hope) - (times - 1.0) * (bill + p.spread) - p.fee)

    def prior(self) -> Floats:
        """Return the risk budgets (S,), sum 1, before the view, every slot present."""
        p = self.params
        engine = max(1.0 / 3.0, p.b_core if p.core_floor == "prior" else 0.0)
        out: Floats = np.full(3, (1.0 - engine) / 2.0)
        out[ENGINE] = engine
        return out

    def budgets(self, cov: Floats, view: float, present: Bools) -> tuple[Floats, float]:
        """Return the risk budgets (S,), sum 1, and the share of the portfolio not kept in cash for an absent slot."""
        p, prior = self.params, self.prior()
        raw, cash, absent = np.zeros(3), 0.0, 0.0 if present[FUTURES] else float(prior[FUTURES])
        there = prior[present] / prior[present].sum()
        raw[present] = self._tilt(np.ascontiguousarray(cov[np.ix_(present, present)]), there, view) * (1.0 - absent)
        if absent > 0.0:
            raw[GOLD] += absent / 2.0 if present[GOLD] else 0.0
            cash = absent / 2.0 if present[GOLD] else absent
        n = int(present.sum())
        low = np.where(present, min(p.b_min, 1.0 / n), 0.0)
        if p.core_floor == "budget":
            low[ENGINE] = p.b_core
        high = np.where(present, max(p.b_max, 1.0 / n), 0.0)
        out = np.clip(raw / raw.sum(), low, high)
        code.require(bound_project(low, high, out), "risk budgets")
        return out, 1.0 - cash

    def _tilt(self, cov: Floats, prior_budget: Floats, view: float) -> Floats:
        """Return budgets (n,) before their bounds; prior_budget (n,), the view is on the first asset of cov (n, n)."""
        p, n = self.params, len(cov)
        prior, mu, budget = np.empty(n), np.empty(n), np.empty(n)
        base = budget_weights(cov, prior_budget)
        bl.implied_return(cov, base, p.prior_sharpe, prior)
        pick = np.zeros((1, n))
        pick[0, 0] = 1.0
        fault = bl.posterior(
            cov, prior, pick, np.array([view]), np.array([p.view_confidence]), p.tau, bl.init(1, n), mu
        )  # fmt: skip
        if fault != code.OK or bl.tilted_budget(base, mu, np.zeros(n), np.ones(n), budget) != code.OK:
            return prior_budget  # nothing has a positive expected return
        return budget

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
