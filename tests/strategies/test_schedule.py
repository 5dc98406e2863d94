"""Schedules within a session: both forms of the rule beside a plain count, on full days and half days."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from support.panels import make_panel
from support.scripted import plain_config, run_config

from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.sleeve.strategy import Context, Strategy
from plimsoll.engine.types import Weights
from plimsoll.strategies.schedule import Schedule, due_bars, is_due

# 2 July is full, 3 July closes at 13:00, the 4th is a holiday, 5 and 8 July are full
SPAN = (date(2024, 7, 2), date(2024, 7, 8))


class Asked(Strategy):
    """Notes at which bars its schedule falls due."""

    universe = ("AAA",)

    def __init__(self, schedule: str) -> None:
        super().__init__()
        self.schedule, self.due = schedule, list[bool]()

    def on_bar(self, ctx: Context) -> Weights | None:
        """Note it; hold nothing."""
        self.due.append(is_due(ctx, self.schedule))
        return None


def counted(sessions: list[date], n: int) -> list[bool]:
    """Return whether each bar completes another n of its session, or is the session's last."""
    due, within = [], 0
    for k, session in enumerate(sessions):
        within = within + 1 if k and sessions[k - 1] == session else 1
        last = k + 1 == len(sessions) or sessions[k + 1] != session
        due.append(last or within % n == 0)
    return due


@pytest.mark.parametrize("interval", ["30min", "60min", "1d"])
@given(n=st.integers(1, 20))
def test_a_number_of_bars_is_counted_within_each_session_and_its_last_bar_is_due(interval: str, n: int) -> None:
    clock = build_clock(*SPAN, interval)
    strategy = Asked(f"{n} bars")
    close = np.full((len(clock), 1), 100.0)
    panel = make_panel(close, symbols=("AAA",), clock=clock, interval=interval)
    run_config(panel, plain_config(data={"interval": interval}), strategy)
    expected = counted(clock.session.tolist(), n)
    assert strategy.due == expected
    assert due_bars(clock, f"{n} bars").tolist() == expected
    if interval == "1d":
        assert all(expected)


@pytest.mark.parametrize("text", ["0 bars", "6bars", "-1 bars", "bars", "6 bars ", "1.5 bars", "D bars"])
def test_what_is_no_number_of_bars_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Schedule).validate_python(text)
