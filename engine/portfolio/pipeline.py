"""Preset `book`: the nine stages, in the order the data flow sets.

    observe   S0 normalise, skill, moments, S6 regime, S1 allocate (on its cadence), S5 governor, S8 ladder
    decide    S0 z, S1 shares, S2 net, S3 volatility target, S4 caps, S5 multiplier, Kelly, S8 dust, S7 band

Stage numbers are labels: 6 feeds 3 and 1, 8 feeds 4 and 7. `decide` reads what `observe` left and changes nothing.
"""

from collections.abc import Sequence

import numpy as np

from engine.execution.broker import Account
from engine.kernels import ewma, moments, rank_ic
from engine.kernels.derive import TRADING
from engine.kernels.liquidity import VOLUME_SESSIONS, volumes_at
from engine.market.feed import Feed
from engine.portfolio.gate import gate_by_cost
from engine.portfolio.integrator import NOTHING_SKIPPED, Mark, Target, scale_to_margin
from engine.portfolio.settings import Settings
from engine.portfolio.sleeves import Sleeve
from engine.portfolio.stages import (
    s0_normalize,
    s1_allocate,
    s2_net,
    s3_vol_target,
    s4_caps,
    s5_governor,
    s6_regime,
    s7_turnover,
    s8_ladder,
)
from engine.types import Bools, Codes, Floats

STAGES = ("raw", "s1_allocate", "s2_net", "s3_vol_target", "s4_caps", "s5_governor", "s7_turnover")
# What can be passed over in an explanation: the stages that have a column, and those that act through others.
SKIPPABLE = ("s0_normalize", *STAGES[1:6], "s6_regime", "s7_turnover", "s8_ladder")
FACTS = (
    "leverage", "sigma_ex", "sigma_p", "shrinkage", "vol_fallback", "binding", "multiplier", "drawdown", "tier",
    "rung", "alarm", "hrp_erc_gap", "effective_n", "regime", "confidence", "ladder_tier", "ladder_gross",
    "capacity_bound", "cost_gated",
)  # fmt: skip
BOUND_LEVERAGE = 32  # beside the bits of stage 4: the volatility target was out of reach
BOUND_MARGIN = 64
BEYOND = 1e12  # a weight no target reaches


class Pipeline:
    """The nine-stage integrator. All its memory is in arrays, saved and restored by name."""

    stages: tuple[str, ...] = STAGES
    needs_mark = True

    def __init__(self, feed: Feed, settings: Settings, cost_terms: tuple[Floats, Floats, Floats], names: Sequence[str]):
        n_sleeves, n = len(names), feed.panel.n_symbols
        per_sleeve = tuple(f"{kind}.{name}" for kind in ("share", "hrp", "erc", "skill") for name in names)
        self.facts: tuple[str, ...] = (*FACTS, *per_sleeve)
        self._feed, self._set = feed, settings
        self._half_spread, self._rules, self._daily = cost_terms
        self._t = -1
        self._weight = np.zeros((n_sleeves, n))
        self._s0 = s0_normalize.init(n_sleeves, n)
        self._s1 = s1_allocate.init(n_sleeves)
        self._allocation = s1_allocate.numbers_of(settings.allocate)
        self._gov = s5_governor.init()
        self._regime = s6_regime.init(settings.regime.neutral)
        self._ladder = s8_ladder.init()
        self._ic = rank_ic.init(n_sleeves)
        self._skill = np.full(n_sleeves, np.nan)
        self._sleeve_moments = moments.init(n_sleeves)
        self._asset_moments = moments.init(n)
        self._status = np.zeros(n_sleeves)
        self._scratch = np.zeros((3, n_sleeves))
        self._work = np.zeros((2, n))

    def observe(self, t: int, sleeves: Sequence[Sleeve], mark: Mark | None) -> None:
        """Take in bar t: everything with memory moves here, once."""
        setting, ret, weight = self._set, self._feed.ret[t], self._weight
        self._t = t
        for row, sleeve in enumerate(sleeves):
            weight[row, sleeve.columns] = sleeve.tracker.now()
        rank_ic.step(self._ic, self._s0.mix, setting.member, ret, setting.skill_decay, self._work, self._skill)
        s0_normalize.observe(
            weight, ret, setting.is_cash, setting.full_gross, setting.normalize, self._s0, self._scratch
        )
        moments.step(self._sleeve_moments, setting.sleeve_moments, self._s0.scaled)
        moments.step(self._asset_moments, setting.asset_moments, ret)
        if self._feed.panel.clock.last_bar[t]:
            self._observe_session(t, mark)

    def _observe_session(self, t: int, mark: Mark | None) -> None:
        setting, panel = self._set, self._feed.panel
        if setting.regime_columns is not None:
            stocks, bonds, fear = setting.regime_columns
            ret = self._feed.ret[t]
            vix, close = panel.indicator[t, fear], self._feed.field("close")[t, stocks]
            s6_regime.observe(vix, close, ret[stocks], ret[bonds], setting.regime, self._regime)
        now = setting.active[t]
        if setting.changes[t]:
            gone: Bools = (self._status == 1) & (now != 1)
            if gone.any():
                s1_allocate.demote(gone, setting.allocate, self._s1)
            self._status[:] = now
        s1_allocate.pass_session(self._s1.counts, self._s1.age)
        if setting.allocate_at[t]:
            skill = np.where(self._ic.seen >= setting.skill_warmup, self._skill, np.nan)
            tilt = s6_regime.tilts(setting.role, setting.regime_tilt, self._regime)
            n_obs = self._s0.sums[ewma.COUNT]
            self._allocate(n_obs, now == 1, skill, tilt)
        if mark is not None:
            sigma_before = self._regime.memory[s6_regime.SIGMA_BEFORE]
            s5_governor.observe(mark.nav, sigma_before, setting.governor, self._gov)
            s8_ladder.observe(mark.equity, setting.ladder, setting.hysteresis, self._ladder)

    def _allocate(self, n_obs: Floats, active: Bools, skill: Floats, tilt: Floats) -> None:
        p, s, pair = self._allocation, self._s1, self._sleeve_moments.pair
        if p.erc_blend > 0.0:
            p = p._replace(erc_blend=p.erc_blend * s6_regime.crisis(self._regime))
        least = p.method == s1_allocate.MIN_VARIANCE
        given = s1_allocate.least_variance(pair, n_obs, active, p) if least else np.empty(0)
        s1_allocate.allocate_step(
            pair, n_obs, active, skill, tilt, p, s.smooth, s.applied, s.counts, s.age, s.hrp, s.erc, s.info, given
        )

    def due(self, sleeves: Sequence[Sleeve]) -> bool:
        """Return that a book decides at the close of every session."""
        return bool(self._feed.panel.clock.last_bar[self._t])

    def decide(
        self, sleeves: Sequence[Sleeve], account: Account, *, adopt: bool, skip: frozenset[str] = NOTHING_SKIPPED
    ) -> Target:
        """Return the target for `account`: stages 2 to 8 on what `observe` left; stages in `skip` are passed over."""
        setting, t = self._set, self._t
        held = account.value / account.equity
        trace = np.empty((len(STAGES), len(held)))
        status = self._feed.status[t]
        shares = self._assemble(t, skip, trace)
        w = trace[1].copy()
        if "s2_net" not in skip:
            n_obs, least = self._asset_moments.pair[moments.COUNT].diagonal(), setting.min_symbol_obs
            s2_net.net_wrappers(setting.wrapper_member, setting.wrapper_group, status, n_obs, least, w)
            s2_net.drop_young(n_obs, least, w)
        trace[2] = w
        sigma_p = setting.regime.neutral if "s6_regime" in skip else self._regime.memory[s6_regime.SIGMA_P]
        scaled = self._scale(w, sigma_p, skip)
        w *= scaled.factor
        trace[3] = w
        tier = setting.ladder[max(int(self._ladder.tier[0]), 0)]
        bound = BOUND_LEVERAGE if w.any() and scaled.factor * scaled.vol < sigma_p * (1.0 - 1e-9) else 0
        # what may not grow is judged by its side now and by its size at the end: clipped to what is held here, it would
        # be shrunk again by every later stage, and again at the next decision, until nothing is left
        side = np.sign(held) * BEYOND
        bound |= self._cap(t, w, side, tier, skip)
        trace[4] = w
        if "s5_governor" not in skip:
            s5_governor.apply(self._gov, side, w)
        if account.margin_call:
            w *= scale_to_margin(w, setting.maintenance)
            bound |= BOUND_MARGIN
        trace[5] = w
        w *= setting.turnover.kelly
        if setting.restriction is not None and "s4_caps" not in skip:
            bound |= s4_caps.restrict(setting.restriction[t], held, w)
        if "s5_governor" not in skip:
            s5_governor.not_beyond(self._gov, held, w)
        bound |= self._tidy(w, account, tier, skip)
        target, goal, trade, limited, gated = self._turn(t, w, held, account, tier, sigma_p, skip)
        trace[6] = np.where(trade, goal, held)
        facts = self._facts(scaled, sigma_p, bound, shares, target, limited, gated)
        ticket = 0.0 if "s8_ladder" in skip else float(tier[s8_ladder.MIN_TICKET])
        return Target(target, goal, trade, trace.T, facts, ticket, account.margin_call)

    def _assemble(self, t: int, skip: frozenset[str], trace: Floats) -> Floats:
        """Write the raw and the allocated book; return the shares (S,) of the sleeves."""
        active = self._set.active[t] == 1
        equal = active / max(np.count_nonzero(active), 1)
        shares: Floats = equal if "s1_allocate" in skip else s1_allocate.in_force(self._set.allocate, self._s1)
        scale, unit = self._s0.scale, self._s0.unit
        if "s0_normalize" in skip:
            scale, unit = np.ones_like(scale), np.where(self._set.is_cash, 0.0, self._weight)
        s2_net.combine(equal, scale, unit, trace[0])
        s2_net.combine(shares, scale, unit, trace[1])
        return shares

    def _scale(self, w: Floats, sigma_p: float, skip: frozenset[str]) -> s3_vol_target.Scaled:
        p = self._set.vol_target
        window = self._feed.ret[max(self._t + 1 - p.window, 0) : self._t + 1] if p.factors else None
        scaled = s3_vol_target.scale_to_target(w, sigma_p, self._asset_moments.pair, window, p)
        if "s3_vol_target" in skip:
            return s3_vol_target.Scaled(1.0, scaled.vol, scaled.fallback, scaled.intensity)
        return scaled

    def _cap(self, t: int, w: Floats, held: Floats, tier: Floats, skip: frozenset[str]) -> int:
        setting = self._set
        if "s4_caps" in skip:
            return 0
        bound = s4_caps.restrict(setting.restriction[t], held, w) if setting.restriction is not None else 0
        caps = setting.caps
        loose = "s8_ladder" in skip
        name = caps.name if loose else min(caps.name, tier[s8_ladder.NAME])
        gross = caps.gross if loose else min(caps.gross, tier[s8_ladder.GROSS])
        sums = np.empty(setting.n_clusters)
        return bound | s4_caps.apply_caps(setting.cluster, name, caps.cluster, gross, caps.net, sums, w)

    def _tidy(self, w: Floats, account: Account, tier: Floats, skip: frozenset[str]) -> int:
        """Drop dust and names beyond the tier's number; return what bound.

        What they and NO_NEW take away may have offset the other side, so net is trimmed once more.
        """
        if "s8_ladder" not in skip:
            dust, most = tier[s8_ladder.DUST] / account.equity, int(tier[s8_ladder.MAX_NAMES])
            s7_turnover.drop_dust(dust, most, self._set.is_cash, w, self._work[0].copy())
        return 0 if "s4_caps" in skip else int(s4_caps.trim_net(self._set.caps.net, w))

    def _turn(
        self, t: int, w: Floats, held: Floats, account: Account, tier: Floats, sigma_p: float, skip: frozenset[str]
    ) -> tuple[Floats, Floats, Bools, int, int]:
        """Return (target, goal, trade, trades limited by capacity, trades withdrawn by the cost gate)."""
        setting, turn = self._set, self._set.turnover
        target, goal = w, w.copy()
        close, status = self._feed.panel.close[t], self._feed.status[t]
        adv, trade = np.empty(len(w)), np.empty(len(w), dtype=np.bool_)
        forced = self._forced(held, tier, account.margin_call)
        s7_turnover.no_trade_band(target, held, 0.0 if "s7_turnover" in skip else turn.band, forced, trade)
        s7_turnover.withdraw_halted(status, trade)
        # after the band: a thin name far from its target trades what the market takes, not nothing
        volumes_at(t, self._feed.panel.volume, self._feed.factor, trade, np.empty(VOLUME_SESSIONS), adv)
        adv *= self._feed.panel.clock.bars_per_session
        adv[setting.cash_columns] = np.nan  # capacity is about what sleeves trade, not about parked cash
        limited = s7_turnover.limit_capacity(turn.capacity, adv, close, account.equity, goal, held)
        gated = 0
        if turn.edge_ratio > 0.0 and "s7_turnover" not in skip:
            pair = self._asset_moments.pair
            gated = gate_by_cost(
                t, goal, held, account.equity, close, adv, pair, self._half_spread, self._rules, self._daily,
                sigma_p, turn.edge_ratio, setting.normalize.bars_per_year, forced | (target == 0.0), trade,
            )  # fmt: skip
        self._park(status, held, target, goal, trade)
        return target, goal, trade, limited, gated

    def _park(self, status: Codes, held: Floats, target: Floats, goal: Floats, trade: Bools) -> None:
        """Put what the other names will leave into the first cash equivalent that trades, never on margin.

        What they will leave, not what their targets would: a name inside the band stays as large as it is.
        """
        turn, bills = self._set.turnover, self._set.cash_columns
        if turn.park_cash and len(bills):
            trading = status[bills] == TRADING
            kept = np.where(trade, goal, held)
            kept[bills] = np.where(trading, 0.0, held[bills])
            left = 1.0 - np.abs(kept).sum()
            if left > 0.0 and trading.any():
                column = bills[trading.argmax()]
                target[column] = goal[column] = left
        s7_turnover.cash_band(target, held, self._set.is_cash, turn.park_band, status, trade)

    def _forced(self, held: Floats, tier: Floats, margin_call: bool) -> Bools:
        """Return which names (N,) may shrink inside the band: all while the governor holds back or on a margin call."""
        setting, caps = self._set, self._set.caps
        forced = np.ones(len(held), dtype=np.bool_)
        if not margin_call and self._gov[s5_governor.MULTIPLIER] >= 1.0:
            gross, sums = min(caps.gross, tier[s8_ladder.GROSS]), np.empty(setting.n_clusters)
            s4_caps.held_over(
                held,
                setting.is_cash,
                setting.cluster,
                caps.cluster,
                gross,
                caps.net,
                setting.turnover.band,
                sums,
                forced,
            )
        return forced

    def _facts(
        self, scaled: s3_vol_target.Scaled, sigma_p: float, bound: int, shares: Floats, target: Floats, limited: int,
        gated: int,
    ) -> Floats:  # fmt: skip
        gov, regime, s1 = self._gov, self._regime.memory, self._s1
        risky = np.where(self._set.is_cash, 0.0, target)
        squares, total = float(np.dot(risky, risky)), float(np.abs(risky).sum())
        row = int(self._ladder.tier[0])
        facts = np.empty(len(self.facts))
        facts[: len(FACTS)] = (
            scaled.factor, scaled.vol, sigma_p, scaled.intensity, scaled.fallback, bound,
            gov[s5_governor.MULTIPLIER], gov[s5_governor.DRAWDOWN], gov[s5_governor.TIER],
            s1.counts[s1_allocate.RUNG], s1.counts[s1_allocate.ALARM], s1.info[-1],
            total * total / squares if squares > 0.0 else 0.0,
            regime[s6_regime.LABEL], regime[s6_regime.CONFIDENCE], row,
            self._set.ladder[max(row, 0), s8_ladder.GROSS], limited, gated,
        )  # fmt: skip
        facts[len(FACTS) :].reshape(4, -1)[:] = shares, s1.hrp, s1.erc, self._skill
        return facts

    def _arrays(self) -> dict[str, Floats]:
        """Return every array that is memory, by name."""
        s0, s1 = self._s0, self._s1
        named = {f"s0.{name}": array for name, array in s0._asdict().items()}
        named |= {
            name: getattr(s1, name) for name in ("smooth", "applied", "leaving", "counts", "age", "hrp", "erc", "info")
        }
        named |= {f"ic.{name}": array for name, array in self._ic._asdict().items()}
        return named | {
            "weight": self._weight,
            "governor": self._gov,
            "regime.ring": self._regime.ring,
            "regime.memory": self._regime.memory,
            "ladder": self._ladder.tier,
            "skill": self._skill,
            "moments.sleeve": self._sleeve_moments.pair,
            "moments.asset": self._asset_moments.pair,
            "status": self._status,
        }

    def save(self) -> dict[str, Floats]:
        """Return copies of everything that changes."""
        return {name: array.copy() for name, array in self._arrays().items()} | {"t": np.array([float(self._t)])}

    def restore(self, saved: dict[str, Floats]) -> None:
        """Put back what `save` returned."""
        for name, array in self._arrays().items():
            np.copyto(array, saved[name])
        self._t = int(saved["t"][0])
