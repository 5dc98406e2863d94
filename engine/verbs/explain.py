"""Explain a decision of a finished run."""

from pathlib import Path

import numpy as np

from plimsoll.engine.core import Decision
from plimsoll.engine.errors import DataError
from plimsoll.engine.research.explain import Explanation, explain_decision
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.verbs.run_folder import load_finished


def explain(
    run: Path | str, session: str | None = None, symbol: str | None = None, data: Path | str | None = None
) -> list[Explanation]:
    """Explain a decision of a finished run by running it again up to that close.

    Parameters
    ----------
    run : path
        A run folder.
    session : ISO date, optional
        The session whose close decided; the last decision if left out.
    symbol : str, optional
        One symbol; all that are held, wanted or traded if left out.
    data : path, optional
        Where the data are now, if they have moved.

    Raises
    ------
    DataError
        If the folder is not a run, the data are not those it ran on, or there was no decision at that close.
    """
    setup = build(*load_finished(Path(run), data))
    t = _bar_of(setup, session)
    track = run_loop(setup, stop_at=t)
    if not track.decisions or track.decisions[-1].t != t:
        raise DataError(
            f"no decision at the close of {setup.panel.clock.session[t]}",
            where=str(run),
            fix=_nearest(setup, track.decisions),
        )
    return explain_decision(setup, track.decisions[-1], symbol)


def _bar_of(setup: Setup, session: str | None) -> int:
    clock = setup.panel.clock
    if session is None:
        track = run_loop(build(setup.config, setup.panel, make_strategies(setup.config)))
        return track.decisions[-1].t
    try:
        day = np.datetime64(session, "D")
    except ValueError:
        raise DataError(f"{session!r} is not a date", fix="write it as 2020-03-31") from None
    bars = np.flatnonzero(clock.session == day)
    if not len(bars):
        raise DataError(
            f"{session} is not a session of this run", where=f"{clock.session[setup.first - 1]} to {clock.session[-1]}"
        )
    return int(bars[-1])


def _nearest(setup: Setup, decisions: list[Decision]) -> str:
    sessions = setup.panel.clock.session
    if not decisions:
        return f"the first decision is at the close of {sessions[setup.first - 1]}"
    return f"the decision before is at the close of {sessions[decisions[-1].t]}"
