"""Every slot of every session, unattended: to the configured account, or to files."""

import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import date, datetime
from pathlib import Path
from types import FrameType
from typing import Final

from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import ConfigError, InputError
from plimsoll.engine.execution.venue import Venue
from plimsoll.engine.live.clock import LiveClock, nowhere
from plimsoll.engine.live.daemon import TICK_S, Daemon, Silent, Voice, Work
from plimsoll.engine.live.decide import SystemDecider
from plimsoll.engine.live.fence import only_daemon
from plimsoll.engine.live.journal.chain import Verified
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.owner import check_owner
from plimsoll.engine.live.nightly import check_session
from plimsoll.engine.live.outcome import Outcome
from plimsoll.engine.live.positions import read_positions
from plimsoll.engine.live.rebalance import Rebalancer
from plimsoll.engine.live.reconcile import reconcile
from plimsoll.engine.live.refresh import Refresher
from plimsoll.engine.live.replay import Case
from plimsoll.engine.live.room import Room, Tenant, state_folder
from plimsoll.engine.live.shadow import shadow_session
from plimsoll.engine.live.track import twin_of
from plimsoll.engine.live.watch import Watcher
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.runtime.load import Runnable, configured
from plimsoll.engine.runtime.venues import open_venue
from plimsoll.engine.verbs.data import pull_data
from plimsoll.engine.verbs.gate import pass_gate
from plimsoll.engine.verbs.host import PROGRAM, Host
from plimsoll.engine.verbs.live_room import HostClock, VenueTime, clock_for, room_for, tenant_for
from plimsoll.engine.verbs.rebalance import emit

EVENING: Final = "evening"
PRACTICE_TICK_S: Final = 900.0  # on an exchange whose time passes when somebody waits


class AccountWork:
    """The work of a daemon on an account: every step opens the journal, holds the account, and lets go of both."""

    def __init__(
        self, tenant: Tenant, venue: Venue, clock: LiveClock, host: Host, *, data: Panel | None = None,
        shadow: Case | None = None,
    ) -> None:  # fmt: skip
        self._tenant = tenant
        self._venue = venue
        self._clock = clock
        self._host = host
        self._data = data
        self._shadow = shadow
        self._decider: SystemDecider | None = None
        self._verified = Verified()

    def _room(self) -> AbstractContextManager[Room]:
        return room_for(self._tenant, self._host, self._venue, self._clock, self._verified)

    def _deciding(self, room: Room, point: Callable[[str], None] = nowhere) -> SystemDecider:
        """Return what decides; it goes on from where it stood when it was last asked."""

        def alive(_done: int, _all: int) -> None:
            point("replaying")

        if self._decider is None:
            self._decider = room.decider(data=self._data)
        self._decider.work_on(room.venue, room.journal, alive)
        return self._decider

    def fetch(self) -> str:
        """Pull what the configuration needs into the catalog, if that is where its prices come from."""
        return fetched(self._tenant.config, self._host)

    def slot(self, slot: str, point: Callable[[str], None]) -> Outcome:
        """Do the slot."""
        with self._room() as room:
            decider, folder = self._deciding(room, point), self._tenant.folder
            return Rebalancer(room.book, room.venue, room.journal, room.clock, folder, decider, point).run(slot)

    def slots(self, session: date) -> Mapping[str, bool]:
        """Return what the journal says was begun, and what of it is done."""
        with reading(self._tenant.folder, self._clock.now) as journal:
            return {one.slot: one.done for one in journal.slots(session)} if journal else {}

    def decided(self, session: date) -> bool:
        """Return whether the journal has a plan for the session."""
        with reading(self._tenant.folder, self._clock.now) as journal:
            return journal is not None and journal.plan(session) is not None

    def watch(self) -> bool:
        """Reconcile, give up what is left of slots that are over, and tell whether anything may still work."""
        with self._room() as room:
            decider, folder = self._deciding(room), self._tenant.folder
            return Watcher(room.book, room.venue, room.journal, room.clock, folder, decider).watch()

    def refresh(self, point: Callable[[str], None]) -> Outcome | None:
        """Reduce if the day has cost enough."""
        with self._room() as room:
            decider, folder = self._deciding(room, point), self._tenant.folder
            return Refresher(room.book, room.venue, room.journal, room.clock, folder, decider, point).refresh()

    def evening(self, session: date) -> list[str]:
        """Fetch the day's final prices, reconcile, replay the day's decision, hold the day against its simulation.

        What is not as it should be is returned, and new risk is halted where prices, state or decision are not the
        journalled ones.
        """
        problems = [found for found in [self.fetch()] if found]
        case = Case(self._tenant.config, self._tenant.strategies, self._data)
        with self._room() as room:
            journal, decider = room.journal, self._deciding(room)
            reconcile(journal, room.venue, room.clock, room.book.whose, credits_of=decider.credits)
            if journal.plan(session) is not None:
                problems += _looked_back(case, journal, session)
            if self._shadow is not None:
                shadow_session(self._shadow, session, journal)
            with journal.tx():
                journal.set_meta(EVENING, session.isoformat())
        return problems

    def evening_done(self, session: date) -> bool:
        """Return whether the journal has it."""
        with reading(self._tenant.folder, self._clock.now) as journal:
            return journal is not None and journal.meta(EVENING) == session.isoformat()


def _looked_back(case: Case, journal: Journal, session: date) -> list[str]:
    """Replay a session's decision and hold the account against its twin; return what is not as it should be."""
    try:
        nightly = check_session(case, journal, session)
        twin = twin_of(case, journal, session, check=nightly, history=False)
    except InputError as error:  # a configuration that changed during the day: there is nothing to hold it against
        return [f"{session} was not looked back on: {error}"]
    problems = [] if nightly.ok else [nightly.reason]
    gap = f"{session}: the account is {twin.gap.bps:+z.1f} bps from its twin, live.twin_band_bps is"
    return problems + ([] if twin.inside else [f"{gap} {twin.band_bps:g}: `plimsoll twin` says why"])


class EmitWork:
    """The work of a daemon without a broker: the orders of each session into a folder, once."""

    def __init__(self, config: Config, out: Path, positions: Path, host: Host) -> None:
        self._config = config
        self._out = out
        self._positions = positions
        self._host = host
        self._folder = state_folder(config, host.env, Path.home())

    def fetch(self) -> str:
        """Pull what the configuration needs into the catalog, if that is where its prices come from."""
        return fetched(self._config, self._host)

    def slot(self, slot: str, point: Callable[[str], None]) -> Outcome:
        """Emit, or say that it was done."""
        point("opened")
        outcome, file = emit(self._config, slot, self._out, self._positions, host=self._host)
        if file is not None:
            outcome.notes.append(f"orders in {file}")
        return outcome

    def slots(self, session: date) -> Mapping[str, bool]:
        """Return all slots of a session whose orders were emitted as done: there is one decision a session."""
        live = self._config.live or LiveSection()
        return dict.fromkeys(live.slots, True) if self.decided(session) else {}

    def decided(self, session: date) -> bool:
        """Return whether the journal has a plan for the session."""
        with reading(self._folder, self._host.clock) as journal:
            return journal is not None and journal.plan(session) is not None

    def watch(self) -> bool:
        """Have nothing to watch."""
        return False

    def refresh(self, point: Callable[[str], None]) -> Outcome | None:
        """Know of no account."""
        point("opened")
        return None

    def evening(self, session: date) -> list[str]:
        """Have nothing to look back on but that the session was decided for."""
        return [] if self.decided(session) else [f"{session}: no orders were emitted"]

    def evening_done(self, session: date) -> bool:
        """Return whether the session was decided for: then there is nothing to look back on."""
        return self.decided(session)


def fetched(config: Config, host: Host) -> str:
    """Bring a configuration's catalog up to date; return what did not work, "" if all did."""
    if config.data.source != "catalog":
        return ""
    try:
        pulled = pull_data(config=config, catalog=config.data.path, host=host)
    except InputError as error:
        return f"no new prices: {error}"
    missing = [one.symbol for one in pulled.outcomes if one.state not in ("stored", "current")]
    return f"not brought up to date: {', '.join(missing)}" if missing else ""


@contextmanager
def reading(folder: Path, now: Callable[[], datetime]) -> Iterator[Journal | None]:
    """Open a journal to look at it, as long as the block lasts; None if there is none."""
    journal = Journal.read_only(folder, now)
    try:
        yield journal
    finally:
        if journal is not None:
            journal.close()


class StopFlag:
    """Set by SIGTERM or SIGINT, once; the daemon looks at it between any two orders."""

    def __init__(self) -> None:
        self.set = False

    def __call__(self) -> bool:
        """Return whether somebody asked the process to end."""
        return self.set

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.set = True

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to the signals as long as the block lasts."""
        before = {number: signal.signal(number, self._ask) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def daemon(
    what: Runnable,
    voice: Voice | None = None,
    *,
    emit_to: Path | str | None = None,
    positions: Path | str | None = None,
    data: Panel | None = None,
    shadow: Runnable | None = None,
    sets: Iterable[str] = (),
    venue: Venue | None = None,
    clock: LiveClock | None = None,
    stop: Callable[[], bool] | None = None,
    host: Host = PROGRAM,
) -> None:
    """Do every slot of every session until told to end: on the configured account, or into files.

    Parameters
    ----------
    what, data, sets
        As for `backtest`; the configuration needs `[broker] account`, unless orders are only emitted.
    voice : Voice, optional
        Is told what happens, and that the daemon lives; by default nobody.
    emit_to, positions : path, optional
        Write each session's orders into this folder, for what is held by this file; see `emit`.
    shadow : configuration, optional
        Decide by this one too, every session, on an account that is only simulated; see `twin`.
    venue, clock : optional
        Instead of the configured account and the machine's clock.
    stop : callable, optional
        Whether to end; by default SIGTERM and SIGINT are listened to.

    Raises
    ------
    InputError
        If the input is wrong, or a daemon runs for this book already.
    """
    config, strategies = configured(what, sets=sets, env=host.env)
    if config.data.interval != "1d":
        raise ConfigError(f"bars of {config.data.interval}", where="data.interval", fix="only daily bars go live")
    if (emit_to is None) != (positions is None):
        raise ConfigError("orders are emitted for positions", where="daemon", fix="give both --emit and --positions")
    pass_gate(config, strategies, data)
    work: Work
    if emit_to is not None and positions is not None:
        read_positions(Path(positions))
        work, time_of = EmitWork(config, Path(emit_to), Path(positions), host), clock or HostClock(host.clock)
        folder = state_folder(config, host.env, Path.home())
    else:
        tenant = tenant_for(what, sets, host)
        chosen = open_venue(tenant.broker, host.env, tenant.symbols) if venue is None else venue
        time_of = clock or clock_for(tenant, chosen, host)
        beside = None if shadow is None else Case(*configured(shadow, env=host.env), data)
        work, folder = AccountWork(tenant, chosen, time_of, host, data=data, shadow=beside), tenant.folder
    with reading(folder, host.clock) as journal:
        if journal is not None:
            check_owner(journal, config.run.name, None if config.broker is None else config.broker.account)
    live, flag = config.live or LiveSection(), StopFlag()
    with only_daemon(folder, f"book {config.run.name!r}"), nullcontext() if stop is not None else flag.listening():
        tick = PRACTICE_TICK_S if isinstance(time_of, VenueTime) else TICK_S
        Daemon(live, work, time_of, voice or Silent(), stop or flag, tick_s=tick).run()
