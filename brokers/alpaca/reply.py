"""What came back over the wire."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, Protocol, TypeAlias

MAX_BYTES: Final = 32_000_000
MESSAGE_LENGTH: Final = 200

Method: TypeAlias = Literal["GET", "POST", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the venue: its status, and its body if that is JSON (numbers with a point as Decimal), else None."""

    status: int
    body: Any
    empty: bool
    remaining: int | None  # of the venue's own rate limit
    wait: float | None = None  # seconds for which it asks to be left alone

    @property
    def ok(self) -> bool:
        """Return whether the status is one of success; a redirect is not."""
        return 200 <= self.status < 300

    @property
    def message(self) -> str:
        """The venue's own words, cleaned, "" if it has none."""
        text = self.body.get("message") if isinstance(self.body, Mapping) else None
        return "".join(c for c in text if c.isprintable())[:MESSAGE_LENGTH] if isinstance(text, str) else ""


@dataclass(frozen=True, slots=True)
class NoReply:
    """No answer: the request may or may not have arrived."""

    why: str


class Line(Protocol):
    """What requests go over: HTTP, or anything else that answers them."""

    def send(
        self, method: Method, path: str, data: Mapping[str, Any] | None = None, *, must_hold: str = ""
    ) -> Reply | NoReply:
        """Send one request, once; `must_hold` is text that its body must contain when it leaves."""


def read_reply(status: int, raw: bytes, remaining: int | None, wait: float | None = None) -> Reply:
    """Return an answer as it can be read: a body that is no JSON, too large or too deep counts as none."""
    try:
        body = json.loads(raw, parse_float=Decimal, parse_constant=_refuse) if 0 < len(raw) <= MAX_BYTES else None
    except (ValueError, RecursionError):
        body = None
    return Reply(status, body, not raw.strip(), remaining, wait)


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no number")
