"""What a sweep will do, settled before anything runs: its settings, the panels they need, its blocks."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeAlias

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.source import open_source
from plimsoll.engine.market.span import until
from plimsoll.engine.research.sweep.block import Block, block_size, cut_blocks
from plimsoll.engine.research.sweep.figures import FIGURES, check_metric
from plimsoll.engine.research.sweep.grid import Axis, combinations
from plimsoll.engine.research.sweep.settings import Setting, SettingMaker
from plimsoll.engine.research.sweep.window import Over, SweepWindow, Windows, window_of
from plimsoll.engine.runtime.collect import versions
from plimsoll.engine.runtime.load import load_panel
from plimsoll.engine.runtime.needs import Needs

MAX_SETTINGS = 100_000
Load: TypeAlias = Callable[[Config, Needs], Panel]


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """A sweep before it runs.

    settings : S of them, numbered from 0. skipped : combinations left out because they are not valid.
    panels : one for all settings, unless what varies changes what is loaded. panel_of : (S,) which is whose.
    count : settings drawn at random; None = the whole grid. window : the sessions that all are measured over.
    as_base : the number of the setting that is the base itself, None where none is.
    """

    base: Config
    axes: tuple[Axis, ...]
    count: int | None
    settings: tuple[Setting, ...]
    skipped: int
    panels: tuple[Panel, ...]
    panel_of: tuple[int, ...]
    window: SweepWindow
    as_base: int | None

    @property
    def keys(self) -> tuple[str, ...]:
        """What varies."""
        return tuple(axis.key for axis in self.axes)

    @property
    def blocks(self) -> list[Block]:
        """The settings in the portions they are handed out in."""
        return cut_blocks(self.panel_of, self.settings)

    def definition(self) -> dict[str, Any]:
        """Return what makes this sweep this sweep; the same definition has the same table."""
        return {
            "plimsoll": versions()["plimsoll"],
            "config_hash": self.base.digest,
            "grid": [[axis.key, axis.plain()] for axis in self.axes],
            "random": self.count,
            "seed": self.base.run.seed,
            "settings": len(self.settings),
            "skipped": self.skipped,
            "block_size": block_size(len(self.settings)),
            "data_hashes": [panel.data_hash for panel in self.panels],
            "window": self.window.plain(),
            "figures": list(FIGURES),
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the definition."""
        return hashlib.sha256(json.dumps(self.definition(), sort_keys=True).encode()).hexdigest()


def plan_sweep(
    base: Config,
    axes: Sequence[Axis],
    *,
    count: int | None = None,
    max_settings: int = MAX_SETTINGS,
    skip_invalid: bool = False,
    load: Load = load_panel,
    windows: Windows = "common",
) -> SweepPlan:
    """Check a grid, validate every setting of it, and load what they need.

    Parameters
    ----------
    base : Config
        What every setting shares.
    axes : sequence of Axis
        What varies.
    count : int, optional
        Settings to draw at random by `base.run.seed`; None = the whole grid.
    max_settings : int
        More are refused.
    skip_invalid : bool
        Leave out combinations that are not valid instead of refusing the grid.
    load : callable
        Loads a panel for a configuration and its needs.
    windows : {"common", "accept", "own"}
        Measure all settings over one common window, refusing those that would cost the others more than a fifth of
        their sessions; accept what it costs; or measure each over its own.

    Raises
    ------
    ConfigError
        If the grid makes no sense, or a setting costs the others too much.
    DataError
        If the data cannot be read.
    """
    maker = SettingMaker(base, axes)
    found = combinations(axes, count, base.run.seed, max_settings)
    maker.check_values()
    settings, skipped = maker.settings(found, skip_invalid=skip_invalid)
    seeded = open_source(base.data.source, base.data.path).seeded
    firsts: dict[tuple[Any, ...], Setting] = {}
    for setting in settings:
        firsts.setdefault(_data_key(setting, seeded), setting)
    panels = tuple(load(first.config, first.loads.needs) for first in firsts.values())
    position = {key: at for at, key in enumerate(firsts)}
    panel_of = tuple(position[_data_key(setting, seeded)] for setting in settings)
    window = window_of(settings, panels, panel_of, [axis.key for axis in axes], windows)
    if window.end is not None:
        panels = tuple(until(panel, date.fromisoformat(window.end)) for panel in panels)
    as_base = maker.number_of_base(settings)
    return SweepPlan(base, tuple(axes), count, fitted(settings, window), skipped, panels, panel_of, window, as_base)


def fitted(settings: Sequence[Setting], window: SweepWindow) -> tuple[Setting, ...]:
    """Return settings that run over a window."""
    if window.start is None and window.end is None:
        return tuple(settings)
    makers = {id(one.maker): Over(one.maker, window) for one in settings}
    return tuple(replace(one, maker=makers[id(one.maker)]) for one in settings)


def check_ranking(metric: str, top: int) -> None:
    """Refuse a metric that does not exist, or fewer than no best settings.

    Raises
    ------
    ConfigError
        Naming the option.
    """
    check_metric(metric)
    if top < 0:
        raise ConfigError(f"{top} best settings are asked for", where="--top", fix="0 or more")


def _data_key(setting: Setting, seeded: bool) -> tuple[Any, ...]:
    """Return what two settings share if they load the same panel: a plain backtest of each would."""
    loads = setting.loads
    return loads.needs, loads.end, loads.seed if seeded else None
