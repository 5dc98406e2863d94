#!/usr/bin/env bash
# yfinance turns a volume that Yahoo does not know (null) into 0: "nothing traded", on a session whose prices moved.
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
QUOTE = {"open": [470.0, 472.0], "high": [473.0, 474.0], "low": [469.0, 471.0], "close": [472.5, 473.5],
         "volume": [1000, None]}
RESULT = {"meta": META, "timestamp": [1704205800, 1704292200],
          "indicators": {"quote": [QUOTE], "adjclose": [{"adjclose": QUOTE["close"]}]}}
ANSWER = Reply(json.dumps({"chart": {"result": [RESULT], "error": None}}).encode())

with YahooStand(Path(tempfile.mkdtemp()), lambda asked: ANSWER) as stand:
    session = requests.Session(impersonate="chrome", verify=str(stand.ca), proxies={"https": stand.proxy})
    frame = yfinance.Ticker("SPY", session=session).history(start="2024-01-01", auto_adjust=False, keepna=True)
print("yfinance", version("yfinance"), "- Yahoo's volumes: 1000, null")
print(frame[["Close", "Volume"]])
sys.exit(0 if frame["Volume"].tolist() == [1000, 0] else 1)
PYTHON
