"""What a book takes in at a bar, in the order the data flow sets.

bar       skill, S0 normalise, moments of sleeves and of symbols, returns that S6 compounds to the session's
session   S6 regime, demotions, S1 allocate (on its cadence), idle slots, S5 governor, S8 ladder
"""

from typing import NamedTuple

import numpy as np

from plimsoll.engine.kernels.derive import listed_anew
from plimsoll.engine.kernels.estimate import ewma, moments, rank_ic
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.portfolio import idle
from plimsoll.engine.portfolio.book_memory import Memory
from plimsoll.engine.portfolio.stages import s0_normalize, s1_allocate, s5_governor, s6_regime, s8_ladder
from plimsoll.engine.types import Bools, Codes, Floats, Ints


class Watch(NamedTuple):
    """What observing is told; arrays over T bars, N symbols, S sleeves.

    active (T, S) int8 : 1 promoted, 0 incubating, -1 quarantined. changes (T,) : closes where that moves, the first
    included. allocate_at (T,) : bars that allocate. stocks, bonds, fear : columns the regime reads, -1 = none.
    member (S, N) : symbols whose ranks make a sleeve's skill. release (S,) : sessions until an idle slot is lent.
    normals (M,) : standard normal numbers for the alarm of stage 1, none where its threshold is given; normals_at (T,)
    : where those of a bar begin.
    """

    normalize: s0_normalize.Params
    allocate: s1_allocate.Params
    governor: s5_governor.Params
    regime: s6_regime.Params
    regime_tilt: float
    runoff_sessions: float
    ladder: Floats
    hysteresis: float
    is_cash: Bools
    limits: s0_normalize.Limits
    release: Floats
    member: Bools
    role: Floats
    active: Codes
    changes: Bools
    allocate_at: Bools
    stocks: int
    bonds: int
    fear: int
    skill_decay: float
    skill_warmup: float
    asset_moments: moments.Params
    sleeve_moments: moments.Params
    normals: Floats
    normals_at: Ints


@kernel
def observe_bar(t: int, weight: Floats, ret: Floats, status: Codes, p: Watch, m: Memory) -> None:
    """Take in bar t: weight (S, N) drifted weights at its close, ret and status (T, N). Mutates m.

    A sleeve that fails at this bar gets no more of the book from now on than it has.
    """
    row = ret[t]
    anew = np.zeros(row.shape[0], dtype=np.bool_)
    listed_anew(t, ret, status, anew)
    for i in range(row.shape[0]):
        if anew[i]:
            moments.forget(m.asset_moments, i)
            if p.fear >= 0 and i in (p.stocks, p.bonds):
                s6_regime.forget(i == p.stocks, m.regime)
    for s in range(weight.shape[0]):
        if m.failed_at[s] == t:
            shares = np.empty(weight.shape[0])
            s1_allocate.weights_in_force(p.runoff_sessions, m.idle.share, m.s1, shares)
            m.ceiling[s] = shares[s]
    work = np.empty((2, row.shape[0]))
    rank_ic.step(m.ic, m.s0.mix, p.member, row, p.skill_decay, work, m.skill)
    out = np.empty((ewma.OUTPUTS, weight.shape[0]))
    s0_normalize.observe(weight, row, p.is_cash, p.limits, p.normalize, m.s0, out)
    moments.step(m.sleeve_moments, p.sleeve_moments, m.s0.scaled)
    moments.step(m.asset_moments, p.asset_moments, row)
    if p.fear >= 0:
        s6_regime.gather(row[p.stocks], row[p.bonds], m.regime)


@kernel
def observe_session(t: int, close: Floats, indicator: Floats, nav: float, equity: float, p: Watch, m: Memory) -> None:
    """Take in the close of a session whose last bar is t, after `observe_bar`. Mutates m.

    close (T, N) in units no split changes; indicator (T, I); nav, equity of the account, nav NaN before
    there is one.
    """
    if p.fear >= 0:
        s6_regime.observe(indicator[t, p.fear], close[t, p.stocks], p.regime, m.regime)
    now = p.active[t]
    if p.changes[t]:
        gone = np.zeros(now.shape[0], dtype=np.bool_)
        left = False
        for s in range(now.shape[0]):
            gone[s] = m.status[s] == 1.0 and now[s] != 1
            left = left or gone[s]
            m.status[s] = now[s]
        if left:
            s1_allocate.demote(gone, p.allocate.cap, p.runoff_sessions, m.idle.share, m.s1)
    s1_allocate.pass_session(m.s1.counts, m.s1.age)
    if p.allocate_at[t]:
        skill, active = np.empty(now.shape[0]), np.empty(now.shape[0], dtype=np.bool_)
        for s in range(now.shape[0]):
            skill[s] = m.skill[s] if m.ic.seen[s] >= p.skill_warmup else np.nan
            active[s] = now[s] == 1
        tilt = s6_regime.tilts(p.role, p.regime_tilt, m.regime)
        s1_allocate.allocate(
            m.sleeve_moments, m.s0.sums[ewma.COUNT], active, skill, tilt, p.allocate, s6_regime.crisis(m.regime),
            m.s1, p.normals[p.normals_at[t] :],
        )  # fmt: skip
    idle.observe(m.s0.unit, p.release, m.s1.applied, p.allocate.cap, m.idle)
    if not np.isnan(nav):
        s5_governor.observe(nav, m.regime.memory[s6_regime.SIGMA_BEFORE], p.governor, m.governor)
        s8_ladder.observe(equity, p.ladder, p.hysteresis, m.ladder)
