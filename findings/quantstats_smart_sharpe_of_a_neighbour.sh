#!/usr/bin/env bash
# quantstats' smart Sharpe and Sortino divide by a penalty for autocorrelation. Of a frame with several strategies it is computed
# from the first column and applied to all: a strategy with independent returns loses most of its ratio for standing behind a
# smoothed one, and the smoothed one goes free behind it. Which column is first decides, and the same series alone is told
# otherwise. A report with a benchmark makes such a frame: its Smart Sharpe of the benchmark is the strategy's penalty. Call them
# column by column.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages quantstats==0.0.86 numpy==2.4.6 pandas==3.1.1 <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import pandas as pd
import quantstats

generator = np.random.default_rng(3)
days = pd.bdate_range("2023-01-02", periods=500)
shocks = pd.Series(generator.normal(0.0006, 0.01, len(days)), index=days)
both = pd.DataFrame({"free": generator.normal(0.0006, 0.01, len(days)), "smoothed": shocks.ewm(span=20).mean()}, index=days)
found = {}
for name in ("smart_sharpe", "smart_sortino"):
    ratio = getattr(quantstats.stats, name)
    for column in both:
        other = [label for label in both if label != column]
        alone, first, last = ratio(both[column]), ratio(both[[column, *other]])[column], ratio(both[[*other, column]])[column]
        found[name, column] = tuple(round(float(value), 3) for value in (alone, first, last))
report = quantstats.reports.metrics(both["free"], both["smoothed"], mode="full", display=False).loc["Smart Sharpe"]
sharpe = {column: round(float(quantstats.stats.sharpe(both[column])), 3) for column in both}
print("quantstats", version("quantstats"), "- Sharpe:", sharpe)
for (name, column), (alone, first, last) in found.items():
    print(f"{name} of {column}: alone {alone}, as first column {first}, as last column {last}")
print("Smart Sharpe in a report on free with smoothed as its benchmark:", dict(report))
same = all(alone == first for alone, first, _ in found.values())
same = same and all(found[name, "free"][2] < found[name, "free"][0] / 2 for name in ("smart_sharpe", "smart_sortino"))
same = same and all(found[name, "smoothed"][2] > found[name, "smoothed"][0] * 2 for name in ("smart_sharpe", "smart_sortino"))
same = same and float(report["Benchmark"]) == round(found["smart_sharpe", "smoothed"][2], 2) and float(report["Strategy"]) == 1.28
sys.exit(0 if same else 1)
PYTHON
