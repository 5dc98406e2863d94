#!/usr/bin/env bash
# The exchanges of India close when Mumbai votes, and by circular on other days that no rule tells. holidays, which has them as XNSE and
# XBOM by the plans that the exchange sends out each December, knows none of those since 2019: the votes of 29 April and 21 October 2019,
# 20 May and 20 November 2024 and 15 January 2026 and the holiday of 22 January 2024 are days of trade to it. Bakri Id of 2023 it has on
# 28 June, as first planned; the exchange's circular of 27 June moved it to the 29th, with the monthly expiry. exchange_calendars closes
# on all of these and is open on 28 June. So a week with a vote has a day without prices, and a position over it is held a day longer than
# planned.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages holidays==0.109 exchange_calendars==4.13.2 numpy==2.4.6 pandas==2.3.3 <<'PYTHON'
import sys
from importlib.metadata import version

import exchange_calendars
import holidays
import pandas as pd

START, END = "2019-01-01", "2026-06-30"
sessions = set(exchange_calendars.get_calendar("XBOM", start=START, end=END).sessions.date)
weekdays = [day.date() for day in pd.bdate_range(START, END)]
print("holidays", version("holidays"), "exchange_calendars", version("exchange_calendars"), "- India,", START, "to", END)
found = {}
for code in ("XNSE", "XBOM"):
    closed = holidays.financial_holidays(code, years=range(2019, 2027))
    days = [day for day in weekdays if (day in sessions) == (day in closed)]
    found[code] = {str(day): "open" if day not in closed else "closed" for day in days}
    print(code, "to holidays, and the other way round to exchange_calendars:", *(f"{day} {says};" for day, says in found[code].items()))
expected = {
    "2019-04-29": "open",
    "2019-10-21": "open",
    "2023-06-28": "closed",
    "2023-06-29": "open",
    "2024-01-22": "open",
    "2024-05-20": "open",
    "2024-11-20": "open",
    "2026-01-15": "open",
}
sys.exit(0 if found == {"XNSE": expected, "XBOM": expected} else 1)
PYTHON
