"""The ladder in figures: whether a way of sharing the book earns its place beside an equal share of risk."""

import math
from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np
import pandas as pd

from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.bootstrap import BLOCK_SESSIONS, DRAWS, sharpe_difference_error
from plimsoll.engine.report.metrics.returns import Figures
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.runtime.rung import BENCHMARK, TITLES, Rung
from plimsoll.engine.types import Floats

BEATS: Final = "beats"
LOSES: Final = "loses"
LEVEL: Final = "not distinguishable"
# Standard errors that a difference has to exceed.
SURE: Final = 2.0
RULE: Final = "HRP must beat 1/N-risk net of costs, or 1/N-risk ships"
JUDGED: Final = ("name", "title", "difference", "standard_error", "first_half", "second_half", "verdict")

Returns: TypeAlias = Mapping[str, Floats]


def verdict(difference: float, error: float) -> str:
    """Return whether a difference is more than two standard errors from 0, and on which side."""
    if math.isfinite(difference) and math.isfinite(error) and abs(difference) > SURE * error:
        return BEATS if difference > 0.0 else LOSES
    return LEVEL


def ladder_returns(record: Record) -> dict[str, Floats]:
    """Return the net return (n,) per session of every rung that ran, in their order."""
    rungs = () if record.ladder is None else record.ladder.rungs
    return {rung.name: record.compounded(rung.ret) for rung in rungs if not rung.why}


def ladder_frame(record: Record) -> pd.DataFrame | None:
    """Return the net session returns of the rungs, a column each; None where none ran."""
    series = ladder_returns(record)
    return pd.DataFrame(series, index=record.returns.index) if series else None


def ladder_block(record: Record, bill: Floats | None) -> Figures | None:
    """Return the rungs in figures and what follows from them; None where no ladder was asked for.

    bill (n,) return of the bill series per session, None = 0. `rungs` : a block each, in their order, with the
    difference of its Sharpe ratio over bills to that of 1/N-risk, its standard error, and the difference in each half
    of the period. `verdicts` : of HRP, of the method that ran, and of every other one that is told apart. `ships` :
    what the rule comes to.
    """
    ladder = record.ladder
    if ladder is None:
        return None
    free = np.zeros(len(record.sessions)) if bill is None else bill
    series = ladder_returns(record)
    found = {rung.name: _figures(rung, series, free, ladder.seed) for rung in ladder.rungs}
    sure = [name for name, block in found.items() if block.get("verdict") in (BEATS, LOSES)]
    judged = [name for name in dict.fromkeys(("hrp", ladder.own, *sure)) if "verdict" in found.get(name, {})]
    hrp = found["hrp"]["verdict"] if "hrp" in judged else None
    return {
        "own": ladder.own,
        "why": ladder.why,
        "rule": RULE,
        "block_sessions": BLOCK_SESSIONS,
        "draws": DRAWS,
        "seed": ladder.seed,
        "rungs": list(found.values()),
        "verdicts": [{key: found[name][key] for key in JUDGED} for name in judged],
        "ships": None if hrp is None else "hrp" if hrp == BEATS else BENCHMARK,
    }


def _figures(rung: Rung, series: Returns, free: Floats, seed: int) -> Figures:
    head = {"name": rung.name, "title": TITLES[rung.name], "config_hash": rung.config_hash}
    if rung.why:
        return head | {"why": rung.why}
    returns, n = series[rung.name], len(free)
    decisions = sum(rung.decided.values())
    block = head | {
        "asked": rung.asked,
        "cagr": m.cagr(returns),
        "vol_ann": m.vol_ann(returns),
        "sharpe_excess": m.sharpe(returns, free),
        "max_drawdown": m.max_drawdown(returns),
        "turnover": rung.traded * m.SESSIONS_PER_YEAR / n if n else m.NAN,
        "cost_bps": rung.costs * m.SESSIONS_PER_YEAR / n * 1e4 if n else m.NAN,
        "fallen_back": 1.0 - rung.decided.get(rung.asked, 0) / decisions if decisions else m.NAN,
        "decided": {name: count for name, count in rung.decided.items() if count},
    }
    if BENCHMARK in series and rung.name != BENCHMARK:
        block |= compared(returns - free, series[BENCHMARK] - free, seed)
    return m.annualised(block, n)


def compared(first: Floats, second: Floats, seed: int) -> Figures:
    """Return the Sharpe ratio of `first` less that of `second`, its standard error, its halves, and the verdict.

    first, second (n,) : excess returns on the same sessions.
    """
    half = len(first) // 2
    difference = m.sharpe(first) - m.sharpe(second)
    error = sharpe_difference_error(first, second, seed)
    return {
        "difference": difference,
        "standard_error": error,
        "first_half": m.sharpe(first[:half]) - m.sharpe(second[:half]),
        "second_half": m.sharpe(first[half:]) - m.sharpe(second[half:]),
        "verdict": verdict(difference, error),
    }
