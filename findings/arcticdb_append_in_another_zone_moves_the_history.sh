#!/usr/bin/env bash
# ArcticDB keeps one time zone per symbol, that of the last append or update, and takes times without a zone for UTC, without a
# word. One row appended without a zone to a history in New York's time turns that history into naive UTC and leaves the new row at
# the wall clock: 14:30 yesterday, 09:30 today, both the same bar of the session. The other way round, one row in New York's time
# moves every naive 09:30 of the history to 04:30. A between_time or a join on the clock then picks the wrong bars of all the years
# before. Convert each frame to the zone that the symbol has before you append or update.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages arcticdb==6.28.2 numpy==2.4.6 pandas==2.3.3 <<'PYTHON'
import sys
import tempfile
from importlib.metadata import version

import arcticdb
import pandas as pd

NEW_YORK = "America/New_York"
library = arcticdb.Arctic(f"lmdb://{tempfile.mkdtemp()}").create_library("bars")


def frame(zone, *times):
    return pd.DataFrame({"price": range(len(times))}, index=pd.DatetimeIndex(times).tz_localize(zone))


def kept(how, stored, added):
    """The clock times of a symbol with two bars of a day in one zone and one of the next day in another."""
    library.write("symbol", frame(stored, "2024-01-02 09:30", "2024-01-02 15:59"))
    getattr(library, how)("symbol", frame(added, "2024-01-03 09:30"))
    index = library.read("symbol").data.index
    return f"{index.tz}", [f"{time:%d. %H:%M}" for time in index]


cases = ((NEW_YORK, NEW_YORK), (NEW_YORK, None), (None, NEW_YORK), (NEW_YORK, "Europe/London"))
found = {(how, *case): kept(how, *case) for how in ("append", "update") for case in cases}
print("arcticdb", version("arcticdb"), "- bars of 09:30 and 15:59 on the 2nd, then one of 09:30 on the 3rd:")
for (how, stored, added), (zone, times) in found.items():
    print(f"stored in {stored}, {how} in {added}: read back in {zone},", ", ".join(times))
expected = {}
for how in ("append", "update"):
    expected[how, NEW_YORK, NEW_YORK] = (NEW_YORK, ["02. 09:30", "02. 15:59", "03. 09:30"])
    expected[how, NEW_YORK, None] = ("None", ["02. 14:30", "02. 20:59", "03. 09:30"])
    expected[how, None, NEW_YORK] = (NEW_YORK, ["02. 04:30", "02. 10:59", "03. 09:30"])
    expected[how, NEW_YORK, "Europe/London"] = ("Europe/London", ["02. 14:30", "02. 20:59", "03. 09:30"])
sys.exit(0 if found == expected else 1)
PYTHON
