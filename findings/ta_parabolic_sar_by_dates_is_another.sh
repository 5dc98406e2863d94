#!/usr/bin/env bash
# ta's PSARIndicator with pandas 3 tells another parabolic SAR when the prices are indexed by dates than when the rows are numbered:
# in a downtrend it stores the limit (the high of two days before) under the number of the row, and in a series by dates pandas 3
# takes the number for a label, which it adds at the end. So the limit is lost without a word, the SARs of the days after and some
# days of the turn are others, and the result has more rows than there were prices. pandas 2 took the number for a place, and both
# were the same. ta asks for no particular pandas. Number the rows (reset_index) and put the dates back afterwards.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages ta==0.11.0 numpy==2.4.6 "pandas==${PANDAS:-3.1.1}" <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import pandas as pd
from ta.trend import PSARIndicator

DAYS = 500
rng = np.random.default_rng(3)
closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, DAYS)))
spread = np.abs(rng.normal(0.006, 0.003, (2, DAYS)))
dated = pd.DataFrame(
    {"high": closes * (1 + spread[0]), "low": closes * (1 - spread[1]), "close": closes}, index=pd.bdate_range("2022-01-03", periods=DAYS)
)


def sar(frame):
    """The rows that come back, the SAR of each day, and whether it was told as one of a downtrend."""
    indicator = PSARIndicator(frame["high"], frame["low"], frame["close"])
    values = indicator.psar()
    return len(values), values.reindex(frame.index).to_numpy(), indicator.psar_down().reindex(frame.index).notna().to_numpy()


by_dates, numbered = sar(dated), sar(dated.reset_index(drop=True))
gaps = np.abs(by_dates[1] - numbered[1])
different = int((gaps > 1e-9).sum())
below = {
    name: int((values[down] < np.maximum(dated["high"].shift(1), dated["high"].shift(2)).to_numpy()[down] - 1e-9).sum())
    for name, (_, values, down) in (("by dates", by_dates), ("numbered", numbered))
}
turned = int((by_dates[2] != numbered[2]).sum())
print("ta", version("ta"), "with pandas", version("pandas"), "- the parabolic SAR of", DAYS, "days")
print("rows that come back: by dates", by_dates[0], "numbered", numbered[0])
print("days with another SAR:", different, "by at most", round(float(gaps.max()), 2), "- with another trend:", turned)
print("days of a downtrend with a SAR below the higher of the last two highs:", *(f"{name} {days};" for name, days in below.items()))
sys.exit(0 if numbered[0] == DAYS < by_dates[0] and different > 20 and turned > 0 else 1)
PYTHON
