#!/usr/bin/env bash
# ArcticDB's resample cuts days at midnight UTC whatever the zone of the symbol, and labels them in that zone: a symbol kept in New
# York's time gets days that begin at 19:00 the evening before (20:00 in summer). So the bar with the session of the 2nd bears the
# date of the 1st, a day of look-ahead for whoever joins by date, and trades of the evening belong to the next bar. The origins
# "start_day" and "end_day", said to be midnights of the series, do the same; pandas, whose results "epoch" is said to match, cuts at
# midnight in New York. offset="5h" is right in winter and an hour late in summer. Read the rows and resample them in pandas.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages arcticdb==6.28.2 numpy==2.4.6 pandas==2.3.3 <<'PYTHON'
import sys
import tempfile
from importlib.metadata import version

import arcticdb
import pandas as pd

library = arcticdb.Arctic(f"lmdb://{tempfile.mkdtemp()}").create_library("bars")
CLOSE = {"close": ("price", "last")}


def days(month, origin, **options):
    """The daily closes of two trades a day, at 10:00 and 21:00 in New York, by ArcticDB and by pandas."""
    times = pd.DatetimeIndex([f"2024-{month}-{day} {hour}:00" for day in ("02", "03") for hour in (10, 21)])
    trades = pd.DataFrame({"price": [10.0, 11.0, 12.0, 13.0]}, index=times.tz_localize("America/New_York"))
    library.write("trades", trades)
    query = arcticdb.QueryBuilder().resample("1D", origin=origin, **options).agg(CLOSE)
    both = (library.read("trades", query_builder=query).data, trades.resample("1D", origin=origin, **options).agg(**CLOSE))
    return [{f"{label:%d. %H:%M}": close for label, close in bars["close"].items()} for bars in both]


asked = [(month, origin, {}) for month in ("01", "07") for origin in ("epoch", "start_day")]
asked += [(month, "epoch", {"offset": "5h"}) for month in ("01", "07")]
found = {(month, origin, *options.values()): days(month, origin, **options) for month, origin, options in asked}
print("arcticdb", version("arcticdb"), "- trades on the 2nd at 10:00 (10) and 21:00 (11), on the 3rd at 10:00 (12) and 21:00 (13):")
for key, (arctic, pandas) in found.items():
    print("month, origin, offset:", *key, "- closes by day of ArcticDB:", arctic, *(() if len(key) == 3 else ("of pandas:", pandas)))
right = {"02. 00:00": 11.0, "03. 00:00": 13.0}
winter = {"01. 19:00": 10.0, "02. 19:00": 12.0, "03. 19:00": 13.0}
summer = {"01. 20:00": 10.0, "02. 20:00": 12.0, "03. 20:00": 13.0}
same = all(found["01", origin] == [winter, right] and found["07", origin] == [summer, right] for origin in ("epoch", "start_day"))
same = same and found["01", "epoch", "5h"][0] == right and found["07", "epoch", "5h"][0] == {"02. 01:00": 11.0, "03. 01:00": 13.0}
sys.exit(0 if same else 1)
PYTHON
