"""One address that is told by POST, from a thread of its own: whoever has something to say never waits for it."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from plimsoll.engine.config.live import AlertsSection, is_loopback
from plimsoll.engine.errors import ConfigError

ROOM: Final = 100  # messages that wait; one more and it is undelivered
TRIES: Final = 3
PAUSE_S: Final = 5.0  # before the second try; the third waits twice as long
TIMEOUT_S: Final = (3.05, 5.0)  # to connect, and for each answer

Body = Mapping[str, Any]


def webhook_url(section: AlertsSection, env: Mapping[str, str]) -> SecretStr | None:
    """Return the webhook's address, None if none is configured. It is told nowhere, not in an error either.

    Raises
    ------
    ConfigError
        If the variable is not set, or holds neither an https address nor one of this machine.
    """
    name = section.webhook_env
    if name is None:
        return None
    url, where = env.get(name, "").strip(), f"environment variable {name}"
    if not url:
        raise ConfigError("is not set", where=where, cause="live.alerts.webhook_env names it", fix="set it")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise ConfigError("holds no address that may be told", where=where, fix="use https, or http on this machine")
    return SecretStr(url)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for a webhook, and how often it is tried."""

    timeout_s: tuple[float, float] = TIMEOUT_S
    tries: int = TRIES
    pause_s: float = PAUSE_S
    room: int = ROOM


class Webhook:
    """Posts messages in order, the urgent ones first. At least once: one that got no answer may have arrived.

    undelivered : is told each message that did not get through, and why, by whatever thread finds out.
    """

    def __init__(
        self, url: SecretStr, undelivered: Callable[[Body, str], None], patience: Patience | None = None
    ) -> None:
        self._url = url
        self._undelivered = undelivered
        self._patience = patience or Patience()
        self._waiting: deque[tuple[Body, bool]] = deque()
        self._current: Body | None = None
        self._closed = False
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None

    def post(self, body: Body, *, urgent: bool = False) -> None:
        """Let a message be posted, and do not wait for it."""
        refused: tuple[Body, str] | None = None
        with self._change:
            if self._closed:
                refused = body, "the process was ending"
            else:
                refused = self._queue(body, urgent=urgent)
                self._begin()
            self._change.notify_all()
        if refused is not None:
            self._undelivered(*refused)

    def _queue(self, body: Body, *, urgent: bool) -> tuple[Body, str] | None:
        """Take a message in; return the one for which there is no room, an urgent one last."""
        dropped = None
        if len(self._waiting) >= self._patience.room:
            plain = [one for one in self._waiting if not one[1]]
            if not urgent or not plain:
                return body, "too many are waiting"
            self._waiting.remove(plain[0])
            dropped = plain[0][0], "an urgent one took its place"
        place = sum(one[1] for one in self._waiting) if urgent else len(self._waiting)
        self._waiting.insert(place, (body, urgent))
        return dropped

    def _begin(self) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._work, name="webhook", daemon=True)
            thread.start()
            self._thread = thread

    def close(self, wait_s: float = 5.0) -> None:
        """Give what waits so many seconds to get through; the rest is undelivered."""
        until = monotonic() + wait_s
        with self._change:
            while self._busy() and monotonic() < until:
                self._change.wait(max(until - monotonic(), 0.001))
            self._closed = True
            left = [body for body, _ in self._waiting]
            under_way, self._current = self._current, None
            self._waiting.clear()
            self._change.notify_all()
        if under_way is not None:
            self._undelivered(under_way, "no answer by the end of the process; it may have arrived")
        for body in left:
            self._undelivered(body, "the process ended first")
        if self._thread is not None:
            self._thread.join(0.1 if under_way is None else 0.0)

    def _busy(self) -> bool:
        return bool(self._waiting) or self._current is not None

    # ---- in the thread

    def _work(self) -> None:
        while True:
            with self._change:
                while not self._waiting and not self._closed:
                    self._change.wait()
                if self._closed:
                    return
                body = self._current = self._waiting.popleft()[0]
            why = self._deliver(body)
            with self._change:
                mine, self._current = self._current is body, None
                self._change.notify_all()
            if mine and why:
                self._undelivered(body, why)

    def _deliver(self, body: Body) -> str:
        """Try a few times; return why it did not get through, "" if it did."""
        patience, why = self._patience, ""
        for attempt in range(patience.tries):
            if attempt:
                with self._change:
                    self._change.wait_for(lambda: self._closed, patience.pause_s * attempt)
            if self._closed:
                break
            why, again = self._try(body)
            if not again:
                break
        return why

    def _try(self, body: Body) -> tuple[str, bool]:
        """Post once; return why it did not get through, and whether to try again.

        What an exception says holds the address: only its name is told.
        """
        import requests

        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.post(
                    self._url.get_secret_value(), json=dict(body), timeout=self._patience.timeout_s,
                    allow_redirects=False, stream=True,
                )  # fmt: skip
                answer.close()
        except Exception as error:  # noqa: BLE001  (the thread must live, whatever the network does)
            return type(error).__name__, isinstance(error, (requests.ConnectionError, requests.Timeout))
        status = answer.status_code
        if 200 <= status < 300:
            return "", False
        return f"HTTP {status}", status == 429 or status >= 500
