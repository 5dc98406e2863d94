"""What a person should know: once, not too often, and never at the cost of the work.

Every alert goes to the file of alerts and to the log before anything else is tried, so that none is lost whatever
becomes of the webhook. The same alert is counted while its period lasts, and the count is told with the next one or
when the period is over. Of different ones so many go to the webhook within an hour; those beyond are in the file, and
one line says how many they were.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import Any, Final, Literal, Protocol, TypeAlias

from pydantic import SecretStr

from plimsoll.engine.config.live import AlertsSection
from plimsoll.engine.live.redact import Secrets
from plimsoll.engine.live.webhook import Body, Patience, Webhook

FILE: Final = "alerts.jsonl"
MAX_BYTES: Final = 5_000_000
KEPT: Final = 3
MAX_TEXT: Final = 2000
MAX_KNOWN: Final = 1000  # different alerts that are remembered as told
HOUR: Final = timedelta(hours=1)

State: TypeAlias = Literal["told", "suppressed", "undelivered"]


class Log(Protocol):
    """Where alerts are logged."""

    def warning(self, event: str | None = None, *args: Any, **facts: Any) -> Any:
        """Log one."""
        ...


class AlertFile:
    """The file of alerts: a JSON line each, that nobody else can read; three older files are kept."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self.path = folder / FILE
        self._max_bytes = max_bytes

    def add(self, line: Mapping[str, Any]) -> None:
        """Add a line, whole or not at all; OSError if that cannot be."""
        data = (json.dumps(line) + "\n").encode()
        self._rotate()
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        try:
            before = os.fstat(handle).st_size
            if os.write(handle, data) != len(data):
                os.ftruncate(handle, before)
                raise OSError("the disk is full")
        finally:
            os.close(handle)

    def _rotate(self) -> None:
        try:
            if self.path.stat().st_size < self._max_bytes:
                return
        except FileNotFoundError:
            return
        names = [self.path, *(self.path.with_name(f"{FILE}.{n}") for n in range(1, KEPT + 1))]
        for newer, older in zip(names[-2::-1], names[:0:-1], strict=True):
            if newer.exists():
                newer.replace(older)


@dataclass(slots=True)
class _Told:
    """When an alert was told, and how often it came again since."""

    at: datetime
    repeats: int = 0


class _Hour:
    """So many in an hour from the first one on; what is beyond is counted."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._began: datetime | None = None
        self._used = 0
        self.beyond = 0

    def is_over(self, now: datetime) -> bool:
        return self._began is None or not timedelta(0) <= now - self._began < HOUR

    def admits(self, now: datetime) -> bool:
        """Take one in, or count it."""
        if self.is_over(now):
            self._began, self._used = now, 0
        if self._used < self._most:
            self._used += 1
            return True
        self.beyond += 1
        return False

    def taken(self) -> int:
        """Return how many were beyond, and begin to count anew."""
        count, self.beyond = self.beyond, 0
        return count


class Alerts:
    """Tells people.

    now : this machine's clock. log, file, webhook : whom it tells, each None if there is none. failed : how often one
    of them could not be told, which nobody else hears of. `settle` belongs into the loop of whoever lives long.
    """

    def __init__(
        self, book: str, now: Callable[[], datetime], section: AlertsSection, secrets: Secrets, *,
        log: Log | None = None, file: AlertFile | None = None, webhook: Webhook | None = None,
    ) -> None:  # fmt: skip
        self._book = book
        self._now = now
        self._period = timedelta(minutes=section.every_minutes)
        self._hours = {False: _Hour(section.per_hour), True: _Hour(section.per_hour)}
        self._secrets = secrets
        self._log = log
        self._file = file
        self._webhook = webhook
        self._known: dict[tuple[str, str, bool], _Told] = {}
        self._number = 0
        self._lock = RLock()
        self.failed = 0

    def tell(self, kind: str, text: str, *, urgent: bool = False) -> None:
        """Tell something, at once and without waiting for anybody; whatever goes wrong, the caller does not fail.

        Parameters
        ----------
        kind : str
            One word: what it is about.
        text : str
            One line for a person. Whatever changes each time (a count, a time) makes it another alert.
        urgent : bool
            It goes before others, and has as many an hour of its own.
        """
        self._safely(lambda: self._tell(self._moment(), kind, text, urgent=urgent))

    def settle(self) -> None:
        """Tell the counts whose time has come."""
        self._safely(lambda: self._settle(self._moment()))

    def close(self, wait_s: float = 5.0) -> None:
        """Tell every count that is left, and give the webhook so many seconds for what waits."""
        self._safely(lambda: self._settle(self._moment(), last=True))
        if self._webhook is not None:
            webhook = self._webhook
            self._safely(lambda: webhook.close(wait_s), locked=False)

    def undelivered(self, body: Body, why: str) -> None:
        """Write down what the webhook did not take; it calls this from its thread."""
        self._safely(lambda: self._write({**body, "at": self._stamp(), "state": "undelivered", "why": why}))

    def use(self, webhook: Webhook) -> None:
        """Tell this webhook too."""
        self._webhook = webhook

    # ---- within the lock

    def _tell(self, now: datetime, kind: str, text: str, *, urgent: bool) -> None:
        line = self._secrets.text(" ".join(text.split()))[:MAX_TEXT]
        key = (kind, line, urgent)
        told = self._known.get(key)
        if told is not None and self._lasts(told, now):
            told.repeats += 1
            return
        self._known.pop(key, None)
        self._settle(now)
        if len(self._known) >= MAX_KNOWN:
            oldest = next(iter(self._known))
            self._repeat(now, oldest, self._known.pop(oldest))
        self._known[key] = _Told(now)
        before = told or _Told(now)
        self._out(now, kind, line, urgent=urgent, times=1 + before.repeats, since=before.at if before.repeats else None)

    def _lasts(self, told: _Told, now: datetime) -> bool:
        return timedelta(0) <= now - told.at < self._period

    def _settle(self, now: datetime, *, last: bool = False) -> None:
        for urgent, hour in self._hours.items():
            if hour.beyond and (last or hour.is_over(now)):
                count = hour.taken()
                self._out(now, "suppressed", f"suppressed {count}: they are in {FILE}", urgent=urgent, always=last)
        for key, told in [(key, told) for key, told in self._known.items() if last or not self._lasts(told, now)]:
            del self._known[key]
            if told.repeats:  # it goes on: its next period begins here
                self._known[key] = _Told(now)
                self._repeat(now, key, told)

    def _repeat(self, now: datetime, key: tuple[str, str, bool], told: _Told) -> None:
        if told.repeats:
            kind, line, urgent = key
            self._out(now, kind, line, urgent=urgent, times=told.repeats, since=told.at)

    def _out(
        self, now: datetime, kind: str, line: str, *, urgent: bool, times: int = 1, since: datetime | None = None,
        always: bool = False,
    ) -> None:  # fmt: skip
        self._number += 1
        admitted = self._webhook is None or always or self._hours[urgent].admits(now)
        more = "" if since is None else f" ({times} times since {since.astimezone(UTC):%Y-%m-%d %H:%M} UTC)"
        body: dict[str, Any] = {
            "at": now.astimezone(UTC).isoformat(), "id": f"{now.timestamp():.3f}-{self._number}", "book": self._book,
            "kind": kind, "text": line + more, "urgent": urgent, "times": times,
        }  # fmt: skip
        self._write({**body, "state": "told" if admitted else "suppressed"})
        if admitted and self._webhook is not None:
            self._webhook.post({**body, "text": f"{self._book}: {kind}: {line}{more}"}, urgent=urgent)

    def _write(self, told: Mapping[str, Any]) -> None:
        """Write an alert into the file and the log; one that fails does not keep the other from it."""
        hidden: dict[str, Any] = self._secrets.plain(told)
        file, log = self._file, self._log
        if file is not None:
            self._safely(lambda: file.add(hidden))
        if log is not None:
            self._safely(lambda: log.warning("alert", **hidden))

    def _safely(self, act: Callable[[], object], *, locked: bool = True) -> None:
        try:
            if locked:
                with self._lock:
                    act()
            else:
                act()
        except Exception:  # noqa: BLE001  (an alert never fails whoever gives it)
            self.failed += 1

    def _moment(self) -> datetime:
        """Return the time; a clock that fails is no reason to tell nothing."""
        try:
            return self._now()
        except Exception:  # noqa: BLE001  (whatever clock was handed in)
            self.failed += 1
            return datetime.now(UTC)

    def _stamp(self) -> str:
        return self._moment().astimezone(UTC).isoformat()


def open_alerts(
    book: str, folder: Path, now: Callable[[], datetime], section: AlertsSection, secrets: Secrets, *,
    log: Log | None = None, url: SecretStr | None = None, patience: Patience | None = None,
) -> Alerts:  # fmt: skip
    """Return the alerts of a book: into its log, its state folder and, if there is one, to its webhook."""
    alerts = Alerts(book, now, section, secrets, log=log, file=AlertFile(folder))
    if url is not None:
        alerts.use(Webhook(url, alerts.undelivered, patience))
    return alerts
