"""A gate about the step that prices move in: it tells how many shares of then a share of the file is."""

from typing import Final

import numpy as np

from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.history import PRICES, History
from plimsoll.engine.types import Ints

# Prices of exchanges in the United States move in cents: Regulation NMS, rule 612.
CENT: Final = 0.01
# A round lot. Where one share of the file is more than that, no order of then has a size that can be written in it.
ROUND_LOT: Final = 100
# Files have four decimals.
UNIT: Final = 1e-4
BLOCK: Final = 20
# So many different prices are multiples of a round lot of cents by chance once in 10^8 times.
DIFFERENT: Final = 5


def coarse(history: History) -> list[GateFinding]:
    """Note the first sessions if their prices move in steps of a hundred cents or more.

    A price of whole cents that later reverse splits multiply by F moves in steps of F cents, and one share stands for F
    shares of then: volume is divided by F and loses what is less than one. The steps are the greatest common divisors
    of 20 sessions each, of as many as have them from the first on.
    """
    if history.index or history.kind == "adjusted" or np.isnan(history.volume).all():
        return []
    prices = np.vstack([history.column(name) for name in PRICES])
    if not len(history) or not (np.isfinite(prices).all() and prices.max() < 2.0**53 * UNIT):
        return []
    units = np.rint(prices / UNIT).astype(np.int64)
    least = round(ROUND_LOT * CENT / UNIT)
    steps = _first_steps(units, least)
    if not steps:
        return []
    rest = (units[:, BLOCK * len(steps) :] % steps[-1] == 0).all(axis=0)
    last = BLOCK * len(steps) + int(np.argmin(np.append(rest, False))) - 1
    text = (
        f"prices move in steps of {_dollars(max(steps))} at first and {_dollars(steps[-1])} up to "
        f"{history.session[last]}, not a cent: by later reverse splits a share here is "
        f"{steps[-1] / least * ROUND_LOT:,.0f} or more of then, volume is no measure"
    )
    return [GateFinding("volume_coarse", "note", history.symbol, text, str(history.session[0]))]


def _first_steps(units: Ints, least: int) -> list[int]:
    """Return the steps of the blocks of sessions, from the first on while they are `least` or more."""
    found = []
    for start in range(0, units.shape[1] - BLOCK + 1, BLOCK):
        block = units[:, start : start + BLOCK].ravel()
        step = int(np.gcd.reduce(block))
        if step < least or len(np.unique(block)) < DIFFERENT:
            break
        found.append(step)
    return found


def _dollars(units: int) -> str:
    return f"{units * UNIT:,.10g}"
