#!/usr/bin/env bash
# Hong Kong calls a trading day off for a typhoon or a black rainstorm, and no rule tells it: the days are lists. pandas_market_calendars
# and exchange_calendars keep one each, and each lacks what the other has. pandas_market_calendars trades through the typhoons of 13
# October 2020, 13 October 2021 and 6 September 2024 (its list has those of 2011 to 2017 and of 2023) and on 6 April 2021, the day after
# an Easter Monday that was the day after Ching Ming too; exchange_calendars trades through the typhoon of 1 and the rainstorm of 8
# September 2023. Only holidays has all six, and with it the exchange's notices. A day of no trade is so taken for a session without data.
# The half days are another matter: on the eves of Christmas, of the New Year and of the lunar one there is no afternoon, and
# pandas_market_calendars closes each of them at 16:00.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages pandas_market_calendars==5.5.0 exchange_calendars==4.13.2 holidays==0.109 numpy==2.4.6 pandas==2.3.3 <<'PYTHON'
import sys
from importlib.metadata import version

import exchange_calendars
import holidays
import pandas as pd
import pandas_market_calendars

START, END = "2018-01-01", "2025-12-31"
ZONE = "Asia/Hong_Kong"
theirs = pandas_market_calendars.get_calendar("HKEX").schedule(START, END)
other = exchange_calendars.get_calendar("XHKG", start=START, end=END)
closed = holidays.financial_holidays("XHKG", years=range(2018, 2026))
sessions = set(other.sessions.date)
weekdays = [day.date() for day in pd.bdate_range(START, END)]
opened = set(theirs.index.date)
alone = {
    "pandas_market_calendars": [str(day) for day in weekdays if day in opened and day not in sessions],
    "exchange_calendars": [str(day) for day in weekdays if day in sessions and day not in opened],
}
for_holidays = [str(day) for day in weekdays if (day in opened) != (day in sessions) and day not in closed]
closes = theirs["market_close"].dt.tz_convert(ZONE).dt.strftime("%H:%M")
halves = [day for day in other.early_closes.date if day in opened]
at = sorted({closes[str(day)] for day in halves})
real = sorted({f"{other.session_close(str(day)).tz_convert(ZONE):%H:%M}" for day in halves})
print(*(f"{name} {version(name)}" for name in ("pandas_market_calendars", "exchange_calendars", "holidays")), "- Hong Kong, 2018 to 2025")
for name, days in alone.items():
    print(f"open in {name} alone:", *days)
print("of these open in holidays:", *for_holidays, "-", {day: closed.get(day) for days in alone.values() for day in days})
print(f"half days: {len(halves)}, from {halves[0]} to {halves[-1]}; exchange_calendars closes at", *real, "- pandas_market_calendars at", *at)
right = alone == {
    "pandas_market_calendars": ["2020-10-13", "2021-04-06", "2021-10-13", "2024-09-06"],
    "exchange_calendars": ["2023-09-01", "2023-09-08"],
}
eves = {(day.month, day.day) for day in halves} >= {(12, 24), (12, 31)}
sys.exit(0 if right and not for_holidays and eves and real == ["12:00"] and at == ["16:00"] else 1)
PYTHON
