"""Whom a process that lives long tells: its log, its alerts, its heartbeat, opened and closed together."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from structlog.stdlib import BoundLogger

from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.config.schema import Config
from plimsoll.engine.live.alerts import Alerts, open_alerts
from plimsoll.engine.live.heartbeat import Heartbeat, Notifier
from plimsoll.engine.live.live_log import live_log
from plimsoll.engine.live.redact import Secrets, known_secrets
from plimsoll.engine.live.webhook import webhook_url

ROUTINE: Final = frozenset(("start", "stop", "slot", "note"))  # what goes well is logged, and told nobody
SETTLE_S: Final = 30.0  # between two looks at what was counted


class LiveVoice:
    """Tells what happens and that the process lives; never waits, never fails whoever speaks."""

    def __init__(
        self, log: BoundLogger, alerts: Alerts, heartbeat: Heartbeat, secrets: Secrets,
        echo: Callable[[str], object] | None = None,
    ) -> None:  # fmt: skip
        self._log = log
        self._secrets = secrets
        self._echo = echo
        self.alerts = alerts
        self.heartbeat = heartbeat
        self._slot = ("", "")
        self._next = ""
        self._settled = time.monotonic()

    def tell(self, kind: str, text: str, *, urgent: bool = False) -> None:
        """Log what is routine, alert to everything else and to whatever is urgent."""
        if self._echo is not None:
            with suppress(OSError, ValueError):  # nobody reads it any more
                self._echo(self._secrets.text(f"{kind:8s} {text}{' !' if urgent else ''}"))
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
    config: Config, folder: Path, env: Mapping[str, str], now: Callable[[], datetime], *, stderr: bool = False,
    echo: Callable[[str], object] | None = None,
) -> Iterator[LiveVoice]:  # fmt: skip
    """Open what a book tells people by: its state folder, systemd, a webhook if one is configured.

    now : this machine's clock. stderr : the log goes there too. echo : is given a line of everything that is told.
    An error that ends the block is told, and the heartbeat then does not say that the process ended by itself.

    Raises
    ------
    ConfigError
        If the webhook's address is missing or may not be told.
    OutputError
        If the state folder cannot be written.
    """
    section, name = (config.live or LiveSection()).alerts, config.run.name
    url = webhook_url(section, env)
    secrets = known_secrets(env, None if config.broker is None else config.broker.keys, url)
    with live_log(folder, now, secrets, stderr=stderr) as log:
        alerts = open_alerts(name, folder, now, section, secrets, log=log, url=url)
        heartbeat = Heartbeat(folder, now, Notifier(env))
        try:
            yield LiveVoice(log.bind(book=name), alerts, heartbeat, secrets, echo)
        except BaseException as error:
            log.error("ended by an error", exc_info=True)
            alerts.tell("error", f"{type(error).__name__}: {error}", urgent=True)
            raise
        else:
            heartbeat.end("ended")
        finally:
            alerts.close()
