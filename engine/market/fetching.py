"""Why a source gave nothing: one type a cause, so that nobody has to guess from an empty answer.

FetchError                  (a DataError)
├── UnreachableError        no connection at all: the whole pull stops
├── DeniedError             the source knows us and will not answer: keys, subscription, terms
├── PassingError            may be different in a moment: retried
│   ├── RateLimitedError    429
│   ├── OutageError         5xx, or a page that says so
│   ├── TimedOutError       nothing came in time
│   └── GarbledError        an answer that cannot be read: HTML, JSON cut short, a redirect
└── NoSuchDataError         the answer is clear and will stay: unknown symbol, another market, no rows
"""

from dataclasses import dataclass
from typing import ClassVar

from plimsoll.engine.errors import DataError


class FetchError(DataError):
    """A source gave no bars of a symbol."""

    kind: ClassVar[str] = "failed"


class UnreachableError(FetchError):
    """No connection to the source."""

    kind = "unreachable"


class DeniedError(FetchError):
    """The source refuses to answer us."""

    kind = "denied"


class PassingError(FetchError):
    """What may be different in a moment."""

    kind = "passing"


class RateLimitedError(PassingError):
    """The source asks for fewer requests."""

    kind = "rate_limited"


class OutageError(PassingError):
    """The source is down."""

    kind = "outage"


class TimedOutError(PassingError):
    """No answer in time."""

    kind = "timed_out"


class GarbledError(PassingError):
    """An answer that cannot be read."""

    kind = "garbled"


class NoSuchDataError(FetchError):
    """The source has no such bars."""

    kind = "no_such_data"


KINDS: dict[str, type[FetchError]] = {
    cls.kind: cls
    for cls in (
        UnreachableError,
        DeniedError,
        RateLimitedError,
        OutageError,
        TimedOutError,
        GarbledError,
        NoSuchDataError,
    )
}

ADVICE: dict[str, str] = {
    "unreachable": "there is no way to the source from here: check the network, then run the same command again",
    "denied": "check the keys and what the subscription covers",
    "rate_limited": "wait some minutes, then run the same command again: it goes on where it stopped",
    "outage": "the source is down, which says nothing about the symbol; run the same command again later",
    "timed_out": "run the same command again, or allow more time with --timeout",
    "garbled": "the source is not itself; run the same command again later",
    "no_such_data": "check the spelling; a symbol that was renamed or delisted keeps what is stored of it",
}


def fetch_error(kind: str, source: str, symbol: str, text: str) -> FetchError:
    """Return the typed error of a kind, naming source and symbol and saying what to do."""
    return KINDS[kind](text, where=f"{source}, {symbol}" if symbol else source, fix=ADVICE[kind])


@dataclass(frozen=True, slots=True)
class Route:
    """How to get out: a proxy's address and a file of certificate authorities, "" for the usual ones; seconds allowed.

    timeout_s : for one request.
    """

    proxy: str = ""
    ca_file: str = ""
    timeout_s: float = 30.0
