"""What a book decides at a close: stages 2 to 8 on what it remembers.

    S0 z, S1 shares, S2 net | S3 volatility target | S4 caps, S5 multiplier, margin, Kelly, S8 dust, S7 band, parking

Pure functions of memory and account. The volatility of stage 3 stands between the two kernels, because an estimate
that is not compiled may take its place.
"""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.derive import TRADING
from plimsoll.engine.kernels.estimate import moments
from plimsoll.engine.kernels.estimate.liquidity import VOLUME_SESSIONS, volumes_at
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.linalg import copy_to
from plimsoll.engine.portfolio.book_facts import SHARE, Facts, effective_names, of_sleeves, write_facts
from plimsoll.engine.portfolio.book_memory import Memory
from plimsoll.engine.portfolio.gate import gate_by_cost
from plimsoll.engine.portfolio.idle import idle_capital
from plimsoll.engine.portfolio.integrator import scale_to_margin
from plimsoll.engine.portfolio.stages import (
    s1_allocate,
    s2_net,
    s3_vol_target,
    s4_caps,
    s4_hedges,
    s5_governor,
    s6_regime,
    s7_turnover,
    s8_ladder,
)
from plimsoll.engine.types import Bools, Codes, Floats, Ints

STAGES: Final = ("raw", "s1_allocate", "s2_net", "s3_vol_target", "s4_caps", "s5_governor", "s7_turnover")
RAW: Final = STAGES.index("raw")
ALLOCATED: Final = STAGES.index("s1_allocate")
NETTED: Final = STAGES.index("s2_net")
SCALED: Final = STAGES.index("s3_vol_target")
CAPPED: Final = STAGES.index("s4_caps")
GOVERNED: Final = STAGES.index("s5_governor")
TURNED: Final = STAGES.index("s7_turnover")
BEYOND: Final = 1e12  # a weight no target reaches

# What can be passed over in an explanation: the stages that have a column, and those that act through others. Each has
# the bit of its place.
SKIPPABLE: Final = (
    "s0_normalize", "s1_allocate", "s2_net", "s3_vol_target", "s4_caps", "s5_governor", "s6_regime", "s7_turnover",
    "s8_ladder",
)  # fmt: skip
SKIP_S0: Final = 1 << SKIPPABLE.index("s0_normalize")
SKIP_S1: Final = 1 << SKIPPABLE.index("s1_allocate")
SKIP_S2: Final = 1 << SKIPPABLE.index("s2_net")
SKIP_S3: Final = 1 << SKIPPABLE.index("s3_vol_target")
SKIP_S4: Final = 1 << SKIPPABLE.index("s4_caps")
SKIP_S5: Final = 1 << SKIPPABLE.index("s5_governor")
SKIP_S6: Final = 1 << SKIPPABLE.index("s6_regime")
SKIP_S7: Final = 1 << SKIPPABLE.index("s7_turnover")
SKIP_S8: Final = 1 << SKIPPABLE.index("s8_ladder")


class Rules(NamedTuple):
    """What deciding is told; arrays over N symbols. restriction (T, N) int8, of length 0 where there is none.

    hedges : what a name's cap takes from one leg of a long-short sleeve is taken from all its legs.
    """

    vol_target: s3_vol_target.Params
    caps: s4_caps.Params
    groups: s4_caps.Groups
    hedges: bool
    turnover: s7_turnover.Params
    day_loss: float
    sigma_neutral: float
    runoff_sessions: float
    min_symbol_obs: float
    bars_per_year: float
    ladder: Floats
    is_cash: Bools
    cash_columns: Ints
    active: Codes
    wrapper_member: Ints
    wrapper_group: Ints
    restriction: Codes
    maintenance: Floats


class Prices(NamedTuple):
    """What deciding reads of the market: close, ret, volume, factor (T, N), status (T, N) int8, bars per session."""

    close: Floats
    ret: Floats
    volume: Floats
    factor: Floats
    status: Codes
    bars: int


class CostTerms(NamedTuple):
    """Costs for the gate: half_spread (N,), rules and daily as in `plimsoll.engine.kernels.layout`."""

    half_spread: Floats
    rules: Floats
    daily: Floats


class AccountView(NamedTuple):
    """The account: value (N,) dollars held, equity in dollars, its return since the last close observed.

    margin_call : equity is below the maintenance requirement. adopt : the account takes over a book that it has had no
    decision of since it can remember, so that nothing of what the governor takes has been sent.
    """

    value: Floats
    equity: float
    margin_call: bool
    day_return: float
    adopt: bool


class Out(NamedTuple):
    """Where a decision is written: target, goal, trade (N,), trace (STAGES, N), facts as `book_facts` names them.

    parts (S, N) : what each sleeve has of the allocated book. room (N * N,) : for a covariance, overwritten.
    """

    target: Floats
    goal: Floats
    trade: Bools
    trace: Floats
    facts: Floats
    parts: Floats
    room: Floats


@kernel
def combine(t: int, weight: Floats, skip: int, p: Rules, m: Memory, status: Codes, out: Out) -> None:
    """Write the raw, the allocated and the netted book to the trace, sleeves' parts of it, their shares to the facts.

    weight (S, N) drifted weights at the close; status (T, N).
    """
    n_sleeves = weight.shape[0]
    equal, shares, count = np.zeros(n_sleeves), of_sleeves(out.facts, SHARE, n_sleeves), 0
    for s in range(n_sleeves):
        count += p.active[t, s] == 1
    for s in range(n_sleeves):
        equal[s] = 1.0 / max(count, 1) if p.active[t, s] == 1 else 0.0
    if skip & SKIP_S1:
        copy_to(shares, equal)
    else:
        s1_allocate.weights_in_force(p.runoff_sessions, m.idle.share, m.s1, shares)
        for s in range(n_sleeves):
            shares[s] = min(shares[s], m.ceiling[s])
    scale, unit = scaled_sleeves(weight, skip, p, m)
    s2_net.combine(equal, scale, unit, out.trace[RAW])
    s2_net.combine(shares, scale, unit, out.trace[ALLOCATED])
    s2_net.parts_of(shares, scale, unit, out.parts)
    copy_to(out.trace[NETTED], out.trace[ALLOCATED])
    if not skip & SKIP_S2:
        net(t, p, m, status, out.trace[NETTED])


@kernel
def scaled_sleeves(weight: Floats, skip: int, p: Rules, m: Memory) -> tuple[Floats, Floats]:
    """Return what stage 0 makes of the sleeves: scale (S,) and weights (S, N) that it scales."""
    if skip & SKIP_S0:
        return np.ones(weight.shape[0]), s2_net.without_cash(weight, p.is_cash)
    return m.s0.scale, m.s0.unit


@kernel
def net(t: int, p: Rules, m: Memory, status: Codes, w: Floats) -> None:
    """Net wrappers in w (N,), and drop symbols too young to trade; status (T, N)."""
    n_obs = np.empty(w.shape[0])
    for i in range(w.shape[0]):
        n_obs[i] = m.asset_moments.pair[moments.COUNT, i, i]
    s2_net.net_wrappers(p.wrapper_member, p.wrapper_group, status[t], n_obs, p.min_symbol_obs, w)
    s2_net.drop_young(n_obs, p.min_symbol_obs, w)


@kernel
def keep_hedges(
    t: int, weight: Floats, shares: Floats, factor: float, name: float, skip: int, p: Rules, m: Memory, status: Codes,
    w: Floats,
) -> int:  # fmt: skip
    """Scale in w (N,) the sleeves that a name's cap would leave with one leg; return the bit of what bound.

    weight (S, N) drifted weights of the sleeves, shares (S,) theirs of the book; factor of stage 3; name the cap in
    force; w the book of stage 3.
    """
    n_sleeves, n = weight.shape
    scale, unit = scaled_sleeves(weight, skip, p, m)
    part = np.zeros((n_sleeves, n))
    for s in range(n_sleeves):
        each = shares[s] * scale[s]
        if each != 0.0:
            for i in range(n):
                part[s, i] = each * unit[s, i] * factor
            if not skip & SKIP_S2:
                net(t, p, m, status, part[s])
    hedged, left = np.empty(n_sleeves, dtype=np.bool_), np.empty(n_sleeves)
    if not s4_hedges.find_hedged(part, hedged):
        return 0
    limit = name / p.groups.per_name
    if not s4_hedges.hedge_factors(part, limit, hedged, left):
        return 0
    s4_hedges.scale_hedges(part, left, w)
    return s4_caps.BOUND_HEDGE


@kernel
def finish(
    t: int, weight: Floats, vol: float, fallback: bool, intensity: float, skip: int, p: Rules, m: Memory,
    prices: Prices, terms: CostTerms, account: AccountView, out: Out,
) -> float:  # fmt: skip
    """Take the netted book of the trace through stages 3 to 8; return the smallest ticket in dollars.

    weight (S, N) drifted weights of the sleeves; vol per year of the netted book, whether it is a stand-in, and the
    shrinkage behind it.
    """
    n = out.target.shape[0]
    w = out.target
    held, side = np.empty(n), np.empty(n)
    for i in range(n):
        held[i] = account.value[i] / account.equity
        # what may not grow is judged by its side now and by its size at the end: clipped to what is held here, it would
        # be shrunk again by every later stage, and again at the next decision, until nothing is left
        side[i] = np.sign(held[i]) * BEYOND
    copy_to(w, out.trace[NETTED])
    sigma_p = p.sigma_neutral if skip & SKIP_S6 else m.regime.memory[s6_regime.SIGMA_P]
    factor = 1.0 if skip & SKIP_S3 else s3_vol_target.factor_to(w, sigma_p, vol, p.vol_target)
    bound = 0
    for i in range(n):
        w[i] *= factor
        if w[i] != 0.0 and factor * vol < sigma_p * (1.0 - 1e-9):
            bound = s4_caps.BOUND_LEVERAGE
    copy_to(out.trace[SCALED], w)
    tier, cut = p.ladder[max(int(m.ladder.tier[0]), 0)], np.zeros(s4_caps.CUTS)
    wanted = s4_caps.gross_of(w)
    each = 1.0 / wanted if wanted > 0.0 else 0.0
    if p.hedges and not skip & SKIP_S4:
        shares = of_sleeves(out.facts, SHARE, weight.shape[0])
        cap_on_names = caps_in_force(tier, skip, p).name
        bound |= keep_hedges(t, weight, shares, factor, cap_on_names, skip, p, m, prices.status, w)
    before_caps = s4_caps.gross_of(w)
    multiplier, kill_tier = s5_governor.in_force(m.governor, account.day_return, p.day_loss)
    bound |= hold_back(t, side, tier, multiplier, kill_tier, skip, p, account.margin_call, cut, out)
    for i in range(n):
        w[i] *= p.turnover.kelly
    if p.restriction.shape[0] > 0 and not skip & SKIP_S4:
        bound |= s4_caps.restrict(p.restriction[t], held, w)
    if not skip & SKIP_S5:
        s5_governor.not_beyond(kill_tier, held, w)
    if not skip & SKIP_S8:
        dust, most = tier[s8_ladder.DUST] / account.equity, int(tier[s8_ladder.MAX_NAMES])
        s7_turnover.drop_dust(dust, most, p.is_cash, w, np.empty(n))
    if not skip & SKIP_S4:  # what dust and NO_NEW take away may have offset the other side
        bound |= s4_caps.trim_net(p.caps.net, w)
    limited, gated = turn(t, held, tier, multiplier, sigma_p, skip, p, m, prices, terms, account, out)
    for i in range(n):
        out.trace[TURNED, i] = out.goal[i] if out.trade[i] else held[i]
    replaced = 1.0 if fallback else 0.0
    facts = Facts(
        leverage=factor, sigma_ex=vol, sigma_p=sigma_p, shrinkage=intensity, vol_fallback=replaced,
        binding=float(bound), multiplier=multiplier, drawdown=m.governor[s5_governor.DRAWDOWN], tier=kill_tier,
        rung=m.s1.counts[s1_allocate.RUNG], alarm=m.s1.counts[s1_allocate.ALARM], hrp_erc_gap=m.s1.info[-1],
        alarm_threshold=m.s1.counts[s1_allocate.THRESHOLD],
        effective_n=effective_names(w, p.is_cash), regime=m.regime.memory[s6_regime.LABEL],
        confidence=m.regime.memory[s6_regime.CONFIDENCE], ladder_tier=m.ladder.tier[0],
        ladder_gross=tier[s8_ladder.GROSS], capacity_bound=float(limited), cost_gated=float(gated),
        idle_capital=idle_capital(of_sleeves(out.facts, SHARE, m.skill.shape[0]), m.s0.unit),
        cut_name=(wanted - before_caps + cut[s4_caps.CUT_NAME]) * each, cut_cluster=cut[s4_caps.CUT_CLUSTER] * each,
        cut_gross=cut[s4_caps.CUT_GROSS] * each, cut_net=cut[s4_caps.CUT_NET] * each,
    )  # fmt: skip
    write_facts(facts, m, out.facts)
    return 0.0 if skip & SKIP_S8 else tier[s8_ladder.MIN_TICKET]


@kernel
def hold_back(
    t: int, side: Floats, tier: Floats, multiplier: float, kill_tier: float, skip: int, p: Rules, margin_call: bool,
    cut: Floats, out: Out,
) -> int:  # fmt: skip
    """Apply caps, governor and margin to the target, with their rows of the trace; return the bits of what bound.

    cut (CUTS,) receives what each cap took.
    """
    w, bound = out.target, 0
    if not skip & SKIP_S4:
        bound |= cap(t, side, tier, skip, p, w, cut)
    copy_to(out.trace[CAPPED], w)
    if not skip & SKIP_S5:
        s5_governor.apply(multiplier, kill_tier, side, w)
    if margin_call:
        scale = scale_to_margin(w, p.maintenance)
        for i in range(w.shape[0]):
            w[i] *= scale
        bound |= s4_caps.BOUND_MARGIN
    copy_to(out.trace[GOVERNED], w)
    return bound


@kernel
def caps_in_force(tier: Floats, skip: int, p: Rules) -> s4_caps.Params:
    """Return the caps, none wider than the ladder's."""
    if skip & SKIP_S8:
        return p.caps
    return s4_caps.tightened(p.caps, tier[s8_ladder.NAME], tier[s8_ladder.GROSS])


@kernel
def cap(t: int, side: Floats, tier: Floats, skip: int, p: Rules, w: Floats, cut: Floats) -> int:
    """Apply restrictions and caps to w (N,); return the bits of what bound, cut (CUTS,) what each cap took."""
    bound = s4_caps.restrict(p.restriction[t], side, w) if p.restriction.shape[0] > 0 else 0
    return bound | s4_caps.apply_caps(p.groups, caps_in_force(tier, skip, p), w, cut)


@kernel
def turn(
    t: int, held: Floats, tier: Floats, multiplier: float, sigma_p: float, skip: int, p: Rules, m: Memory,
    prices: Prices, terms: CostTerms, account: AccountView, out: Out,
) -> tuple[int, int]:  # fmt: skip
    """Write goal and trade (N,) of the target; return trades limited by capacity and withdrawn by the cost gate."""
    n, rule = held.shape[0], p.turnover
    target, goal, trade = out.target, out.goal, out.trade
    copy_to(goal, target)
    close, status = prices.close[t], prices.status[t]
    adv, forced = np.empty(n), np.ones(n, dtype=np.bool_)
    if not (account.margin_call or is_lifted(multiplier, account.adopt, rule, m)):
        caps = s4_caps.tightened(p.caps, tier[s8_ladder.NAME], tier[s8_ladder.GROSS])
        s4_caps.held_over(held, p.is_cash, p.groups, caps, rule.band, rule.any_net, forced)
    s7_turnover.no_trade_band(target, held, 0.0 if skip & SKIP_S7 else rule.band, forced, trade)
    s7_turnover.withdraw_halted(status, trade)
    # after the band: a thin name far from its target trades what the market takes, not nothing
    volumes_at(t, prices.volume, prices.factor, prices.ret, prices.status, trade, np.empty(VOLUME_SESSIONS), adv)
    for i in range(n):
        adv[i] = np.nan if p.is_cash[i] else adv[i] * prices.bars  # capacity is about what sleeves trade
    limited = s7_turnover.limit_capacity(rule.capacity, adv, close, account.equity, goal, held)
    gated = 0
    if rule.edge_ratio > 0.0 and not skip & SKIP_S7:
        for i in range(n):
            forced[i] = forced[i] or target[i] == 0.0
        gated = gate_by_cost(
            t, goal, held, account.equity, close, adv, m.asset_moments.pair, terms.half_spread, terms.rules,
            terms.daily, sigma_p, rule.edge_ratio, p.bars_per_year, forced, trade,
        )  # fmt: skip
    park(status, held, p, out)
    return limited, gated


@kernel
def is_lifted(multiplier: float, adopt: bool, rule: s7_turnover.Params, m: Memory) -> bool:
    """Return whether the governor lifts the band for reductions."""
    if rule.below_one:
        return multiplier < 1.0
    return multiplier < 1.0 - s5_governor.FALL if adopt else s5_governor.has_fallen(m.governor, multiplier)


@kernel
def park(status: Codes, held: Floats, p: Rules, out: Out) -> None:
    """Put what the other names will leave into the first cash equivalent that trades, never on margin.

    What they will leave, not what their targets would: a name inside the band stays as large as it is.
    """
    if p.turnover.park_cash:
        column = -1
        for k in range(p.cash_columns.shape[0]):
            if status[p.cash_columns[k]] == TRADING:
                column = p.cash_columns[k]
                break
        left = 1.0
        for i in range(held.shape[0]):
            if not p.is_cash[i]:
                left -= abs(out.goal[i] if out.trade[i] else held[i])
            elif status[i] != TRADING:
                left -= abs(held[i])
        if column >= 0 and left > 0.0:
            out.target[column] = left
            out.goal[column] = left
    s7_turnover.cash_band(out.target, held, p.is_cash, p.turnover.park_band, status, out.trade)


@kernel
def decide(
    t: int, weight: Floats, skip: int, p: Rules, m: Memory, prices: Prices, terms: CostTerms, account: AccountView,
    out: Out,
) -> float:  # fmt: skip
    """Write the decision of the close of bar t to `out`; return the smallest ticket in dollars."""
    combine(t, weight, skip, p, m, prices.status, out)
    vol, fallback, intensity = s3_vol_target.pairwise_vol(
        out.trace[NETTED], m.asset_moments, p.vol_target.min_overlap, p.vol_target.bars_per_year, out.room
    )
    return finish(t, weight, vol, fallback, intensity, skip, p, m, prices, terms, account, out)
