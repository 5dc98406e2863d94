"""A strategy with every form there is: bar by bar, a scan of one setting, one pass over the market for many."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from plimsoll.engine.kernels.account.track import Answers, Notional, answer, answer_of
from plimsoll.engine.kernels.estimate import kalman_level
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.sleeve.scan import BlockScan, Scan
from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Bools, Floats, Weights


class Memory(NamedTuple):
    """x (K, 5) filters, out (2,) scratch, w (K,) the last answer."""

    x: Floats
    out: Floats
    w: Floats


class Leaning(Strategy):
    """Every few bars, the more of a symbol the faster its filtered level rises; short of what falls if it may be.

    lean : weight per relative slope, at most `most`. wait : its warm-up. bad : bar at which it answers NaN.
    """

    class Params(StrategyParams):
        symbols: tuple[str, ...]
        q_slope: float = 0.01
        noise: float = 5.0
        every: int = 2
        lean: float = 40.0
        most: float = 1.0
        short: bool = False
        wait: int = 1
        bad: int = 1_000_000

    @property
    def universe(self) -> tuple[str, ...]:
        symbols: tuple[str, ...] = self.params.symbols
        return symbols

    @property
    def warmup_bars(self) -> int:
        wait: int = self.params.wait
        return wait

    def init(self, n_symbols: int) -> Memory:
        return Memory(np.full((n_symbols, 5), np.nan), np.empty(2), np.zeros(n_symbols))

    def row(self) -> Floats:
        """Parameters as the kernel takes them."""
        p = self.params
        return np.array([p.q_slope, p.noise, p.every, p.lean, p.most, p.short, p.bad], dtype=np.float64)

    def on_bar(self, ctx: Context) -> Weights | None:
        return ctx.state.w if lean(ctx.bar_index, ctx.past.close(1)[0], ctx.listed, self.row(), ctx.state) else None

    def scan(self, run: Scan) -> None:
        lean_scan(run.close, run.listed, self.row(), run.state, run.notional)

    @classmethod
    def scan_block(cls, settings: Sequence[Any], run: BlockScan) -> None:
        n, k = len(settings), len(run.symbols)
        rows = np.array([setting.row() for setting in settings])
        memory = Memory(np.full((n * k, 5), np.nan), np.empty(2), np.zeros(n * k))
        lean_block(run.close, run.listed, rows, memory, run.answers)


@kernel
def lean(t: int, close: Floats, listed: Bools, p: Floats, m: Memory) -> bool:
    """Advance the filters; write the weights and return True where it answers."""
    params = kalman_level.Params(0.01, p[0], p[1])
    due = t % int(p[2]) == 0
    for i in range(close.shape[0]):
        kalman_level.step(kalman_level.State(m.x[i]), params, close[i], m.out)
        if due:
            w = p[3] * m.out[1] / m.out[0] if listed[i] else 0.0
            m.w[i] = min(max(w, -p[4] if p[5] > 0.0 else 0.0), p[4]) / close.shape[0]
            if t == int(p[6]):
                m.w[i] = np.nan
    return due


@kernel
def lean_scan(close: Floats, listed: Bools, p: Floats, m: Memory, notional: Notional) -> None:
    """Run `lean` over all bars."""
    for t in range(close.shape[0]):
        if lean(t, close[t], listed[t], p, m) and not answer(t, m.w, notional):
            return


@kernel
def lean_block(close: Floats, listed: Bools, p: Floats, m: Memory, answers: Answers) -> None:
    """Run `lean` over all bars for settings p (B, 7), bar by bar; m has room for (B K) symbols."""
    k = close.shape[1]
    for t in range(close.shape[0]):
        for b in range(p.shape[0]):
            own = Memory(m.x[b * k : (b + 1) * k], m.out, m.w[b * k : (b + 1) * k])
            if lean(t, close[t], listed[t], p[b], own):
                answer_of(b, t, own.w, answers)
