"""The system brought back to a close that decided, from the prices and the journal, as often as somebody asks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import DataError
from plimsoll.engine.execution.legalise import Wish
from plimsoll.engine.live.day_plan import Stood, stand_at_last_bar
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import ZERO
from plimsoll.engine.live.marks import LiveMarks, marks_of
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.audit.certificate import code_hash_of
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.backtest import Progress, run_loop
from plimsoll.engine.runtime.load import load_run
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.sleeve.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Case:
    """A configuration with the strategies that came as objects, by sleeve, and prices; None = read as configured."""

    config: Config
    strategies: Mapping[str, Strategy]
    data: Panel | None = None

    @property
    def code_hash(self) -> str:
        """Of the strategies' source as it is now."""
        return code_hash_of(make_strategies(self.config, self.strategies).values())

    def setup(self, until: date) -> Setup:
        """Return a system at the start of its history, with prices through a session and none later.

        Raises
        ------
        InputError
            As `load_run` raises it; a DataError if the prices end earlier.
        """
        config, panel, _ = load_run(self.config, data=self.data, end=until)
        last = day_of(panel, panel.n_bars - 1)
        if last < until:
            raise DataError(f"the prices end on {last}, before {until}", where="data", fix="pull them first")
        return build(config, panel, make_strategies(config, self.strategies))


@dataclass(frozen=True, slots=True)
class Standing:
    """A system at the close that decided."""

    setup: Setup
    marks: LiveMarks
    stood: Stood


def stand(case: Case, journal: Journal, decided: date, progress: Progress | None = None) -> Standing:
    """Replay from scratch through the close of `decided`, as a slot of the session after it does."""
    setup = case.setup(decided)
    marks = marks_of(journal, setup.panel)
    return Standing(setup, marks, stand_at_last_bar(setup, progress, mark_of=marks))


def walk(
    setup: Setup, marks: LiveMarks, wanted: Iterable[date], at: Callable[[date, int], None],
    progress: Progress | None = None,
) -> None:  # fmt: skip
    """Replay once over all sessions; call `at` with each of those wanted and its bar, the system before it.

    The system then stands at the close that decided; nothing may be changed in it.
    """
    bars = {bar_of(setup.panel, session): session for session in wanted}

    def before(t: int) -> None:
        if t in bars and setup.system.t == t - 1:
            at(bars[t], t)

    run_loop(setup, progress, stop_at=max(bars), before_bar=before, mark_of=marks, keep=0)


def signed(wishes: Iterable[Wish]) -> dict[str, Decimal]:
    """Return the signed shares of some wishes by symbol."""
    total: dict[str, Decimal] = {}
    for wish in wishes:
        total[wish.symbol] = total.get(wish.symbol, ZERO) + wish.qty
    return total


def bar_of(panel: Panel, session: date) -> int:
    """Return the bar of a session; DataError if the prices have none."""
    t = int(np.searchsorted(panel.clock.session, np.datetime64(session)))
    if t == panel.n_bars or panel.clock.session[t] != np.datetime64(session):
        raise DataError(f"there are no prices of {session}", where="data", fix="pull them first")
    return t


def day_of(panel: Panel, t: int) -> date:
    """Return the session of a bar."""
    day: date = panel.clock.session[t].astype("datetime64[D]").item()
    return day
