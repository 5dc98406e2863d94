"""Hierarchical Adaptive v2.5: a Kalman trend overlay on QQQ, carried by QQQ, TQQQ, SQQQ and cash."""

from itertools import pairwise
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from plimsoll.engine.kernels.estimate import kalman, kalman_preset, smooth, stats
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Weights
from plimsoll.strategies import exposure, overlay_step
from plimsoll.strategies.overlay_range import refuse_outside
from plimsoll.strategies.overlay_step import CLOSE, DRAWDOWN, HIGH, LOW, RETURN, SCALE, VIX, VOLUME, Settings, State

_WORDS = ("mode", "dd_gate", "dd_anchor")


class KalmanOverlay(Strategy):
    """Ride QQQ at -0.3 to 1.8 times by an adaptive Kalman trend, tempered by volatility, VIX and drawdown.

    Needs split-adjusted closes and volumes of the signal symbol and VIX; the 3x funds may list later: until then
    exposure stays within [0, 1]. VIX unknown on a session: the last ratio stands. Fails in trendless years, when the
    overlay pays for its turns, and in gaps, because everything is decided on closes. It trades all legs when one is
    more than `rebalance_threshold` off its drifted weight; its drawdown is that of its own notional portfolio.

    `literal` (the default) is the source as written, and the source contradicts itself. Net short cannot happen:
    within its own ranges exposure lies in [0.40, 1.80], so SQQQ, e_short and w_sqqq_max are dead. A drawdown raises
    exposure whenever it stands below e_min, and high volatility or VIX pulls a bearish 0.6 up towards 1, although its
    prose forbids both. e_max 1.8 takes 40% TQQQ, its section 7.2 allows 20-30%. `derisk` does what the prose says:
    modulators and governor only ever reduce, and a strong downtrend in a drawdown goes net short. `run139`
    (config/kalman_overlay_run139.toml) reconstructs the best published run of v2.0, which consumed the trend strength
    without its sign, so that no bear was ever seen; no return of it was published.

    Source: "Hierarchical Adaptive v2.5: Asymmetric Long/Short Kalman Overlay"; the filter: see
    `engine.kernels.estimate.kalman`.
    """

    class Params(StrategyParams):
        """Section 8 of the source; a value outside its published range needs `allow_outside_ranges`."""

        signal_symbol: str = "QQQ"
        core_long_symbol: str = "QQQ"
        leveraged_long_symbol: str = "TQQQ"
        leveraged_short_symbol: str = "SQQQ"
        vix_symbol: str = "VIX"
        mode: Literal["literal", "derisk"] = "literal"
        trend: Literal["canonical", "zeiierman", "jutsu_v25_unsigned", "jutsu_signed_double"] = "canonical"
        price: Literal["split", "tr"] = "split"  # what the filter follows; volumes are split-adjusted either way
        process_noise_1: float = Field(0.01, ge=0)
        process_noise_2: float = Field(0.01, ge=0)
        measurement_noise: float = Field(2000.0, gt=0)
        osc_smoothness: int = Field(15, ge=1)
        strength_smoothness: int = Field(15, ge=1)
        noise_model: Literal["standard", "volume", "parkinson"] = "volume"
        norm_lookback: int = Field(252, ge=1)
        norm_min: int = Field(60, ge=1)
        t_max: float = Field(60.0, gt=0)
        k_long: float = Field(0.45, ge=0)
        k_short: float = Field(0.30, ge=0)
        e_min: float = Field(0.70, ge=-1, le=2)
        e_short: float = Field(-0.30, ge=-3, le=1)
        e_max: float = Field(1.80, ge=1, le=3)
        sigma_lookback: int = Field(20, ge=2)
        sigma_target_multiplier: float = Field(0.90, gt=0)
        sigma_base: float | None = Field(None, gt=0)  # None: expanding, from 252 observations on
        s_vol_min: float = Field(0.50, gt=0, le=1)
        s_vol_max: float = Field(1.50, ge=1)
        vix_ema_period: int = Field(50, ge=1)
        alpha_vix: float = Field(1.0, ge=0)
        dd_soft: float = Field(0.08, ge=0, lt=1)
        dd_hard: float = Field(0.22, gt=0, le=1)
        p_min: float = Field(0.0, ge=0, le=1)
        dd_gate: Literal["always", "bear_only"] = "always"  # bear_only: the governor sleeps while the trend is >= 0
        dd_anchor: Literal["e_min", "one"] = "e_min"  # where the governor pulls to; "one" was v2.0
        w_sqqq_max: float = Field(0.25, ge=0, le=1)
        w_tqqq_max: float = Field(0.40, ge=0, le=1)  # derisk
        t_short: float = Field(0.50, ge=0, lt=1)  # derisk: normalised downtrend beyond which it may go short
        rebalance_threshold: float = Field(0.025, ge=0, lt=1)
        allow_outside_ranges: bool = False

        @model_validator(mode="after")
        def _consistent(self) -> "KalmanOverlay.Params":
            if not self.dd_soft < self.dd_hard:
                raise ValueError(f"dd_soft {self.dd_soft:g} is not below dd_hard {self.dd_hard:g}")
            if not self.e_short <= self.e_min <= self.e_max:
                raise ValueError("e_short <= e_min <= e_max does not hold")
            if self.e_short > 1.0 - self.k_short:
                raise ValueError(f"e_short {self.e_short:g} exceeds 1 - k_short: the trend tier alone would break it")
            if not self.allow_outside_ranges:
                refuse_outside(self.model_dump())
            return self

    diagnostics: ClassVar[tuple[str, ...]] = (
        "trend_strength", "sigma_real", "sigma_base", "vix_ratio", "exposure",
        "t_norm", "e_trend", "e_vol", "e_vix", "e_dd", "drawdown",
    )  # fmt: skip
    role = "cyclical"

    def __init__(self, params: "KalmanOverlay.Params | None" = None) -> None:
        super().__init__(params)
        self.indicators = (self.params.vix_symbol,)
        self.optional = (self.params.leveraged_long_symbol, self.params.leveraged_short_symbol)
        self.watched = self.universe[3:]
        self.settings = settings(self.params)

    @property
    def universe(self) -> tuple[str, ...]:
        """Index fund, 3x fund, -3x fund, and the signal symbol where it is another one."""
        p = self.params
        legs = (p.core_long_symbol, p.leveraged_long_symbol, p.leveraged_short_symbol)
        return legs if p.signal_symbol in legs else (*legs, p.signal_symbol)

    @property
    def warmup_bars(self) -> int:
        """Bars until the trend strength exists."""
        f = self.settings.filter
        return f.norm_min + f.osc + (0 if f.single else f.strength - 1)

    def init(self, n_symbols: int) -> State:
        """Estimators before the first bar."""
        return overlay_step.init(self.settings)

    def on_bar(self, ctx: Context) -> Weights | None:
        """Advance every tier by one bar; answer where a leg is too far from its target."""
        p, state, past = self.params, ctx.state, ctx.past
        j = ctx.symbols.index(p.signal_symbol)
        if ctx.listed_anew[j]:
            overlay_step.forget(state, self.settings)
        seen = state.seen
        seen[CLOSE] = (past.close(1) if p.price == "split" else past.tr(1))[0, j]
        seen[HIGH], seen[LOW] = past.high(1)[0, j], past.low(1)[0, j]
        seen[VOLUME], seen[RETURN] = past.volume(1)[0, j], past.ret(1)[0, j]
        seen[VIX] = past.indicator(p.vix_symbol)[0]
        seen[DRAWDOWN], seen[SCALE] = -ctx.sleeve.drawdown, np.sqrt(ctx.bars_per_year)
        moved = overlay_step.step(state, self.settings, ctx.listed, ctx.sleeve.weights)
        for name, value in zip(self.diagnostics, (*state.shown, *state.tier[:5], seen[DRAWDOWN]), strict=True):
            ctx.note(name, value)
        if not moved:
            return None
        answer = np.zeros(len(ctx.symbols))
        answer[:3] = state.target
        return answer

    def scan(self, run: Scan) -> None:
        """Run through the whole span."""
        p, j = self.params, run.symbols.index(self.params.signal_symbol)
        price = run.close if p.price == "split" else run.tr
        anew = [int(t) for t in np.flatnonzero(run.listed_anew[:, j])]
        for first, stop in pairwise([0, *anew, run.n_bars]):
            if first in anew:
                overlay_step.forget(run.state, self.settings)
            if not overlay_step.scan(
                first, stop, price, run.high, run.low, run.volume, run.indicator(p.vix_symbol), run.listed, j,
                np.sqrt(run.clock.bars_per_year), self.settings, run.state, run.notes, run.notional,
            ):  # fmt: skip
                return


def settings(p: KalmanOverlay.Params) -> Settings:
    """Return what the step is told, from validated parameters."""
    names = set(type(p).model_fields) - set(_WORDS)
    return Settings(
        filter=filter_settings(p),
        vol=stats.std_params(p.sigma_lookback),
        vix=smooth.ema_params(p.vix_ema_period),
        tiers=exposure.Tiers(
            mode=exposure.DERISK if p.mode == "derisk" else exposure.LITERAL,
            dd_gate=exposure.BEAR_ONLY if p.dd_gate == "bear_only" else exposure.ALWAYS,
            dd_anchor=exposure.TO_ONE if p.dd_anchor == "one" else exposure.TO_E_MIN,
            lambda_vol=p.sigma_target_multiplier,
            **{name: getattr(p, name) for name in exposure.Tiers._fields if name in names},
        ),
        sigma_base=np.nan if p.sigma_base is None else p.sigma_base,
        threshold=p.rebalance_threshold,
    )


def filter_settings(p: KalmanOverlay.Params) -> kalman.Params:
    """Return the filter's settings; the presets other than the canonical one fix everything but noise and averages."""
    noise, osc, strength = p.measurement_noise, p.osc_smoothness, p.strength_smoothness
    if p.trend == "zeiierman":
        return kalman_preset.zeiierman(p.noise_model, noise=noise, osc=osc, strength=strength)
    if p.trend == "jutsu_v25_unsigned":
        return kalman_preset.jutsu_v25_unsigned(noise=noise, osc=osc, strength=strength)
    if p.trend == "jutsu_signed_double":
        return kalman_preset.jutsu_signed_double(noise=noise, osc=osc, strength=strength)
    return kalman_preset.canonical(
        p.noise_model,
        q_level=p.process_noise_1,
        q_slope=p.process_noise_2,
        noise=noise,
        norm_lookback=p.norm_lookback,
        norm_min=p.norm_min,
        osc=osc,
        strength=strength,
    )
