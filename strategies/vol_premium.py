"""Volatility risk premium: a small short-volatility position, always hedged, while the premium is being paid."""

from typing import ClassVar, Final, NamedTuple

import numpy as np
from pydantic import Field

from plimsoll.engine.kernels.account.track import Notional, drift, take
from plimsoll.engine.kernels.derive import DELIST_SESSIONS
from plimsoll.engine.kernels.estimate import ewma, smooth
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Available, Context, Strategy, StrategyParams
from plimsoll.engine.types import Bools, Floats, Ints, Weights
from plimsoll.strategies.schedule import Schedule, due_bars, is_due

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


class Rules(NamedTuple):
    """What the kernels need of the parameters; hedge: of equity."""

    fade: ewma.Params
    average: smooth.EmaParams
    bars_per_year: float
    calm: float
    size: float
    hedge: float


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
        w, note = np.empty(len(ctx.symbols)), np.empty(len(self.diagnostics))
        moved = step(
            ctx.past.ret(1)[0], ctx.listed_anew, ctx.past.indicator(INDICATOR), ctx.listed, ctx.last_bar_of_session,
            is_due(ctx, self.params.rebalance), ctx.sleeve.weights, self.rules(ctx.bars_per_year), ctx.state, note, w,
        )  # fmt: skip
        for name, value in zip(self.diagnostics, note, strict=True):
            ctx.note(name, value)
        return w if moved else None

    def scan(self, run: Scan) -> None:
        """Run through the whole span."""
        clock = run.clock
        scan(
            run.ret, run.listed_anew, run.indicator(INDICATOR), run.listed, clock.last_bar,
            due_bars(clock, self.params.rebalance), self.rules(clock.bars_per_year), run.state, run.notes, run.notional,
        )  # fmt: skip

    def rules(self, bars_per_year: float) -> Rules:
        """Return what the kernels are told."""
        p = self.params
        return Rules(
            ewma.params(p.half_life_bars), smooth.ema_params(p.average_bars), bars_per_year, p.calm, p.size,
            p.size * p.hedge,
        )  # fmt: skip


@kernel
def step(
    ret: Floats, anew: Bools, vix: Floats, listed: Bools, ends: bool, due: bool, held: Floats, p: Rules, state: State,
    note: Floats, w: Floats,
) -> bool:  # fmt: skip
    """Take in one bar; True if weights (3,) are to be answered. Mutates state.

    ret, anew, listed (3,), vix (1,), held (3,) drifted weights; ends: the session closes with this bar. note (3,)
    receives premium, ratio and signal, NaN where the VIX or the returns are not known yet.
    """
    note[0] = note[1] = note[2] = np.nan
    ewma.forget(state.moments, anew[: STOCKS + 1])
    ewma.step(state.moments, p.fade, ret[: STOCKS + 1], state.latest)
    if not ends:
        return False
    smooth.ema_step(state.average, p.average, vix, state.level)
    if np.isnan(vix[0]) or np.isnan(state.latest[ewma.SECOND, 0]):
        return False
    note[0], note[1] = variance_premium(vix[0], state.level[0], state.latest[ewma.SECOND, 0], p.bars_per_year)
    signal = note[0] > 0.0 and note[1] < p.calm
    note[2] = 1.0 if signal else 0.0
    both = listed[SHORT_VOL] and listed[TAIL]
    state.absent[0] = 0 if both else state.absent[0] + 1
    if not both and state.absent[0] < DELIST_SESSIONS:
        return False
    on = signal and both
    thin = held[TAIL] < LEAST_HEDGE * held[SHORT_VOL]
    if on == state.holds[0] and not (on and (thin or due)):
        return False
    state.holds[0] = on
    w[STOCKS], w[SHORT_VOL], w[TAIL] = 0.0, p.size if on else 0.0, p.hedge if on else 0.0
    return True


@kernel
def scan(
    ret: Floats, anew: Bools, vix: Floats, listed: Bools, ends: Bools, due: Bools, p: Rules, state: State,
    notes: Floats, notional: Notional,
) -> None:  # fmt: skip
    """Run `step` over all bars; series (T, 3), vix, ends, due (T,), notes (T, 3)."""
    w = np.empty(ret.shape[1])
    for t in range(ret.shape[0]):
        drift(t, notional)
        if step(
            ret[t], anew[t], vix[t : t + 1], listed[t], ends[t], due[t], notional.weight, p, state, notes[t], w
        ) and not take(t, w, notional):
            return


@kernel
def variance_premium(vix: float, average: float, mean_square: float, bars_per_year: float) -> tuple[float, float]:
    """Return the variance premium per year and the VIX over its average.

    vix in percent per year; mean_square of returns per bar.

        (VIX / 100)^2 - bars_per_year * mean_square
    """
    return (vix / 100.0) ** 2 - bars_per_year * mean_square, vix / average
