#!/usr/bin/env bash
# Interactive Brokers writes a time with a dash, 20231214-20:57:37, for UTC, and with a space for a time of the login's zone.
# ib_async reads the dash away and takes such a time for one of the machine's zone, or of TimezoneTWS where that is set: a fill of
# 15:57 in New York is told as one of 01:57 UTC on the next day, five hours after the truth, and four in summer. On a machine in UTC
# without TimezoneTWS it is right, so a test in a container does not show it. The same time with a zone's name is right everywhere.
# In the other direction a datetime without a zone, of which reqHistoricalData says "then the TWS login timezone is used", is sent
# as UTC of the machine's zone, whatever TimezoneTWS is. Let TWS send its times in the operator's zone, and give every datetime a
# zone.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages ib_async==2.1.0 tzdata==2025.2 <<'PYTHON'
import asyncio
import os
import sys
import time
from datetime import datetime
from importlib.metadata import version

asyncio.set_event_loop(asyncio.new_event_loop())
from ib_async import IB
from ib_async.decoder import Decoder
from ib_async.util import formatIBDatetime


def at(machine):
    os.environ["TZ"] = machine
    time.tzset()


def fill(machine, login, text):
    """The time of the fill that a message of an execution with this time makes, on a machine and for a login in these zones."""
    at(machine)
    ib = IB()
    ib.TimezoneTWS = login
    contract = ["265598", "AAPL", "STK", "", "0", "", "", "NASDAQ", "USD", "AAPL", "NMS"]
    execution = ["0001.01.01", text, "U1", "NASDAQ", "BOT", "100", "198.1", "77", "1", "0", "100", "198.1", "", "", "", "", "1", "0"]
    Decoder(ib.wrapper, 178).interpret(["11", "-1", "5", *contract, *execution])
    (filled,) = ib.fills()
    return f"{filled.execution.time:%Y-%m-%d %H:%M %Z}"


NEW_YORK = "America/New_York"
DASH, NAMED = "20231214-20:57:37", "20231214 15:57:37 US/Eastern"
found = {
    (machine, login, text): fill(machine, login, text)
    for text in (DASH, NAMED)
    for machine, login in (("UTC", ""), (NEW_YORK, ""), ("UTC", NEW_YORK), ("Asia/Tokyo", ""))
}
at("UTC")
sent = formatIBDatetime(datetime(2023, 12, 14, 16, 0))
at(NEW_YORK)
sent_there = formatIBDatetime(datetime(2023, 12, 14, 16, 0))
promised = "If no timezone is given then the TWS login timezone is used" in IB.reqHistoricalData.__doc__
print("ib_async", version("ib_async"), "- a fill at 15:57 in New York, 20:57 UTC, on 14 December")
for (machine, login, text), told in found.items():
    print(f"{text} on a machine in {machine}, TimezoneTWS {login or 'not set'}: {told}")
print("an endDateTime of 16:00 without a zone is sent from a machine in UTC as", sent, "and from one in New York as", sent_there)
right, next_day = "2023-12-14 20:57 UTC", "2023-12-15 01:57 UTC"
expected = [right, next_day, next_day, "2023-12-14 11:57 UTC", right, right, right, right]
sys.exit(
    0 if list(found.values()) == expected and promised and sent.endswith("16:00:00 UTC") and sent_there.endswith("21:00:00 UTC") else 1
)
PYTHON
