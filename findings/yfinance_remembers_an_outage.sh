#!/usr/bin/env bash
# While Yahoo is down (HTTP 500 with a JSON error) yfinance raises what it raises for a delisted symbol; and for a range
# that has passed it raises the same after Yahoo has recovered, in the same process, without asking again.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages yfinance==1.7.0 curl_cffi==0.16.3 trustme==1.2.1 <<'PYTHON'
import json, sys, tempfile
from importlib.metadata import version
from pathlib import Path

import yfinance
from curl_cffi import requests
from yahoo_stand import Reply, YahooStand

META = {"currency": "USD", "symbol": "SPY", "instrumentType": "ETF", "exchangeTimezoneName": "America/New_York",
        "validRanges": ["1d", "max"], "priceHint": 2, "gmtoffset": -18000, "timezone": "EST", "dataGranularity": "1d",
        "range": "", "currentTradingPeriod": {}}
QUOTE = {"open": [470.0], "high": [473.0], "low": [469.0], "close": [472.5], "volume": [1000]}
RESULT = {"meta": META, "timestamp": [1704205800],
          "indicators": {"quote": [QUOTE], "adjclose": [{"adjclose": QUOTE["close"]}]}}
GOOD = Reply(json.dumps({"chart": {"result": [RESULT], "error": None}}).encode())
DOWN = Reply(json.dumps({"chart": {"result": None, "error": {"code": "Internal Server Error", "description": "try later"}}}).encode(), 500)

def ask(session):
    try:
        return len(yfinance.Ticker("SPY", session=session).history(start="2024-01-02", end="2024-01-03"))
    except Exception as error:
        return f"{type(error).__name__}: {error}"

down = True
with YahooStand(Path(tempfile.mkdtemp()), lambda asked: DOWN if down and not asked.for_zone else GOOD) as stand:
    yfinance.config.debug.hide_exceptions = False
    session = requests.Session(impersonate="chrome", verify=str(stand.ca), proxies={"https": stand.proxy})
    during = ask(session)
    down, asked = False, len(stand.asked)
    after = ask(session)
    requests_after = len(stand.asked) - asked
print("yfinance", version("yfinance"))
print("during the outage:", during)
print("after it:         ", after, f"({requests_after} requests sent)")
sys.exit(0 if "YFPricesMissingError" in str(during) and after == during and requests_after == 0 else 1)
PYTHON
