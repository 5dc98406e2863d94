#!/usr/bin/env bash
# yfinance stores the cookie A3 between requests and, reading it back, compares its expiry with a number: a session
# cookie, which has none, makes every history() fail with a TypeError about NoneType and float.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages yfinance==1.7.0 curl_cffi==0.16.3 trustme==1.2.1 <<'PYTHON'
import json, sys, tempfile
from importlib.metadata import version
from pathlib import Path

import yahoo_stand
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
yahoo_stand.COOKIE = "A3=d=stand; Domain=.yahoo.com; Path=/; Secure"

yfinance.set_tz_cache_location(tempfile.mkdtemp())
yfinance.config.debug.hide_exceptions = False
with YahooStand(Path(tempfile.mkdtemp()), lambda asked: GOOD) as stand:
    session = requests.Session(impersonate="chrome", verify=str(stand.ca), proxies={"https": stand.proxy})
    try:
        said = f"{len(yfinance.Ticker('SPY', session=session).history(start='2024-01-01'))} row"
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
print("yfinance", version("yfinance"))
print("history() with a session cookie:", said)
sys.exit(0 if said.startswith("TypeError") else 1)
PYTHON
