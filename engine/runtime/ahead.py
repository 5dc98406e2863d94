"""The loop in Python with the sleeves' signals made ahead of it, wherever a strategy has a scan."""

from collections.abc import Mapping

from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.backtest import Progress, Track, run_loop
from plimsoll.engine.sleeve.signals import Signal, signal_of
from plimsoll.engine.sleeve.strategy import scan_of


def run_ahead(setup: Setup, progress: Progress | None = None) -> Track:
    """Run a backtest through `run_loop`, which then asks only the strategies without a scan bar by bar.

    What the loop leaves behind is the same to the bit: signals see the market, never the account.

    Raises
    ------
    StrategyError, DataError
        As `run_loop`.
    """
    look_ahead(setup)
    track = run_loop(setup, progress)
    come_back(setup, track)
    return track


def look_ahead(setup: Setup) -> Mapping[str, Signal]:
    """Let the scans run through the span before its first bar; return the signals of their sleeves by name.

    A sleeve whose signals end in a failure is left to the loop: whether it gets there depends on the account.
    """
    system, found = setup.system, {}
    for sleeve in system.sleeves:
        if scan_of(sleeve.strategy) is None:
            continue
        signal = signal_of(sleeve, system.cursor, setup.panel.n_bars)
        if signal.failure is None:
            sleeve.foresee(signal.held, signal.answered)
            found[sleeve.name] = signal
        else:
            sleeve.restart()
    system.cursor.t = -1
    return found


def come_back(setup: Setup, track: Track) -> None:
    """Leave every sleeve as a loop that asked it bar by bar leaves it: a scan went on where an account was ruined."""
    system = setup.system
    for sleeve in system.sleeves:
        if sleeve.foresees and track.ruined:
            sleeve.restart()
            for t in range(track.last):
                system.cursor.t = t
                sleeve.observe(t)
        sleeve.forget_ahead()
