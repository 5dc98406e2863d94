"""A feed that learns its bars one by one, so that the future does not exist yet."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Final, TypeVar

import numpy as np

from plimsoll.engine.config.schema import Config
from plimsoll.engine.kernels.derive import derive_scan, factor_scan, index_scan, mark_outside
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.proof import unseen as veils
from plimsoll.engine.research.proof.trail import Trail, recorded, trail_of
from plimsoll.engine.research.proof.unseen import Veil, veiled_panel
from plimsoll.engine.runtime.assemble import assemble
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.runtime.prepare import Market, prepare
from plimsoll.engine.sleeve.strategy import Strategy
from plimsoll.engine.types import Codes, Floats, Ints

A = TypeVar("A", Floats, Codes)

# TrailRows beyond the real ones: the length of an array then tells nothing about the last bar.
PAD: Final = (50, 400)

Reveal = Callable[[int], None]


class RevealFeed(Feed):
    """Derived series that are grown by one row at a time; every later row is veiled.

    Arrays once handed out are views on what is grown, so their owners see each row when its bar has come. TrailRows are
    derived by the same kernels as in `Feed`, from revealed rows alone. Nothing here leads to the true panel.
    """

    def __init__(self, truth: Panel, veil: Veil, *, seed: int) -> None:
        n_bars = truth.n_bars + int(np.random.default_rng([seed, 0]).integers(*PAD))
        self.panel = veiled_panel(truth, n_bars, veil, seed)
        self._shape = (n_bars, truth.n_symbols)
        self._rng = np.random.default_rng([seed, 2]) if veil == "noise" else None
        self._stop = 0
        self._last = (np.full(truth.n_symbols, np.nan), np.full(truth.n_symbols, -1, dtype=np.int64))
        self._level = {"tr": np.full(truth.n_symbols, np.nan), "factor": np.ones(truth.n_symbols)}
        self._grown: dict[str, Floats] = {"ret": veils.returns(self._shape, self._rng)}
        self._codes: Codes = veils.codes(self._shape, self._rng)
        self._parts: dict[tuple[str, tuple[int, ...]], tuple[Floats, Ints, Floats]] = {}
        self._code_parts: dict[tuple[int, ...], tuple[Ints, Codes]] = {}
        self._clock = [
            (field.name, column)
            for field in fields(self.panel.clock)
            if isinstance(column := getattr(self.panel.clock, field.name), np.ndarray)
        ]
        self.ret = _shown(self._grown["ret"])
        self.status = _shown(self._codes)
        self._made: dict[str, Floats] = {"ret": self.ret}

    def reveal(self, t: int, truth: Panel) -> None:
        """Take over bar t of the true panel and derive what follows from it; bars come in order."""
        panel = self.panel
        panel.block[:, t] = truth.block[:, t]
        panel.high[t], panel.low[t] = truth.high[t], truth.low[t]
        if panel.indicators:
            panel.indicator[t] = truth.indicator[t]
        for name, column in self._clock:
            column[t] = getattr(truth.clock, name)[t]
        derive_scan(t, t + 1, panel.clock.session_index, panel.block, *self._last, self._grown["ret"], self._codes)
        if panel.outside.size:
            panel.outside[t] = truth.outside[t]
            mark_outside(t, t + 1, panel.outside, self._codes)
        self._stop = t + 1
        for name in self._grown:
            self._grow(name, t, t + 1)
        for whole, cols, part in self._parts.values():
            whole[t].take(cols, out=part[t])
        for cols, codes in self._code_parts.values():
            self._codes[t].take(cols, out=codes[t])

    def field(self, name: str) -> Floats:
        """Return the array of one of `FIELDS`, read-only; it grows with every bar revealed."""
        if name not in self._made:
            if name != "tr":
                self._begin("factor")
            self._begin(name)
        return self._made[name]

    def columns(self, name: str, cols: tuple[int, ...]) -> Floats:
        """Return columns of a field, C-contiguous, read-only; they grow with every bar revealed."""
        whole = self.field(name)
        if cols == tuple(range(whole.shape[1])):
            return whole
        if (name, cols) not in self._parts:
            at = np.array(cols, dtype=np.int64)
            grown = self._grown[name]
            self._parts[name, cols] = grown, at, np.ascontiguousarray(grown[:, at])
        return _shown(self._parts[name, cols][2])

    def indicator(self, name: str) -> Floats:
        """Return the closes of an indicator, read-only; they grow with every bar revealed."""
        key = f"indicator {name}"
        if key not in self._made:
            self.indicator_column(name)  # raises where there is none
        self._begin(key)
        return self._made[key]

    def status_of(self, cols: tuple[int, ...]) -> Codes:
        """Return the status of some columns, C-contiguous, read-only; it grows with every bar revealed."""
        if cols == tuple(range(self._shape[1])):
            return self.status
        if cols not in self._code_parts:
            at = np.array(cols, dtype=np.int64)
            self._code_parts[cols] = at, np.ascontiguousarray(self._codes[:, at])
        return _shown(self._code_parts[cols][1])

    @property
    def factor(self) -> Floats:
        """Shares now held per share of the first bar; it grows with every bar revealed."""
        self._begin("factor")
        return self._made["factor"]

    def _begin(self, name: str) -> None:
        """Start to grow a series; what has been revealed before is in it at once."""
        if name in self._grown:
            return
        shape = self._shape[:1] if name.startswith("indicator ") else self._shape
        self._grown[name] = veils.prices(shape, self._rng)
        self._made[name] = _shown(self._grown[name])
        if self._stop:
            self._grow(name, 0, self._stop)

    def _grow(self, name: str, first: int, stop: int) -> None:
        """Derive rows [first, stop) of a series; `factor` comes before what is made with it."""
        panel, out = self.panel, self._grown[name]
        if name == "ret":
            return
        if name == "tr":
            index_scan(first, stop, self.ret, panel.close, self._level["tr"], out)
        elif name == "factor":
            factor_scan(first, stop, panel.split, self._level["factor"], out)
        elif name.startswith("indicator "):
            column = panel.indicators.index(name.removeprefix("indicator "))
            out[first:stop] = panel.indicator[first:stop, column]
        else:
            raw: Floats = getattr(panel, name)[first:stop]
            apply = np.divide if name == "volume" else np.multiply
            apply(raw, self._grown["factor"][first:stop], out=out[first:stop])


def veiled_market(truth: Market, first: int, veil: Veil, seed: int) -> tuple[Market, Reveal]:
    """Return a market whose future is veiled, and what lifts the veil from one bar.

    The exchange calendar is known in advance: tables made from dates alone are made from the true dates, without a
    price in reach.

    Parameters
    ----------
    truth : Market
        What a normal run is told.
    first : int
        The first bar traded, as a normal run has found it.
    veil, seed
        What stands where the future will be.
    """
    panel = truth.feed.panel
    feed = RevealFeed(panel, veil, seed=seed)
    calendar = replace(veiled_panel(panel, panel.n_bars, veil, seed), clock=panel.clock)
    rng = np.random.default_rng([seed, 3]) if veil == "noise" else None
    bill = veils.returns((feed.panel.n_bars,), rng)
    daily = veils.returns((truth.daily.shape[0], feed.panel.n_bars), rng)

    def reveal(t: int) -> None:
        feed.reveal(t, panel)
        bill[t], daily[:, t] = truth.bill[t], truth.daily[:, t]

    return replace(truth, feed=feed, calendar=calendar, bill=bill, daily=daily, first=first), reveal


def run_veiled(
    config: Config, panel: Panel, strategies: Mapping[str, Strategy], first: int, veil: Veil, seed: int = 0
) -> Trail:
    """Run a configuration over a panel that is revealed bar by bar and return everything it leaves behind.

    strategies : by sleeve name. first : the first bar traded, as a normal run has found it.

    Raises
    ------
    InputError
        Whatever the run raises.
    """
    recorders = {name: recorded(strategy) for name, strategy in strategies.items()}
    veiled, reveal = veiled_market(prepare(config, panel, recorders), first, veil, seed)
    setup = assemble(config, veiled)
    return trail_of(setup, run_loop(setup, stop_at=panel.n_bars - 1, before_bar=reveal))


def _shown(array: A) -> A:
    """Return a read-only view."""
    view = array.view()
    view.flags.writeable = False
    return view
