"""The columns of dates that traces of a run's page share by name."""

from typing import Any, Final

import numpy as np

from plimsoll.engine.report.metrics.returns import start_of
from plimsoll.engine.report.page.figure_parts import dates, thin
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Dates

WINDOW: Final = 126  # sessions of a rolling figure


def page_axes(record: Record) -> dict[str, list[str]]:
    """Return name -> ISO dates, none without a session."""
    sessions = record.sessions
    if len(sessions) == 0:
        return {}
    return {
        "sessions": dates(sessions),
        "start": dates(np.concatenate(([start_of(sessions)], sessions))),
        "rolling": dates(sessions[WINDOW - 1 :]),
        "thin": dates(sessions[thin(len(sessions))]),
        "decisions": dates(record.decided),
    }


def axis_of(days: Dates, record: Record) -> dict[str, Any]:
    """Return what places a line's values of some days: a shared axis and their positions on it, else their dates."""
    for name, shared in (("sessions", record.sessions), ("decisions", record.decided)):
        if np.array_equal(days, shared):
            return {"axis": name}
        at = np.searchsorted(shared, days)
        if len(days) and at[-1] < len(shared) and np.array_equal(shared[at], days):
            return {"axis": name, "where": at.astype(np.int64)}
    return {"axis": dates(days)}
