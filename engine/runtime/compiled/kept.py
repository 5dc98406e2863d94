"""A run whose sleeves' signals are kept, for what is run beside it."""

from collections.abc import Sequence

import numpy as np

from plimsoll.engine.portfolio.book import Pipeline
from plimsoll.engine.runtime.ahead import come_back, look_ahead
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.backtest import Progress, Track, run_loop
from plimsoll.engine.runtime.compiled.engine import refuse_uncompiled, run_signals, signals_of
from plimsoll.engine.sleeve.signals import Signal, SleeveFailure
from plimsoll.engine.sleeve.sleeve import Sleeve
from plimsoll.engine.types import EngineName


def run_kept(name: EngineName, setup: Setup, progress: Progress | None = None) -> tuple[Track, tuple[Signal, ...]]:
    """Run a book through the loop of that name and return its sleeves' signals too.

    The compiled loop has them before it begins, and so has the loop in Python where a strategy has a scan. What the
    others hold at each close is written down on the way, so that no sleeve is asked twice.

    Raises
    ------
    ConfigError, StrategyError, DataError
        As the loop does.
    """
    if name == "python":
        return _recorded(setup, progress)
    refuse_uncompiled(setup)
    signals = signals_of(setup)
    return run_signals(setup, signals, progress), signals


def _recorded(setup: Setup, progress: Progress | None) -> tuple[Track, tuple[Signal, ...]]:
    ahead, sleeves, n_bars = look_ahead(setup), setup.system.sleeves, setup.panel.n_bars
    asked = [sleeve for sleeve in sleeves if sleeve.name not in ahead]
    held = [np.zeros((n_bars, len(sleeve.columns))) for sleeve in asked]
    answered = np.zeros((len(asked), n_bars), dtype=np.bool_)

    def note(t: int) -> None:
        """Write down the bar before t, which nothing can change any more."""
        for row, sleeve in enumerate(asked if t > 0 else ()):
            held[row][t - 1] = sleeve.tracker.now()
            answered[row, t - 1] = sleeve.answered

    track = run_loop(setup, progress, before_bar=note)
    if not track.ruined:
        note(n_bars)
    columns = zip(asked, held, answered, _failures(setup, asked), strict=True)
    signals = dict(ahead)
    signals |= {s.name: Signal(s.columns, own, marks, failed) for s, own, marks, failed in columns}
    come_back(setup, track)
    return track, tuple(signals[sleeve.name] for sleeve in sleeves)


def _failures(setup: Setup, sleeves: Sequence[Sleeve]) -> list[SleeveFailure | None]:
    """Return the bar at which each sleeve was quarantined."""
    integrator = setup.system.integrator
    if not isinstance(integrator, Pipeline):
        return [None] * len(sleeves)
    at = dict(zip((sleeve.name for sleeve in setup.system.sleeves), integrator.memory.failed_at, strict=True))
    return [None if at[s.name] < 0 else SleeveFailure(int(at[s.name]), None) for s in sleeves]
