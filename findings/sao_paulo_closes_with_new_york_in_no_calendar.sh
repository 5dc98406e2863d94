#!/usr/bin/env bash
# The exchange of Sao Paulo keeps to New York's clock, since Brazil has no summer time of its own any more: B3 announces each autumn that
# its shares trade until 18:00 from the Monday on which New York is back at winter time (8 November 2021, 7 November 2022, 4 November
# 2024) and each spring that they close at 17:00 again (14 March 2022). pandas_market_calendars closes it at 17:00 all the year and
# exchange_calendars at 18:00 all the year from 4 November 2019 on, so the one ends the day an hour before its close in winter and the
# other an hour after it in summer, and what is done at the close, or with the last bar before it, is done at the wrong hour in one of
# them on every day there is. 16:00 of New York in Sao Paulo's zone is right.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages pandas_market_calendars==5.5.0 exchange_calendars==4.13.2 numpy==2.4.6 pandas==2.3.3 tzdata==2025.2 <<'PYTHON'
import sys
from collections import Counter
from datetime import datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

import exchange_calendars
import pandas_market_calendars

START, END = "2021-03-15", "2025-10-31"
PAULO, YORK = ZoneInfo("America/Sao_Paulo"), ZoneInfo("America/New_York")
told = {
    "pandas_market_calendars": pandas_market_calendars.get_calendar("BMF").schedule(START, END)["market_close"],
    "exchange_calendars": exchange_calendars.get_calendar("BVMF", start=START, end=END).closes,
}
told = {name: {str(day.date()): f"{at.tz_convert(PAULO):%H:%M}" for day, at in closes.items()} for name, closes in told.items()}
# the first session of each season and the last before it, and the close of them that the exchange announced
announced = {
    "2021-11-05": "17:00",
    "2021-11-08": "18:00",
    "2022-03-11": "18:00",
    "2022-03-14": "17:00",
    "2022-11-04": "17:00",
    "2022-11-07": "18:00",
    "2024-11-01": "17:00",
    "2024-11-04": "18:00",
}
by_york = {day: f"{datetime.fromisoformat(day + ' 16:00').replace(tzinfo=YORK).astimezone(PAULO):%H:%M}" for day in told["exchange_calendars"]}
print("The close of Sao Paulo,", START, "to", END, "-", *(f"{name} {version(name)}" for name in told))
for day, close in announced.items():
    print(day, "announced", close, "New York's 16:00 is", by_york[day], *(f"{name} {closes[day]}" for name, closes in told.items()))
wrong = {name: Counter(close for day, close in closes.items() if close != by_york[day]) for name, closes in told.items()}
for name, closes in told.items():
    print(f"{name}: closes at {dict(Counter(closes.values()))}, of these not with New York {dict(wrong[name])}")
right = all(by_york[day] == close for day, close in announced.items()) and told["exchange_calendars"].keys() == told["pandas_market_calendars"].keys()
always = [set(closes.values()) for closes in told.values()] == [{"17:00"}, {"18:00"}]
sys.exit(0 if right and always and wrong["pandas_market_calendars"]["17:00"] == 337 and wrong["exchange_calendars"]["18:00"] == 823 else 1)
PYTHON
