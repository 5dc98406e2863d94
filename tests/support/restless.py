"""Strategies that answer at random, that look at themselves, that break: whatever a loop has to get along with."""

from typing import Any, ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from plimsoll.engine.kernels.account.track import EQUITY, PEAK, Notional, answer, drift, take
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Bools, Floats, Ints, Weights

# What a sleeve may do at its bad bar.
FAULTS = ("raise", "nan", "unlisted", "shape")


class Restless(Strategy):
    """Answers at random: how often, how much and how often all of it is given.

    often : chance of an answer at a bar. most : largest absolute weight. short : whether weights may be negative.
    bad : bar from which on it does what `fault` says, at its next chance.
    """

    class Params(StrategyParams):
        symbols: tuple[str, ...]
        seed: int = 0
        often: float = 0.3
        most: float = 0.5
        short: bool = False
        bad: int = 1_000_000
        fault: str = "raise"

    diagnostics = ("drawn", "drawdown")

    @property
    def universe(self) -> tuple[str, ...]:
        symbols: tuple[str, ...] = self.params.symbols
        return symbols

    def on_bar(self, ctx: Context) -> Weights | None:
        p, k = self.params, len(ctx.symbols)
        rng = np.random.default_rng((p.seed, ctx.bar_index))
        drawn = rng.random()
        ctx.note("drawn", drawn)
        if ctx.bar_index >= p.bad and (found := self._break(ctx)) is not None:
            return found
        if drawn >= p.often:
            return None
        ctx.note("drawdown", ctx.sleeve.drawdown)
        if drawn < 0.1 * p.often:
            return np.zeros(k)
        w = rng.uniform(-p.most if p.short else 0.0, p.most, k)
        return ctx.weights(w + (0.05 * ctx.sleeve.weights if drawn < 0.5 * p.often else 0.0), unlisted="cash")

    def _break(self, ctx: Context) -> Any:
        p, k = self.params, len(ctx.symbols)
        if p.fault == "raise":
            raise ZeroDivisionError(f"broken at {ctx.bar_index}")
        if p.fault == "nan":
            return np.full(k, np.nan)
        if p.fault == "shape":
            return np.zeros(k + 1)
        gone = ~np.isfinite(ctx.past.close(1)[0])
        return np.where(gone, 0.1, 0.0) if gone.any() else None


class Watcher(Strategy):
    """Looks at its own drawdown and weights at every bar; holds less the deeper it stands."""

    class Params(StrategyParams):
        symbols: tuple[str, ...]

    diagnostics = ("equity", "drawdown", "invested")

    @property
    def universe(self) -> tuple[str, ...]:
        symbols: tuple[str, ...] = self.params.symbols
        return symbols

    def on_bar(self, ctx: Context) -> Weights | None:
        ctx.note("equity", ctx.sleeve.equity)
        ctx.note("drawdown", ctx.sleeve.drawdown)
        ctx.note("invested", float(np.abs(ctx.sleeve.weights).sum()))
        if ctx.bar_index % 3:
            return None
        return ctx.weights(np.full(len(ctx.symbols), 0.3 + ctx.sleeve.drawdown), unlisted="cash")


class State(NamedTuple):
    """seen (1,): bars taken in."""

    seen: Ints


class Kernelled(Strategy):
    """A rule with a compiled scan: more of what rose, answered every few bars; both forms call one step.

    looks : the scan drifts and takes, and the rule reads its own drawdown; else it only notes answers.
    bad : bar at which it does what `fault` says: "nan" or "unlisted" answers, or "raise".
    """

    class Params(StrategyParams):
        symbols: tuple[str, ...]
        every: int = Field(4, ge=1)
        looks: bool = False
        bad: int = 1_000_000
        fault: str = "nan"

    diagnostics: ClassVar[tuple[str, ...]] = ("seen", "drawdown")

    @property
    def universe(self) -> tuple[str, ...]:
        symbols: tuple[str, ...] = self.params.symbols
        return symbols

    @property
    def code(self) -> int:
        """The fault as the kernel knows it."""
        return ("nan", "unlisted", "raise").index(self.params.fault)

    def init(self, n_symbols: int) -> State:
        return State(np.zeros(1, dtype=np.int64))

    def on_bar(self, ctx: Context) -> Weights | None:
        p, w, note = self.params, np.zeros(len(ctx.symbols)), np.zeros(2)
        depth = ctx.sleeve.drawdown if p.looks else 0.0
        due = step(
            ctx.bar_index, ctx.past.ret(1)[0], ctx.listed, depth, p.every, p.bad, self.code, ctx.state.seen, note, w
        )
        ctx.note("seen", note[0])
        ctx.note("drawdown", note[1])
        return w if due else None

    def scan(self, run: Scan) -> None:
        p = self.params
        scan(run.ret, run.listed, p.looks, p.every, p.bad, self.code, run.state.seen, run.notes, run.notional)


@kernel
def step(
    t: int, ret: Floats, listed: Bools, depth: float, every: int, bad: int, code: int, seen: Ints, note: Floats,
    w: Floats,
) -> bool:  # fmt: skip
    """Count the bar, write two diagnostics and the weights (K,); return whether it answers."""
    seen[0] += 1
    note[0], note[1] = seen[0], depth
    if t == bad and code == 2:
        raise ZeroDivisionError("the kernel broke")
    for i in range(w.shape[0]):
        grown = 0.0 if np.isnan(ret[i]) else ret[i]
        w[i] = (0.2 + depth) / w.shape[0] + min(max(grown, -0.1), 0.1) if listed[i] else 0.0
        if t == bad:
            w[i] = np.nan if code == 0 else 0.1
    return t % every == 0 or t == bad


@kernel
def scan(
    ret: Floats, listed: Bools, looks: bool, every: int, bad: int, code: int, seen: Ints, notes: Floats,
    notional: Notional,
) -> None:  # fmt: skip
    """Run `step` over every bar."""
    w = np.zeros(ret.shape[1])
    for t in range(ret.shape[0]):
        depth = 0.0
        if looks:
            drift(t, notional)
            depth = notional.scal[EQUITY] / notional.scal[PEAK] - 1.0
        due = step(t, ret[t], listed[t], depth, every, bad, code, seen, notes[t], w)
        if not due:
            continue
        stands = take(t, w, notional) if looks else answer(t, w, notional)
        if not stands:
            return
