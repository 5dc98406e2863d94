"""Four quadrants of growth and inflation, read from prices, and the two funds that suit each."""

from typing import ClassVar, Final, NamedTuple

import numpy as np
from pydantic import Field

from plimsoll.engine.kernels.account.track import Notional, answer, last_rows
from plimsoll.engine.kernels.estimate import smooth
from plimsoll.engine.kernels.estimate.window_stats import window_std
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Bools, Floats, Weights
from plimsoll.strategies.growth import SLACK, growth
from plimsoll.strategies.schedule import Schedule, due_bars, is_due

INDICATOR: Final = "VIX"

# Places in the universe: four that may be held, five that are only watched.
STOCKS, DURATION, GOLD, COMMODITIES, LINKERS, NOMINALS, JUNK, GRADE, BILL = range(9)

# Places in a reading.
GROWTH, INFLATION, STRESS, CREDIT, RISK_OFF, CONFIDENCE, READING = range(7)

# Relative distance of the VIX from its average that counts as one standard deviation of stress.
VIX_SCALE: Final = 0.2


class Rules(NamedTuple):
    """What the kernels need of the parameters."""

    bars: int
    credit_bars: int
    alarm: float
    risk_off_scale: float


class State(NamedTuple):
    """average: running VIX average; level (1,): its value."""

    average: smooth.EmaState
    level: Floats


class MacroRegime(Strategy):
    """Hold the two funds that suit the quadrant of growth and inflation, at half size when risk is off.

    Needs a year of closes and the VIX. Growth is up if stocks beat bills over twelve months, inflation if
    inflation-linked bonds beat nominal ones; risk is off if the VIX stands above its average and junk bonds lag
    investment grade over 63 days. Long only.

        growth up,   inflation down   stocks, long bonds          growth up,   inflation up   stocks, commodities
        growth down, inflation down   long bonds, gold            growth down, inflation up   gold, commodities

    Watched funds that the data lack are left out: no bill fund, returns are not in excess; no junk or investment-grade
    fund, the VIX alone decides. A fund not yet listed leaves its half to the other one. Fails at turns shorter than a
    year, and when the quadrant is right but priced.

    `confidence` = |mean of z-scores| clipped to 1, over growth, inflation, less stress, credit: twelve-month gaps in
    yearly standard deviations, the VIX in fifths of its average.

    Source: Faber (2007) for the trend filter; the quadrants are the usual four. Bounds and scales are ours.
    """

    class Params(StrategyParams):
        """The nine funds by what they stand for, the lookbacks, the risk filter."""

        stocks: str = "SPY"
        duration: str = "TLT"
        gold: str = "GLD"
        commodities: str = "DBC"
        linkers: str = "TIP"
        nominals: str = "IEF"
        junk: str = "HYG"
        grade: str = "LQD"
        bill: str = "BIL"
        lookback_bars: int = Field(252, ge=21)
        credit_bars: int = Field(63, ge=5)
        average_bars: float = Field(50.0, ge=1)  # span of the VIX average, alpha = 2 / (span + 1)
        alarm: float = Field(1.1, gt=0)  # VIX over its average from which on it counts against risk
        risk_off_scale: float = Field(0.5, ge=0, le=1)
        rebalance: Schedule = "M"

    indicators = (INDICATOR,)
    diagnostics: ClassVar[tuple[str, ...]] = ("growth", "inflation", "vix_ratio", "credit", "risk_off", "confidence")

    def __init__(self, params: StrategyParams | None = None) -> None:
        super().__init__(params)
        self.optional = (self.params.junk, self.params.grade, self.params.bill)
        self.watched = self.universe[LINKERS:]

    @property
    def universe(self) -> tuple[str, ...]:
        """The four that may be held, then the five that are watched."""
        p = self.params
        return (p.stocks, p.duration, p.gold, p.commodities, p.linkers, p.nominals, p.junk, p.grade, p.bill)

    @property
    def warmup_bars(self) -> int:
        """Bars until the oldest fund has the lookback."""
        return int(max(self.params.lookback_bars, self.params.credit_bars)) + 1

    def init(self, n_symbols: int) -> State:
        """No VIX seen yet."""
        return State(smooth.ema_init(1), np.full(1, np.nan))

    def on_bar(self, ctx: Context) -> Weights | None:
        """Take in the VIX; answer on the schedule once growth and inflation are known."""
        p, state = self.params, ctx.state
        vix = ctx.past.indicator(INDICATOR)
        smooth.ema_step(state.average, smooth.ema_params(p.average_bars), vix, state.level)
        if not is_due(ctx, p.rebalance):
            return None
        reading, w = np.empty(READING), np.empty(len(ctx.symbols))
        level, ret = ctx.past.tr(max(p.lookback_bars, p.credit_bars) + SLACK), ctx.past.ret(p.lookback_bars)
        known = step(level, ret, vix[0] / state.level[0], ctx.listed, self.rules, reading, w)
        for name, value in zip(self.diagnostics, reading, strict=True):
            ctx.note(name, value)
        return w if known else None

    def scan(self, run: Scan) -> None:
        """Run through the whole span."""
        p, state = self.params, run.state
        scan(
            run.tr, run.ret, run.indicator(INDICATOR), run.listed, due_bars(run.clock, p.rebalance),
            smooth.ema_params(p.average_bars), self.rules, state.average, state.level, run.notes, run.notional,
        )  # fmt: skip

    @property
    def rules(self) -> Rules:
        """What the kernels are told."""
        p = self.params
        return Rules(p.lookback_bars, p.credit_bars, p.alarm, p.risk_off_scale)


@kernel
def step(level: Floats, ret: Floats, vix_ratio: float, listed: Bools, rules: Rules, reading: Floats, w: Floats) -> bool:
    """Write the reading (6,) and the target weights (9,) of one bar; False while a part of the quadrant is not known.

    level (n, 9), n >= longest lookback + SLACK; ret (bars, 9).
    """
    work = np.empty((2, w.shape[0]))
    read_regime(level, ret, rules.bars, rules.credit_bars, vix_ratio, rules.alarm, work, reading)
    if np.isnan(reading[GROWTH]) or np.isnan(reading[INFLATION]) or np.isnan(reading[RISK_OFF]):
        return False
    quadrant_weights(reading, rules.risk_off_scale, listed, w)
    return True


@kernel
def scan(
    level: Floats, ret: Floats, vix: Floats, listed: Bools, due: Bools, fade: smooth.EmaParams, rules: Rules,
    average: smooth.EmaState, mean: Floats, notes: Floats, notional: Notional,
) -> None:  # fmt: skip
    """Take in the VIX (T,) of every bar; `step` on those that are due (T,). Series (T, 9), notes (T, 6)."""
    w, n = np.empty(ret.shape[1]), max(rules.bars, rules.credit_bars) + SLACK
    for t in range(ret.shape[0]):
        smooth.ema_step(average, fade, vix[t : t + 1], mean)
        if not due[t]:
            continue
        levels, returns = last_rows(level, t, n, notional), last_rows(ret, t, rules.bars, notional)
        if step(levels, returns, vix[t] / mean[0], listed[t], rules, notes[t], w) and not answer(t, w, notional):
            return


@kernel
def read_regime(
    level: Floats, ret: Floats, bars: int, credit_bars: int, vix_ratio: float, alarm: float, work: Floats,
    reading: Floats,
) -> None:  # fmt: skip
    """Write growth, inflation, VIX ratio, credit, risk-off and confidence to reading (6,), NaN = not known.

    level (n, 9) total-return index, n >= longest lookback + SLACK; ret (bars, 9); work (2, 9) is overwritten.
    """
    sigma, gained = work[0], work[1]
    for i in range(gained.shape[0]):
        gained[i] = growth(level, i, credit_bars if i in (JUNK, GRADE) else bars)
    reading[GROWTH] = gained[STOCKS] - (0.0 if np.isnan(gained[BILL]) else gained[BILL])
    reading[INFLATION] = gained[LINKERS] - gained[NOMINALS]
    reading[STRESS] = vix_ratio
    reading[CREDIT] = gained[JUNK] - gained[GRADE]
    calm_credit = reading[CREDIT] >= 0.0  # False where it is not known
    reading[RISK_OFF] = np.nan if np.isnan(vix_ratio) else (1.0 if vix_ratio > alarm and not calm_credit else 0.0)
    window_std(ret, ret.shape[0] // 2, sigma)
    years = np.sqrt(bars)
    total, count = 0.0, 0
    for z in (
        reading[GROWTH] / (sigma[STOCKS] * years),
        reading[INFLATION] / (gap_std(ret, LINKERS, NOMINALS) * years),
        (1.0 - vix_ratio) / VIX_SCALE,
        reading[CREDIT] / (gap_std(ret, JUNK, GRADE) * np.sqrt(credit_bars)),
    ):
        if np.isfinite(z):
            total += z
            count += 1
    reading[CONFIDENCE] = min(abs(total / count), 1.0) if count > 0 else np.nan


@kernel
def gap_std(ret: Floats, i: int, j: int) -> float:
    """Return the sample standard deviation (ddof 1) of the difference of two columns over their common known rows."""
    count, total = 0, 0.0
    for t in range(ret.shape[0]):
        gap = ret[t, i] - ret[t, j]
        if not np.isnan(gap):
            count += 1
            total += gap
    squares = 0.0
    for t in range(ret.shape[0]):
        gap = ret[t, i] - ret[t, j]
        if not np.isnan(gap):
            squares += (gap - total / count) ** 2
    return np.sqrt(squares / (count - 1)) if count > 1 else np.nan


@kernel
def quadrant_weights(reading: Floats, risk_off_scale: float, listed: Bools, w: Floats) -> None:
    """Write the weights (9,) of the reading's quadrant: halves of the two funds, all to one if the other is unlisted.

    Nothing listed leaves cash.
    """
    up, hot = reading[GROWTH] > 0.0, reading[INFLATION] > 0.0
    first = STOCKS if up else GOLD
    second = COMMODITIES if hot else DURATION
    for i in range(w.shape[0]):
        w[i] = 0.0
    size = risk_off_scale if reading[RISK_OFF] == 1.0 else 1.0
    both = listed[first] and listed[second]
    if listed[first]:
        w[first] = 0.5 * size if both else size
    if listed[second]:
        w[second] = 0.5 * size if both else size
