"""Run a book of sleeves whose weights were written down beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from support.panels import make_panel
from support.scripted import Ran

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.core import Decision
from plimsoll.engine.market.instruments import instrument
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.portfolio.book import Pipeline
from plimsoll.engine.portfolio.settings import Settings
from plimsoll.engine.report.result import result_of
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.runtime.collect import collect
from plimsoll.engine.sleeve.strategy import Context, Strategy
from plimsoll.engine.types import Floats, Weights


class Replay(Strategy):
    """Answers the row of a given path of weights at every bar; a row that begins with NaN is no answer."""

    def __init__(
        self, symbols: Sequence[str], path: Floats, *, full_gross: float = 1.0, full_vol: float | None = None,
        watched: Sequence[str] = (), role: Any = "other",
    ) -> None:  # fmt: skip
        super().__init__()
        self.full_vol = full_vol
        self.watched = tuple(watched)
        self.symbols = tuple(symbols)
        self.path = np.atleast_2d(np.asarray(path, dtype=np.float64))
        self.full_gross = full_gross
        self.role = role

    @property
    def universe(self) -> tuple[str, ...]:
        """The symbols of the path's columns."""
        return self.symbols

    def on_bar(self, ctx: Context) -> Weights | None:
        """Read the script; after its end nothing is answered."""
        if ctx.bar_index >= len(self.path):
            return None
        row = self.path[ctx.bar_index]
        return None if np.isnan(row[0]) else row.copy()


class Steady(Replay):
    """Answers the same weights at every bar, unlisted symbols as cash."""

    def __init__(self, weights: Mapping[str, float], **words: Any) -> None:
        super().__init__(tuple(weights), np.array([list(weights.values())]), **words)

    def on_bar(self, ctx: Context) -> Weights | None:
        """Say the same as ever."""
        return ctx.weights(self.path[0], unlisted="cash")


# Nothing costs anything, nothing is rounded, nothing but the nine stages acts.
BARE: dict[str, Any] = {
    "run": {"name": "t", "cash": 250_000.0},
    "integrator": {"preset": "book"},
    "execution": {"max_participation": 0.0, "min_notional": 0.0},
    "costs": {"preset": "none"},
    "financing": {"cash_rate": 0.0, "margin_spread_bps": 0.0, "borrow_bps": 0.0},
}
# Stages 4 and 8 without effect, as far as their numbers can say so.
UNBOUND: dict[str, Any] = {
    "caps": {"name": 50.0, "cluster": 50.0, "gross": 50.0, "net": 50.0, "clusters": {}, "capacity": 1e9},
    "ladder": {"tiers": [{"min_equity": 0.0, "gross": 50.0, "name": 50.0}]},
}
# Stage 5 without effect.
UNGOVERNED: dict[str, Any] = {
    "governor": {
        "d0": 0.97, "d_hard": 0.98, "flat": 0.99, "day_loss": 0.99, "warn": 0.97, "throttle": 0.97, "no_new": 0.97,
    }
}  # fmt: skip


def book_config(names: Sequence[str], **sections: Any) -> dict[str, Any]:
    """Return the values of a book of sleeves `names`; sections go on top, `sleeve` maps a name to more of its keys."""
    values: dict[str, Any] = {key: dict(section) for key, section in BARE.items()}
    more = sections.pop("sleeve", {})
    for name, given in sections.items():
        values[name] = {**values.get(name, {}), **given}
    values["sleeve"] = [{"name": n, "strategy": "support.book_run:Replay", **more.get(n, {})} for n in names]
    return values


def build_book(panel: Panel, sleeves: Mapping[str, Strategy], *, first: int | None = None, **sections: Any) -> Setup:
    """Wire a book over a panel; `first` is the first bar traded."""
    values = book_config(tuple(sleeves), **sections)
    if first is not None:
        values["run"] = {**values["run"], "start": str(panel.clock.session[first])}
    return build(load_config(values), panel, dict(sleeves))


def settings_of(setup: Setup) -> Settings:
    """Return the settings of a book's stages."""
    book = setup.system.integrator
    assert isinstance(book, Pipeline)
    return book.settings


@dataclass(frozen=True)
class Book(Ran):
    """A finished book."""

    @property
    def decisions(self) -> list[Decision]:
        """Every decision in order."""
        return self.track.decisions

    def column(self, symbol: str) -> int:
        """Return the column of a symbol; a book adds symbols of its own to the panel."""
        return self.setup.panel.symbols.index(symbol)

    def fact(self, name: str) -> Floats:
        """Return one figure of every decision."""
        at = self.setup.system.integrator.facts.index(name)
        return np.array([decision.target.facts[at] for decision in self.decisions])

    def stage(self, name: str) -> Floats:
        """Return the (decisions, N) weights after a stage."""
        at = self.setup.system.integrator.stages.index(name)
        return np.array([decision.target.trace[:, at] for decision in self.decisions])

    @property
    def targets(self) -> Floats:
        """Return the (decisions, N) targets before the band."""
        return np.array([decision.target.weights for decision in self.decisions])

    @property
    def bars(self) -> Any:
        """Return the bar of every decision."""
        return np.array([decision.t for decision in self.decisions])


def finish(setup: Setup) -> Book:
    """Run what was built."""
    track = run_loop(setup)
    return Book(setup, track, result_of(collect(setup, track)))


def run_book(panel: Panel, sleeves: Mapping[str, Strategy], *, first: int | None = None, **sections: Any) -> Book:
    """Build a book over a panel and run it."""
    return finish(build_book(panel, sleeves, first=first, **sections))


def walks(seed: int, vols: Sequence[float], n_bars: int = 200, corr: float = 0.0, drift: float = 0.0) -> Floats:
    """Return (n_bars, N) closes of random walks with the given volatilities per year and one common correlation."""
    rng = np.random.default_rng(seed)
    n = len(vols)
    common = rng.standard_normal((n_bars, 1))
    own = rng.standard_normal((n_bars, n))
    z = np.sqrt(corr) * common + np.sqrt(1.0 - corr) * own
    closes: Floats = 100.0 * np.cumprod(1.0 + drift / 252.0 + z * np.asarray(vols) / np.sqrt(252.0), axis=0)
    return closes


def walk_panel(seed: int, symbols: Sequence[str], vols: Sequence[float], n_bars: int = 200, **words: Any) -> Panel:
    """Return a panel of random walks."""
    order = np.argsort(np.array(symbols))
    closes = walks(seed, vols, n_bars, **words)[:, order]
    return make_panel(closes, closes.copy(), symbols=tuple(np.array(symbols)[order].tolist()))


def assert_inside_caps(book: Book) -> None:
    """Every target row within every cap, those of the tier in force then."""
    config = book.setup.config.integrator
    symbols = list(book.setup.panel.symbols)
    tier = book.fact("ladder_tier").astype(int)
    risky = book.targets.copy()
    cash = [symbols.index(s) for s in config.normalize.cash_equivalents if s in symbols]
    risky[:, cash] = 0.0
    name = np.array([min(config.caps.name, config.ladder.tiers[k].name) for k in tier])
    gross = np.array([min(config.caps.gross, config.ladder.tiers[k].gross) for k in tier])
    assert (np.abs(risky).max(axis=1) <= name + 1e-12).all()
    assert (np.abs(risky).sum(axis=1) <= gross + 1e-12).all()
    assert (np.abs(risky.sum(axis=1)) <= config.caps.net + 1e-12).all()
    looks = config.caps.look_through if config.caps.look_through is not None else not config.literal
    fund = np.array([abs(instrument(s).leverage) if looks else 1.0 for s in symbols])
    for members in config.caps.clusters.values():
        at = [symbols.index(s) for s in members if s in symbols]
        assert ((np.abs(risky) * fund)[:, at].sum(axis=1) <= config.caps.cluster + 1e-12).all()
