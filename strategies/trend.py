"""Time-series momentum: hold what rose over the past year, each at the same risk."""

from typing import Annotated, ClassVar, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from plimsoll.engine.kernels.account.track import Notional, answer, last_rows
from plimsoll.engine.kernels.estimate import ewma
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Bools, Floats, Ints, Weights
from plimsoll.strategies.growth import SLACK, growth
from plimsoll.strategies.schedule import Schedule, due_bars, is_due

# Days a year by which the source annualises variances; the engine's own year of 252 sessions would size 2% larger.
YEAR_DAYS = 261.0

# Rows of a report: symbols that rose, symbols with a signal, gross before the limit, whether the bill was known.
REPORT = 4


class Settings(NamedTuple):
    """What the step is told: `Trend.Params` resolved; bars_per_year is the source's year."""

    fade: ewma.Params
    bars_per_year: float
    vol_per_symbol: float
    short: bool
    max_gross: float


class State(NamedTuple):
    """moments: running EWMA sums; latest (3, K): mean, mean square and variance of returns as of the last bar."""

    moments: ewma.State
    latest: Floats


class Trend(Strategy):
    """Hold what rose over the past year more than bills did, each symbol sized to the same risk.

    Needs a year of daily closes; a symbol takes part once it has the longest lookback. The bill fund is watched, never
    held: over a span it does not cover, returns are taken as they are, not in excess (noted in `bill_known`). Fails
    in sideways markets and at sharp turns (March 2009, spring 2020), and long-flat it misses the short leg of a crisis.

        s_i = mean over lookbacks of sign(R_i - R_bill),   w_i = s_i (vol_per_symbol / sigma_i) / N

    sigma_i^2 = 261 x EWMA of squared demeaned returns, centre of mass 60 bars; N counts all symbols, so the share of
    one without history stays in cash. Long-flat by default: a negative signal counts as 0. The gross exposure is
    scaled down to `max_gross`. Several lookbacks, such as 63, 126 and 252, make the robust variant: its signal moves
    in thirds.

    Source: Moskowitz, Ooi & Pedersen (2012), Time series momentum.
    """

    class Params(StrategyParams):
        """Signal and sizing are the source's; universe and gross limit are chosen for funds without financing."""

        symbols: tuple[str, ...] = Field(
            ("SPY", "EFA", "EEM", "TLT", "IEF", "LQD", "GLD", "SLV", "DBC", "UUP", "VNQ"), min_length=1
        )
        bill: str = "BIL"
        lookbacks_bars: tuple[Annotated[int, Field(ge=2)], ...] = Field((252,), min_length=1)
        vol_per_symbol: float = Field(0.40, gt=0)  # per year
        centre_of_mass_bars: float = Field(60.0, gt=0)
        short: bool = False
        max_gross: float = Field(1.0, gt=0, le=5)
        rebalance: Schedule = "M"

        @model_validator(mode="after")
        def _bill_is_not_held(self) -> "Trend.Params":
            if self.bill in self.symbols:
                raise ValueError(f"the bill fund {self.bill} cannot be held as well")
            return self

    diagnostics: ClassVar[tuple[str, ...]] = ("long_share", "gross_wanted", "bill_known")

    def __init__(self, params: StrategyParams | None = None) -> None:
        super().__init__(params)
        self.optional = self.watched = (self.params.bill,)

    @property
    def universe(self) -> tuple[str, ...]:
        """What may be held, then the bill fund."""
        return (*self.params.symbols, self.params.bill)

    @property
    def warmup_bars(self) -> int:
        """Bars until the oldest symbol has the longest lookback."""
        return int(max(self.params.lookbacks_bars)) + 1

    def init(self, n_symbols: int) -> State:
        """No returns seen yet."""
        return State(ewma.init(n_symbols), np.full((ewma.OUTPUTS, n_symbols), np.nan))

    def on_bar(self, ctx: Context) -> Weights | None:
        """Take in the bar's returns; answer on the schedule once any symbol has a signal."""
        p, state, settings = self.params, ctx.state, self.settings(ctx.bars_per_year)
        ewma.forget(state.moments, ctx.listed_anew)
        ewma.step(state.moments, settings.fade, ctx.past.ret(1)[0], state.latest)
        if not is_due(ctx, p.rebalance):
            return None
        w, report = np.zeros(len(ctx.symbols)), np.zeros(REPORT)
        level = ctx.past.tr(max(p.lookbacks_bars) + SLACK)
        if not trend_weights(level, self.horizons, ctx.listed, state.latest[ewma.CENTRAL], settings, report, w):
            return None
        ctx.note("long_share", report[0] / report[1])
        ctx.note("gross_wanted", report[2])
        ctx.note("bill_known", report[3])
        return w

    def scan(self, run: Scan) -> None:
        """Run through the whole span."""
        scan(
            run.ret, run.tr, run.listed, run.listed_anew, due_bars(run.clock, self.params.rebalance), self.horizons,
            self.settings(run.clock.bars_per_year), run.state, run.notes, run.notional,
        )  # fmt: skip

    @property
    def horizons(self) -> Ints:
        """The lookbacks in bars."""
        return np.array(self.params.lookbacks_bars)

    def settings(self, bars_per_year: float) -> Settings:
        """Return what the step is told."""
        p = self.params
        fade = ewma.params(centre_of_mass=p.centre_of_mass_bars)
        return Settings(fade, YEAR_DAYS * bars_per_year / 252.0, p.vol_per_symbol, p.short, p.max_gross)


@kernel
def scan(
    ret: Floats, level: Floats, listed: Bools, anew: Bools, due: Bools, horizons: Ints, p: Settings, state: State,
    notes: Floats, notional: Notional,
) -> None:  # fmt: skip
    """Take in every bar's returns; `trend_weights` on the bars that are due (T,). notes (T, 3)."""
    w, report = np.zeros(ret.shape[1]), np.zeros(REPORT)
    longest = 0
    for horizon in horizons:
        longest = max(longest, horizon)
    for t in range(ret.shape[0]):
        ewma.forget(state.moments, anew[t])
        ewma.step(state.moments, p.fade, ret[t], state.latest)
        if not due[t]:
            continue
        window = last_rows(level, t, longest + SLACK, notional)
        if trend_weights(window, horizons, listed[t], state.latest[ewma.CENTRAL], p, report, w):
            notes[t, 0] = report[0] / report[1]
            notes[t, 1] = report[2]
            notes[t, 2] = report[3]
            if not answer(t, w, notional):
                return


@kernel
def trend_weights(
    level: Floats, horizons: Ints, listed: Bools, variance: Floats, p: Settings, report: Floats, w: Floats
) -> bool:
    """Write the target weights (K,), the bill fund last with weight 0.

    level (n, K) total-return index, n >= longest horizon + SLACK; variance (K,) per bar. report (4,) receives the
    number of rising symbols, the number with a signal, the gross before the limit, and whether the bill was known.
    Returns False where no symbol has a signal.
    """
    last = w.shape[0] - 1
    rising, known, gross = 0, 0, 0.0
    bill_known = True
    for i in range(last):
        w[i] = 0.0
        if not listed[i]:
            continue
        signal = 0.0
        for horizon in horizons:
            bill = growth(level, last, horizon)
            bill_known = bill_known and not np.isnan(bill)
            signal += np.sign(growth(level, i, horizon) - (0.0 if np.isnan(bill) else bill)) / horizons.shape[0]
        sigma = np.sqrt(variance[i] * p.bars_per_year)
        if np.isnan(signal) or not sigma > 0.0:
            continue
        known += 1
        rising += 1 if signal > 0.0 else 0
        if signal > 0.0 or p.short:
            w[i] = signal * p.vol_per_symbol / sigma
    w[last] = 0.0
    for i in range(last):
        w[i] /= last
        gross += abs(w[i])
    for i in range(last):
        w[i] *= min(1.0, p.max_gross / gross) if gross > 0.0 else 1.0
    report[0], report[1], report[2], report[3] = rising, known, gross, (1.0 if bill_known else 0.0)
    return known > 0
