#!/usr/bin/env bash
# exchange_calendars takes every regular holiday of New York before 1970 for a session: Christmas 1969, the Fourth of July
# 1968. From 1970 on they are closed. Nothing in the calendar says that it begins there.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages exchange_calendars==4.13.2 <<'PYTHON'
import sys
from importlib.metadata import version

import exchange_calendars

calendar = exchange_calendars.get_calendar("XNYS", start="1960-01-04", end="1975-12-31")
said = {day: bool(calendar.is_session(day)) for day in ("1968-07-04", "1969-12-25", "1970-12-25", "1973-07-04")}
extra = [str(day.date()) for day in calendar.sessions if (day.month, day.day) == (12, 25)]
print("exchange_calendars", version("exchange_calendars"), said, "Christmas sessions:", extra)
right = {"1968-07-04": True, "1969-12-25": True, "1970-12-25": False, "1973-07-04": False}
sys.exit(0 if said == right else 1)
PYTHON
