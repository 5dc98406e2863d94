"""Stage 1: how much of the book each sleeve gets.

    Sigma_S  shrunk EWMA covariance of the vol-scaled mix returns (ragged histories, positive definite)
    a_h = HRP(Sigma_S)   a_e = ERC(Sigma_S)   alarm iff 0.5 sum |a_h - a_e| > its threshold
    x_s = a_h,s * clip(2 skill_s, 1 - kappa, 1 + kappa) * tilt_s * ramp_s,  x / sum x,  capped by water-filling -> a*
    e_t = smoothing e_{t-1} + (1 - smoothing) a*;   applied = e_t iff max |e_t - applied| > apply_threshold
    applied is a sleeve's slot; what is in force while a sleeve holds nothing: `plimsoll.engine.portfolio.idle`

HRP splits an ordered list in halves: sleeves that are alike get unequal shares where a half cuts their cluster (three
copies of one: 50, 25 and 25%); ERC gives equals equal shares, and the gap between the two is what the alarm measures.
Its threshold is given, or the 95% point of the gap under draws of the covariance (`kernels.allocate.gap`), made at the
first allocation and again every 63 sessions. NCO is ERC within and across the clusters of HRP's own tree.
Fallback ladder: HRP or NCO, ERC, inverse volatility, 1/N; the rung used is recorded. Smoothed state and applied weights
are kept apart and the whole vector moves at once: a filter per sleeve never moves at all and breaks sum a = 1.
Source: portfolio integration layer, stage 1; Lopez de Prado (2016, 2019); Maillard, Roncalli & Teiletche (2010).
"""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.allocate import erc, gap, hrp, nco
from plimsoll.engine.kernels.allocate.min_variance import least_variance
from plimsoll.engine.kernels.allocate.waterfill import cap_project, fill_up
from plimsoll.engine.kernels.estimate import moments, shrinkage
from plimsoll.engine.kernels.estimate.moments import sub_moments
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.linalg import copy_to, set_to
from plimsoll.engine.types import Bools, Floats, Ints

# What the weights came from, best first.
HRP: Final = 0
ERC: Final = 1
INVERSE_VOL: Final = 2
EQUAL: Final = 3
MIN_VARIANCE: Final = 4
NOBODY: Final = 5  # no promoted sleeve
NCO: Final = 6
RUNGS: Final = ("hrp", "erc", "inverse_vol", "equal", "min_variance", "nobody", "nco")
# Sessions after which the alarm's threshold is made again.
CALIBRATED_EVERY: Final = 63


class Params(NamedTuple):
    """Fractions where not said, named as in the configuration where they stand there.

    method is the rung asked for; young_obs the least history before anybody has `min_obs`; `ramp_sessions` sessions
    take a new sleeve from `ramp_start` to its full weight; alarm the threshold where it is not drawn; `towards` says
    what the sleeves' covariance is shrunk to, see `shrink_pairs`; a smoothed weight
    below `least_share` is 0.
    """

    method: int
    cap: float
    skill_kappa: float
    smoothing: float
    apply_threshold: float
    alarm: float
    max_shrinkage: float
    towards: float
    min_obs: float
    young_obs: float
    min_overlap: int
    ramp_sessions: float
    ramp_start: float
    erc_blend_max: float
    least_share: float


class State(NamedTuple):
    """Memory of S sleeves; arrays are mutated in place.

    smooth (S,) e; applied (S,); leaving (S,) weights in force when the last sleeve was demoted; counts (5,): sessions
    since that demotion, rung, alarm, the alarm's threshold (NaN = none) and sessions since it was drawn (infinite =
    never); age (S,) sessions since each was first allocated, that one included;
    hrp, erc (S,) the raw weights of the last allocation, NaN where not allocated; info the facts of the shrinkage and,
    last, half the distance of the two.
    """

    smooth: Floats
    applied: Floats
    leaving: Floats
    counts: Floats
    age: Floats
    hrp: Floats
    erc: Floats
    info: Floats


SINCE_DEMOTION: Final = 0
RUNG: Final = 1
ALARM: Final = 2
THRESHOLD: Final = 3
SINCE_DRAWN: Final = 4
COUNTS: Final = 5


def init(n_sleeves: int) -> State:
    """Return the state before the first allocation."""
    zeros = [np.zeros(n_sleeves) for _ in range(4)]
    unknown = np.full((2, n_sleeves), np.nan)
    info, counts = np.zeros(shrinkage.INFO_SIZE + 1), np.zeros(COUNTS)
    counts[THRESHOLD], counts[SINCE_DRAWN] = np.nan, np.inf
    return State(zeros[0], zeros[1], zeros[2], counts, zeros[3], unknown[0].copy(), unknown[1].copy(), info)


@kernel
def inverse_vol(pair: Floats, out: Floats) -> bool:
    """Write weights in inverse proportion to volatility over those that have one; False if nobody has."""
    total = 0.0
    for i in range(out.shape[0]):
        weight, second = pair[moments.WEIGHT, i, i], pair[moments.M20, i, i]
        out[i] = np.sqrt(weight / second) if weight > 0.0 and second > 0.0 else 0.0
        total += out[i]
    if not (total > 0.0 and total < np.inf):
        return False
    for i in range(out.shape[0]):
        out[i] /= total
    return True


@kernel
def draw_threshold(
    cov: Floats, seen: moments.State, p: Params, intensity: float, normals: Floats, counts: Floats
) -> None:
    """Draw the alarm's threshold anew where it is due; NaN, and no alarm, where there is none."""
    if normals.shape[0] > 0 and counts[SINCE_DRAWN] >= CALIBRATED_EVERY:
        n_obs = moments.effective_size(seen, p.min_overlap)
        counts[THRESHOLD] = gap.threshold(cov, n_obs, intensity, p.towards, normals, gap.room(cov.shape[0]))
        counts[SINCE_DRAWN] = 0.0


@kernel
def raw_weights(
    seen: moments.State, p: Params, blend: float, info: Floats, out: Floats, by_hrp: Floats, by_erc: Floats,
    normals: Floats, counts: Floats,
) -> int:  # fmt: skip
    """Write the weights (K,) of K >= 1 sleeves from their moments; return the rung.

    blend is the share of ERC in HRP's weights; by_hrp and by_erc (K,) get those of the two methods, NaN where they
    fail; info the facts of the shrinkage. The alarm's threshold in counts is drawn from `normals` where it is due.
    """
    k = seen.kin.shape[0]
    if k == 1:
        out[0], by_hrp[0], by_erc[0] = 1.0, 1.0, 1.0
        return p.method
    cov = np.empty((k, k))
    room = shrinkage.Work(np.zeros((k, k)), np.zeros((k, k)), np.zeros(k), np.zeros((4, k)))
    fault = shrinkage.shrink_pairs(seen, p.min_overlap, p.towards, room, info, cov)
    trusted = fault == code.OK and info[shrinkage.INTENSITY] <= p.max_shrinkage
    hrp_ok, erc_ok, own_ok = False, False, False
    if trusted:
        work = hrp.room(k)
        hrp_ok = hrp.hrp(cov, hrp.CORR, work, by_hrp) == code.OK
        erc_ok = erc.risk_budget(cov, np.full(k, 1.0 / k), erc.room(k), by_erc) == code.OK
        if hrp_ok and erc_ok:
            draw_threshold(cov, seen, p, info[shrinkage.INTENSITY], normals, counts)
        if p.method == NCO and hrp_ok:
            own_ok = nco.on_tree(cov, work.distance, work.tree, nco.room(k), out) == code.OK
        if p.method == MIN_VARIANCE:
            own_ok = least_variance(cov, out) == code.OK
    if own_ok:
        return p.method
    if p.method == HRP and hrp_ok:
        blend = blend if erc_ok else 0.0
        for i in range(k):
            out[i] = (1.0 - blend) * by_hrp[i] + (blend * by_erc[i] if blend > 0.0 else 0.0)
        return HRP
    if (p.method <= ERC or p.method == NCO) and erc_ok:  # HRP, ERC or NCO was asked for
        for i in range(k):
            out[i] = by_erc[i]
        return ERC
    if p.method != EQUAL and inverse_vol(seen.pair, out):
        return INVERSE_VOL
    for i in range(k):
        out[i] = 1.0 / k
    return EQUAL


@kernel
def eligible(pair: Floats, n_obs: Floats, active: Bools, p: Params) -> tuple[Ints, bool]:
    """Return the sleeves to allocate to, and whether they have full histories.

    Those with min_obs; while nobody has, those with young_obs; else all that are active. Of these, one whose return
    has never moved waits while another's has.
    """
    for least in (p.min_obs, p.young_obs, 0.0):
        count = 0
        for s in range(n_obs.shape[0]):
            count += active[s] and n_obs[s] >= least
        if count > 0:
            break
    chosen = np.empty(count, dtype=np.int64)
    at = 0
    for s in range(n_obs.shape[0]):
        if active[s] and n_obs[s] >= least:
            chosen[at] = s
            at += 1
    moving = np.empty(count, dtype=np.bool_)
    for a in range(count):
        moving[a] = pair[moments.M20, chosen[a], chosen[a]] > 0.0
    if moving.any():
        chosen = chosen[moving]
    return chosen, least == p.min_obs and count > 0


@kernel
def tilted(chosen: Ints, skill: Floats, tilt: Floats, age: Floats, p: Params, x: Floats) -> None:
    """Multiply the weights x (K,) of the chosen sleeves by skill, regime tilt and ramp; the age (S,) of others is 0."""
    at = 0
    for s in range(age.shape[0]):
        if at < chosen.shape[0] and chosen[at] == s:
            age[s] = max(age[s], 1.0)
            at += 1
        else:
            age[s] = 0.0
    for a in range(chosen.shape[0]):
        s = chosen[a]
        ramp = min(p.ramp_start + (1.0 - p.ramp_start) * age[s] / p.ramp_sessions, 1.0)
        by_skill = 1.0
        if not np.isnan(skill[s]):
            by_skill = min(max(2.0 * skill[s], 1.0 - p.skill_kappa), 1.0 + p.skill_kappa)
        x[a] *= by_skill * tilt[s] * ramp


@kernel
def smooth_in(chosen: Ints, x: Floats, p: Params, smooth: Floats, applied: Floats) -> None:
    """Move the smoothed state towards a* (x on `chosen`), and the applied weights if they lag by too much."""
    target = np.zeros(smooth.shape[0])
    for a in range(chosen.shape[0]):
        target[chosen[a]] = x[a]
    gap, total = 0.0, 0.0
    for s in range(smooth.shape[0]):
        total += smooth[s]
    begins = total <= 0.0  # at the first allocation, and at the first one after everybody had been demoted
    dust = False
    for s in range(smooth.shape[0]):
        smooth[s] = target[s] if begins else p.smoothing * smooth[s] + (1.0 - p.smoothing) * target[s]
        dust = dust or 0.0 < smooth[s] < p.least_share
    if dust:  # what a sleeve without a target has left would halve for ever
        for s in range(smooth.shape[0]):
            smooth[s] = smooth[s] if smooth[s] >= p.least_share else 0.0
        fill_up(p.cap, 1.0, smooth)
    for s in range(smooth.shape[0]):
        gap = max(gap, abs(smooth[s] - applied[s]))
    if gap > p.apply_threshold or begins:
        copy_to(applied, smooth)


@kernel
def allocate(
    seen: moments.State, n_obs: Floats, active: Bools, skill: Floats, tilt: Floats, p: Params, crisis: float, s: State,
    normals: Floats,
) -> None:  # fmt: skip
    """Make one allocation: from moments to applied weights. Mutates s.

    seen: moments of S scaled returns; n_obs (S,) observations of each mix; active (S,) promoted sleeves;
    skill (S,) in [0, 1], NaN = neutral; tilt (S,) regime factors; crisis in [0, 1] is how much of `erc_blend_max`
    applies; normals (M,) standard normal numbers to draw the alarm's threshold from, as many as `gap.normals_needed`
    says, or none where it is `p.alarm`.
    """
    smooth, applied, counts, age, info = s.smooth, s.applied, s.counts, s.age, s.info
    hrp_out, erc_out = s.hrp, s.erc
    set_to(hrp_out, np.nan)
    set_to(erc_out, np.nan)
    chosen, full = eligible(seen.pair, n_obs, active, p)
    k = chosen.shape[0]
    counts[RUNG] = NOBODY
    counts[ALARM] = 0.0
    info[-1] = 0.0
    if k == 0:
        return
    x, by_hrp, by_erc = np.empty(k), np.full(k, np.nan), np.full(k, np.nan)
    sub = sub_moments(seen, chosen)
    if full:
        counts[RUNG] = raw_weights(sub, p, p.erc_blend_max * crisis, info, x, by_hrp, by_erc, normals, counts)
    elif inverse_vol(sub.pair, x):
        counts[RUNG] = INVERSE_VOL
    else:
        set_to(x, 1.0 / k)
        counts[RUNG] = EQUAL
    for a in range(k):
        hrp_out[chosen[a]] = by_hrp[a]
        erc_out[chosen[a]] = by_erc[a]
        info[-1] += 0.5 * abs(by_hrp[a] - by_erc[a])  # NaN, and no alarm, where one of the two is unknown
    if normals.shape[0] == 0:
        counts[THRESHOLD] = p.alarm
    counts[ALARM] = 1.0 if info[-1] > counts[THRESHOLD] else 0.0
    tilted(chosen, skill, tilt, age, p, x)
    if cap_project(p.cap, x) != code.OK:
        set_to(x, 1.0 / k)
        counts[RUNG] = EQUAL
    smooth_in(chosen, x, p, smooth, applied)


@kernel
def pass_session(counts: Floats, age: Floats) -> None:
    """Let a session pass, whether or not it allocates: run-off, ramps and draws count sessions. Mutates both."""
    counts[SINCE_DEMOTION] += 1.0
    counts[SINCE_DRAWN] += 1.0
    for s in range(age.shape[0]):
        if age[s] > 0.0:
            age[s] += 1.0


@kernel
def demote(gone: Bools, cap: float, runoff_sessions: float, share: Floats, s: State) -> None:
    """Take demoted sleeves (S,) out at once: their smoothed and applied weights go to the others, up to the cap.

    share (S,) of the last session runs off.
    """
    weights_in_force(runoff_sessions, share, s, s.leaving)
    s.counts[SINCE_DEMOTION] = 0.0
    for vector in (s.smooth, s.applied):
        count = 0
        for k in range(vector.shape[0]):
            if gone[k]:
                vector[k] = 0.0
            count += vector[k] > 0.0
        if count > 0:
            shared = np.empty(count)
            at = 0
            for k in range(vector.shape[0]):
                if vector[k] > 0.0:
                    shared[at] = vector[k]
                    at += 1
            cap_project(cap, shared)
            at = 0
            for k in range(vector.shape[0]):
                if vector[k] > 0.0:
                    vector[k] = shared[at]
                    at += 1
    for k in range(gone.shape[0]):
        if gone[k]:
            s.age[k] = 0.0


@kernel
def weights_in_force(runoff_sessions: float, share: Floats, s: State, out: Floats) -> None:
    """Write the weights to use now to out (S,), which may be `s.leaving` itself.

    share (S,): the applied weights, idle slots lent; blended with those before a demotion while it runs off.
    """
    left = 1.0 - s.counts[SINCE_DEMOTION] / runoff_sessions
    any_left = False
    for k in range(out.shape[0]):
        any_left = any_left or s.leaving[k] != 0.0
    for k in range(out.shape[0]):
        blended = left > 0.0 and any_left
        out[k] = (1.0 - left) * share[k] + left * s.leaving[k] if blended else share[k]
