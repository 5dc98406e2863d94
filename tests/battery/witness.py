"""A strategy that answers with a hash of everything it can see: whatever leaks into its view changes its answer."""

import hashlib
from typing import Any, NamedTuple

import numpy as np
from pydantic import Field

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.proof.trial_market import DELISTED, HOLES, LATE, RELISTED, WHOLE, trial_panel
from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Floats, Ints, Weights

SYMBOLS = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG", "HHH")
LIVES = dict(zip(SYMBOLS, (WHOLE, HOLES, LATE, DELISTED, RELISTED, WHOLE, WHOLE, HOLES), strict=True))
FIELDS = ("ret", "tr", "open", "high", "low", "close", "volume")


class Chain(NamedTuple):
    """link (1,): the last hash. path (2,): notional equity and drawdown when it was made."""

    link: Ints


class Memory(NamedTuple):
    """Nested, as a strategy made of kernels would have it."""

    chain: Chain
    notional: Floats


class Witness(Strategy):
    """Answers at random, the randomness being a hash of all windows, flags, its notional portfolio and its memory."""

    class Params(StrategyParams):
        window: int = Field(9, ge=1)

    universe = SYMBOLS
    indicators = ("VIX",)
    diagnostics = ("hash", "equity")

    def init(self, n_symbols: int) -> Memory:
        return Memory(Chain(np.zeros(1, dtype=np.int64)), np.zeros(2))

    def on_bar(self, ctx: Context) -> Weights | None:
        state = ctx.state
        seen = hashlib.sha256(state.chain.link.tobytes() + state.notional.tobytes())
        for name in FIELDS:
            seen.update(np.ascontiguousarray(getattr(ctx.past, name)(self.params.window)).tobytes())
        seen.update(ctx.past.indicator("VIX", self.params.window).tobytes())
        seen.update(ctx.listed.tobytes())
        flags = (
            ctx.first_session_of_month,
            ctx.last_session_of_month,
            ctx.last_session_of_week,
            ctx.last_bar_of_session,
        )
        seen.update(repr((flags, str(ctx.session), str(ctx.stamp), ctx.bar_index, ctx.session_index)).encode())
        seen.update(ctx.sleeve.weights.tobytes() + np.array([ctx.sleeve.equity, ctx.sleeve.drawdown]).tobytes())
        digest = seen.digest()
        state.chain.link[0] = int.from_bytes(digest[:7], "little")
        state.notional[:] = ctx.sleeve.equity, ctx.sleeve.drawdown
        ctx.note("hash", float(state.chain.link[0] % 10**9))
        if digest[8] % 2:
            ctx.note("equity", ctx.sleeve.equity)
        if digest[9] % 3 == 0:
            return None
        if digest[9] % 11 == 1:
            return np.zeros(len(ctx.symbols))
        raw = np.frombuffer(digest[10 : 10 + len(ctx.symbols)], dtype=np.uint8) / 255.0
        return ctx.weights(0.6 * raw - 0.2, unlisted="cash")


def witness_book(preset: str, **sections: Any) -> tuple[Config, dict[str, Strategy]]:
    """A configuration of four witnesses, one incubating at first, one quarantined later, and their strategies."""
    sleeves = [{"name": f"w{k}", "strategy": "battery.witness:Witness"} for k in range(4)]
    sleeves[2] |= {"status": "quarantined", "since": "2015-05-04"}
    sleeves[3] |= {"since": "2015-03-16"}
    stages = {
        "caps": {"clusters": {"a": ("AAA", "BBB"), "b": ("CCC", "DDD")}, "name": 0.4, "cluster": 0.5},
        "net": {"wrappers": (("BBB", "EEE"),), "min_obs": 5},
        "allocate": {"min_obs": 10, "skill_warmup_sessions": 10, "skill_kappa": 0.3, "runoff_sessions": 12},
        "regime": {"stocks": "AAA", "bonds": "BBB", "dwell_sessions": 2},
        "turnover": {"edge_ratio": 0.2},
    }
    integrator = {"preset": preset, **(stages if preset == "book" else {})}
    values = {"run": {"cash": 250_000.0}, "sleeve": sleeves, "integrator": integrator, **sections}
    return load_config(values), {f"w{k}": Witness(Witness.Params(window=3 + k)) for k in range(4)}


def witness_panel(n_bars: int = 130, seed: int = 0) -> Panel:
    """A market in which symbols list late, pause, delist and come back."""
    return trial_panel(SYMBOLS, ("VIX",), n_bars=n_bars, seed=seed, lives=LIVES)
