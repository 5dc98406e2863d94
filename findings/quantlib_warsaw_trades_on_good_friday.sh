#!/usr/bin/env bash
# QuantLib has calendars of exchanges beside those of settlement: Poland(Poland.WSE) is named the Warsaw stock exchange, and takes
# each Good Friday for a business day, on which Warsaw does not trade. Germany(Germany.Xetra) takes each New Year's Eve for one, on
# which Xetra is closed; France(France.Exchange), the other way round, takes Christmas Eve and New Year's Eve for holidays, on which
# Paris trades for half a day. exchange_calendars and holidays agree on all of these days, and QuantLib with both on New York and
# London. So a year there has a day too many or two too few, a volatility by business days is off, and an advance() over Easter or
# the turn of the year lands on a day without a price.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages QuantLib==1.44 exchange_calendars==4.13.2 holidays==0.109 numpy==2.4.6 pandas==2.3.3 <<'PYTHON'
import sys
from datetime import date
from importlib.metadata import version

import exchange_calendars
import holidays
import pandas as pd
import QuantLib as ql

YEARS = range(2022, 2027)
CALENDARS = {
    "XWAR": ql.Poland(ql.Poland.WSE),
    "XETR": ql.Germany(ql.Germany.Xetra),
    "XPAR": ql.France(ql.France.Exchange),
    "XNYS": ql.UnitedStates(ql.UnitedStates.NYSE),
    "XLON": ql.UnitedKingdom(ql.UnitedKingdom.Exchange),
}
WEEKDAYS = [day.date() for day in pd.date_range(date(YEARS[0], 1, 1), date(YEARS[-1], 12, 31), freq="B")]


def trades(code):
    """What each of the three says of the weekdays of five years."""
    sessions = set(exchange_calendars.get_calendar(code, start=str(WEEKDAYS[0]), end=str(WEEKDAYS[-1])).sessions.date)
    closed = holidays.financial_holidays(code, years=YEARS)
    return {
        day: (CALENDARS[code].isBusinessDay(ql.Date(day.day, day.month, day.year)), day in sessions, day not in closed) for day in WEEKDAYS
    }


found, split = {}, {}
for code in CALENDARS:
    told = trades(code)
    found[code] = [(str(day), "open" if says[0] else "closed") for day, says in told.items() if says[0] != says[1] == says[2]]
    split[code] = [str(day) for day, says in told.items() if says[1] != says[2]]
print(
    "QuantLib",
    version("QuantLib"),
    "- weekdays of",
    YEARS[0],
    "to",
    YEARS[-1],
    "on which it is alone against exchange_calendars and holidays",
)
for code, days in found.items():
    print(
        f"{CALENDARS[code].name()} ({code}):",
        *(f"{day} {says};" for day, says in days),
        "- days on which the other two differ:",
        *split[code],
    )
expected = {
    "XWAR": [("2022-04-15", "open"), ("2023-04-07", "open"), ("2024-03-29", "open"), ("2025-04-18", "open"), ("2026-04-03", "open")],
    "XETR": [("2024-12-31", "open"), ("2025-12-31", "open"), ("2026-12-31", "open")],
    "XPAR": [(f"{year}-12-{day}", "closed") for year in (2024, 2025, 2026) for day in (24, 31)],
    "XNYS": [],
    "XLON": [],
}
sys.exit(0 if found == expected and not any(split.values()) else 1)
PYTHON
