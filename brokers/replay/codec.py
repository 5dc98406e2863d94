"""The records of the live port as JSON: every type is named, every digit is kept."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from plimsoll.engine.execution import venue as port

_RECORDS: Final = {
    kind.__name__: kind
    for kind in (
        *(port.Intent, port.VenueOrder, port.Acked, port.Rejected, port.Unknown, port.Missing, port.VenueFill),
        *(port.VenuePosition, port.Snapshot, port.Asset, port.VenueClock, port.VenueSession, port.Quote),
    )
}
# a time is a day too: it comes first
_SCALARS: Final[tuple[tuple[type, str, Callable[[Any], str], Callable[[str], Any]], ...]] = (
    (Decimal, "decimal", str, Decimal),
    (datetime, "time", datetime.isoformat, datetime.fromisoformat),
    (date, "day", date.isoformat, date.fromisoformat),
)
_READERS: Final = {name: read for _, name, _, read in _SCALARS}


def plain(value: Any) -> Any:
    """Return a record, or whatever is in one, as plain JSON values.

    Raises
    ------
    TypeError
        If it is of a kind that the port does not know.
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    for kind, name, write, _ in _SCALARS:
        if isinstance(value, kind):
            return {name: write(value)}
    if isinstance(value, Mapping):
        return {"table": {key: plain(inner) for key, inner in value.items()}}
    if isinstance(value, Sequence):
        return [plain(inner) for inner in value]
    if is_dataclass(value) and type(value).__name__ in _RECORDS:
        return {"is": type(value).__name__} | {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(type(value).__name__)


def record(value: Any) -> Any:
    """Return what `plain` was given; a sequence comes back as a tuple.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it was not written by `plain`.
    """
    if isinstance(value, list):
        return tuple(record(inner) for inner in value)
    if not isinstance(value, dict):
        return value
    if "is" in value:
        return _RECORDS[value["is"]](**{name: record(inner) for name, inner in value.items() if name != "is"})
    ((name, inner),) = value.items()
    if name == "table":
        return {key: record(one) for key, one in inner.items()}
    return _READERS[name](inner)


def line_of(row: Mapping[str, Any]) -> str:
    """Return a row as one line, keys in order."""
    return json.dumps(row, separators=(",", ":"), sort_keys=True) + "\n"
