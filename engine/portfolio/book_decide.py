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
from plimsoll.engine.portfolio.book_memory import Memory
from plimsoll.engine.portfolio.gate import gate_by_cost
from plimsoll.engine.portfolio.integrator import scale_to_margin
from plimsoll.engine.portfolio.stages import (
    s1_allocate,
    s2_net,
    s3_vol_target,
    s4_caps,
    s5_governor,
    s6_regime,
    s7_turnover,
    s8_ladder,
)
from plimsoll.engine.types import Bools, Codes, Floats, Ints

STAGES: Final = ("raw", "s1_allocate", "s2_net", "s3_vol_target", "s4_caps", "s5_governor", "s7_turnover")
FACTS: Final = (
    "leverage", "sigma_ex", "sigma_p", "shrinkage", "vol_fallback", "binding", "multiplier", "drawdown", "tier",
    "rung", "alarm", "hrp_erc_gap", "effective_n", "regime", "confidence", "ladder_tier", "ladder_gross",
    "capacity_bound", "cost_gated",
)  # fmt: skip
N_FACTS: Final = len(FACTS)
BOUND_LEVERAGE: Final = 32  # beside the bits of stage 4: the volatility target was out of reach
BOUND_MARGIN: Final = 64
BEYOND: Final = 1e12  # a weight no target reaches

# What can be passed over in an explanation, as bits.
SKIP_S0: Final = 1
SKIP_S1: Final = 2
SKIP_S2: Final = 4
SKIP_S3: Final = 8
SKIP_S4: Final = 16
SKIP_S5: Final = 32
SKIP_S6: Final = 64
SKIP_S7: Final = 128
SKIP_S8: Final = 256


class Caps(NamedTuple):
    """Stage 4, fractions of equity; the ladder may be tighter."""

    name: float
    cluster: float
    gross: float
    net: float


class Turnover(NamedTuple):
    """Stage 7: band, Kelly fraction, cost gate, cash parking, capacity as a fraction of daily volume."""

    band: float
    kelly: float
    edge_ratio: float
    park_cash: bool
    park_band: float
    capacity: float


class Rules(NamedTuple):
    """What deciding is told; arrays over N symbols. restriction (T, N) int8, of length 0 where there is none."""

    vol_target: s3_vol_target.Params
    caps: Caps
    turnover: Turnover
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
    cluster: Ints
    n_clusters: int
    restriction: Codes
    maintenance: Floats


class Prices(NamedTuple):
    """What deciding reads of the market: close, volume, factor (T, N), status (T, N) int8, bars per session."""

    close: Floats
    volume: Floats
    factor: Floats
    status: Codes
    bars: int


class Terms(NamedTuple):
    """Costs for the gate: half_spread (N,), rules and daily as in `plimsoll.engine.kernels.layout`."""

    half_spread: Floats
    rules: Floats
    daily: Floats


class Holdings(NamedTuple):
    """The account: value (N,) dollars held, equity in dollars, whether a margin call is on."""

    value: Floats
    equity: float
    margin_call: bool


class Out(NamedTuple):
    """Where a decision is written: target, goal, trade (N,), trace (STAGES, N), facts (FACTS + 4 S,)."""

    target: Floats
    goal: Floats
    trade: Bools
    trace: Floats
    facts: Floats


@kernel
def assemble(t: int, weight: Floats, skip: int, p: Rules, m: Memory, status: Codes, out: Out) -> None:
    """Write the raw, the allocated and the netted book to rows 0 to 2 of the trace, the sleeves' shares to the facts.

    weight (S, N) drifted weights at the close; status (T, N).
    """
    n_sleeves, n = weight.shape
    equal, shares, count = np.zeros(n_sleeves), out.facts[N_FACTS : N_FACTS + n_sleeves], 0
    for s in range(n_sleeves):
        count += p.active[t, s] == 1
    for s in range(n_sleeves):
        equal[s] = 1.0 / max(count, 1) if p.active[t, s] == 1 else 0.0
    if skip & SKIP_S1:
        shares[:] = equal
    else:
        s1_allocate.weights_in_force(p.runoff_sessions, m.s1, shares)
    scale, unit = m.s0.scale, m.s0.unit
    if skip & SKIP_S0:
        scale, unit = np.ones(n_sleeves), np.where(p.is_cash, 0.0, weight)
    s2_net.combine(equal, scale, unit, out.trace[0])
    s2_net.combine(shares, scale, unit, out.trace[1])
    w = out.trace[2]
    w[:] = out.trace[1]
    if not skip & SKIP_S2:
        n_obs = np.empty(n)
        for i in range(n):
            n_obs[i] = m.asset_moments.pair[moments.COUNT, i, i]
        s2_net.net_wrappers(p.wrapper_member, p.wrapper_group, status[t], n_obs, p.min_symbol_obs, w)
        s2_net.drop_young(n_obs, p.min_symbol_obs, w)


@kernel
def finish(
    t: int, vol: float, fallback: bool, intensity: float, skip: int, p: Rules, m: Memory, prices: Prices, terms: Terms,
    account: Holdings, out: Out,
) -> float:  # fmt: skip
    """Take the netted book in row 2 of the trace through stages 3 to 8; return the smallest ticket in dollars.

    vol per year of the netted book, whether it is a stand-in, and the shrinkage behind it.
    """
    n = out.target.shape[0]
    w = out.target
    held, side = np.empty(n), np.empty(n)
    for i in range(n):
        held[i] = account.value[i] / account.equity
        # what may not grow is judged by its side now and by its size at the end: clipped to what is held here, it would
        # be shrunk again by every later stage, and again at the next decision, until nothing is left
        side[i] = np.sign(held[i]) * BEYOND
    w[:] = out.trace[2]
    sigma_p = p.sigma_neutral if skip & SKIP_S6 else m.regime.memory[s6_regime.SIGMA_P]
    factor = 1.0 if skip & SKIP_S3 else s3_vol_target.factor_to(w, sigma_p, vol, p.vol_target)
    bound = 0
    for i in range(n):
        w[i] *= factor
        if w[i] != 0.0 and factor * vol < sigma_p * (1.0 - 1e-9):
            bound = BOUND_LEVERAGE
    out.trace[3] = w
    tier = p.ladder[max(int(m.ladder.tier[0]), 0)]
    bound |= hold_back(t, side, tier, skip, p, m, account.margin_call, out)
    for i in range(n):
        w[i] *= p.turnover.kelly
    if p.restriction.shape[0] > 0 and not skip & SKIP_S4:
        bound |= s4_caps.restrict(p.restriction[t], held, w)
    if not skip & SKIP_S5:
        s5_governor.not_beyond(m.governor, held, w)
    if not skip & SKIP_S8:
        dust, most = tier[s8_ladder.DUST] / account.equity, int(tier[s8_ladder.MAX_NAMES])
        s7_turnover.drop_dust(dust, most, p.is_cash, w, np.empty(n))
    if not skip & SKIP_S4:  # what dust and NO_NEW take away may have offset the other side
        bound |= s4_caps.trim_net(p.caps.net, w)
    limited, gated = turn(t, held, tier, sigma_p, skip, p, m, prices, terms, account, out)
    for i in range(n):
        out.trace[6, i] = out.goal[i] if out.trade[i] else held[i]
    write_facts(factor, vol, sigma_p, intensity, fallback, bound, limited, gated, p, m, out)
    return 0.0 if skip & SKIP_S8 else tier[s8_ladder.MIN_TICKET]


@kernel
def hold_back(t: int, side: Floats, tier: Floats, skip: int, p: Rules, m: Memory, margin_call: bool, out: Out) -> int:
    """Apply caps, governor and margin to the target, with their rows of the trace; return the bits of what bound."""
    w, bound = out.target, 0
    if not skip & SKIP_S4:
        bound |= cap(t, side, tier, skip, p, w)
    out.trace[4] = w
    if not skip & SKIP_S5:
        s5_governor.apply(m.governor, side, w)
    if margin_call:
        scale = scale_to_margin(w, p.maintenance)
        for i in range(w.shape[0]):
            w[i] *= scale
        bound |= BOUND_MARGIN
    out.trace[5] = w
    return bound


@kernel
def cap(t: int, side: Floats, tier: Floats, skip: int, p: Rules, w: Floats) -> int:
    """Apply restrictions and caps to w (N,); return the bits of what bound."""
    bound = s4_caps.restrict(p.restriction[t], side, w) if p.restriction.shape[0] > 0 else 0
    loose = (skip & SKIP_S8) != 0
    name = p.caps.name if loose else min(p.caps.name, tier[s8_ladder.NAME])
    gross = p.caps.gross if loose else min(p.caps.gross, tier[s8_ladder.GROSS])
    return bound | s4_caps.apply_caps(p.cluster, name, p.caps.cluster, gross, p.caps.net, np.empty(p.n_clusters), w)


@kernel
def turn(
    t: int, held: Floats, tier: Floats, sigma_p: float, skip: int, p: Rules, m: Memory, prices: Prices, terms: Terms,
    account: Holdings, out: Out,
) -> tuple[int, int]:  # fmt: skip
    """Write goal and trade (N,) of the target; return trades limited by capacity and withdrawn by the cost gate."""
    n, rule = held.shape[0], p.turnover
    target, goal, trade = out.target, out.goal, out.trade
    goal[:] = target
    close, status = prices.close[t], prices.status[t]
    adv, forced = np.empty(n), np.ones(n, dtype=np.bool_)
    if not account.margin_call and m.governor[s5_governor.MULTIPLIER] >= 1.0:
        gross, sums = min(p.caps.gross, tier[s8_ladder.GROSS]), np.empty(p.n_clusters)
        s4_caps.held_over(held, p.is_cash, p.cluster, p.caps.cluster, gross, p.caps.net, rule.band, sums, forced)
    s7_turnover.no_trade_band(target, held, 0.0 if skip & SKIP_S7 else rule.band, forced, trade)
    s7_turnover.withdraw_halted(status, trade)
    # after the band: a thin name far from its target trades what the market takes, not nothing
    volumes_at(t, prices.volume, prices.factor, trade, np.empty(VOLUME_SESSIONS), adv)
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
def write_facts(
    factor: float, vol: float, sigma_p: float, intensity: float, fallback: bool, bound: int, limited: int, gated: int,
    p: Rules, m: Memory, out: Out,
) -> None:  # fmt: skip
    """Write the figures of a decision in the order of `FACTS`, then HRP, ERC and skill of each sleeve."""
    facts, n_sleeves = out.facts, m.skill.shape[0]
    squares, total = 0.0, 0.0
    for i in range(out.target.shape[0]):
        if not p.is_cash[i]:
            squares += out.target[i] * out.target[i]
            total += abs(out.target[i])
    tier = int(m.ladder.tier[0])
    facts[0], facts[1], facts[2], facts[3] = factor, vol, sigma_p, intensity
    facts[4], facts[5] = (1.0 if fallback else 0.0), bound
    facts[6], facts[7] = m.governor[s5_governor.MULTIPLIER], m.governor[s5_governor.DRAWDOWN]
    facts[8] = m.governor[s5_governor.TIER]
    facts[9], facts[10] = m.s1.counts[s1_allocate.RUNG], m.s1.counts[s1_allocate.ALARM]
    facts[11] = m.s1.info[-1]
    facts[12] = total * total / squares if squares > 0.0 else 0.0
    facts[13], facts[14] = m.regime.memory[s6_regime.LABEL], m.regime.memory[s6_regime.CONFIDENCE]
    facts[15], facts[16] = tier, p.ladder[max(tier, 0), s8_ladder.GROSS]
    facts[17], facts[18] = limited, gated
    for s in range(n_sleeves):
        facts[N_FACTS + n_sleeves + s] = m.s1.hrp[s]
        facts[N_FACTS + 2 * n_sleeves + s] = m.s1.erc[s]
        facts[N_FACTS + 3 * n_sleeves + s] = m.skill[s]


@kernel
def decide(
    t: int, weight: Floats, skip: int, p: Rules, m: Memory, prices: Prices, terms: Terms, account: Holdings, out: Out
) -> float:
    """Write the decision of the close of bar t to `out`; return the smallest ticket in dollars."""
    assemble(t, weight, skip, p, m, prices.status, out)
    vol, fallback, intensity = s3_vol_target.pairwise_vol(
        out.trace[2], m.asset_moments.pair, p.vol_target.min_overlap, p.vol_target.bars_per_year
    )
    return finish(t, vol, fallback, intensity, skip, p, m, prices, terms, account, out)
