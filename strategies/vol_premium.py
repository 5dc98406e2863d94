"""Volatility risk premium: a small short-volatility position, always hedged, while the premium is being paid."""

from typing import ClassVar, Final, NamedTuple

import numpy as np
from pydantic import Field

from plimsoll.engine.kernels.derive import DELIST_SESSIONS
from plimsoll.engine.kernels.estimate import ewma, smooth
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.sleeve.strategy import Available, Context, Strategy, StrategyParams
from plimsoll.engine.types import Bools, Floats, Ints, Weights
from plimsoll.strategies.schedule import Schedule, is_due

INDICATOR: Final = "VIX"

# Tail hedge per dollar of short volatility that is never gone below.
LEAST_HEDGE: Final = 1.0 / 3.0

# Places in the universe.
STOCKS, SHORT_VOL, TAIL = 0, 1, 2


class State(NamedTuple):
    """moments, average: running sums of stock returns and of the VIX; latest (3, 1): mean, mean square, variance.

    level (1,): the VIX average. holds (1,): whether the position is on. absent (1,): sessions one of the two funds
    has had no row.
    """

    moments: ewma.State
    latest: Floats
    average: smooth.EmaState
    level: Floats
    holds: Bools
    absent: Ints


class VolPremium(Strategy):
    """Hold a short-volatility fund and a tail hedge while implied variance exceeds realised and the VIX is calm.

    Needs the VIX, stock returns, the short-volatility fund and the tail fund; without one of them in the data it is
    not available, and before both trade (SVOL: 2021) it is in cash: nothing is put in their place. Fails at gaps: the
    signal is a day late by construction, and short volatility loses 15-25% within days (February 2018, April 2025),
    which is why the size is capped at 10% of equity and the hedge never missing.

        premium = (VIX / 100)^2 - 252 EWMA(r^2),   on iff premium > 0 and VIX < calm x EMA(VIX)

    Checked every session. Answers when it switches, on the schedule while on, and whenever the hedge has drifted below
    a third of the short-volatility position. While a fund has no row it waits; after six sessions it sells.

    Source: Bollerslev, Tauchen & Zhou (2009); Carr & Wu (2009), Variance risk premiums. Sizes and hedge are ours.
    """

    class Params(StrategyParams):
        """The funds, the two estimators, the sizes."""

        stocks: str = "SPY"
        short_vol: str = "SVOL"
        tail: str = "TAIL"
        half_life_bars: float = Field(21.0, gt=0)
        average_bars: float = Field(50.0, ge=1)  # span of the VIX average, alpha = 2 / (span + 1)
        calm: float = Field(1.1, gt=0)
        size: float = Field(0.10, ge=0, le=0.10)  # of equity
        hedge: float = Field(0.40, ge=LEAST_HEDGE, le=2)  # tail fund per dollar of the short-volatility fund
        rebalance: Schedule = "M"

    indicators = (INDICATOR,)
    diagnostics: ClassVar[tuple[str, ...]] = ("premium", "vix_ratio", "signal")

    def __init__(self, params: StrategyParams | None = None) -> None:
        super().__init__(params)
        self.optional = (self.params.short_vol, self.params.tail)
        self.watched = (self.params.stocks,)

    @property
    def universe(self) -> tuple[str, ...]:
        """Stocks (watched, never held), the short-volatility fund, the tail fund."""
        return (self.params.stocks, self.params.short_vol, self.params.tail)

    @property
    def warmup_bars(self) -> int:
        """Bars for both averages to settle: three half-lives, one span."""
        return int(max(3.0 * self.params.half_life_bars, self.params.average_bars)) + 1

    def unavailable(self, data: Available) -> str:
        """Refuse data without the VIX, or without one of the two funds: no stand-in is made up."""
        lacking = [symbol for symbol in self.optional if symbol not in data.symbols]
        return super().unavailable(data) or (f"{lacking[0]} is not in the data" if lacking else "")

    def init(self, n_symbols: int) -> State:
        """Nothing seen, nothing held."""
        return State(
            ewma.init(1), np.full((ewma.OUTPUTS, 1), np.nan), smooth.ema_init(1), np.full(1, np.nan),
            np.zeros(1, dtype=np.bool_), np.zeros(1, dtype=np.int64),
        )  # fmt: skip

    def on_bar(self, ctx: Context) -> Weights | None:
        """Take in the bar; at the session's end see whether to switch, rebalance or mend the hedge."""
        p, state = self.params, ctx.state
        ewma.forget(state.moments, ctx.listed_anew[:1])
        ewma.step(state.moments, ewma.params(p.half_life_bars), ctx.past.ret(1)[0, :1], state.latest)
        if not ctx.last_bar_of_session:
            return None
        vix = ctx.past.indicator(INDICATOR)
        smooth.ema_step(state.average, smooth.ema_params(p.average_bars), vix, state.level)
        if np.isnan(vix[0]) or np.isnan(state.latest[ewma.SECOND, 0]):
            return None
        premium, ratio = variance_premium(vix[0], state.level[0], state.latest[ewma.SECOND, 0], ctx.bars_per_year)
        signal = premium > 0.0 and ratio < p.calm
        for name, value in zip(self.diagnostics, (premium, ratio, float(signal)), strict=True):
            ctx.note(name, value)
        return self._answer(ctx, signal)

    def _answer(self, ctx: Context, signal: bool) -> Weights | None:
        p, state = self.params, ctx.state
        both = bool(ctx.listed[SHORT_VOL] and ctx.listed[TAIL])
        state.absent[0] = 0 if both else state.absent[0] + 1
        if not both and state.absent[0] < DELIST_SESSIONS:
            return None
        on = signal and both
        held = ctx.sleeve.weights
        thin = held[TAIL] < LEAST_HEDGE * held[SHORT_VOL]
        if on == state.holds[0] and not (on and (thin or is_due(ctx, p.rebalance))):
            return None
        state.holds[0] = on
        w = np.zeros(len(ctx.symbols))
        if on:
            w[SHORT_VOL], w[TAIL] = p.size, p.size * p.hedge
        return w


@kernel
def variance_premium(vix: float, average: float, mean_square: float, bars_per_year: float) -> tuple[float, float]:
    """Return the variance premium per year and the VIX over its average.

    vix in percent per year; mean_square of returns per bar.

        (VIX / 100)^2 - bars_per_year * mean_square
    """
    return (vix / 100.0) ** 2 - bars_per_year * mean_square, vix / average
