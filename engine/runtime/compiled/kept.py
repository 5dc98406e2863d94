"""A run whose sleeves' signals are kept, for what is run beside it."""

from collections.abc import Sequence

import numpy as np

from plimsoll.engine.portfolio.book import Pipeline
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.backtest import Progress, Track, run_loop
from plimsoll.engine.runtime.compiled.engine import refuse_uncompiled, run_signals, signals_of
from plimsoll.engine.sleeve.signals import Signal, SleeveFailure
from plimsoll.engine.sleeve.sleeve import Sleeve
from plimsoll.engine.types import EngineName


def run_kept(name: EngineName, setup: Setup, progress: Progress | None = None) -> tuple[Track, tuple[Signal, ...]]:
    """Run a book through the loop of that name and return its sleeves' signals too.

    The compiled loop has them before it begins. The loop in Python asks its sleeves bar by bar: what they held at each
    close is written down on the way, so that none is asked twice, whether or not it has a scan.

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
    sleeves, n_bars = setup.system.sleeves, setup.panel.n_bars
    held = [np.zeros((n_bars, len(sleeve.columns))) for sleeve in sleeves]
    answered = np.zeros((len(sleeves), n_bars), dtype=np.bool_)

    def note(t: int) -> None:
        """Write down the bar before t, which nothing can change any more."""
        for row, sleeve in enumerate(sleeves if t > 0 else ()):
            held[row][t - 1] = sleeve.tracker.now()
            answered[row, t - 1] = sleeve.answered

    track = run_loop(setup, progress, before_bar=note)
    if not track.ruined:
        note(n_bars)
    columns = zip(sleeves, held, answered, _failures(setup, sleeves), strict=True)
    return track, tuple(Signal(sleeve.columns, own, marks, failed) for sleeve, own, marks, failed in columns)


def _failures(setup: Setup, sleeves: Sequence[Sleeve]) -> list[SleeveFailure | None]:
    """Return the bar at which each sleeve was quarantined."""
    integrator = setup.system.integrator
    if not isinstance(integrator, Pipeline):
        return [None] * len(sleeves)
    return [None if t < 0 else SleeveFailure(int(t), None) for t in integrator.memory.failed_at]
