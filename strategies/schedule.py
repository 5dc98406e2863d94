"""When to rebalance: the last session of a month or week, every session, every N sessions, or every N bars of one."""

from typing import Annotated, Any, Final, TypeAlias

import numpy as np
from pydantic import BeforeValidator, StringConstraints

from plimsoll.engine.market.panel import BarClock
from plimsoll.engine.sleeve.strategy import Context
from plimsoll.engine.types import Bools


def _text(given: Any) -> Any:
    """Return a number of sessions as the text it stands for: on the command line `rebalance=21` is a number."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


# "M" last session of the month, "W-FRI" last session of the week that ends on Friday, "D" every session, a number of
# sessions such as "21", or within each session a number of bars such as "6 bars".
Schedule: TypeAlias = Annotated[
    str, StringConstraints(pattern=r"^(M|W-FRI|D|[1-9]\d*|[1-9]\d* bars)$"), BeforeValidator(_text)
]
_BARS: Final = " bars"


def is_due(ctx: Context, schedule: str) -> bool:
    """Return whether the schedule falls on this bar; on intraday data, on the last bar of its session.

    Sessions are counted from the first one of the data. Bars are counted from the open of their session, and its last
    one is due whatever its number, a half day's too: on daily data that is every session.
    """
    if schedule.endswith(_BARS):
        return ctx.last_bar_of_session or (ctx.bar_of_session + 1) % _number(schedule) == 0
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
    if schedule.endswith(_BARS):
        bar = np.arange(len(clock))
        of_session = bar - np.maximum.accumulate(np.where(clock.first_bar, bar, 0))
        due |= (of_session + 1) % _number(schedule) == 0
    elif schedule == "M":
        due &= clock.month_last
    elif schedule == "W-FRI":
        due &= clock.week_last
    elif schedule != "D":
        due &= clock.session_index % int(schedule) == 0
    return due


def _number(schedule: str) -> int:
    return int(schedule.removesuffix(_BARS))
