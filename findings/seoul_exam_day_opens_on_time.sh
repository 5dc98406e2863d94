#!/usr/bin/env bash
# On the day of the university entrance exam (Suneung, a Thursday of November) the exchange of Seoul opens and closes an hour late, 10:00
# to 16:30, so that half a million pupils get to their desks. exchange_calendars knows it from a list that ends with 2020: the exams of
# 2021 to 2025 open at 09:00 and close at 15:30 there, so the last hour of trade lies after its close. pandas_market_calendars takes its
# Seoul (XKRX) from exchange_calendars and loses on the way what is changed by hours: not one exam is late there, nor the first day of a
# year, on which Seoul opens at 10:00 and which exchange_calendars has right to this day.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages pandas_market_calendars==5.5.0 exchange_calendars==4.13.2 numpy==2.4.6 pandas==2.3.3 <<'PYTHON'
import sys
from importlib.metadata import version

import exchange_calendars
import pandas_market_calendars

START, END = "2017-01-01", "2025-12-31"
ZONE = "Asia/Seoul"
# the exam as the Ministry of Education held it; that of 2017 was put off for a week by an earthquake, that of 2020 by the pandemic
EXAMS = ["2017-11-23", "2018-11-15", "2019-11-14", "2020-12-03", "2021-11-18", "2022-11-17", "2023-11-16", "2024-11-14", "2025-11-13"]
told = {
    "exchange_calendars": exchange_calendars.get_calendar("XKRX", start=START, end=END).schedule[["open", "close"]],
    "pandas_market_calendars": pandas_market_calendars.get_calendar("XKRX").schedule(START, END)[["market_open", "market_close"]],
}
told = {
    name: {str(day.date()): "-".join(f"{at.tz_convert(ZONE):%H:%M}" for at in row) for day, row in zip(frame.index, frame.to_numpy())}
    for name, frame in told.items()
}
firsts = [min(day for day in told["exchange_calendars"] if day.startswith(str(year))) for year in range(2017, 2026)]
print("Seoul -", *(f"{name} {version(name)}" for name in told))
found = {}
for title, days in (("exam", EXAMS), ("first day of the year", firsts)):
    for name, hours in told.items():
        found[title, name] = [hours[day] for day in days]
        print(title, name, *(f"{day} {hours[day]};" for day in days))
usual = "09:00-15:30"
expected = [["10:00-16:30"] * 4 + [usual] * 5, [usual] * 9, ["10:00-15:30"] * 9, [usual] * 9]
sys.exit(0 if list(found.values()) == expected else 1)
PYTHON
