"""The run's own log: JSON lines, one event each."""

import io
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog


class RunLog:
    """Collects events in memory until the run folder is written; configures nothing global."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._stream = io.StringIO()

        def stamp(_logger: Any, _name: str, event: Any) -> Any:
            event["ts"] = clock().isoformat(timespec="milliseconds")
            return event

        self._logger = structlog.wrap_logger(
            structlog.PrintLogger(self._stream), processors=[stamp, structlog.processors.JSONRenderer(sort_keys=True)]
        )

    def event(self, name: str, **facts: Any) -> None:
        """Record one event with its facts."""
        self._logger.info(name, **facts)

    def content(self) -> bytes:
        """Return everything so far as UTF-8 JSON lines."""
        return self._stream.getvalue().encode()
