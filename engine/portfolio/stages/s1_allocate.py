"""Stage 1: how much of the book each sleeve gets.

    Sigma_S  shrunk EWMA covariance of the vol-scaled mix returns (ragged histories, positive definite)
    a_h = HRP(Sigma_S)   a_e = ERC(Sigma_S)   alarm iff 0.5 sum |a_h - a_e| > alarm
    x_s = a_h,s * clip(2 skill_s, 1 - kappa, 1 + kappa) * tilt_s * ramp_s,  x / sum x,  capped by water-filling -> a*
    e_t = smoothing e_{t-1} + (1 - smoothing) a*;   applied = e_t iff max |e_t - applied| > apply_threshold

Fallback ladder: HRP, ERC, inverse volatility, 1/N; the rung used is recorded. Smoothed state and applied weights are
kept apart and the whole vector moves at once: a filter per sleeve never moves at all and breaks sum a = 1.
Source: portfolio integration layer, stage 1; Lopez de Prado (2016); Maillard, Roncalli & Teiletche (2010).
"""

from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from engine.kernels import code, erc, hrp, moments, shrinkage
from engine.kernels.hrp import CORR
from engine.kernels.waterfill import cap_project
from engine.portfolio.min_variance import min_variance
from engine.types import Bools, Floats

Columns = NDArray[np.intp]

Method = Literal["hrp", "erc", "inverse_vol", "equal", "min_variance"]

# What the weights came from, best first.
HRP: Final = 0
ERC: Final = 1
INVERSE_VOL: Final = 2
EQUAL: Final = 3
MIN_VARIANCE: Final = 4
NOBODY: Final = 5  # no promoted sleeve
RUNGS: Final = ("hrp", "erc", "inverse_vol", "equal", "min_variance", "nobody")


@dataclass(frozen=True, slots=True)
class Params:
    """Fractions where not said; `ramp_sessions` sessions take a new sleeve from `ramp_start` to its full weight."""

    method: Method = "hrp"
    cap: float = 0.35
    kappa: float = 0.25
    smoothing: float = 0.8
    apply_threshold: float = 0.02
    alarm: float = 0.20
    max_intensity: float = 0.9
    min_obs: int = 60
    young_obs: int = 20
    min_overlap: int = 20
    ramp_sessions: int = 20
    ramp_start: float = 0.5
    runoff_sessions: int = 1
    erc_blend: float = 0.0


@dataclass(slots=True)
class State:
    """Memory of S sleeves; arrays are mutated in place.

    smooth (S,) e; applied (S,); leaving (S,) applied weights when the last sleeve was demoted; counts (4,): sessions
    since that demotion, whether an allocation was ever made, rung, alarm; age (S,) sessions each was allocated;
    hrp, erc (S,) the raw weights of the last allocation, NaN where not allocated; gap (1,) half their distance.
    """

    smooth: Floats
    applied: Floats
    leaving: Floats
    counts: Floats
    age: Floats
    hrp: Floats
    erc: Floats
    info: Floats = field(default_factory=lambda: np.zeros(shrinkage.INFO_SIZE + 1))


SINCE_DEMOTION: Final = 0
STARTED: Final = 1
RUNG: Final = 2
ALARM: Final = 3


def init(n_sleeves: int) -> State:
    """Return the state before the first allocation."""
    zeros = [np.zeros(n_sleeves) for _ in range(4)]
    return State(zeros[0], zeros[1], zeros[2], np.zeros(4), zeros[3], *np.full((2, n_sleeves), np.nan))


def raw_weights(pair: Floats, p: Params, info: Floats) -> tuple[Floats, Floats, Floats, int]:
    """Return (weights, HRP weights, ERC weights, rung) for K >= 1 sleeves from their pairwise moments (7, K, K)."""
    k = pair.shape[1]
    none = np.full(k, np.nan)
    if k == 1:
        return np.ones(1), np.ones(1), np.ones(1), _RUNG_OF[p.method]
    cov = np.empty((k, k))
    fault = shrinkage.shrink_pairs(pair, p.min_overlap, shrinkage.init(k), info, cov)
    trusted = fault == code.OK and info[shrinkage.INTENSITY] <= p.max_intensity
    by_hrp, by_erc = none.copy(), none.copy()
    hrp_ok = trusted and hrp.hrp(cov, CORR, hrp.init(k), by_hrp) == code.OK
    erc_ok = trusted and erc.risk_budget(cov, np.full(k, 1.0 / k), erc.init(k), by_erc) == code.OK
    if p.method == "min_variance" and trusted:
        return min_variance(cov), by_hrp, by_erc, MIN_VARIANCE
    if p.method == "hrp" and hrp_ok:
        blend = p.erc_blend if erc_ok else 0.0
        return ((1.0 - blend) * by_hrp + blend * by_erc if blend else by_hrp), by_hrp, by_erc, HRP
    if p.method in {"hrp", "erc"} and erc_ok:
        return by_erc, by_hrp, by_erc, ERC
    if p.method != "equal":
        inverse = inverse_vol(pair)
        if inverse is not None:
            return inverse, by_hrp, by_erc, INVERSE_VOL
    return np.full(k, 1.0 / k), by_hrp, by_erc, EQUAL


_RUNG_OF: Final = {"hrp": HRP, "erc": ERC, "inverse_vol": INVERSE_VOL, "equal": EQUAL, "min_variance": MIN_VARIANCE}


def inverse_vol(pair: Floats) -> Floats | None:
    """Return weights in inverse proportion to volatility over those that have one; None if nobody has."""
    weight, second = np.diagonal(pair[moments.WEIGHT]), np.diagonal(pair[moments.M20])
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where((weight > 0.0) & (second > 0.0), np.sqrt(weight / second), 0.0)
    total = inverse.sum()
    return inverse / total if total > 0.0 and np.isfinite(total) else None


def allocate(pair: Floats, n_obs: Floats, active: Bools, skill: Floats, tilt: Floats, p: Params, s: State) -> None:
    """Make one allocation: from moments to applied weights. Mutates s.

    pair (7, S, S) moments of scaled returns; n_obs (S,) observations of each mix; active (S,) promoted sleeves;
    skill (S,) in [0, 1], NaN = neutral; tilt (S,) regime factors.
    """
    s.hrp[:] = np.nan
    s.erc[:] = np.nan
    chosen = np.flatnonzero(active & (n_obs >= p.min_obs))
    if len(chosen):
        weights, by_hrp, by_erc, rung = raw_weights(_sub(pair, chosen), p, s.info)
        s.hrp[chosen], s.erc[chosen] = by_hrp, by_erc
    else:
        chosen, weights, rung = _young(pair, n_obs, active, p)
    gap = 0.5 * float(np.abs(s.hrp[chosen] - s.erc[chosen]).sum()) if len(chosen) else 0.0
    s.info[-1] = gap
    s.counts[RUNG] = rung
    s.counts[ALARM] = gap > p.alarm
    s.counts[SINCE_DEMOTION] += 1.0
    if not len(chosen):
        return
    s.age[chosen] += 1.0
    ramp = np.minimum(p.ramp_start + (1.0 - p.ramp_start) * s.age[chosen] / p.ramp_sessions, 1.0)
    by_skill = np.where(np.isnan(skill[chosen]), 1.0, np.clip(2.0 * skill[chosen], 1.0 - p.kappa, 1.0 + p.kappa))
    x = weights * by_skill * tilt[chosen] * ramp
    if cap_project(p.cap, x) != code.OK:
        x = np.full(len(chosen), 1.0 / len(chosen))
        s.counts[RUNG] = EQUAL
    smooth_in(chosen, x, p, s)


def smooth_in(chosen: Columns, x: Floats, p: Params, s: State) -> None:
    """Move the smoothed state towards a* (x on `chosen`), and the applied weights if they lag by too much."""
    target = np.zeros(len(s.smooth))
    target[chosen] = x
    if not s.counts[STARTED]:
        s.counts[STARTED] = 1.0
        s.smooth[:] = target
        s.applied[:] = target
        return
    s.smooth[:] = p.smoothing * s.smooth + (1.0 - p.smoothing) * target
    if np.abs(s.smooth - s.applied).max() > p.apply_threshold:
        s.applied[:] = s.smooth


def demote(gone: Bools, s: State) -> None:
    """Take demoted sleeves (S,) out at once: their smoothed and applied weights go to the others in proportion."""
    s.leaving[:] = s.applied
    s.counts[SINCE_DEMOTION] = 0.0
    for vector in (s.smooth, s.applied):
        vector[gone] = 0.0
        total = vector.sum()
        if total > 0.0:
            np.divide(vector, total, out=vector)
    s.age[gone] = 0.0


def in_force(p: Params, s: State) -> Floats:
    """Return the weights (S,) to use now: the applied ones, blended with those before a demotion while it runs off."""
    left = 1.0 - s.counts[SINCE_DEMOTION] / p.runoff_sessions
    return (1.0 - left) * s.applied + left * s.leaving if left > 0.0 and s.leaving.any() else s.applied


def _young(pair: Floats, n_obs: Floats, active: Bools, p: Params) -> tuple[Columns, Floats, int]:
    """Allocate while nobody has a full history: inverse volatility of those with a short one, else 1/N."""
    chosen = np.flatnonzero(active & (n_obs >= p.young_obs))
    if len(chosen):
        inverse = inverse_vol(_sub(pair, chosen))
        if inverse is not None:
            return chosen, inverse, INVERSE_VOL
    chosen = np.flatnonzero(active)
    return chosen, np.full(len(chosen), 1.0 / max(len(chosen), 1)), EQUAL if len(chosen) else NOBODY


def _sub(pair: Floats, chosen: Columns) -> Floats:
    return np.ascontiguousarray(pair[:, chosen[:, None], chosen])
