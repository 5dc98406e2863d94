"""Carry in bond funds: what they distribute beyond the bill yield."""

from typing import ClassVar, Final

import numpy as np
from pydantic import Field, model_validator

from plimsoll.engine.kernels.estimate.window_stats import window_std
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.sleeve.strategy import Available, Context, Strategy, StrategyParams
from plimsoll.engine.types import Bools, Floats, Weights
from plimsoll.strategies.growth import SLACK, growth
from plimsoll.strategies.schedule import Schedule, is_due

# Values of the diagnostic `carry_source`: none, or distributions alone (no roll-down: that needs a yield curve).
NO_SOURCE: Final = 0.0
DISTRIBUTIONS: Final = 1.0

# A fund that distributed less than this in a year is taken to have no known distributions, not a yield of zero.
LEAST_YIELD: Final = 1e-6


class Carry(Strategy):
    """Long the bond funds that pay the most, short those that pay the least, both legs at the same risk.

    Needs distributions: the yield is the growth of the total-return index over that of the price. A fund without any
    in the lookback (adjusted closes only) takes no part, and with fewer than two such funds in the data the strategy
    is not available. Fails when yields are high because prices are about to fall: credit in 2008 and March 2020.

        yield_i = (TR_t / TR_{t-n}) / (P_t / P_{t-n}) - 1,   carry_i = yield_i - bill return over the same bars
        w_i = +-(1/sigma_i), top and bottom `legs` by carry, scaled to `gross`; so sum_i w_i sigma_i = 0

    The volatilities stand in for durations. Without `short`, the top funds are held while their carry is positive. The
    roll-down part of carry cannot be observed in fund prices and is left out (`carry_source` 1: distributions alone).

    Source: Koijen, Moskowitz, Pedersen & Vrugt (2018), Carry; legs and sizing are ours.
    """

    class Params(StrategyParams):
        """The funds, the bill fund they are measured against, sizes."""

        symbols: tuple[str, ...] = Field(("TLT", "IEF", "SHY", "LQD", "HYG", "TIP"), min_length=2)
        bill: str = "BIL"
        lookback_bars: int = Field(252, ge=21)
        vol_bars: int = Field(63, ge=10)
        legs: int = Field(2, ge=1)  # funds on each side; fewer where fewer than twice as many are known
        short: bool = True
        gross: float = Field(1.0, gt=0, le=5)
        rebalance: Schedule = "M"

        @model_validator(mode="after")
        def _bill_is_not_held(self) -> "Carry.Params":
            if self.bill in self.symbols:
                raise ValueError(f"the bill fund {self.bill} cannot be held as well")
            return self

    diagnostics: ClassVar[tuple[str, ...]] = ("carry_source", "ranked", "bill_return", "top_carry", "bottom_carry")

    def __init__(self, params: StrategyParams | None = None) -> None:
        super().__init__(params)
        self.optional = self.watched = (self.params.bill,)

    @property
    def universe(self) -> tuple[str, ...]:
        """What may be held, then the bill fund."""
        return (*self.params.symbols, self.params.bill)

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
        n, k = p.lookback_bars + SLACK, len(ctx.symbols)
        w, carry, sigma = np.zeros(k), np.empty(k), np.empty(k)
        bill = fund_carry(ctx.past.tr(n), ctx.past.close(n), p.lookback_bars, carry)
        window_std(ctx.past.ret(p.vol_bars), p.vol_bars // 2, sigma)
        ranked = carry_weights(carry, sigma, ctx.listed, p.legs, p.short, p.gross, w)
        ctx.note("carry_source", DISTRIBUTIONS if ranked >= 2 else NO_SOURCE)
        ctx.note("ranked", ranked)
        ctx.note("bill_return", bill)
        if ranked < 2:
            return None
        ctx.note("top_carry", np.nanmax(carry))
        ctx.note("bottom_carry", np.nanmin(carry))
        return w


@kernel
def fund_carry(level: Floats, price: Floats, bars: int, carry: Floats) -> float:
    """Write yield less bill return (K,) over `bars` bars, NaN where a fund has no known distributions; return the bill.

    level, price (n, K), n >= bars + SLACK: total-return index and price; the bill fund is the last column and gets
    NaN. Where the bill fund has no return over the span the yields stand as they are and NaN is returned.
    """
    last = carry.shape[0] - 1
    bill = growth(level, last, bars)
    for i in range(last):
        paid = (1.0 + growth(level, i, bars)) / (1.0 + growth(price, i, bars)) - 1.0
        carry[i] = paid - (0.0 if np.isnan(bill) else bill) if paid > LEAST_YIELD else np.nan
    carry[last] = np.nan
    return bill


@kernel
def carry_weights(carry: Floats, sigma: Floats, listed: Bools, legs: int, short: bool, gross: float, w: Floats) -> int:
    """Write the target weights (K,) and return how many funds were ranked; fewer than two leave all at 0.

    A fund is ranked if it is listed and has a carry and a volatility; of equal carries the earlier one ranks higher.
    Those not ranked get carry NaN.
    """
    known = 0
    for i in range(w.shape[0]):
        w[i] = 0.0
        if not listed[i] or np.isnan(carry[i]) or not sigma[i] > 0.0:
            carry[i] = np.nan
        else:
            known += 1
    if known < 2:
        return known
    side = min(legs, known // 2)
    total = 0.0
    for i in range(w.shape[0]):
        above, below = 0, 0
        for j in range(w.shape[0]):
            above += 1 if carry[j] > carry[i] or (carry[j] == carry[i] and j < i) else 0
            below += 1 if carry[j] < carry[i] or (carry[j] == carry[i] and j > i) else 0
        if not np.isnan(carry[i]):
            if above < side and (short or carry[i] > 0.0):
                w[i] = 1.0 / sigma[i]
            elif below < side and short:
                w[i] = -1.0 / sigma[i]
        total += abs(w[i])
    for i in range(w.shape[0]):
        w[i] *= gross / total if total > 0.0 else 0.0
    return known
