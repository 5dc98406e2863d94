"""Inverse-volatility weights, the naive risk parity."""

import numpy as np
from pydantic import Field

from plimsoll.engine.kernels.account.track import Notional, answer, last_rows
from plimsoll.engine.kernels.estimate.window_stats import window_std
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Bools, Floats, Weights
from plimsoll.strategies.schedule import Schedule, due_bars, is_due


class InverseVol(Strategy):
    """Weight every listed symbol by the inverse of its volatility.

    Needs `lookback_bars` returns, at least half of them known. Fails when volatility says little about risk
    (short-volatility funds) and when everything is correlated.

        w_i = (1/sigma_i) / sum_j (1/sigma_j)

    Source: the benchmark of Maillard, Roncalli & Teiletche (2010): equal risk contributions under equal correlations.
    """

    class Params(StrategyParams):
        """What to hold and how often to look."""

        symbols: tuple[str, ...] = Field(("SPY", "EFA", "EEM", "TLT", "LQD", "GLD", "DBC", "VNQ"), min_length=1)
        lookback_bars: int = Field(60, ge=2)
        rebalance: Schedule = "M"

    @property
    def universe(self) -> tuple[str, ...]:
        """The configured symbols."""
        symbols: tuple[str, ...] = self.params.symbols
        return symbols

    @property
    def warmup_bars(self) -> int:
        """A full window."""
        return int(self.params.lookback_bars) + 1

    def on_bar(self, ctx: Context) -> Weights | None:
        """Answer on the schedule once any symbol has half a window."""
        if not is_due(ctx, self.params.rebalance):
            return None
        w = np.empty(len(ctx.symbols))
        return w if step(ctx.past.ret(self.params.lookback_bars), ctx.listed, w) else None

    def scan(self, run: Scan) -> None:
        """Run through the whole span."""
        scan(run.ret, run.listed, due_bars(run.clock, self.params.rebalance), self.params.lookback_bars, run.notional)


@kernel
def step(window: Floats, listed: Bools, w: Floats) -> bool:
    """Write the weights (K,) of one bar; False before any listed (K,) symbol has half a window of returns (n, K)."""
    window_std(window, window.shape[0] // 2, w)
    known = False
    for i in range(w.shape[0]):
        if not listed[i]:
            w[i] = np.nan
        known = known or not np.isnan(w[i])
    if known:
        inverse_vol_weights(w)
    return known


@kernel
def scan(ret: Floats, listed: Bools, due: Bools, lookback: int, notional: Notional) -> None:
    """Run `step` on the bars that are due (T,)."""
    w = np.empty(ret.shape[1])
    for t in range(ret.shape[0]):
        if due[t] and step(last_rows(ret, t, lookback, notional), listed[t], w) and not answer(t, w, notional):
            return


@kernel
def inverse_vol_weights(w: Floats) -> None:
    """Turn volatilities (K,) in place into weights that sum to 1.

    NaN or zero volatility gives weight 0; if every known volatility is zero, the known symbols share equally.
    """
    total, known = 0.0, 0
    for i in range(w.shape[0]):
        if not np.isnan(w[i]):
            known += 1
            if w[i] > 0.0:
                total += 1.0 / w[i]
    for i in range(w.shape[0]):
        if np.isnan(w[i]):
            w[i] = 0.0
        elif total > 0.0:
            w[i] = 1.0 / w[i] / total if w[i] > 0.0 else 0.0
        else:
            w[i] = 1.0 / known
