"""Signs of life: a file that anybody can look at, and systemd's watchdog.

Both are given by the loop that does the work, never by a thread of their own: a loop that hangs gives none. Source:
sd_notify(3), sd_watchdog_enabled(3).
"""

import json
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from plimsoll.engine.live.halt_file import started

FILE: Final = "heartbeat.json"
STALE_S: Final = 90.0


@dataclass(frozen=True, slots=True)
class Beat:
    """What a process said of itself. at : when. started : its process began then, in the kernel's ticks.

    doing : in a few words. session, slot : that it works on, "" between slots. next_slot : the one it waits for.
    ended : it ended by itself, and says in `doing` why.
    """

    at: datetime
    pid: int
    started: str
    doing: str
    session: str = ""
    slot: str = ""
    next_slot: str = ""
    ended: bool = False

    def age_s(self, now: datetime) -> float:
        """Return the seconds since; below zero if it comes from the future."""
        return (now - self.at).total_seconds()

    def is_stale(self, now: datetime) -> bool:
        """Return whether whoever said this should have said something since. One from the future is no sign of life."""
        return not self.ended and abs(self.age_s(now)) > STALE_S


def read_beat(folder: Path) -> Beat | str | None:
    """Return the last sign of life, None if there never was one, or why it cannot be read."""
    path = folder / FILE
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        at = datetime.fromisoformat(told.pop("at"))
        if at.tzinfo is None:
            return f"{FILE} is not what was written"
        return Beat(at=at, **told)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"{FILE} cannot be read: {error.strerror}"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return f"{FILE} is not what was written"


class Heartbeat:
    """Says that a process lives. failed : how often the file could not be written, in which case it only grows old.

    now : this machine's clock, not that of an exchange to practise on: whoever looks has no other.
    """

    def __init__(self, folder: Path, now: Callable[[], datetime], notifier: "Notifier | None" = None) -> None:
        self._path = folder / FILE
        self._now = now
        self._notifier = notifier or Notifier({})
        self._pid = os.getpid()
        self._started = started(self._pid)
        self._begun = False
        self.failed = 0

    def beat(self, doing: str, *, session: str = "", slot: str = "", next_slot: str = "") -> bool:
        """Say what the process is doing, to the file and to systemd; return whether the file could be written.

        The first one tells systemd that starting is over.
        """
        if not self._begun:
            self._begun = True
            self._notifier.ready()
        return self._say(doing, session, slot, next_slot, ended=False)

    def end(self, why: str) -> bool:
        """Say that the process ends, and that this is no accident; one that never lived leaves another's sign alone."""
        self._notifier.stopping()
        if not self._begun:
            return False
        return self._say(why, "", "", "", ended=True)

    def _say(self, doing: str, session: str, slot: str, next_slot: str, *, ended: bool) -> bool:
        beat = Beat(self._now(), self._pid, self._started, doing[:200], session, slot, next_slot, ended)
        written = self._write(beat)
        self._notifier.status(" ".join(filter(None, (beat.doing, session, slot))))
        if not ended:
            self._notifier.watchdog()
        return written

    def _write(self, beat: Beat) -> bool:
        body = json.dumps({**asdict(beat), "at": beat.at.astimezone(UTC).isoformat()})
        fresh = self._path.with_name(f".{FILE}.{self._pid}")
        try:
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(body)
            fresh.replace(self._path)
        except OSError:
            self.failed += 1
            with suppress(OSError):
                fresh.unlink()
            return False
        return True


class Notifier:
    """Tells systemd how a service is, where systemd started it; elsewhere nobody. It never waits and never fails."""

    def __init__(self, env: Mapping[str, str]) -> None:
        named = env.get("NOTIFY_SOCKET", "")
        self._address = f"\0{named[1:]}" if named.startswith("@") else named
        self._there = named[:1] in ("/", "@") and len(named) > 1
        self.watchdog_s = _watchdog_seconds(env)

    def ready(self) -> bool:
        """Say that starting is over."""
        return self._tell("READY=1")

    def watchdog(self) -> bool:
        """Say that the process is not stuck."""
        return self._tell("WATCHDOG=1")

    def stopping(self) -> bool:
        """Say that the process ends."""
        return self._tell("STOPPING=1")

    def status(self, text: str) -> bool:
        """Say in one line what the process is doing."""
        return self._tell("STATUS=" + " ".join(text.split()))

    def _tell(self, message: str) -> bool:
        if not self._there:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.setblocking(False)
                channel.sendto(message.encode(errors="replace"), self._address)
        except OSError:
            return False
        return True


def _watchdog_seconds(env: Mapping[str, str]) -> float | None:
    """Return within how many seconds systemd wants a sign of life of this process, None if it wants none."""
    try:
        meant = int(env.get("WATCHDOG_PID", "") or os.getpid()) == os.getpid()
        microseconds = int(env.get("WATCHDOG_USEC", ""))
    except ValueError:
        return None
    return microseconds / 1e6 if meant and microseconds > 0 else None
