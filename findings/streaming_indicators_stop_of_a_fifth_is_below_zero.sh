#!/usr/bin/env bash
# streaming_indicators' CWA2Sigma takes sl_perc, 20 by default, and makes 100 / 20 = 5 of it where a share of the price is meant,
# 20 / 100: the stop of a purchase at 130 lies at 130 * (1 - 5) = -520 and is never met, and the tighter it is asked for the further
# off it is, at -2470 with 5%. Here a price that was flat jumps to 130 and falls back to 103, over 20% below, and the signal stays
# at 1, as the two other exits, the average of 100 days and the close less 1.8 ranges, lie below it. No error, and the signal and the
# entry price are all that update returns. Watch the stop from that entry price yourself.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages streaming_indicators==0.1.8 numpy==2.4.6 pandas==2.3.3 <<'PYTHON'
import sys
from importlib.metadata import version

import streaming_indicators

flat = [100 + 0.5 * (-1) ** day for day in range(120)]
closes = [*flat, 130.0, 103.0, 103.0]
candles = [{"open": close, "high": close + 0.5, "low": close - 0.5, "close": close} for close in closes]


def told(percent):
    """The entry, the stop that is kept beside it, and the signal at the end with the average it is also compared with."""
    system = streaming_indicators.CWA2Sigma(bb_period=50, bb_width=2, ema_period=100, atr_period=14, atr_factor=1.8, sl_perc=percent)
    entry = stop = None
    for candle in candles:
        signal, price = system.update(candle)
        if entry is None and price is not None and candle["close"] == 130:
            entry, stop = price, system.sl_price
    meant, average = round(entry * (1 - percent / 100), 2), round(float(system.EMA.value), 2)
    return {"entry": entry, "stop": round(stop, 2), "meant": meant, "signal": signal, "average": average}


found = {percent: told(percent) for percent in (20, 10, 5)}
print("streaming_indicators", version("streaming_indicators"), "- bought at 130, closes of 103 after it")
for percent, values in found.items():
    print(f"stop of {percent}%:", *(f"{what} {value};" for what, value in values.items()))
sys.exit(
    0
    if all(
        values["stop"] == round(130 * (1 - 100 / percent), 2) < 0 and values["signal"] == 1 and values["average"] < 103 < values["meant"]
        for percent, values in found.items()
    )
    else 1
)
PYTHON
