"""The log of a process that runs for months: JSON lines in its state folder, rotated, with no secret in any byte.

A line is made in this order: context, exception as text, secrets taken out, JSON; and the finished line is looked
through once more. What other packages log goes the same way and no other: handlers that somebody else gave the root
logger show everything, and are away as long as the block lasts. Nothing global stays changed when it ends.
"""

import json
import logging
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter

from plimsoll.engine.errors import OutputError
from plimsoll.engine.live.redact import Secrets

FILE: Final = "log.jsonl"
LOGGER: Final = "plimsoll.live"
MAX_BYTES: Final = 10_000_000
KEPT: Final = 5
NOISY: Final = ("urllib3", "requests", "alpaca", "asyncio", "websockets", "yfinance", "curl_cffi")


@contextmanager
def live_log(
    folder: Path,
    now: Callable[[], datetime],
    secrets: Secrets,
    *,
    stderr: bool = False,
    level: int = logging.INFO,
    max_bytes: int = MAX_BYTES,
) -> Iterator[BoundLogger]:
    """Write down what is logged anywhere in the process, until the block ends; yield the logger of the live half.

    Raises
    ------
    OutputError
        If the file cannot be written. Later on a line that cannot be written is counted, and nobody fails by it.
    """
    handlers = _handlers(folder, _Lines(secrets, now), stderr=stderr, max_bytes=max_bytes)
    root, quiet = logging.getLogger(), [logging.getLogger(name) for name in NOISY]
    before, others = [(one, one.level) for one in (root, *quiet)], list(root.handlers)
    root.setLevel(level)
    for one in quiet:
        one.setLevel(max(level, logging.INFO))
    root.handlers[:] = handlers
    try:
        yield structlog.wrap_logger(
            logging.getLogger(LOGGER),
            processors=[
                structlog.stdlib.filter_by_level, structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name, structlog.processors.format_exc_info,
                _hiding(secrets), ProcessorFormatter.wrap_for_formatter,
            ],
            wrapper_class=_Log,
            context_class=dict,
            cache_logger_on_first_use=False,
        )  # fmt: skip
    finally:
        root.handlers[:] = others
        for handler in handlers:
            handler.close()
        for one, was in before:
            one.setLevel(was)


def _handlers(folder: Path, lines: logging.Formatter, *, stderr: bool, max_bytes: int) -> list[logging.Handler]:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        made: list[logging.Handler] = [_File(folder / FILE, max_bytes)]
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror}", where=str(folder / FILE)) from error
    if stderr:
        made.append(_Stderr(sys.stderr))
    for one in made:
        one.setFormatter(lines)
        one.addFilter(_loud_enough)
    return made


def _hiding(secrets: Secrets) -> Callable[[Any, str, Any], Any]:
    """Return the step that takes secrets out; exceptions are text by then."""

    def hide(_: Any, __: str, event: Any) -> Any:
        return secrets.plain(dict(event))

    return hide


def _loud_enough(record: logging.LogRecord) -> bool:
    """Return whether a record is none of those in which other packages show what they send."""
    return record.levelno >= logging.INFO or record.name.split(".")[0] not in NOISY


class _Log(BoundLogger):
    """Our logger. An exception is text by the time it reaches the standard library, which would pass it on as it is."""

    def exception(self, event: str | None = None, *args: Any, **kw: Any) -> Any:
        return self.error(event, *args, **{"exc_info": True, **kw})


class _Lines(ProcessorFormatter):
    """Turns a record, ours or anybody's, into one JSON line without secrets."""

    def __init__(self, secrets: Secrets, now: Callable[[], datetime]) -> None:
        def stamp(_: Any, __: str, event: Any) -> Any:
            return {"at": now().astimezone(UTC).isoformat(timespec="milliseconds"), **event}

        chain: list[Any] = [
            stamp, ProcessorFormatter.remove_processors_meta, structlog.processors.format_exc_info, _hiding(secrets),
            structlog.processors.JSONRenderer(allow_nan=False),
        ]  # fmt: skip
        foreign: list[Any] = [structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name]
        super().__init__(processors=chain, foreign_pre_chain=foreign)
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        try:
            line = super().format(record)
        except Exception as error:  # noqa: BLE001  (whoever logged it must not fail, and it must not be lost)
            told = {"event": "a record that cannot be shown", "why": type(error).__name__, "logger": record.name}
            line = json.dumps(self._secrets.plain({**told, "level": record.levelname.lower(), "was": record.msg}))
        return self._secrets.text(line)


class _Unfailing(logging.Handler):
    """A handler that counts what it could not write; the standard one would print it, secrets and all."""

    failed = 0

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802
        self.failed += 1
        if self.failed == 1:
            why = type(sys.exc_info()[1]).__name__
            with suppress(OSError, ValueError, AttributeError):
                sys.stderr.write(f"warning: the log cannot be written ({why}): lines are missing from here on\n")


class _Stderr(_Unfailing, logging.StreamHandler[Any]):
    pass


class _File(_Unfailing, RotatingFileHandler):
    """A rotating file that nobody else can read."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        super().__init__(path, maxBytes=max_bytes, backupCount=KEPT, encoding="utf-8")

    def _open(self) -> TextIOWrapper:
        handle = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        if stat.S_IMODE(os.fstat(handle).st_mode) != 0o600:
            os.fchmod(handle, 0o600)
        return os.fdopen(handle, "a", encoding=self.encoding)
