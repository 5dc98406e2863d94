"""The sessions a sweep measures its settings over: the same for all of them, unless each is to have its own.

A long look-back begins to trade late. Measured over what is left to it, it is compared with settings that lived through
other markets, and a few quiet sessions win over twenty years; so all settings begin at the latest first session that
any of them needs, and end at the earliest last one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import ConfigError, DataError
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.sweep.grid import Combination
from plimsoll.engine.research.sweep.settings import Makes, Setting
from plimsoll.engine.runtime.first_bar import begins_at, first_bar
from plimsoll.engine.runtime.needs import available
from plimsoll.engine.runtime.prepare import prepare
from plimsoll.engine.sleeve.strategy import Strategy
from plimsoll.engine.types import Dates, Ints

# common : one window for all, refused where a setting would cost the others too much; accept : one, whatever it costs.
Windows: TypeAlias = Literal["common", "accept", "own"]
MOST_LOST: Final = 0.20
NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class SweepWindow:
    """What all settings of a sweep are measured over, ISO dates; None where they agree by themselves, or need not.

    own : each setting has the sessions it can trade on.
    """

    own: bool = False
    start: str | None = None
    end: str | None = None

    def plain(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {"own": self.own, "from": self.start, "to": self.end}

    def put(self, config: Config) -> Config:
        """Return a configuration that runs over the window."""
        ends = {"start": self.start, "end": self.end}
        given = {key: date.fromisoformat(value) for key, value in ends.items() if value is not None}
        return config if not given else config.model_copy(update={"run": config.run.model_copy(update=given)})


@dataclass(frozen=True, slots=True)
class Over:
    """Makes what another maker does, to be measured over a window."""

    maker: Makes
    window: SweepWindow

    def config_of(self, chosen: Combination) -> Config:
        """Return the configuration over the window."""
        return self.window.put(self.maker.config_of(chosen))

    def made_of(self, chosen: Combination) -> tuple[Config, Mapping[str, Strategy]]:
        """Return the configuration over the window, and its strategies by sleeve."""
        config, strategies = self.maker.made_of(chosen)
        return self.window.put(config), strategies


class Firsts:
    """Finds the first and last session of settings on their panel; what several of them share is made once."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._offered = available(panel)
        self._begins: dict[str, tuple[Panel, dict[str, int]] | None] = {}

    def of(self, setting: Setting) -> tuple[np.datetime64, np.datetime64] | None:
        """Return the first and last whole session that a setting trades on; None where it cannot run."""
        config, strategies = setting.made()
        derived = self._derived(config, strategies)
        if derived is None:
            return None
        panel, begins = derived
        ready = [(begins[name], one.warmup_bars) for name, one in strategies.items() if name in begins]
        try:
            first = first_bar(config, panel, ready)
        except DataError:
            return None
        whole = np.flatnonzero(panel.clock.first_bar[first:])  # a warm-up may end within a session
        at = first + int(whole[0]) if len(whole) else first
        return panel.clock.session[at], panel.clock.session[-1]

    def _derived(self, config: Config, strategies: Mapping[str, Strategy]) -> tuple[Panel, dict[str, int]] | None:
        """Return the panel that settings with these universes run on, and the bar each sleeve's data begin at."""
        universes = {name: (one.universe, one.unavailable(self._offered)) for name, one in strategies.items()}
        key = repr((universes, config.financing, config.run.end))
        if key not in self._begins:
            try:
                market = prepare(config, self._panel, strategies)
            except DataError:
                self._begins[key] = None
                return None
            feed, panel = market.feed, market.feed.panel
            columns: dict[str, Ints] = {
                name: np.array([panel.column(symbol) for symbol in one.universe], dtype=np.int64)
                for name, one in market.strategies.items()
            }
            self._begins[key] = panel, {name: begins_at(feed, cols) for name, cols in columns.items()}
        return self._begins[key]


def window_of(
    settings: Sequence[Setting], panels: Sequence[Panel], panel_of: Sequence[int], keys: Sequence[str], kind: Windows
) -> SweepWindow:
    """Return the window of a sweep. Settings that cannot run have no say; they fail when they are run.

    Raises
    ------
    ConfigError
        If the window itself is varied, or a setting would cost the others more than a fifth of their sessions.
    """
    if kind == "own":
        return SweepWindow(own=True)
    varied = [key for key in keys if key in ("run.start", "run.end")]
    if varied:
        raise ConfigError(
            f"{' and '.join(varied)} cannot vary within one common window",
            where="--grid",
            fix="pass --own-window to measure each setting over its own",
        )
    finders = [Firsts(panel) for panel in panels]
    spans = [finders[at].of(setting) for setting, at in zip(settings, panel_of, strict=True)]
    able = [number for number, span in enumerate(spans) if span is not None]
    if not able:
        return SweepWindow()
    firsts: Dates = np.array([span[0] for span in spans if span is not None])
    lasts: Dates = np.array([span[1] for span in spans if span is not None])
    if kind == "common":
        sessions: Dates = np.unique(np.concatenate([panel.clock.session for panel in panels]))
        low, high = np.searchsorted(sessions, firsts), np.searchsorted(sessions, lasts, side="right")
        _refuse_costly([settings[number] for number in able], keys, low, high)
    start, end = firsts.max(), lasts.min()
    if start > end:
        raise ConfigError("the settings have no session in common", where="--grid", fix="pass --own-window")
    return SweepWindow(
        start=str(start) if (firsts != start).any() else None,
        end=str(end) if (lasts != end).any() else None,
    )


def _refuse_costly(settings: Sequence[Setting], keys: Sequence[str], low: Ints, high: Ints) -> None:
    """Refuse settings whose span would take more than a fifth of the sessions of all others taken together.

    low, high (S,) : positions of the first session and of the one after the last.
    """
    own: Ints = high - low
    total = int(own.sum())
    spans, of = np.unique(np.column_stack((low, high)), axis=0, return_inverse=True)
    lost = np.zeros(len(spans))
    for k, (first, stop) in enumerate(spans.tolist()):
        mine = stop - first
        kept = int(np.maximum(np.minimum(high, stop) - np.maximum(low, first), 0).sum()) - mine
        others = total - mine
        lost[k] = 1.0 - kept / others if others > 0 else 0.0
    costly = np.flatnonzero(lost[of.ravel()] > MOST_LOST)
    if not len(costly):
        return
    named = []
    for k in costly[:NAMED].tolist():
        values = ", ".join(f"{key}={value}" for key, value in zip(keys, settings[k].chosen, strict=True))
        named.append(f"{values} ({own[k]:,} sessions)")
    more = f" and {len(costly) - NAMED:,} more" if len(costly) > NAMED else ""
    raise ConfigError(
        f"over one common window, {'; '.join(named)}{more} would cost the others more than {MOST_LOST:.0%} of their "
        f"sessions (up to {int(own.max()):,})",
        where="--grid",
        fix="leave them out, accept it with --common-window, or measure each over its own with --own-window",
    )
