"""Every request and what became of it, and everything the exchange did: one JSON object a line.

The transcript is what tests believe. A request's line holds the body and the reply as text, exactly as they crossed the
wire (or would have, had the connection lived), whether it reached the exchange, and how it ended. No header is in it,
so no key is.
"""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from plimsoll.brokers.exchange.desk.message import Reply, Request, dumped, stamp
from plimsoll.brokers.exchange.matching import Event


class Transcript:
    """Lines in memory, in order, and one by one to `sink`."""

    def __init__(self, sink: Callable[[str], object] | None = None) -> None:
        self._sink = sink
        self._lines: list[str] = []

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self._lines)

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines as they are written, without their ends."""
        return tuple(self._lines)

    def rows(self) -> list[dict[str, Any]]:
        """Return the lines, parsed."""
        return [json.loads(line) for line in self._lines]

    def requests(self, method: str = "", path: str = "") -> list[dict[str, Any]]:
        """Return the lines of requests, of one method and path where given."""
        return [
            row
            for row in self.rows()
            if row["kind"] == "request" and method in ("", row["method"]) and path in ("", row["path"])
        ]

    def happenings(self, *events: str) -> list[dict[str, Any]]:
        """Return the lines of what the exchange did, of some kinds where given."""
        return [row for row in self.rows() if row["kind"] == "event" and (not events or row["event"] in events)]

    def note_events(self, events: Iterable[Event]) -> None:
        """Write what the exchange did."""
        for event in events:
            self._write({"kind": "event", "at": event.at, "event": event.kind, **event.detail})

    def note_request(self, at: datetime, request: Request, reply: Reply, *, fault: str, reached: bool) -> None:
        """Write a request and its end; `fault` names what struck it."""
        self._write(
            {
                "kind": "request",
                "at": stamp(at),
                "method": request.method,
                "path": request.path,
                "query": dict(request.query),
                "body": request.body.decode(errors="replace"),
                "fault": fault,
                "reached": reached,
                "ending": reply.ending,
                "status": reply.status,
                "reply": reply.body(),
            }
        )

    def _write(self, row: dict[str, Any]) -> None:
        line = dumped({"seq": len(self._lines) + 1, **row})
        self._lines.append(line)
        if self._sink is not None:
            self._sink(line + "\n")
