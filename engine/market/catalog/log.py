"""The append log of a catalog: a JSON line for everything that was stored, refused or confirmed, in order.

A line is written before the file it speaks of is replaced. Each holds `at` (UTC), `event`, `symbol`, what the event
knows, and `sum`, the SHA-256 of the line without it after the sum of the line before: a line that was changed, lost or
moved is an error. A last line without its line feed was never finished and never acknowledged; the next writer cuts it.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.catalog.disk import Disk

NAME: Final = "log.jsonl"


@dataclass(frozen=True, slots=True)
class Log:
    """The log of one catalog; whoever appends holds the catalog's lock."""

    path: Path
    disk: Disk

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield every finished event, oldest first.

        Raises
        ------
        DataError
            If a line is damaged, or the file cannot be read.
        """
        last = ""
        for number, line in enumerate(self._lines()[0], 1):
            try:
                event = json.loads(line)
                given = event.pop("sum")
            except (ValueError, KeyError, AttributeError, TypeError):
                event, given = {}, ""
            if given != _sum(last, event):
                fix = "restore it from a copy; prices are in files of their own and not touched by this"
                raise DataError(f"line {number} of the log is damaged", where=str(self.path), fix=fix)
            last = given
            yield event

    def append(self, **event: Any) -> None:
        """Add an event, durably.

        Raises
        ------
        OutputError
            If it cannot be written.
        DataError
            If the last line is damaged.
        """
        lines, size, torn = self._lines()
        if torn:
            self.disk.cut(self.path, size)
        try:
            last = json.loads(lines[-1])["sum"] if lines else ""
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"line {len(lines)} of the log is damaged", where=str(self.path)) from error
        self.disk.append(self.path, json.dumps({**event, "sum": _sum(last, event)}).encode() + b"\n")

    def _lines(self) -> tuple[list[bytes], int, bool]:
        """Return the finished lines, their length in bytes, and whether something unfinished follows."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return [], 0, False
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror}", where=str(self.path)) from error
        size = data.rfind(b"\n") + 1
        return data[:size].splitlines(), size, size < len(data)


def _sum(last: str, event: dict[str, Any]) -> str:
    return hashlib.sha256((last + json.dumps(event, sort_keys=True)).encode()).hexdigest()[:32]
