"""The shadow: a second configuration that decides beside the live one, on a simulated account, and sends nothing.

Each session it is replayed as a backtest to the close that decides; what it would trade and what it is worth then are
events of the live book's journal, so that the two have a history together.
"""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.kernels import layout
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.prefix import prefix_of
from plimsoll.engine.live.replay import Case
from plimsoll.engine.market.calendar import previous_session
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.backtest import Progress, Track, run_loop

SHADOW: Final = "shadow"  # the kind of the event


@dataclass(frozen=True, slots=True)
class Shadow:
    """A shadow at the close that decides for a session.

    equity, nav : dollars, and growth since its start. gross : of equity. traded : dollars in the session that closed.
    weights : held, fractions of equity. orders : signed shares that it would trade in `session`, by symbol; due :
    whether the close called for a decision.
    """

    name: str
    config_hash: str
    session: date
    decided: date
    data: str
    equity: float
    nav: float
    gross: float
    traded: float
    due: bool
    weights: dict[str, float]
    orders: dict[str, float]

    def plain(self) -> dict[str, Any]:
        """Return plain values for JSON and the journal."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {**values, "session": self.session.isoformat(), "decided": self.decided.isoformat()}


def shadow_session(case: Case, session: date, journal: Journal, *, progress: Progress | None = None) -> Shadow:
    """Let a configuration decide for a session on its own simulated account, and write that down once.

    Asked again for the same session it returns what was written.

    Raises
    ------
    InputError
        If the prices end before the close that decides, the configuration is not in force then, or it fails.
    """
    there = [one for one in shadows(journal, case.config.digest) if one.session == session]
    if there:
        return there[-1]
    made = decide_beside(case, session, progress=progress)
    with journal.tx():
        journal.event(SHADOW, **made.plain())
    return made


def decide_beside(case: Case, session: date, *, progress: Progress | None = None) -> Shadow:
    """Return what a configuration decides for a session on its own simulated account."""
    decided, start = previous_session(session), case.config.run.start
    if start is not None and start > decided:
        fix = "the first close that may decide is the one after it"
        raise DataError(f"run.start is {start}, {decided} is before it", where=case.config.run.name, fix=fix)
    setup = case.setup(decided)
    return _of(case, setup, run_loop(setup, progress, keep=1), session, decided)


def _of(case: Case, setup: Setup, track: Track, session: date, decided: date) -> Shadow:
    panel, broker, t = setup.panel, setup.broker, setup.panel.n_bars - 1
    account, (equity, nav) = broker.account(), broker.mark()
    due = bool(track.decisions) and track.decisions[-1].t == t
    rows = track.decisions[-1].plan.orders.rows if due else None
    orders = np.zeros(panel.n_symbols)
    if rows is not None:
        np.add.at(orders, rows.col, rows.qty)
    held = np.flatnonzero(account.shares)
    return Shadow(
        name=case.config.run.name,
        config_hash=case.config.digest,
        session=session,
        decided=decided,
        data=prefix_of(panel).whole(),
        equity=equity,
        nav=nav,
        gross=float(np.abs(account.value).sum() / equity) if equity > 0.0 else 0.0,
        traded=float(broker.rec[t, layout.R_TRADED]),
        due=due,
        weights={panel.symbols[i]: float(account.value[i] / equity) for i in held} if equity > 0.0 else {},
        orders={panel.symbols[i]: float(orders[i]) for i in np.flatnonzero(orders)},
    )


def shadows(journal: Journal, config_hash: str) -> list[Shadow]:
    """Return the history of a shadow, oldest first."""
    told = [json.loads(event.body) for event in journal.events(SHADOW)]
    return [
        Shadow(
            **{
                **body,
                "session": date.fromisoformat(body["session"]),
                "decided": date.fromisoformat(body["decided"]),
            }
        )
        for body in told
        if body["config_hash"] == config_hash
    ]
