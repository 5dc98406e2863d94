"""Whom a process that lives long tells: its log, its alerts, its heartbeat, opened and closed together."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final

from structlog.stdlib import BoundLogger

from plimsoll.engine.live.alerts import Alerts, open_alerts
from plimsoll.engine.live.heartbeat import Heartbeat, Notifier
from plimsoll.engine.live.live_log import live_log
from plimsoll.engine.live.redact import known_secrets
from plimsoll.engine.live.room import Tenant
from plimsoll.engine.live.webhook import webhook_url

ROUTINE: Final = frozenset(("start", "stop", "slot", "note"))  # what goes well is logged, and told nobody
SETTLE_S: Final = 30.0  # between two looks at what was counted


class LiveVoice:
    """Tells what happens and that the process lives; never waits, never fails whoever speaks."""

    def __init__(self, log: BoundLogger, alerts: Alerts, heartbeat: Heartbeat) -> None:
        self._log = log
        self.alerts = alerts
        self.heartbeat = heartbeat
        self._slot = ("", "")
        self._next = ""
        self._settled = time.monotonic()

    def tell(self, kind: str, text: str, *, urgent: bool = False) -> None:
        """Log what is routine, alert to everything else and to whatever is urgent."""
        if urgent or kind not in ROUTINE:
            self.alerts.tell(kind, text, urgent=urgent)
            return
        with suppress(Exception):  # the log counts by itself what it cannot write
            self._log.info(kind, text=text)

    def beat(self, doing: str, next_due: datetime | None) -> None:
        """Give a sign of life; steps within a slot keep its name, and the next slot stays known until there is one."""
        word, _, rest = doing.partition(" ")
        if word == "slot":
            session, _, slot = rest.partition(" ")
            self._slot = (session, slot)
        elif doing in ("waiting", "stopped"):
            self._slot = ("", "")
        if next_due is not None:
            self._next = next_due.astimezone(UTC).isoformat(timespec="minutes")
        self.heartbeat.beat(doing, session=self._slot[0], slot=self._slot[1], next_slot=self._next)
        if time.monotonic() - self._settled > SETTLE_S:
            self._settled = time.monotonic()
            self.alerts.settle()


@contextmanager
def live_voice(
    tenant: Tenant, env: Mapping[str, str], now: Callable[[], datetime], *, stderr: bool = False, **more: Any
) -> Iterator[LiveVoice]:
    """Open what a book tells people by: its state folder, systemd, a webhook if one is configured.

    now : this machine's clock. stderr : the log goes there too, for systemd's journal. more : for the log.
    An error that ends the block is told, and the heartbeat then does not say that the process ended by itself.

    Raises
    ------
    ConfigError
        If the webhook's address is missing or may not be told.
    OutputError
        If the state folder cannot be written.
    """
    url = webhook_url(tenant.live.alerts, env)
    secrets = known_secrets(env, tenant.broker.keys, url)
    with live_log(tenant.folder, now, secrets, stderr=stderr, **more) as log:
        alerts = open_alerts(tenant.name, tenant.folder, now, tenant.live.alerts, secrets, log=log, url=url)
        heartbeat = Heartbeat(tenant.folder, now, Notifier(env))
        try:
            yield LiveVoice(log.bind(book=tenant.name), alerts, heartbeat)
        except BaseException as error:
            log.error("ended by an error", exc_info=True)
            alerts.tell("error", f"{type(error).__name__}: {error}", urgent=True)
            raise
        else:
            heartbeat.end("ended")
        finally:
            alerts.close()
