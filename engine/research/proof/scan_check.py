"""Whether the compiled form of a strategy does what its bars do."""

from copy import deepcopy

import numpy as np

from plimsoll.engine.config.schema import Config
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.proof.trail import Trail, difference, run_trail, trail_of
from plimsoll.engine.runtime.assemble import build
from plimsoll.engine.runtime.compiled.engine import run_compiled
from plimsoll.engine.sleeve.scan import empty_answers
from plimsoll.engine.sleeve.signals import signal_of
from plimsoll.engine.sleeve.sleeve import Sleeve
from plimsoll.engine.sleeve.strategy import Strategy, block_scan_of, scan_of


def scan_difference(config: Config, panel: Panel, strategy: Strategy) -> str:
    """Say where a strategy's scan first parts from its `on_bar`; "" if they are equal to the bit, or it has none.

    Held against each other are answers, diagnostics and notional portfolio, and all that the account makes of them.

    Parameters
    ----------
    config : Config
        One sleeve, preset `direct`.
    panel : Panel
        The market.
    strategy : Strategy
        Copies of it are run.

    Raises
    ------
    InputError
        Whatever a run bar by bar raises.
    """
    name = config.sleeve[0].name
    sleeve = build(config, panel, {name: deepcopy(strategy)}).system.sleeves[0]
    if scan_of(sleeve.strategy) is None:
        return ""
    if raised := scan_error(sleeve):
        return f"its scan raises {raised}"
    bars = run_trail(config, panel, {name: deepcopy(strategy)})
    return difference(bars, _compiled(config, panel, name, strategy), panel.n_bars)


def block_difference(config: Config, panel: Panel, strategy: Strategy) -> str:
    """Say where a strategy's `scan_block`, asked for one setting twice, parts from its scan; "" if nowhere, or if none.

    Parameters, and what is raised, as `scan_difference`.
    """
    name = config.sleeve[0].name
    setup, asked = (build(config, panel, {name: deepcopy(strategy)}) for _ in range(2))
    sleeve = setup.system.sleeves[0]
    scan = block_scan_of(sleeve.strategy)
    if scan is None:
        return ""
    signal = signal_of(asked.system.sleeves[0], asked.system.cursor, panel.n_bars)
    series = sleeve.block_scan(empty_answers(2, sleeve.tracker.notional().status))
    try:
        scan([deepcopy(strategy), deepcopy(strategy)], series)
    except Exception as error:  # noqa: BLE001  (a strategy is foreign code: anything may come out of it)
        return f"it raises {type(error).__name__}: {error}"
    stop = panel.n_bars if signal.failure is None else signal.failure.bar
    for b, fault in enumerate(series.answers.fault.tolist()):
        answered, held = series.answers.answered[b, :stop], series.answers.held[b, :stop]
        other = answered & (held.view(np.int64) != signal.held[:stop].view(np.int64)).any(axis=1)
        apart = np.flatnonzero(other | (answered != signal.answered[:stop]))
        if len(apart):
            return f"the first of its answers to differ is that of {panel.clock.session[apart[0]]}"
        if fault != (signal.failure is not None):
            return "only one of them refuses an answer"
    return ""


def scan_error(sleeve: Sleeve) -> str:
    """Return what a new sleeve's scan raises, "" if nothing or if it has none; the sleeve is used up by it."""
    scan = scan_of(sleeve.strategy)
    try:
        if scan is not None:
            scan(sleeve.scan())
    except Exception as error:  # noqa: BLE001  (a strategy is foreign code: anything may come out of it)
        return f"{type(error).__name__}: {error}"
    return ""


def _compiled(config: Config, panel: Panel, name: str, strategy: Strategy) -> Trail:
    """Return what the compiled loop leaves behind."""
    setup, asked = (build(config, panel, {name: deepcopy(strategy)}) for _ in range(2))
    track = run_compiled(setup)
    signal = signal_of(asked.system.sleeves[0], asked.system.cursor, panel.n_bars)
    stop = track.last + (not track.ruined)  # at a bar of ruin nobody was asked any more
    answers = {int(t): signal.held[t] for t in np.flatnonzero(signal.answered[:stop])}
    return trail_of(setup, track, {name: answers})
