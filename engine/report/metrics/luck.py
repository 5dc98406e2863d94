"""A Sharpe ratio beside how much was tried: the probability that the true one is above zero, in figures and in words.

Two probabilities of one record. By itself: PSR against 0. After N tries: the deflated ratio DSR, that is PSR against
what the best of N tries without any skill would show on average. N is counted, and it is told what it comes to where
tries that are variations of one another count once.

Where each is shown follows from what is known there. A run knows nothing but itself, so that the same configuration on
the same data gives the same folder whatever else was tried: its folder holds PSR alone. A sweep knows its own settings:
its folder holds DSR over these. What the ledger knows of a family changes with every run: it is printed by the command
and by `plimsoll trials`, and is in no folder.
"""

import math
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.overfit.effective import EffectiveTrials
from plimsoll.engine.kernels.overfit.sharpe import lucky_ratio, psr
from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.labels import share_text
from plimsoll.engine.types import Bools, Floats, Ints

# Ratios of records shorter than this part of the longest scatter by their shortness, not by what was tried.
LONG_ENOUGH: Final = 0.5
PER_YEAR: Final = math.sqrt(m.SESSIONS_PER_YEAR)
NOT_SEEN: Final = "how many were tried is not known: the trial ledger is off"


class Moments(NamedTuple):
    """What the probabilities take of one record: the ratio per session, the sessions, biased skewness and kurtosis."""

    ratio: float
    n: int
    g3: float
    g4: float


def moments(returns: Floats, risk_free: Floats | float = 0.0) -> Moments:
    """Return the moments of returns (n,) over `risk_free`; NaN where they are not defined."""
    excess: Floats = np.asarray(returns - risk_free)
    return Moments(m.sharpe(excess) / PER_YEAR, len(excess), m.skew(excess), m.kurtosis(excess))


@dataclass(frozen=True, slots=True)
class Tries:
    """What was tried.

    counted : how many. effective : how many independent ones they are worth, NaN where that is not known; clustered :
    that is a number of clusters, else it follows from their mean correlation. variance : of their ratios per session,
    NaN where fewer than two records are long enough; measured : so many were.
    """

    counted: int
    effective: float
    clustered: bool
    variance: float
    measured: int

    @property
    def deflates(self) -> bool:
        """Whether there is anything to deflate by."""
        return self.counted > 1 and self.variance > 0.0


def tries_of(ratios: Floats, lengths: Ints, effective: EffectiveTrials | None) -> Tries:
    """Return what was tried, from the ratio per session (M,) and the sessions (M,) of each try.

    Each counts. The variance (ddof = 1) is over those with a ratio, no fewer than 21 sessions and at least half as many
    as the longest has. effective : of the same tries, None where their returns are not at hand.
    """
    measured: Bools = np.isfinite(ratios) & (lengths >= m.FEWEST_SESSIONS)
    measured &= lengths >= LONG_ENOUGH * np.max(lengths, initial=0)
    n = int(np.count_nonzero(measured))
    known = ratios[measured]
    # equal ratios may differ by rounding, and so may their variance from 0
    variance = float(np.var(known, ddof=m.DDOF)) if n > 1 and float(np.ptp(known)) > m.SHALLOWEST else m.NAN
    worth = m.NAN if effective is None else effective.number
    return Tries(len(ratios), worth, effective is not None and effective.clusters is not None, variance, n)


@dataclass(frozen=True, slots=True)
class Luck:
    """Probabilities that a record's true ratio is above zero: by itself, after all tries, after the independent ones.

    NaN where it is not defined, or there is nothing to deflate by.
    """

    alone: float
    after_all: float
    after_effective: float

    def figures(self) -> dict[str, float]:
        """Return them under the names that tables and JSON use."""
        return {
            "probabilistic_sharpe": self.alone,
            "deflated_sharpe": self.after_all,
            "deflated_sharpe_effective": self.after_effective,
        }


def luck_of(record: Moments, tries: Tries | None) -> Luck:
    """Return the probabilities of a record after some tries; None = how many is not known."""
    alone = psr(*record)
    if tries is None or not tries.deflates:
        return Luck(alone, m.NAN, m.NAN)
    after = [
        psr(*record, lucky_ratio(tries.variance, number)) if math.isfinite(number) else m.NAN
        for number in (float(tries.counted), tries.effective)
    ]
    return Luck(alone, after[0], after[1])


def luck_text(whose: str, luck: Luck, tries: Tries | None, of: str) -> str:
    """Return the probabilities in a sentence.

    whose : "the true Sharpe", of what it may add. of : what the tries are, as in "tries of trend in the ledger".
    """
    if not math.isfinite(luck.alone):
        return f"Nothing can be said of {whose}: its record is too short, or does not move."
    said = f"Probability that {whose} is above zero: {share_text(luck.alone)}"
    if tries is None:
        return f"{said} by itself; {NOT_SEEN}."
    if tries.counted < 2:
        return f"{said} by itself; there are no other {of} to deflate by."
    if not tries.deflates:
        why = "all have the same Sharpe" if tries.measured > 1 else "fewer than two are long enough to compare"
        return f"{said} by itself; of the {tries.counted:,} {of} {why}: there is nothing to deflate by."
    said += f" had it been the only try; {share_text(luck.after_all)} after {tries.counted:,} {of}"
    if not math.isfinite(luck.after_effective) or tries.effective > tries.counted - 0.5:
        return f"{said}."
    number = f"{tries.effective:z,.0f}" if tries.clustered or tries.effective >= 10.0 else f"{tries.effective:z.1f}"
    worth = f"which form {number} groups" if tries.clustered else f"worth about {number} independent ones"
    return f"{said}, {worth}: {share_text(luck.after_effective)} after so many."


def brief_text(whose: str, luck: Luck) -> str:
    """Return the probabilities of another ratio of the same record, after the same tries, in a few words."""
    told = {"by itself": luck.alone, "after all": luck.after_all, "after those that differ": luck.after_effective}
    known = [f"{share_text(value)} {when}" for when, value in told.items() if math.isfinite(value)]
    return f"{whose}: {', '.join(known)}." if known else ""


def luck_facts(luck: Luck, tries: Tries) -> dict[str, Any]:
    """Return what was tried and the probabilities as plain values for JSON, NaN where not defined."""
    return {
        "tries": tries.counted,
        "effective_tries": tries.effective,
        "effective_by": "clusters" if tries.clustered else "mean correlation",
        "sharpe_variance_ann": tries.variance * m.SESSIONS_PER_YEAR,
        **luck.figures(),
    }
