"""The append log of a catalog: a JSON line for everything that was stored, refused or confirmed, in order.

A line is written before the file it speaks of is replaced. Each holds `at` (UTC), `event`, `symbol`, what the event
knows, and `sum`, the SHA-256 of the line without it after the sum of the line before: a line that was changed, lost or
moved is an error. A last line without its line feed was never finished and never acknowledged; the next writer cuts it.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.catalog.disk import Disk

NAME: Final = "log.jsonl"
# The end of the file is read in blocks of this until it holds a whole line: years of events are not read to add one.
_BLOCK: Final = 1 << 16
_MEND: Final = "restore it from a copy; prices are in files of their own and not touched by this"


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
        for number, line in enumerate(self._lines(), 1):
            try:
                event = json.loads(line)
                given = event.pop("sum")
            except (ValueError, KeyError, AttributeError, TypeError):
                event, given = {}, ""
            if given != _sum(last, event):
                raise DataError(f"line {number} of the log is damaged", where=str(self.path), fix=_MEND)
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
        last, torn_at = self._last()
        if torn_at is not None:
            self.disk.cut(self.path, torn_at)
        self.disk.append(self.path, json.dumps({**event, "sum": _sum(last, event)}).encode() + b"\n")

    def _last(self) -> tuple[str, int | None]:
        """Return the sum of the last finished line, and where something unfinished begins if something does."""
        data, begin, size = b"", 0, 0
        try:
            with self.path.open("rb") as file:
                begin = size = file.seek(0, os.SEEK_END)
                while begin and data[: data.rfind(b"\n") + 1].count(b"\n") < 2:  # not a whole line yet
                    begin = max(0, begin - _BLOCK)
                    file.seek(begin)
                    data = file.read(size - begin)
        except FileNotFoundError:
            return "", None
        except OSError as error:
            raise _unreadable(self.path, error) from error
        finished = data[: data.rfind(b"\n") + 1]
        torn_at = begin + len(finished) if len(finished) < len(data) else None
        if not finished:
            return "", torn_at
        try:
            return json.loads(finished.splitlines()[-1])["sum"], torn_at
        except (ValueError, KeyError, TypeError) as error:
            raise DataError("the last line of the log is damaged", where=str(self.path), fix=_MEND) from error

    def _lines(self) -> list[bytes]:
        """Return the finished lines."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unreadable(self.path, error) from error
        return data[: data.rfind(b"\n") + 1].splitlines()


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(f"cannot be read: {error.strerror}", where=str(path))


def _sum(last: str, event: dict[str, Any]) -> str:
    return hashlib.sha256((last + json.dumps(event, sort_keys=True)).encode()).hexdigest()[:32]
