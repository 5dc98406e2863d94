"""A request and its reply, free of any web framework."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias

from plimsoll.brokers.exchange.amount import plain
from plimsoll.brokers.exchange.hours import NEW_YORK, local
from plimsoll.brokers.exchange.refusal import bad_parameter

Ending: TypeAlias = Literal["send", "reset", "hang"]
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
# Nanoseconds are legal and are cut to microseconds.
_FRACTION: Final = re.compile(r"(\.\d{6})\d+")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        """Return the body; fractions as Decimal, so that no digit of them is lost. None where it is empty.

        Raises
        ------
        Refusal
            If it is not JSON.
        """
        if not self.body:
            return None
        try:
            return json.loads(self.body, parse_float=Decimal, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise bad_parameter("request body format is invalid") from None

    def flag(self, name: str) -> bool:
        """Return a yes-or-no parameter; clients write True, true and 1."""
        return self.query.get(name, "").lower() in {"true", "1"}

    def number(self, name: str, default: int, most: int) -> int:
        """Return a count from 1 to `most`; Refusal 422 otherwise."""
        text = self.query.get(name, str(default))
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= most):
            raise bad_parameter(f"invalid {name}: {text[:40]}")
        return int(text)

    def word(self, name: str, default: str, known: tuple[str, ...]) -> str:
        """Return one of the known words; Refusal 422 otherwise."""
        word = self.query.get(name, default)
        if word not in known:
            raise bad_parameter(f"invalid {name}: {word[:40]}")
        return word

    def names(self, name: str) -> tuple[str, ...]:
        """Return a comma-separated list."""
        return tuple(part for part in self.query.get(name, "").split(",") if part)

    def moment(self, name: str) -> datetime | None:
        """Return a time as UTC, or None; a bare date is its midnight in New York. Refusal 422 if unreadable."""
        text = self.query.get(name)
        return None if not text else read_moment(text, name)


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply: `payload` is sent as JSON, `text` as it is; `ending` "reset" or "hang" sends nothing."""

    status: int = 200
    payload: Any = None
    text: str | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Ending = "send"

    def written(self) -> "Reply":
        """Return the reply with its `text` written out, so that it is written once."""
        return self if self.text is not None or self.payload is None else replace(self, text=dumped(self.payload))

    def body(self) -> str:
        """Return what to send."""
        return self.written().text or ""


def read_moment(text: str, name: str) -> datetime:
    """Return an RFC 3339 time in UTC; Refusal 422 if it is none."""
    try:
        if _DAY.fullmatch(text):
            return local(date.fromisoformat(text), datetime.min.time())
        # an unescaped + of an offset arrives as a space
        read = datetime.fromisoformat(_FRACTION.sub(r"\1", text.replace(" ", "+")))
    except ValueError:
        raise bad_parameter(f"invalid {name}: {text[:40]}") from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)


def dumped(value: Any) -> str:
    """Return compact JSON; a Decimal becomes text, a moment RFC 3339 in UTC."""
    return _ENCODER.encode(value)


@lru_cache(maxsize=4096)
def stamp(moment: datetime | None) -> str | None:
    """Write a moment the way orders carry it."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def local_stamp(moment: datetime) -> str:
    """Write a moment the way the clock carries it: New York time with its offset."""
    return moment.astimezone(NEW_YORK).isoformat()


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return str(stamp(value))
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)


_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), default=_plain)


def _refuse_constant(word: str) -> Any:
    raise ValueError(word)
