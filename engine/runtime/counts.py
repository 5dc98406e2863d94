"""How often each fallback, alarm, tier and bound of a book came up: counted, and shown."""

from collections.abc import Sequence

import numpy as np

from plimsoll.engine.core import Decision
from plimsoll.engine.portfolio.stages.s1_allocate import HRP, RUNGS
from plimsoll.engine.portfolio.stages.s4_caps import BINDING
from plimsoll.engine.portfolio.stages.s5_governor import NORMAL, TIERS
from plimsoll.engine.portfolio.stages.s6_regime import REGIMES
from plimsoll.engine.types import Floats, Ints


def unbound_volatility(facts: tuple[str, ...], decisions: Sequence[Decision], ret: Floats) -> dict[str, float]:
    """Return the share of sessions on which nothing bound, and realised over target volatility on them.

    ret (T,) net return of each bar. A decision counts with the first whole session after its fill; at it and at the
    two before, no cap, leverage bound, margin or lack of money may have bound and the governor not have held back.
    """
    if "rung" not in facts or not decisions:
        return {}
    table = np.array([decision.target.facts for decision in decisions])
    bars = np.array([decision.t for decision in decisions])
    affordable = np.array([decision.plan.phi == 1.0 for decision in decisions])
    free = (table[:, facts.index("binding")] == 0.0) & (table[:, facts.index("multiplier")] == 1.0) & affordable
    settled = free & np.roll(free, 1) & np.roll(free, 2)
    settled[:2] = False
    usable = settled & (bars + 2 < len(ret))
    out = {"unbound_share": float(free.mean())}
    if usable.sum() > 20:
        z = ret[bars[usable] + 2] * np.sqrt(252.0) / table[usable, facts.index("sigma_p")]
        out["unbound_vol_ratio"] = float(np.sqrt(np.mean(z * z)))
    return out


def book_counts(facts: tuple[str, ...], decisions: Sequence[Decision]) -> dict[str, int | float]:
    """Return decisions counted by what happened in them; empty for a preset that reports none of it."""
    if "rung" not in facts or not decisions:
        return {}
    table = np.array([decision.target.facts for decision in decisions])

    def column(name: str) -> Ints:
        return table[:, facts.index(name)].astype(np.int64)

    rung, tier, bound, regime = column("rung"), column("tier"), column("binding"), column("regime")
    counts: dict[str, int | float] = {
        f"allocated_by_{name}": int((rung == code).sum()) for code, name in enumerate(RUNGS) if code != HRP
    }
    counts["hrp_erc_alarms"] = int(column("alarm").sum())
    counts["hrp_erc_alarms_without_threshold"] = int(np.isnan(table[:, facts.index("alarm_threshold")]).sum())
    counts["vol_target_fallbacks"] = int(column("vol_fallback").sum())
    counts |= {f"bound_by_{name}": int((bound & (1 << bit) > 0).sum()) for bit, name in enumerate(BINDING)}
    counts["bound_by_nothing"] = int((bound == 0).sum())
    counts |= {f"tier_{name}": int((tier == code).sum()) for code, name in enumerate(TIERS) if code != NORMAL}
    counts |= {f"regime_{name}": int((regime == code).sum()) for code, name in enumerate(REGIMES)}
    counts["trades_limited_by_capacity"] = int(column("capacity_bound").sum())
    counts["trades_withdrawn_by_cost_gate"] = int(column("cost_gated").sum())
    counts["ladder_changes"] = int((np.diff(column("ladder_tier")) != 0).sum())
    return counts | _slot_counts(facts, table)


def _slot_counts(facts: tuple[str, ...], table: Floats) -> dict[str, int | float]:
    """Return how much of the book lay idle, how often a lent slot went back, how many sleeves never had a skill.

    table (decisions, F) the figures of every decision. A slot is lent while a sleeve has one and no share.
    """

    def each(kind: str) -> Floats:
        return table[:, [at for at, name in enumerate(facts) if name.startswith(f"{kind}.")]]

    slot = each("slot")
    lent = (slot > 0.0) & (each("share") == 0.0)
    return {
        "idle_capital": float(table[:, facts.index("idle_capital")].mean()),
        "idle_slots_returned": int((lent[:-1] & ~lent[1:] & (slot[1:] > 0.0)).sum()),
        "sleeves_without_skill": int(np.isnan(each("skill")).all(axis=0).sum()),
    }
