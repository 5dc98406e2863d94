#!/usr/bin/env bash
# ccxt's build_ohlcvc makes candles of trades by dividing the time since 1970: its weeks begin on Thursday, since that day was one,
# and its months are 30 days long, the first of 2024 from 19 December 2023 to 17 January. So a week made from trades is not the
# Monday week of most exchanges and charts; its high and close are those of other days, and what is done at its close is done on
# Wednesday night. round_timeframe of the same object knows better: Monday and the first of the month. Hours and days are right.
# Make days and put weeks and months together yourself.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages ccxt==4.5.90 <<'PYTHON'
import sys
from datetime import datetime, timedelta, timezone

import ccxt

exchange = ccxt.Exchange()
FIRST = datetime(2024, 1, 1, 12, tzinfo=timezone.utc)  # a Monday
days = [FIRST + timedelta(at) for at in range(60)]
trades = [{"timestamp": int(day.timestamp() * 1000), "price": 100.0 + at, "amount": 1.0, "symbol": "X"} for at, day in enumerate(days)]


def day(milliseconds):
    return f"{datetime.fromtimestamp(milliseconds / 1000, timezone.utc):%a %Y-%m-%d}"


made, rounded = {}, {}
for frame in ("1d", "1w", "1M"):
    made[frame] = [(day(candle[0]), candle[1], candle[4], candle[6]) for candle in exchange.build_ohlcvc(trades, frame)]
    rounded[frame] = sorted({exchange.round_timeframe(frame, trade["timestamp"]) for trade in trades})
print(
    "ccxt",
    ccxt.__version__,
    "- one trade a day at noon from Mon 2024-01-01 on, at 100, 101, ...; day, open, close and number of trades of the candles",
)
for frame, candles in made.items():
    print(f"{frame}: build_ohlcvc", *candles[:3], "- round_timeframe", [day(at) for at in rounded[frame]][:3])
right = (
    [candle[0] for candle in made["1d"]] == [day(at) for at in rounded["1d"]]
    and rounded["1d"]
    and day(rounded["1w"][0]) == "Mon 2024-01-01"
)
right = right and [day(at) for at in rounded["1M"]] == ["Mon 2024-01-01", "Thu 2024-02-01"]
weeks = made["1w"][:2] == [("Thu 2023-12-28", 100.0, 102.0, 3), ("Thu 2024-01-04", 103.0, 109.0, 7)]
months = [candle[0] for candle in made["1M"]] == ["Tue 2023-12-19", "Thu 2024-01-18", "Sat 2024-02-17"]
sys.exit(0 if right and weeks and months else 1)
PYTHON
