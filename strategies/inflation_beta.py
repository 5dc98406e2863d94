"""Equity engine and inflation beta: TQQQ, commodities and gold tilted by trend and carry, and cash."""

from typing import ClassVar

import numpy as np
from pydantic import Field

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
from plimsoll.strategies.blueprint_bar import N_NOTES, Book, Path, open_book
from plimsoll.strategies.growth import SLACK, growth
from plimsoll.strategies.look_through import risk_weights
from plimsoll.strategies.plan import common_plan, reference_weights
from plimsoll.strategies.schedule import due_bars

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
        day, weights, tilt = observe(ctx, book, layout), np.full(3, np.nan), np.empty(2)
        if day.renewed:
            book.signal[:] = np.nan  # read from a history that counts no more
        if day.present[ENGINE]:
            if signals_due(ctx, book, p):
                read(ctx.past.tr(YEAR_BARS + SLACK), book.holding, *self.proxy, book.signal)
            weigh(book.cov, day.present, book.signal, p.kappa, p.kappa_max, p.b_core, tilt, weights)
            for name, value in zip(self.diagnostics[len(NOTES) :], (*book.signal, *tilt), strict=True):
                ctx.note(name, value)
        return settle(ctx, book, day, p, layout, weights)

    def scan(self, run: Scan) -> None:
        """Run through the whole span."""
        p, book, layout = self.params, run.state, self.layout
        path, weights = observe_span(run, book, layout), np.empty((run.n_bars, 3))
        weigh_scan(
            run.tr, run.ret, run.notional.status, due_bars(run.clock, p.rebalance), path, book.signal, self.proxy,
            p.kappa, p.kappa_max, p.b_core, run.notes, weights,
        )  # fmt: skip
        settle_span(run, book, path, p, layout, weights)

    @property
    def proxy(self) -> tuple[int, int, int]:
        """Columns of the bill fund, the front-month and the 12-month oil fund."""
        p, layout = self.params, self.layout
        return layout.bill, layout.column(p.front), layout.column(p.strip)

    def tilt(self, trend: Floats, carry: Floats) -> Floats:
        """Return the factors of the diversifiers from scores in [-1, 1]."""
        p = self.params
        scores = zip(trend, carry, strict=True)
        return np.array([tilt_of(float(a), float(b), p.kappa, p.kappa_max) for a, b in scores])

    def mix(self, cov: Floats, tilt: Floats) -> Floats:
        """Return the slot weights (3,) before the scalar; a tilt of 0 is an absent slot."""
        out = np.empty(3)
        balance(np.ascontiguousarray(cov), tilt, self.params.b_core, out)
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


@kernel
def read(level: Floats, holding: Floats, bill: int, front: int, strip: int, signal: Floats) -> None:
    """Write trend, carry and the source of carry, of commodities and gold each, to signal (6,).

    level (n, K) total-return index of a year, n = YEAR_BARS + SLACK; holding (3, K) says which fund stands for a slot.
    """
    for k in range(2):
        column = 0
        for i in range(holding.shape[1] - 1, -1, -1):
            column = i if holding[COMMODITIES + k, i] != 0.0 else column
        signal[k] = trend_score(level, column, bill)
    year = level.shape[0] - SLACK
    roll = growth(level, front, year) - growth(level, strip, year)
    slope = -yield_change(level, bill)
    signal[2] = 0.0 if np.isnan(roll) else np.sign(roll)
    signal[3] = 0.0 if np.isnan(slope) else np.sign(slope)
    signal[4] = NO_CARRY if np.isnan(roll) else FRONT_MINUS_STRIP
    signal[5] = NO_CARRY if np.isnan(slope) else BILL_CHANGE


@kernel
def tilt_of(trend: float, carry: float, kappa: float, most: float) -> float:
    """Return the factor of a diversifier from its scores in [-1, 1]."""
    return min(max(1.0 + kappa * (0.5 * trend + 0.5 * carry), 1.0 - most), 1.0 + most)


@kernel
def balance(cov: Floats, tilt: Floats, core: float, out: Floats) -> None:
    """Write the slot weights (3,) before the scalar; cov (3, 3) yearly, tilt (2,), where 0 is an absent slot."""
    rest, budget = np.empty((2, 2)), np.empty(2)
    for a in range(2):
        budget[a] = 1.0 if tilt[a] > 0.0 else 0.0
        for b in range(2):
            rest[a, b] = cov[1 + a, 1 + b]
    basket = np.empty(2)
    risk_weights(rest, budget, basket)
    basket[0] *= tilt[0]
    basket[1] *= tilt[1]
    out[ENGINE], out[COMMODITIES], out[GOLD] = core, 0.0, 0.0
    if basket[0] == 0.0 and basket[1] == 0.0:
        return  # nothing to balance the engine: the other half of the risk is cash
    mass = basket[0] + basket[1]
    a, b = basket[0] / mass, basket[1] / mass
    pair, part = np.empty((2, 2)), np.empty(2)
    pair[0, 0] = cov[0, 0]
    pair[0, 1] = pair[1, 0] = cov[0, 1] * a + cov[0, 2] * b
    pair[1, 1] = a * (cov[1, 1] * a + cov[1, 2] * b) + b * (cov[2, 1] * a + cov[2, 2] * b)
    budget[0], budget[1] = core, 1.0 - core
    risk_weights(pair, budget, part)
    out[ENGINE] = part[0]
    out[COMMODITIES] = part[1] * basket[0]
    out[GOLD] = part[1] * basket[1]


@kernel
def weigh(
    cov: Floats, present: Bools, signal: Floats, kappa: float, most: float, core: float, tilt: Floats, out: Floats
) -> None:
    """Write the factors of the diversifiers to tilt (2,) and the slot weights (3,) of a bar with an engine."""
    for k in range(2):
        there = present[COMMODITIES + k]
        tilt[k] = tilt_of(signal[k], signal[2 + k], kappa, most) if there else 0.0
    balance(cov, tilt, core, out)


@kernel
def weigh_scan(
    level: Floats, ret: Floats, status: Codes, due: Bools, path: Path, signal: Floats, proxy: tuple[int, int, int],
    kappa: float, most: float, core: float, notes: Floats, out: Floats,
) -> None:  # fmt: skip
    """Run `read` where it is due and `weigh` at every bar with an engine; out (T, 3) is NaN without one.

    level, ret, status (T, K), due (T,), notes (T, 16); proxy: columns of bill fund, front and strip.
    """
    for t in range(level.shape[0]):
        if path.renewed[t]:
            for k in range(signal.shape[0]):
                signal[k] = np.nan
        if not path.present[t, ENGINE]:
            out[t, 0] = np.nan
            continue
        if due[t] or np.isnan(signal[0]):
            window = rows_until(level, t, YEAR_BARS + SLACK, ret, status)
            read(window, path.holding[t], proxy[0], proxy[1], proxy[2], signal)
        note = notes[t, N_NOTES:]
        for k in range(signal.shape[0]):
            note[k] = signal[k]
        weigh(path.slot[t], path.present[t], signal, kappa, most, core, note[signal.shape[0] :], out[t])
