"""Equity engine and inflation beta: TQQQ, commodities and gold tilted by trend and carry, and cash."""

from typing import ClassVar

import numpy as np
from pydantic import Field

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Floats, Weights
from plimsoll.strategies.blueprint import (
    NOTES,
    BlueprintParams,
    Book,
    Layout,
    Slot,
    observe,
    open_book,
    settle,
    signals_due,
)
from plimsoll.strategies.growth import SLACK, growth
from plimsoll.strategies.look_through import budget_weights
from plimsoll.strategies.plan import common_plan, reference_weights

ENGINE, COMMODITIES, GOLD = range(3)
HORIZONS = (63, 126, 252)
YEAR_BARS = 252
HALF_YEAR_BARS = 126
YIELD_BARS = 63

# Values of the diagnostics carry_source_*: where the carry came from.
NO_CARRY, FRONT_MINUS_STRIP, BILL_CHANGE = range(3)


class InflationBeta(Strategy):
    """Hold TQQQ at half the risk and a risk parity of commodities and gold, tilted by trend and carry, at the other.

    Needs QQQ, TLT and gold; commodities are the first of `commodities` with 60 returns, so DBC stands in until PDBC has
    them (2015). Without a bill fund returns are not in excess. Carry cannot be seen in fund prices: for commodities the
    year's gap between a front-month and a 12-month oil fund stands in (it mixes roll yield with moves of the curve),
    for gold the change of the bill yield; where a proxy is missing carry is 0 and the tilt halves. `carry_source_*`
    says which was used: 0 none, 1 front minus strip, 2 change of the bill yield. Fails in disinflation, when both
    diversifiers fall with stocks (2022 second half), and at turns of the trend.

        v_j = ERC_j clip(1 + kappa (z_trend / 2 + z_carry / 2), 1 - kappa_max, 1 + kappa_max)
        z_trend = mean of sign(R - R_bill) over 63, 126 and 252 bars;  z_carry = sign of the proxy
        {engine, v / sum(v)} at risk budgets b_core and 1 - b_core, the diversifiers times v: what a tilt frees is cash

    Scalar, limits, cash fund and bands: `strategies.blueprint`. It holds no duration: the guard's state is only noted.

    Source: Koijen, Moskowitz, Pedersen & Vrugt (2018), Carry; Moskowitz, Ooi & Pedersen (2012), Time series momentum;
    the tilt and its bounds are ours.
    """

    class Params(BlueprintParams):
        """The tilt; what is shared is in `BlueprintParams`."""

        commodities: tuple[str, ...] = Field(("PDBC", "DBC"), min_length=1)
        front: str = "USO"  # watched, for the roll yield
        strip: str = "USL"
        b_core: float = Field(0.50, gt=0, lt=1)
        kappa: float = Field(0.25, ge=0)
        kappa_max: float = Field(0.50, ge=0, le=1)

    diagnostics: ClassVar[tuple[str, ...]] = (
        *NOTES, "trend_commodities", "trend_gold", "carry_commodities", "carry_gold", "carry_source_commodities",
        "carry_source_gold", "tilt_commodities", "tilt_gold",
    )  # fmt: skip

    def __init__(self, params: StrategyParams | None = None) -> None:
        super().__init__(params)
        p = self.params
        slots = (Slot("engine", (p.engine,)), Slot("commodities", p.commodities), Slot("gold", (p.gold,)))
        self.layout = Layout(p, slots, (p.front, p.strip))
        self.watched, self.full_vol = self.layout.watched, p.risk_target
        self.optional = tuple(dict.fromkeys((*p.commodities, *p.cash_funds, p.bill, p.front, p.strip)))

    @property
    def universe(self) -> tuple[str, ...]:
        """Engine, commodities, gold, cash funds, then what is only watched."""
        return self.layout.symbols

    @property
    def warmup_bars(self) -> int:
        """A year for the longest trend."""
        return YEAR_BARS + 1

    def init(self, n_symbols: int) -> Book:
        """Nothing seen yet."""
        return open_book(n_symbols, 3, 6)

    def on_bar(self, ctx: Context) -> Weights | None:
        """Take in the bar; answer by schedule and band once the engine trades."""
        p, book, layout = self.params, ctx.state, self.layout
        present = observe(ctx, book, p, layout)
        if not present[ENGINE]:
            return None if np.isnan(book.target[0]) else settle(ctx, book, p, layout, np.zeros(3))
        if signals_due(ctx, book, p):
            self._read(ctx, book)
        tilt = np.where(present[1:], self.tilt(book.signal[:2], book.signal[2:4]), 0.0)
        for name, value in zip(self.diagnostics[len(NOTES) :], (*book.signal, *tilt), strict=True):
            ctx.note(name, value)
        return settle(ctx, book, p, layout, self.mix(book.cov, tilt))

    def _read(self, ctx: Context, book: Book) -> None:
        """Read trend, carry and the sources of carry, of commodities and gold each."""
        p, layout, signal = self.params, self.layout, book.signal
        level = ctx.past.tr(YEAR_BARS + SLACK)
        for k, slot in enumerate((COMMODITIES, GOLD)):
            signal[k] = trend_score(level, int(book.holding[slot].argmax()), layout.bill)
        roll = growth(level, layout.column(p.front), YEAR_BARS) - growth(level, layout.column(p.strip), YEAR_BARS)
        slope = -yield_change(level, layout.bill)
        signal[2:4] = np.nan_to_num(np.sign([roll, slope]))
        signal[4:] = (
            NO_CARRY if np.isnan(roll) else FRONT_MINUS_STRIP,
            NO_CARRY if np.isnan(slope) else BILL_CHANGE,
        )

    def tilt(self, trend: Floats, carry: Floats) -> Floats:
        """Return the factors of the diversifiers from scores in [-1, 1]."""
        p = self.params
        out: Floats = np.empty(len(trend))
        np.clip(1.0 + p.kappa * (0.5 * trend + 0.5 * carry), 1.0 - p.kappa_max, 1.0 + p.kappa_max, out=out)
        return out

    def mix(self, cov: Floats, tilt: Floats) -> Floats:
        """Return the slot weights (3,) before the scalar; a tilt of 0 is an absent slot."""
        basket = np.zeros(3)
        basket[1:] = budget_weights(np.ascontiguousarray(cov[1:, 1:]), (tilt > 0.0).astype(np.float64)) * tilt
        out = np.zeros(3)
        if not basket.any():
            out[ENGINE] = self.params.b_core  # nothing to balance the engine: the other half of the risk is cash
            return out
        inside = basket / basket.sum()
        pair = np.array([[cov[0, 0], cov[0] @ inside], [cov[0] @ inside, inside @ cov @ inside]])
        engine, rest = budget_weights(pair, np.array([self.params.b_core, 1.0 - self.params.b_core]))
        out[:] = rest * basket
        out[ENGINE] = engine
        return out

    def implied(self) -> dict[str, str]:
        """Return weights in a reference market, bands and triggers that follow from the parameters."""
        p, names = self.params, [slot.name for slot in self.layout.slots]

        def plan(score: float) -> str:
            tilt = self.tilt(np.full(2, score), np.full(2, score))
            return reference_weights(p, names, lambda cov: self.mix(cov, tilt))

        return {
            "weights, trend and carry up": plan(1.0),
            "weights, no signal": plan(0.0),
            "weights, trend and carry down": plan(-1.0),
            "commodities": f"first of {', '.join(p.commodities)} with {p.min_obs} returns",
            **common_plan(p),
        }


@kernel
def trend_score(level: Floats, column: int, bill: int) -> float:
    """Return the mean sign of a symbol's growth over bills' in [-1, 1]; a horizon it does not cover counts 0."""
    total = 0.0
    for horizon in HORIZONS:
        cash = growth(level, bill, horizon)
        gap = growth(level, column, horizon) - (0.0 if np.isnan(cash) else cash)
        total += 0.0 if np.isnan(gap) else np.sign(gap)
    return float(total / len(HORIZONS))


@kernel
def yield_change(level: Floats, bill: int) -> float:
    """Return how much the bill fund's growth over a quarter differs from that of half a year before, NaN if unknown."""
    offset = level.shape[0] - HALF_YEAR_BARS
    return growth(level, bill, YIELD_BARS) - growth(level[:offset], bill, YIELD_BARS)
