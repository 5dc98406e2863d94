#!/usr/bin/env bash
# alpaca-py reads a start written as 20240102 as seconds since 1970: bars since 1970-08-23 are asked for, without a word.
# "2024-01-02" is read as that day.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages alpaca-py==0.44.0 <<'PYTHON'
import sys
from importlib.metadata import version

from alpaca.data.requests import StockBarsRequest
from alpaca.data.timeframe import TimeFrame

read = {
    text: StockBarsRequest(symbol_or_symbols="SPY", timeframe=TimeFrame.Day, start=text).start
    for text in ("20240102", "2024-01-02")
}
print("alpaca-py", version("alpaca-py"), {text: str(start) for text, start in read.items()})
sys.exit(0 if (read["20240102"].year, read["2024-01-02"].year) == (1970, 2024) else 1)
PYTHON
