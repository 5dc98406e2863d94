"""Carry: what bond funds distribute beyond the bill yield, and what an oil fund gains or loses by rolling."""

from typing import ClassVar, Final, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from plimsoll.engine.kernels.account.track import Notional, answer, last_rows
from plimsoll.engine.kernels.estimate.window_stats import window_std
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Available, Context, Strategy, StrategyParams
from plimsoll.engine.types import Bools, Floats, Weights
from plimsoll.strategies.growth import SLACK, growth
from plimsoll.strategies.schedule import Schedule, due_bars, is_due

# Values of the diagnostic `carry_source`: none; distributions alone (no roll-down: that needs a yield curve); they and,
# for oil, the front month less the strip.
NO_SOURCE: Final = 0.0
DISTRIBUTIONS: Final = 1.0
AND_FRONT_MINUS_STRIP: Final = 2.0

# A fund that distributed less than this in a year is taken to have no known distributions, not a yield of zero.
LEAST_YIELD: Final = 1e-6


class Rules(NamedTuple):
    """What the kernels need of the parameters; funds: how many bond funds there are."""

    funds: int
    commodity: bool
    legs: int
    short: bool
    gross: float


class Carry(Strategy):
    """Long the bond funds that pay the most, short those that pay the least, and oil by the slope of its curve.

    Needs distributions: the yield is the growth of the total-return index over that of the price. A fund without any
    in the lookback (adjusted closes only) takes no part, and with fewer than two such funds in the data the strategy
    is not available. Fails when yields are high because prices are about to fall: credit in 2008 and March 2020.

        yield_i = (TR_t / TR_{t-n}) / (P_t / P_{t-n}) - 1,   carry_i = yield_i - bill return over the same bars
        w_i = +-(1/sigma_i), top and bottom `legs` by carry, scaled to `gross`; so sum_i w_i sigma_i = 0
        oil: growth of the front-month fund less that of the 12-month strip; the front fund by its sign, at the risk
        of one bond fund

    The volatilities stand in for durations. Without `short`, the top funds are held while their carry is positive, oil
    while the front gains on the strip; oil has no more than its share beside the top funds where none of them is held.
    The roll-down part of carry cannot be observed in fund prices and is left out. The slope of the oil curve cannot
    either: the gap of the two funds mixes roll yield with moves of the curve. Where one of them is missing, or younger
    than the lookback, there is no oil; `carry_source` says what was used: 1 distributions alone, 2 with oil.

    Source: Koijen, Moskowitz, Pedersen & Vrugt (2018), Carry; legs, sizing and the proxy for oil are ours.
    """

    class Params(StrategyParams):
        """The funds, the bill fund they are measured against, the two oil funds, sizes."""

        symbols: tuple[str, ...] = Field(("TLT", "IEF", "SHY", "LQD", "HYG", "TIP"), min_length=2)
        bill: str = "BIL"
        commodity: bool = True  # hold the front fund by its return over the strip's; False: bond funds alone
        front: str = "USO"
        strip: str = "USL"  # watched
        lookback_bars: int = Field(252, ge=21)
        vol_bars: int = Field(63, ge=10)
        legs: int = Field(2, ge=1)  # funds on each side; fewer where fewer than twice as many are known
        short: bool = True
        gross: float = Field(1.0, gt=0, le=5)
        rebalance: Schedule = "M"

        @model_validator(mode="after")
        def _each_fund_has_one_part(self) -> "Carry.Params":
            if self.bill in self.symbols:
                raise ValueError(f"the bill fund {self.bill} cannot be held as well")
            named = (*self.symbols, self.bill)
            for symbol, others in ((self.front, (*named, self.strip)), (self.strip, named)):
                if self.commodity and symbol in others:
                    raise ValueError(f"{symbol} cannot be two funds of this strategy at once")
            return self

    diagnostics: ClassVar[tuple[str, ...]] = (
        "carry_source", "ranked", "bill_return", "top_carry", "bottom_carry", "oil_carry",
    )  # fmt: skip

    def __init__(self, params: StrategyParams | None = None) -> None:
        super().__init__(params)
        p = self.params
        self.oil: tuple[str, ...] = (p.front, p.strip) if p.commodity else ()
        self.optional = (*self.oil, p.bill)
        self.watched = (*self.oil[1:], p.bill)

    @property
    def universe(self) -> tuple[str, ...]:
        """The bond funds, the front oil fund, then what is only watched: its strip, the bill fund."""
        return (*self.params.symbols, *self.oil, self.params.bill)

    @property
    def warmup_bars(self) -> int:
        """Bars until the oldest fund has a lookback of distributions."""
        return int(max(self.params.lookback_bars, self.params.vol_bars)) + 1

    def unavailable(self, data: Available) -> str:
        """Refuse data in which fewer than two of the funds distribute anything."""
        paying = [symbol for symbol in self.params.symbols if symbol in data.paying]
        if len(paying) >= 2:
            return ""
        return f"{' and '.join(paying) or 'none'} of {', '.join(self.params.symbols)} has distributions in the data"

    def on_bar(self, ctx: Context) -> Weights | None:
        """Answer on the schedule once two funds can be ranked."""
        p = self.params
        if not is_due(ctx, p.rebalance):
            return None
        n, w, note = p.lookback_bars + SLACK, np.empty(len(ctx.symbols)), np.empty(len(self.diagnostics))
        level, price, ret = ctx.past.tr(n), ctx.past.close(n), ctx.past.ret(p.vol_bars)
        ranked = step(level, price, ret, p.lookback_bars, ctx.listed, self.rules, note, w)
        for name, value in zip(self.diagnostics, note, strict=True):
            ctx.note(name, value)
        return w if ranked else None

    def scan(self, run: Scan) -> None:
        """Run through the whole span."""
        p = self.params
        scan(
            run.tr, run.close, run.ret, run.listed, due_bars(run.clock, p.rebalance), p.lookback_bars, p.vol_bars,
            self.rules, run.notes, run.notional,
        )  # fmt: skip

    @property
    def rules(self) -> Rules:
        """What the kernels are told."""
        p = self.params
        return Rules(len(p.symbols), p.commodity, p.legs, p.short, p.gross)


@kernel
def step(
    level: Floats, price: Floats, ret: Floats, bars: int, listed: Bools, rules: Rules, note: Floats, w: Floats
) -> bool:
    """Write the target weights (K,) of one bar; False where fewer than two funds can be ranked.

    level, price (n, K), n >= bars + SLACK, ret (m, K); note (6,) receives the diagnostics, NaN = not known.
    """
    carry, sigma = np.empty(rules.funds), np.empty(w.shape[0])
    bill = fund_carry(level, price, bars, carry)
    oil = roll_carry(level, rules.funds, bars) if rules.commodity else np.nan
    window_std(ret, ret.shape[0] // 2, sigma)
    ranked = carry_weights(carry, oil, sigma, listed, rules, w)
    source = DISTRIBUTIONS if np.isnan(oil) else AND_FRONT_MINUS_STRIP
    note[0], note[1], note[2] = source if ranked >= 2 else NO_SOURCE, ranked, bill
    note[3] = note[4] = np.nan
    note[5] = oil
    for value in carry:
        if ranked >= 2 and not np.isnan(value):
            note[3] = value if np.isnan(note[3]) else max(note[3], value)
            note[4] = value if np.isnan(note[4]) else min(note[4], value)
    return ranked >= 2


@kernel
def scan(
    level: Floats, price: Floats, ret: Floats, listed: Bools, due: Bools, bars: int, vol_bars: int, rules: Rules,
    notes: Floats, notional: Notional,
) -> None:  # fmt: skip
    """Run `step` on the bars that are due (T,); series (T, K), notes (T, 6)."""
    w, n = np.empty(ret.shape[1]), bars + SLACK
    for t in range(ret.shape[0]):
        if not due[t]:
            continue
        levels, prices = last_rows(level, t, n, notional), last_rows(price, t, n, notional)
        returns = last_rows(ret, t, vol_bars, notional)
        if step(levels, prices, returns, bars, listed[t], rules, notes[t], w) and not answer(t, w, notional):
            return


@kernel
def fund_carry(level: Floats, price: Floats, bars: int, carry: Floats) -> float:
    """Write yield less bill return (F,) over `bars` bars, NaN where a fund has no known distributions; return the bill.

    level, price (n, K), n >= bars + SLACK: total-return index and price; the bond funds are the first F columns, the
    bill fund the last one. Where it has no return over the span the yields stand as they are and NaN is returned.
    """
    bill = growth(level, level.shape[1] - 1, bars)
    for i in range(carry.shape[0]):
        paid = (1.0 + growth(level, i, bars)) / (1.0 + growth(price, i, bars)) - 1.0
        carry[i] = paid - (0.0 if np.isnan(bill) else bill) if paid > LEAST_YIELD else np.nan
    return bill


@kernel
def roll_carry(level: Floats, front: int, bars: int) -> float:
    """Return by how much the front-month fund grew more than the strip, the column after it; NaN if unknown.

    level (n, K), n >= bars + SLACK. Above 0 the curve falls with maturity and a roll gains, as far as it did not move.
    """
    gap: float = growth(level, front, bars) - growth(level, front + 1, bars)
    return gap


@kernel
def carry_weights(carry: Floats, oil: float, sigma: Floats, listed: Bools, rules: Rules, w: Floats) -> int:
    """Write the target weights (K,) and return how many funds were ranked; fewer than two leave all at 0.

    carry (F,) of the bond funds, oil of column F, NaN = no such leg; sigma, listed (K,). A fund is ranked if it is
    listed and has a carry and a volatility; of equal carries the earlier one ranks higher. Those not ranked get NaN.
    """
    funds, known = carry.shape[0], 0
    for i in range(w.shape[0]):
        w[i] = 0.0
    for i in range(funds):
        if not listed[i] or np.isnan(carry[i]) or not sigma[i] > 0.0:
            carry[i] = np.nan
        else:
            known += 1
    if known < 2:
        return known
    side = min(rules.legs, known // 2)
    chosen, held = 0.0, 0.0  # risk units at the ends of the ranking, and of what is held of them
    for i in range(funds):
        end = 0.0 if np.isnan(carry[i]) else end_of_ranking(carry, i, side, rules.short)
        chosen += abs(end) / sigma[i] if end != 0.0 else 0.0
        if end != 0.0 and (rules.short or carry[i] > 0.0):
            w[i] = end / sigma[i]
        held += abs(w[i])
    share = 0.0
    if not np.isnan(oil) and listed[funds] and sigma[funds] > 0.0 and (oil > 0.0 or rules.short):
        share = np.sign(oil) / sigma[funds] / (chosen + 1.0 / sigma[funds])
        w[funds] = rules.gross * share
    for i in range(funds):
        w[i] *= rules.gross * (1.0 - abs(share)) / held if held > 0.0 else 0.0
    return known


@kernel
def end_of_ranking(carry: Floats, i: int, side: int, short: bool) -> float:
    """Return 1 for a fund among the `side` highest of carry (F,), -1 among the lowest if they are shorted, else 0."""
    above, below = 0, 0
    for j in range(carry.shape[0]):
        above += 1 if carry[j] > carry[i] or (carry[j] == carry[i] and j < i) else 0
        below += 1 if carry[j] < carry[i] or (carry[j] == carry[i] and j > i) else 0
    if above < side:
        return 1.0
    return -1.0 if below < side and short else 0.0
