"""Level-61: regime-aware, volatility-targeted risk parity."""

from typing import ClassVar, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from plimsoll.engine.kernels.account.track import Notional, answer, last_rows
from plimsoll.engine.kernels.estimate.window_stats import basket_stats, portfolio_variance, window_std
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Bools, Floats, Weights
from plimsoll.strategies.inverse_vol import inverse_vol_weights
from plimsoll.strategies.schedule import Schedule, due_bars, is_due


class Settings(NamedTuple):
    """What the step is told: `RegimeRiskParity.Params` resolved."""

    min_obs: int
    bars_per_year: float
    vol_target: float
    max_leverage: float
    risk_off_vol: float
    risk_off_mom: float
    shrink: float
    exit_vol: float
    exit_mom: float


class State(NamedTuple):
    """regime (3,): risk_off, eq_vol_ann and eq_cum_ret of the last rebalance, NaN before the first."""

    regime: Floats


class RegimeRiskParity(Strategy):
    """Inverse volatility, turned to the defensives when equities break, levered to a volatility target.

    Needs daily closes; an asset takes part from `min_obs` returns on. Fails when stocks and bonds fall together
    (2022), because the defensive leg is duration, and in V-shaped crashes, because 60 sessions turn late.

        base    w_i = (1/sigma_i) / sum_j (1/sigma_j), sigma over the last `lookback_bars` returns
        regime  risk-off iff the equal-weight risky basket has sigma > risk_off_vol or return < risk_off_mom
        overlay risky weights times `risk_off_shrink`; what is freed goes to the defensives in proportion
        target  leverage = min(max_leverage, vol_target / sqrt(w' Sigma w))

    Source: "Level-61: Regime-Aware Volatility-Targeted Risk-Parity Portfolio", mended: decisions on the month's last
    session by the exchange calendar, none lost; no asset truncates another's history.
    """

    class Params(StrategyParams):
        """Defaults are the source's; its cost and dates live in the run's configuration."""

        risky: tuple[str, ...] = ("SPY", "QQQ", "IWM", "EFA", "EEM")
        defensive: tuple[str, ...] = ("TLT", "LQD", "GLD")
        lookback_bars: int = Field(60, ge=4)
        min_obs: int | None = Field(None, ge=2)  # None = lookback_bars // 2
        rebalance: Schedule = "M"
        vol_target: float = Field(0.10, gt=0, le=1)
        max_leverage: float = Field(2.0, gt=0, le=5)
        risk_off_vol: float = Field(0.25, gt=0)
        risk_off_mom: float = Field(-0.10, gt=-1, lt=1)
        risk_off_shrink: float = Field(0.5, ge=0, le=1)
        hysteresis: bool = False  # once risk-off, stay so until both exit thresholds are met
        exit_vol: float = Field(0.22, gt=0)
        exit_mom: float = Field(-0.05, gt=-1, lt=1)

        @model_validator(mode="after")
        def _consistent(self) -> "RegimeRiskParity.Params":
            if not self.risky and not self.defensive:
                raise ValueError("risky and defensive are both empty")
            if both := set(self.risky) & set(self.defensive):
                raise ValueError(f"{min(both)} is both risky and defensive")
            if self.min_obs is not None and self.min_obs > self.lookback_bars:
                raise ValueError(f"min_obs {self.min_obs} exceeds lookback_bars {self.lookback_bars}")
            if self.hysteresis and (self.exit_vol > self.risk_off_vol or self.exit_mom < self.risk_off_mom):
                raise ValueError("the exit thresholds must lie inside the entry thresholds")
            return self

    diagnostics: ClassVar[tuple[str, ...]] = ("risk_off", "eq_vol_ann", "eq_cum_ret")

    def __init__(self, params: StrategyParams | None = None) -> None:
        super().__init__(params)
        self.full_gross, self.full_vol = self.params.max_leverage, self.params.vol_target

    @property
    def universe(self) -> tuple[str, ...]:
        """Risky assets, then defensives."""
        return (*self.params.risky, *self.params.defensive)

    @property
    def min_obs(self) -> int:
        """Returns an asset needs to take part."""
        return int(self.params.min_obs or self.params.lookback_bars // 2)

    @property
    def warmup_bars(self) -> int:
        """Bars until `min_obs` returns exist."""
        return self.min_obs + 1

    def init(self, n_symbols: int) -> State:
        """No regime yet."""
        return State(np.full(3, np.nan))

    def on_bar(self, ctx: Context) -> Weights | None:
        """Answer on the schedule once any asset has history; the regime in force is noted every session."""
        w, found = np.zeros(len(ctx.symbols)), False
        if is_due(ctx, self.params.rebalance):
            window = ctx.past.ret(self.params.lookback_bars)
            found = level61(window, ctx.listed, self.is_risky, self.settings(ctx.bars_per_year), ctx.state.regime, w)
        for name, value in zip(self.diagnostics, ctx.state.regime, strict=True):
            ctx.note(name, value)
        return w if found else None

    def scan(self, run: Scan) -> None:
        """Run through the whole span."""
        scan(
            run.ret, run.listed, self.is_risky, due_bars(run.clock, self.params.rebalance), self.params.lookback_bars,
            self.settings(run.clock.bars_per_year), run.state.regime, run.notes, run.notional,
        )  # fmt: skip

    @property
    def is_risky(self) -> Bools:
        """(K,) which symbols of the universe are risky."""
        return np.arange(len(self.universe)) < len(self.params.risky)

    def settings(self, bars_per_year: float) -> Settings:
        """Return what the step is told; without hysteresis the exit thresholds are those of the entry."""
        p = self.params
        return Settings(
            self.min_obs, bars_per_year, p.vol_target, p.max_leverage, p.risk_off_vol, p.risk_off_mom,
            p.risk_off_shrink, p.exit_vol if p.hysteresis else p.risk_off_vol,
            p.exit_mom if p.hysteresis else p.risk_off_mom,
        )  # fmt: skip


@kernel
def scan(
    ret: Floats, listed: Bools, risky: Bools, due: Bools, lookback: int, p: Settings, regime: Floats, notes: Floats,
    notional: Notional,
) -> None:  # fmt: skip
    """Run `level61` on the bars that are due (T,); notes (T, 3) get the regime in force at every bar."""
    w = np.zeros(ret.shape[1])
    for t in range(ret.shape[0]):
        found = due[t] and level61(last_rows(ret, t, lookback, notional), listed[t], risky, p, regime, w)
        for k in range(regime.shape[0]):
            notes[t, k] = regime[k]
        if found and not answer(t, w, notional):
            return


@kernel
def level61(window: Floats, listed: Bools, risky: Bools, p: Settings, regime: Floats, w: Floats) -> bool:
    """Write the target weights (K,) from a window of returns (n, K); False if no asset has history yet.

    listed, risky (K,) masks; regime (3,) is read for hysteresis and written.
    """
    window_std(window, p.min_obs, w)
    known = False
    for i in range(w.shape[0]):
        if not listed[i]:
            w[i] = np.nan
        known = known or not np.isnan(w[i])
    if not known:
        return False
    inverse_vol_weights(w)
    sigma, growth = basket_stats(window, risky)
    sigma *= np.sqrt(p.bars_per_year)
    was_off = regime[0] == 1.0
    limit_vol, limit_mom = (p.exit_vol, p.exit_mom) if was_off else (p.risk_off_vol, p.risk_off_mom)
    off = sigma > limit_vol or growth < limit_mom
    regime[0], regime[1], regime[2] = (1.0 if off else 0.0), sigma, growth
    if off:
        to_defensives(w, risky, listed, p.shrink)
    variance = portfolio_variance(window, w) * p.bars_per_year
    leverage = min(p.max_leverage, p.vol_target / np.sqrt(variance)) if variance > 0.0 else 0.0
    for i in range(w.shape[0]):
        w[i] *= leverage
    return True


@kernel
def to_defensives(w: Floats, risky: Bools, listed: Bools, shrink: float) -> None:
    """Shrink risky weights and give what is freed to the listed defensives, in proportion to what they hold.

    Their sum is unchanged. Without a listed defensive nothing moves; if the defensives hold nothing, equal shares.
    """
    freed, held, count = 0.0, 0.0, 0
    for i in range(w.shape[0]):
        if risky[i]:
            freed += w[i] * (1.0 - shrink)
        elif listed[i]:
            held += w[i]
            count += 1
    if count == 0:
        return
    for i in range(w.shape[0]):
        if risky[i]:
            w[i] *= shrink
        elif listed[i]:
            w[i] = w[i] * (held + freed) / held if held > 0.0 else freed / count
