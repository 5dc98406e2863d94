#!/usr/bin/env bash
# accfifo keeps a stock of buys and sells, first in first out. Its profit_and_loss, documented as the realized profit and
# loss, is what was paid less what was got: a hundred shares bought at 10 and sold at 12 are told as -200, a short closed
# lower as a loss too, and a losing year as a winning one. Cost and stock are right. It also eats what it is given: the
# entry that a sale takes from is made smaller in the caller's own list, so that a second FIFO over the same entries,
# after another trade say, has other stock and another cost, and so has from then on the first. Turn the sign, and make
# the entries anew for each FIFO.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages accfifo==0.2.0 <<'PYTHON'
import sys
from importlib.metadata import version

from accfifo import FIFO, Entry

runs = {
    "100 bought at 10, sold at 12": ([(100, 10.0), (-100, 12.0)], 200.0),
    "100 sold short at 12, bought back at 10": ([(-100, 12.0), (100, 10.0)], 200.0),
    "100 bought at 12, sold at 10": ([(100, 12.0), (-100, 10.0)], -200.0),
    "60 at 10 and 40 at 11, 80 sold at 15": ([(60, 10.0), (40, 11.0), (-80, 15.0)], 60 * 5.0 + 20 * 4.0),
}
told = {name: FIFO([Entry(*trade) for trade in trades]).profit_and_loss for name, (trades, _) in runs.items()}

trades = [Entry(100, 10.0), Entry(100, 20.0), Entry(-50, 30.0)]
first = FIFO(trades)
before = (first.stock, first.avgcost)
kept = [entry.quantity for entry in trades]
second = FIFO(trades)
anew = FIFO([Entry(100, 10.0), Entry(100, 20.0), Entry(-50, 30.0)])

print("accfifo", version("accfifo"))
for name, (_, earned) in runs.items():
    print(f"{name}: earned {earned:.2f}, told {told[name]:.2f}")
print("100 at 10 and 100 at 20, 50 sold at 30: stock", before[0], f"at a cost of {before[1]:.4f}")
print("the caller's own entries afterwards:", kept)
print("a second FIFO over them: stock", second.stock, f"at {second.avgcost:.4f}; the first then: {first.avgcost:.4f}")
print("over entries made anew: stock", anew.stock, f"at {anew.avgcost:.4f}")
sys.exit(
    0
    if all(told[name] == -earned for name, (_, earned) in runs.items())
    and before == (anew.stock, anew.avgcost) == (150, 2500 / 150)
    and kept == [50, 100, -50]
    and (second.stock, second.avgcost) == (100, 20.0)
    and first.avgcost != before[1]
    else 1
)
PYTHON
