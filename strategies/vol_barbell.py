"""Equity engine and barbell: TQQQ scaled by volatility and drawdown, short volatility against a tail hedge, cash."""

from typing import ClassVar, Final, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from plimsoll.engine.kernels.estimate import stats
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.linalg import total
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Bools, Floats, Ints, Weights
from plimsoll.strategies.blueprint import (
    NOTES,
    BlueprintParams,
    Layout,
    Slot,
    observe,
    observe_span,
    settle,
    settle_span,
)
from plimsoll.strategies.blueprint_bar import N_NOTES, Book, open_book
from plimsoll.strategies.plan import common_plan, reference_weights
from plimsoll.strategies.reference import percent

ENGINE, SHORT_VOL, TAIL = range(3)

# Volatilities the median can hold: 79 years of sessions. Later ones no longer move it.
MEDIAN_CAPACITY = 20_000

# Places in `State.now`.
SIGMA, PEAK, DRAWDOWN, MULTIPLE, VOL_MULTIPLE, DD_MULTIPLE = range(6)


class State(NamedTuple):
    """book: shared memory. vol: rolling window. past, held: all volatilities so far, sorted. now (6,): last values."""

    book: Book
    vol: stats.StdState
    past: Floats
    held: Ints
    now: Floats


class Triggers(NamedTuple):
    """What the multiple is told of `VolBarbell.Params`."""

    vol_min: float
    soft: float
    hard: float
    floor: float
    step: float


# `State.now` before the first bar.
START: Final = np.array([np.nan, np.nan, 0.0, 1.0, 1.0, 1.0])


class VolBarbell(Strategy):
    """Hold TQQQ by a multiple that falls with volatility and drawdown, a little short volatility, and a tail hedge.

    Needs QQQ, TLT and VIX; SVOL (2021) and TAIL (2017) take part from 60 returns on, until then their weight is cash.
    Fails in slow bears, when the tail hedge does not pay (2022: TAIL -5%, SVOL -15%), and in fast rebounds: cuts are at
    once, the way back takes weeks. Short volatility loses a quarter within days (April 2025), hence its size.

        m = min(m_vol, m_dd), rising by at most `rerisk_step` a bar, falling at once
        m_vol = clip(sigma* / sigma_21, vol_multiple_min, 1), sigma* the median of sigma_21 so far
        m_dd  = 1 down to a drawdown of dd_soft, dd_floor from dd_hard on, 1 - (1 - dd_floor)(3 u^2 - 2 u^3) between
        stress (VIX > 1.2 times its 63-bar mean, or above VIX3M where that is named): SVOL holds no more than TAIL

    Volatility and drawdown are the underlying's: a book that was cut could otherwise never earn its way back. What is
    freed goes to the cash fund. Scalar, limits and bands: `strategies.blueprint`. It holds no duration: the guard's
    state is only noted.

    Source: Moreira & Muir (2017), Volatility-managed portfolios, for the scaling; weights and thresholds are ours.
    """

    class Params(BlueprintParams):
        """Base weights and triggers; what the weights leave to 1 is cash."""

        short_volatility: str = "SVOL"
        tail: str = "TAIL"
        vix_symbol: str = "VIX"
        vix3m_symbol: str | None = None
        weight_engine: float = Field(0.45, gt=0, le=1)
        weight_short_volatility: float = Field(0.10, ge=0, le=1)
        weight_tail: float = Field(0.10, ge=0, le=1)
        vol_bars: int = Field(21, ge=2)
        vol_multiple_min: float = Field(0.25, gt=0, le=1)
        dd_soft: float = Field(0.10, ge=0, lt=1)
        dd_hard: float = Field(0.25, gt=0, le=1)
        dd_floor: float = Field(0.30, ge=0, le=1)
        rerisk_step: float = Field(0.05, gt=0, le=1)
        stress_ratio: float = Field(1.2, gt=0)
        stress_bars: int = Field(63, ge=1)

        @model_validator(mode="after")
        def _consistent(self) -> "VolBarbell.Params":
            if self.weight_engine + self.weight_short_volatility + self.weight_tail > 1.0 + 1e-12:
                raise ValueError("the base weights sum to more than 1")
            if not self.dd_soft < self.dd_hard:
                raise ValueError(f"dd_soft {self.dd_soft:g} is not below dd_hard {self.dd_hard:g}")
            return self

    diagnostics: ClassVar[tuple[str, ...]] = (*NOTES, "multiple", "multiple_vol", "multiple_dd", "stress")
    role = "cyclical"

    def __init__(self, params: StrategyParams | None = None) -> None:
        super().__init__(params)
        p = self.params
        held = (("engine", p.engine), ("short_volatility", p.short_volatility), ("tail", p.tail))
        self.layout = Layout(p, [Slot(name, (symbol,)) for name, symbol in held])
        self.watched, self.full_vol = self.layout.watched, p.risk_target
        self.indicators = (p.vix_symbol,) if p.vix3m_symbol is None else (p.vix_symbol, p.vix3m_symbol)
        self.optional = tuple(dict.fromkeys((p.short_volatility, p.tail, *p.cash_funds, p.bill)))

    @property
    def universe(self) -> tuple[str, ...]:
        """Engine, short volatility, tail hedge, cash funds, then what is only watched."""
        return self.layout.symbols

    @property
    def warmup_bars(self) -> int:
        """Bars until risk, volatility and stress are known."""
        p = self.params
        return int(max(p.min_obs, p.vol_bars, p.stress_bars)) + 1

    def init(self, n_symbols: int) -> State:
        """Nothing seen yet; the engine starts at its full multiple."""
        vol = stats.std_init(stats.std_params(self.params.vol_bars), 1)
        return State(
            open_book(n_symbols, 3), vol, np.full(MEDIAN_CAPACITY, np.inf), np.zeros(1, dtype=np.int64), START.copy()
        )

    def on_bar(self, ctx: Context) -> Weights | None:
        """Take in the bar; answer by schedule and band once the engine trades."""
        p, state, layout = self.params, ctx.state, self.layout
        under, weights, ret, level = self.under, np.full(3, np.nan), ctx.past.ret(1), ctx.past.tr(1)
        day, memory = observe(ctx, state.book, layout), (state.vol, state.past, state.held, state.now)
        if ctx.listed_anew[under]:
            forget(*memory)
        multiple_step(*memory, self.window, ret[0, under], level[0, under], self.triggers)
        if day.present[ENGINE]:
            later = ctx.past.indicator(p.vix3m_symbol)[0] if p.vix3m_symbol else np.nan
            stress = is_stress(ctx.past.indicator(p.vix_symbol, p.stress_bars), p.stress_ratio, later, self.compares)
            weigh(state.now[MULTIPLE], stress, day.present, self.sizes, weights)
            for name, value in zip(self.diagnostics[len(NOTES) :], (*state.now[MULTIPLE:], stress), strict=True):
                ctx.note(name, float(value))
        return settle(ctx, state.book, day, p, layout, weights)

    def scan(self, run: Scan) -> None:
        """Run through the whole span."""
        p, state, under = self.params, run.state, self.under
        path, weights = observe_span(run, state.book, self.layout), np.empty((run.n_bars, 3))
        ret, level = np.ascontiguousarray(run.ret[:, under]), np.ascontiguousarray(run.tr[:, under])
        anew: Bools = np.ascontiguousarray(run.listed_anew[:, under])
        weigh_scan(
            ret, level, anew, run.indicator(p.vix_symbol), run.indicator(p.vix3m_symbol or p.vix_symbol), self.compares,
            p.stress_bars, p.stress_ratio, path.present, self.triggers, self.sizes, self.window,
            state.vol, state.past, state.held, state.now, run.notes, weights,
        )  # fmt: skip
        settle_span(run, state.book, path, p, self.layout, weights)

    @property
    def under(self) -> int:
        """Column of the engine's underlying."""
        return int(self.layout.base[self.layout.engine])

    @property
    def compares(self) -> bool:
        """Whether stress is told by the VIX3M."""
        return self.params.vix3m_symbol is not None

    @property
    def window(self) -> stats.StdParams:
        """Window of the volatility."""
        return stats.std_params(self.params.vol_bars)

    @property
    def triggers(self) -> Triggers:
        """What moves the multiple."""
        p = self.params
        return Triggers(p.vol_multiple_min, p.dd_soft, p.dd_hard, p.dd_floor, p.rerisk_step)

    @property
    def sizes(self) -> Floats:
        """Base weights (3,)."""
        p = self.params
        return np.array([p.weight_engine, p.weight_short_volatility, p.weight_tail])

    def mix(self, multiple: float, stress: bool, hedged: bool = True) -> Floats:
        """Return the slot weights (3,) before the scalar."""
        out = np.empty(3)
        sized(multiple, stress, hedged, self.sizes, out)
        return out

    def implied(self) -> dict[str, str]:
        """Return weights in a reference market, bands and triggers that follow from the parameters."""
        p, names = self.params, [slot.name for slot in self.layout.slots]
        least = min(p.vol_multiple_min, p.dd_floor)
        return {
            "weights, calm": reference_weights(p, names, lambda _: self.mix(1.0, False)),
            "weights, at the least multiple": reference_weights(p, names, lambda _: self.mix(least, True)),
            "engine, by volatility": f"times the median over the present {p.vol_bars}-bar volatility, "
            f"{p.vol_multiple_min:g} to 1",
            "engine, by drawdown": f"cut from {percent(p.dd_soft)} on, to {p.dd_floor:g} at {percent(p.dd_hard)}; "
            f"back by {p.rerisk_step:g} a bar",
            **common_plan(p),
        }


@kernel
def forget(vol: stats.StdState, past: Floats, held: Ints, now: Floats) -> None:
    """Forget what was seen of the underlying: it comes back as a new fund, with another level and its own risk."""
    for i in range(vol.ring.shape[0]):
        vol.ring[i, 0] = np.nan
    for i in range(past.shape[0]):
        past[i] = np.inf
    held[0] = 0
    now[SIGMA] = now[PEAK] = np.nan
    now[DRAWDOWN], now[MULTIPLE], now[VOL_MULTIPLE], now[DD_MULTIPLE] = 0.0, 1.0, 1.0, 1.0


@kernel
def multiple_step(
    vol: stats.StdState, past: Floats, held: Ints, now: Floats, window: stats.StdParams, ret: float, level: float,
    p: Triggers,
) -> None:  # fmt: skip
    """Advance the engine's multiple in now by the underlying's bar: return, total-return level, NaN = no row.

    vol, past, held, now as in `State`, mutated. The volatility is per bar: only its ratio to its median counts.
    """
    one = now[SIGMA : SIGMA + 1]
    one[0] = ret
    stats.std_step(vol, window, one, one)
    if now[SIGMA] > 0.0:
        insert(past, held, now[SIGMA])
        now[VOL_MULTIPLE] = min(max(median(past, held[0]) / now[SIGMA], p.vol_min), 1.0)
    if not np.isnan(level):
        now[PEAK] = level if np.isnan(now[PEAK]) else max(now[PEAK], level)
        now[DRAWDOWN] = 1.0 - level / now[PEAK]
    u = min(max((now[DRAWDOWN] - p.soft) / (p.hard - p.soft), 0.0), 1.0)
    now[DD_MULTIPLE] = 1.0 - (1.0 - p.floor) * (3.0 * u * u - 2.0 * u * u * u)
    now[MULTIPLE] = min(now[VOL_MULTIPLE], now[DD_MULTIPLE], now[MULTIPLE] + p.step)


@kernel
def insert(past: Floats, held: Ints, value: float) -> None:
    """Put value into past[:held[0]], which stays sorted; when it is full the value is left out."""
    n = held[0]
    if n == past.shape[0]:
        return
    at = n
    while at > 0 and past[at - 1] >= value:
        past[at] = past[at - 1]
        at -= 1
    past[at] = value
    held[0] = n + 1


@kernel
def median(past: Floats, n: int) -> float:
    """Return the median of the sorted past[:n]."""
    return float(0.5 * (past[(n - 1) // 2] + past[n // 2]))


@kernel
def is_stress(fear: Floats, ratio: float, later: float, compares: bool) -> bool:
    """Return whether short-dated fear stands out; one that is not known counts as stress.

    fear (n,) the VIX through this bar, NaN = unknown; held against `ratio` times its mean, or, if it compares, against
    the VIX3M of this bar.
    """
    known, n = np.empty(fear.shape[0]), 0
    for value in fear:
        if not np.isnan(value):
            known[n] = value
            n += 1
    if n == 0:
        return True
    last: float = known[n - 1]
    if compares:
        return not last <= later
    return last > ratio * (total(known[:n]) / n)


@kernel
def sized(multiple: float, stress: bool, hedged: bool, sizes: Floats, out: Floats) -> None:
    """Write the slot weights (3,); under stress short volatility holds no more than the tail hedge, if there is one."""
    most = sizes[TAIL] if hedged else 0.0
    out[ENGINE] = sizes[ENGINE] * multiple
    out[SHORT_VOL] = min(sizes[SHORT_VOL], most) if stress else sizes[SHORT_VOL]
    out[TAIL] = sizes[TAIL]


@kernel
def weigh(multiple: float, stress: bool, present: Bools, sizes: Floats, out: Floats) -> None:
    """Write the slot weights (3,) of a bar with an engine, 0 where no fund is present (3,)."""
    sized(multiple, stress, present[TAIL], sizes, out)
    for s in range(3):
        out[s] = out[s] if present[s] else 0.0


@kernel
def weigh_scan(
    ret: Floats, level: Floats, anew: Bools, vix: Floats, later: Floats, compares: bool, bars: int, ratio: float,
    present: Bools, p: Triggers, sizes: Floats, window: stats.StdParams, vol: stats.StdState, past: Floats, held: Ints,
    now: Floats, notes: Floats, out: Floats,
) -> None:  # fmt: skip
    """Run `multiple_step` over all bars and `weigh` at those with an engine; out (T, 3) is NaN without one.

    ret, level, anew (T,) of the underlying; vix, later (T,), looked at over `bars` bars; present (T, 3), notes
    (T, 12).
    """
    for t in range(ret.shape[0]):
        if anew[t]:
            forget(vol, past, held, now)
        multiple_step(vol, past, held, now, window, ret[t], level[t], p)
        if not present[t, ENGINE]:
            out[t, 0] = np.nan
            continue
        stress = is_stress(vix[max(t + 1 - bars, 0) : t + 1], ratio, later[t], compares)
        weigh(now[MULTIPLE], stress, present[t], sizes, out[t])
        for k in range(3):
            notes[t, N_NOTES + k] = now[MULTIPLE + k]
        notes[t, N_NOTES + 3] = 1.0 if stress else 0.0
