"""From a configuration to a room in which a live verb works: venue, clock, state folder, locks, journal."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from plimsoll.engine.errors import DataError
from plimsoll.engine.execution.venue import Practice, Venue
from plimsoll.engine.live.clock import LiveClock
from plimsoll.engine.live.journal.chain import Verified
from plimsoll.engine.live.room import Room, Tenant, open_room, tenant_of
from plimsoll.engine.runtime.load import Runnable, configured
from plimsoll.engine.runtime.venues import open_venue
from plimsoll.engine.verbs.host import Host

PATIENCE_S: Final = 1.0
ELSEWHERE: Final = "run it from where the book is run: the same working directory, live.state and XDG_STATE_HOME"


class HostClock:
    """This machine's clock."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the time."""
        return self._now()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(max(seconds, 0.0))


class VenueTime:
    """The clock of an exchange on this machine, which has a time of its own.

    Where that time stands it passes because of whoever waits; where it runs by itself it is waited for.
    """

    def __init__(self, venue: Venue, sleep: Callable[[float], None] = time.sleep) -> None:
        self._venue = venue
        self._sleep = sleep

    def now(self) -> datetime:
        """Return the exchange's time."""
        return self._venue.clock().now

    def sleep(self, seconds: float) -> None:
        """Let it pass there, or wait here; never for longer than it takes to be asked to stop."""
        if seconds > 0.0 and not (isinstance(self._venue, Practice) and self._venue.pass_time(seconds)):
            self._sleep(min(seconds, PATIENCE_S))


def tenant_for(what: Runnable, sets: Iterable[str], host: Host) -> Tenant:
    """Return what a configuration says about going live; see `tenant_of`."""
    config, strategies = configured(what, sets=sets, env=host.env)
    return tenant_of(config, strategies, host.env, Path.home())


@contextmanager
def room_for(
    tenant: Tenant, host: Host, venue: Venue | None, clock: LiveClock | None, verified: Verified | None = None
) -> Iterator[Room]:
    """Open the room of a tenant; venue and clock may be given, else they are the configured one and the machine's."""
    chosen = open_venue(tenant.broker, host.env, tenant.symbols) if venue is None else venue
    with open_room(tenant, chosen, clock or clock_for(tenant, chosen, host), verified) as room:
        yield room


def clock_for(tenant: Tenant, venue: Venue, host: Host) -> LiveClock:
    """Return the machine's clock, or that of an exchange that runs here."""
    return VenueTime(venue) if tenant.broker.is_here else HostClock(host.clock)


def reason_of(text: str) -> str:
    """Return a reason as it is written down.

    Raises
    ------
    DataError
        If there is none.
    """
    words = " ".join(text.split())
    if not words:
        raise DataError("no reason", where="--reason", fix="say in a few words why: it is written down")
    return words[:200]
