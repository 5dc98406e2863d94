"""When to rebalance: the last session of a month or week, every session, or every N sessions."""

from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, StringConstraints

from plimsoll.engine.market.panel import BarClock
from plimsoll.engine.sleeve.strategy import Context
from plimsoll.engine.types import Bools


def _text(given: Any) -> Any:
    """Return a number of sessions as the text it stands for: on the command line `rebalance=21` is a number."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


# "M" last session of the month, "W-FRI" last session of the week that ends on Friday, "D" every session, or a
# number of sessions such as "21".
Schedule: TypeAlias = Annotated[str, StringConstraints(pattern=r"^(M|W-FRI|D|[1-9]\d*)$"), BeforeValidator(_text)]


def is_due(ctx: Context, schedule: str) -> bool:
    """Return whether the schedule falls on this bar; on intraday data, on the last bar of its session.

    Sessions are counted from the first one of the data.
    """
    if not ctx.last_bar_of_session:
        return False
    if schedule == "M":
        return ctx.last_session_of_month
    if schedule == "W-FRI":
        return ctx.last_session_of_week
    return schedule == "D" or ctx.session_index % int(schedule) == 0


def due_bars(clock: BarClock, schedule: str) -> Bools:
    """Return (T,) what `is_due` says at every bar."""
    due: Bools = clock.last_bar.copy()
    if schedule == "M":
        due &= clock.month_last
    elif schedule == "W-FRI":
        due &= clock.week_last
    elif schedule != "D":
        due &= clock.session_index % int(schedule) == 0
    return due
