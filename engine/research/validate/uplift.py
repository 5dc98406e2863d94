"""What putting sleeves together should have added by the formula, and what it did."""

import math
from typing import Any

import numpy as np

from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.types import Floats


def predicted(sharpe: float, k: int, correlation: float) -> float:
    """Return the Sharpe ratio of K sleeves at equal risk, each with `sharpe`, any two correlated by `correlation`.

        SR_p = SR sqrt(K / (1 + (K - 1) rho))

    NaN where the correlation is below what K series can all have, -1 / (K - 1).
    Source: the variance of a mean of K equally correlated series; the portfolio layer, section 8, whose table has it.
    """
    spread = 1.0 + (k - 1) * correlation
    return sharpe * math.sqrt(k / spread) if k > 0 and spread > 0.0 else m.NAN


def uplift_block(sleeves: dict[str, Floats], book: Floats, bill: Floats) -> dict[str, Any] | None:
    """Return mean sleeve ratio, mean correlation, K, and the book's ratio by the formula and as it was; None of one.

    sleeves : net-of-nothing session returns (n,) of each sleeve's own notional portfolio, cash at the bill rate; book,
    bill (n,). All ratios are over bills. A sleeve that never moves has no ratio and is left out.
    """
    moving = {name: values - bill for name, values in sleeves.items() if m.stdev(values - bill) > m.SHALLOWEST}
    if len(moving) < 2:
        return None
    ratios = {name: m.sharpe(values) for name, values in moving.items()}
    corr = np.corrcoef(np.array(list(moving.values())))
    k = len(moving)
    rho = (float(np.sum(corr)) - k) / (k * (k - 1))
    mean = float(np.mean(list(ratios.values())))
    return {
        "sleeves": ratios,
        "mean_sharpe": mean,
        "mean_correlation": rho,
        "k": k,
        "predicted": predicted(mean, k, rho),
        "realised": m.sharpe(book, bill),
    }
