#!/usr/bin/env bash
# phasor's price="nextopen" without `open`, which from_orders says is "only read by the liquidation test", or where that open is
# NaN, fills at the close that decided the order, without a word: a purchase has the night's rise for nothing, while its record
# names the next bar. "nextvalidopen" waits for an open where one is NaN, but without `open` it does the same; so does
# from_signals. So pass `open` whenever the price is to be one, and look for holes in it.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages phasor-trader==0.1.0 numpy==2.4.6 <<'PYTHON'
import sys
import warnings
from importlib.metadata import version

import numpy as np
import phasor


def column(*values, kind=float):
    return np.asfortranarray(np.array(values, dtype=kind).reshape(-1, 1))


close = column(100, 103, 110, 120)
opens = {"given": {"open": column(99, 101, 107, 115)}, "NaN": {"open": column(99, 101, np.nan, 115)}, "omitted": {}}
size, entries = column(np.nan, 10, np.nan, np.nan), column(False, True, False, False, kind=bool)


def fill(portfolio):
    return int(portfolio.orders()["idx"][0]), float(portfolio.orders()["price"][0])


found = {}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for price in ("nextopen", "nextvalidopen"):
        for name, given in opens.items():
            by_orders = phasor.from_orders(close, size, price=price, init_cash=1e4, **given)
            by_signals = phasor.from_signals(close, entries, size=10, price=price, init_cash=1e4, **given)
            found[price, name] = (fill(by_orders), fill(by_signals))
print("phasor-trader", version("phasor-trader"), "- ordered at bar 1, close 103; bars 2, 3 open at 107, 115;", len(caught), "warnings")
for (price, name), ((bar, paid), _) in found.items():
    print(f"{price}, open {name}: filled at bar {bar} for {paid}")
expected = {
    ("nextopen", "given"): (2, 107.0), ("nextopen", "NaN"): (2, 103.0), ("nextopen", "omitted"): (2, 103.0),
    ("nextvalidopen", "given"): (2, 107.0), ("nextvalidopen", "NaN"): (3, 115.0), ("nextvalidopen", "omitted"): (2, 103.0),
}
sys.exit(0 if found == {case: (one, one) for case, one in expected.items()} and not caught else 1)
PYTHON
