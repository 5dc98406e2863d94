"""How a book stands, by what it wrote down: signs of life, drawdown, how far it is from what was decided."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from plimsoll.engine.live.halt_file import started
from plimsoll.engine.live.heartbeat import read_beat
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import ZERO, Goal
from plimsoll.engine.live.reconcile import session_at

GOVERNOR: Final = "governor"
ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class Governor:
    """The governor at a session's close. drawdown : fraction below the peak, >= 0; tier : the one in force."""

    session: str
    drawdown: float
    tier: int


def write_governor(journal: Journal, found: Governor) -> None:
    """Write down where the governor stands, within a transaction, for whoever asks how the book stands."""
    journal.set_meta(GOVERNOR, json.dumps(asdict(found), allow_nan=False))


def read_governor(journal: Journal) -> dict[str, Any] | None:
    """Return where the governor stood when it was last written down, None if it never was."""
    told = journal.meta(GOVERNOR)
    return None if told is None else dict(json.loads(told))


def heart(folder: Path, now: datetime) -> tuple[dict[str, Any] | str, bool]:
    """Return the last sign of life as plain values, "none" if there never was one, and whether that is well.

    It is not well if whoever gave it should have given one since, or if it cannot be read.
    """
    beat = read_beat(folder)
    if beat is None:
        return "none", True
    if isinstance(beat, str):
        return beat, False
    told: dict[str, Any] = {
        "age_s": round(beat.age_s(now), 1),
        "doing": beat.doing,
        "session": beat.session,
        "slot": beat.slot,
        "next_slot": beat.next_slot,
        "ended": beat.ended,
        "pid": beat.pid,
        "process_is_there": bool(beat.started) and started(beat.pid) == beat.started,
    }
    return told, not beat.is_stale(now)


def drift_of(journal: Journal) -> dict[str, Any] | None:
    """Return how far holdings are from the last plan's goals, at its prices; None before the first plan.

    dollars : the sum over symbols, whatever the side; of_equity : as a fraction of equity at the plan.
    """
    plan = journal.in_force(journal.last_plan())
    if plan is None or plan.equity <= 0:
        return None
    held, splits = journal.holdings(), splits_after(journal, plan.session)
    away = {one.symbol: abs(_left(one, held, splits.get(one.symbol, ONE))) for one in plan.goals.values()}
    total = sum(away.values(), ZERO)
    largest = max(away, key=lambda symbol: (away[symbol], symbol)) if total else ""
    return {"dollars": f"{total:.2f}", "of_equity": round(float(total / plan.equity), 6), "largest": largest}


def _left(goal: Goal, held: Mapping[str, Decimal], ratio: Decimal) -> Decimal:
    """Return what of the way to a goal is left, in dollars at the decision price."""
    return (goal.qty - held.get(goal.symbol, ZERO) / ratio) * goal.price


def splits_after(journal: Journal, session: date) -> dict[str, Decimal]:
    """Return shares after for one before, of all that was found split since the plan of a session was made.

    Its goals are in older shares. What was found in the night before a session belongs to that session.
    """
    found: dict[str, Decimal] = {}
    for event in journal.events("split"):
        if session_at(datetime.fromisoformat(event.at)) > session:
            body = json.loads(event.body)
            found[body["symbol"]] = found.get(body["symbol"], ONE) * Decimal(body["ratio"])
    return found
