"""Every slot of every session, unattended: to the configured account, or to files."""

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from types import FrameType

from plimsoll.engine.errors import ConfigError, InputError
from plimsoll.engine.execution.venue import Venue
from plimsoll.engine.live.clock import LiveClock
from plimsoll.engine.live.daemon import Daemon, Voice, Work
from plimsoll.engine.live.fence import only_daemon
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.outcome import Outcome
from plimsoll.engine.live.rebalance import Rebalancer
from plimsoll.engine.live.reconcile import reconcile
from plimsoll.engine.live.room import Tenant
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.runtime.load import Runnable
from plimsoll.engine.runtime.venues import open_venue
from plimsoll.engine.verbs.data import pull_data
from plimsoll.engine.verbs.host import PROGRAM, Host
from plimsoll.engine.verbs.live_room import clock_for, room_for, tenant_for

EVENING = "evening"


class AccountWork:
    """The work of a daemon on an account: every step opens the journal, holds the account, and lets go of both."""

    def __init__(
        self, tenant: Tenant, venue: Venue, clock: LiveClock, host: Host, *, data: Panel | None = None
    ) -> None:
        self._tenant = tenant
        self._venue = venue
        self._clock = clock
        self._host = host
        self._data = data

    def fetch(self) -> str:
        """Pull what the configuration needs into the catalog, if that is where its prices come from."""
        config = self._tenant.config
        if config.data.source != "catalog":
            return ""
        try:
            pulled = pull_data(config=config, catalog=config.data.path, host=self._host)
        except InputError as error:
            return f"no new prices: {error}"
        missing = [one.symbol for one in pulled.outcomes if one.state not in ("stored", "current")]
        return f"not brought up to date: {', '.join(missing)}" if missing else ""

    def slot(self, slot: str, point: Callable[[str], None]) -> Outcome:
        """Do the slot."""
        with room_for(self._tenant, self._host, self._venue, self._clock) as room:
            decider = room.decider(data=self._data)
            folder = self._tenant.folder
            return Rebalancer(room.book, room.venue, room.journal, room.clock, folder, decider, point).run(slot)

    def slots_done(self, session: date) -> frozenset[str]:
        """Return what the journal says is done."""
        with self._reading() as journal:
            return frozenset(one.slot for one in journal.slots(session) if one.done) if journal else frozenset()

    def decided(self, session: date) -> bool:
        """Return whether the journal has a plan for the session."""
        with self._reading() as journal:
            return journal is not None and journal.plan(session) is not None

    def watch(self) -> bool:
        """Reconcile, and tell whether orders of the book may still work."""
        with room_for(self._tenant, self._host, self._venue, self._clock) as room:
            report = reconcile(room.journal, room.venue, room.clock, room.book.whose)
            return bool(report.unknown) or any(room.book.whose.owns(one.client_id) for one in report.working)

    def evening(self, session: date) -> None:
        """Fetch the day's final prices, reconcile once more, and note that it was done."""
        self.fetch()
        with room_for(self._tenant, self._host, self._venue, self._clock) as room:
            decider = room.decider(data=self._data)
            reconcile(room.journal, room.venue, room.clock, room.book.whose, credits_of=decider.credits)
            with room.journal.tx():
                room.journal.set_meta(EVENING, session.isoformat())

    def evening_done(self, session: date) -> bool:
        """Return whether the journal has it."""
        with self._reading() as journal:
            return journal is not None and journal.meta(EVENING) == session.isoformat()

    @contextmanager
    def _reading(self) -> Iterator[Journal | None]:
        journal = Journal.read_only(self._tenant.folder, self._clock.now)
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
    voice: Voice,
    *,
    data: Panel | None = None,
    sets: Iterable[str] = (),
    venue: Venue | None = None,
    clock: LiveClock | None = None,
    stop: Callable[[], bool] | None = None,
    work: Work | None = None,
    host: Host = PROGRAM,
) -> None:
    """Do every slot of every session on the configured account until told to end.

    Parameters
    ----------
    what, data, sets
        As for `backtest`; the configuration needs `[broker] account`.
    voice : Voice
        Is told what happens, and that the daemon lives.
    venue, clock : optional
        Instead of the configured account and the machine's clock.
    stop : callable, optional
        Whether to end; by default SIGTERM and SIGINT are listened to.
    work : Work, optional
        Instead of trading the account.

    Raises
    ------
    InputError
        If the input is wrong, or a daemon runs for this book already.
    """
    tenant = tenant_for(what, sets, host)
    if tenant.config.data.interval != "1d":
        raise ConfigError(
            f"bars of {tenant.config.data.interval}", where="data.interval", fix="only daily bars go live"
        )
    chosen = open_venue(tenant.broker, host.env, tenant.symbols) if venue is None else venue
    time_of = clock or clock_for(tenant, chosen, host)
    does = work or AccountWork(tenant, chosen, time_of, host, data=data)
    flag = StopFlag()
    with only_daemon(tenant.folder, f"book {tenant.name!r}"):
        if stop is not None:
            Daemon(tenant.live, does, time_of, voice, stop).run()
            return
        with flag.listening():
            Daemon(tenant.live, does, time_of, voice, flag).run()
