#!/usr/bin/env bash
# Britain moves a bank holiday now and then: that of the first Monday of May to Friday 8 May in 2020, for 75 years of peace, and that of
# the last Monday of May to Thursday 2 June in 2022, for the Queen's jubilee. FinancePy has the new days and keeps the old ones: 4 May
# 2020 and 30 May 2022 are closed in its London, on which the exchange and the banks worked, and payments made on them are put off to the
# next day. The moves before 2020 it has not at all: 4 June 2002 and 5 June 2012 are open, and the Mondays from which they
# came closed. QuantLib, exchange_calendars and holidays agree on every one.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages financepy==1.1.2 QuantLib==1.44 exchange_calendars==4.13.2 holidays==0.109 <<'PYTHON'
import contextlib
import io
import sys
from datetime import date
from importlib.metadata import version

import exchange_calendars
import holidays
import QuantLib as ql

with contextlib.redirect_stdout(io.StringIO()):  # it greets
    from financepy.utils.calendar import BusDayAdjustTypes, Calendar, CalendarTypes
    from financepy.utils.date import Date

FROM = [date(2002, 5, 27), date(2012, 5, 28), date(2020, 5, 4), date(2022, 5, 30)]
TO = [date(2002, 6, 4), date(2012, 6, 5), date(2020, 5, 8), date(2022, 6, 2)]
theirs = Calendar(CalendarTypes.UNITED_KINGDOM)
quantlib = ql.UnitedKingdom(ql.UnitedKingdom.Exchange)
sessions = set(exchange_calendars.get_calendar("XLON", start="2002-01-02", end="2022-12-30").sessions.date)
closed = holidays.financial_holidays("XLON", years=[day.year for day in FROM])


def worked(day):
    """Whether London works on a day, to FinancePy and to the other three."""
    others = {quantlib.isBusinessDay(ql.Date(day.day, day.month, day.year)), day in sessions, day not in closed}
    return bool(theirs.is_business_day(Date(day.day, day.month, day.year))), sorted(others)


found = {}
print("FinancePy", version("financepy"), "- is it a business day in London?")
for title, days in (("moved from", FROM), ("moved to", TO)):
    for day in days:
        found[day] = worked(day)
        print(f"{title} {day:%a %Y-%m-%d}: FinancePy {found[day][0]}, QuantLib, exchange_calendars and holidays {found[day][1]}")
paid = theirs.adjust(Date(30, 5, 2022), BusDayAdjustTypes.FOLLOWING)
print("what is due on Mon 2022-05-30 is paid on", paid)
agreed = all(found[day][1] == [True] for day in FROM) and all(found[day][1] == [False] for day in TO)
said = [found[day][0] for day in FROM] == [False] * 4 and [found[day][0] for day in TO] == [True, True, False, False]
sys.exit(0 if agreed and said and (paid.d, paid.m) == (31, 5) else 1)
PYTHON
