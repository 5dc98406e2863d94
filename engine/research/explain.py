"""Why this order: the weight after every stage, what moved it, and the order without each stage."""

from dataclasses import dataclass

import numpy as np

from plimsoll.engine.core import Decision, System
from plimsoll.engine.errors import DataError, did_you_mean
from plimsoll.engine.execution.broker import Account
from plimsoll.engine.kernels.account.plan import BELOW_MINIMUM, NO_PRICE, ROUNDED_AWAY
from plimsoll.engine.portfolio.stages.s4_caps import names_of
from plimsoll.engine.portfolio.stages.s5_governor import NO_NEW, TIERS
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.types import Floats

_WHY_NOT = {
    NO_PRICE: "halted: no price to trade at",
    BELOW_MINIMUM: "below the smallest order",
    ROUNDED_AWAY: "less than one lot",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One stage: weight after it, and why it moved, "" where it did not."""

    stage: str
    weight: float
    change: float
    why: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """One symbol of one decision.

    held and final are weights before and after; order is in signed shares; without maps each stage to the order there
    would be if it alone were passed over, the state held; kept says what cannot be passed over, and why.
    """

    symbol: str
    session: str
    held: float
    steps: tuple[Step, ...]
    final: float
    order: float
    price: float
    note: str
    without: dict[str, float]
    kept: dict[str, str]


def explain_decision(
    setup: Setup,
    decision: Decision,
    symbol: str | None = None,
    *,
    account: Account | None = None,
    adopt: bool | None = None,
) -> list[Explanation]:
    """Explain the decision a system has just made; its state is left as it is.

    account, adopt : what it was made for, by default the simulator's account.
    """
    panel = setup.panel
    account = setup.broker.account() if account is None else account
    if symbol is not None and symbol not in panel.symbols:
        raise DataError(f"symbol {symbol!r} is not in this run", fix=did_you_mean(symbol, panel.symbols))
    held = account.value / account.equity
    adopt = decision.t == setup.first - 1 if adopt is None else adopt
    orders = _orders(decision, panel.n_symbols)
    integrator = setup.system.integrator
    without = {
        stage: _orders_without(setup.system, account, adopt, stage, panel.n_symbols) for stage in integrator.skippable
    }
    involved = (held != 0.0) | decision.target.trace.any(axis=1) | (orders != 0.0)
    columns = [panel.column(symbol)] if symbol is not None else np.flatnonzero(involved).tolist()
    return [
        Explanation(
            symbol=panel.symbols[i],
            session=str(panel.clock.session[decision.t]),
            held=float(held[i]),
            steps=_steps(setup, decision, i, held),
            final=float(decision.target.trace[i, -1]),
            order=float(orders[i]),
            price=float(panel.close[decision.t, i]),
            note=_note(decision, i, held),
            without={stage: float(values[i]) for stage, values in without.items()},
            kept=dict(integrator.kept),
        )
        for i in columns
    ]


def _orders(decision: Decision, n: int) -> Floats:
    rows = decision.plan.orders.rows
    return np.bincount(rows.col, weights=rows.qty, minlength=n).astype(np.float64)


def _orders_without(system: System, account: Account, adopt: bool, stage: str, n: int) -> Floats:
    return _orders(system.decide(account, adopt=adopt, skip=frozenset({stage})), n)


def _steps(setup: Setup, decision: Decision, i: int, held: Floats) -> tuple[Step, ...]:
    trace, stages = decision.target.trace[i], setup.system.integrator.stages
    facts = dict(zip(setup.system.integrator.facts, decision.target.facts.tolist(), strict=True))
    steps = [Step(stages[0], float(trace[0]), 0.0, "the sleeves' own weights")]
    band = setup.config.band
    for k in range(1, len(stages)):
        change = float(trace[k] - trace[k - 1])
        moved = (float(trace[k - 1]), float(trace[k]), float(held[i]), band)
        why = _reason(stages[k], facts, *moved) if change else ""
        steps.append(Step(stages[k], float(trace[k]), change, why))
    return tuple(steps)


def _reason(stage: str, facts: dict[str, float], before: float, after: float, held: float, band: float) -> str:
    """Return in a few words why a stage moved a weight."""
    if stage == "s1_allocate":
        shares = {k.removeprefix("share."): v for k, v in facts.items() if k.startswith("share.")}
        return "shares " + ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    if stage == "s2_net":
        return "too little history to trade, or netted into its wrapper" if after == 0.0 else "took over its wrappers"
    if stage == "s3_vol_target":
        return f"times {facts['leverage']:.3f}: ex-ante {facts['sigma_ex']:.1%} to {facts['sigma_p']:.1%} volatility"
    if stage == "s4_caps":
        return "bound by " + ", ".join(names_of(int(facts["binding"])))
    if stage == "s5_governor":
        what = f"times {facts['multiplier']:.3f}"
        if facts["tier"] == NO_NEW and after != before * facts["multiplier"]:
            what = "no position may grow"
        return f"{what}: drawdown {facts['drawdown']:.1%}, tier {TIERS[int(facts['tier'])]}"
    return _held_back(before, after, held, band) if stage == "s7_turnover" else _legacy_reason(stage, facts)


def _legacy_reason(stage: str, facts: dict[str, float]) -> str:
    """Return why a stage of the old path moved a weight, "" for one that is not of it."""
    if stage == "min_variance":
        return f"least variance over {facts['rows']:.0f} rows of common history"
    if stage == "first_vol_target":
        return f"times {facts['leverage']:.3f}: ex-ante {facts['sigma_ex']:.1%} to the book's target"
    if stage == "second_vol_target":
        return "scaled by its own volatility once more, halved, name and gross cap"
    return f"times {facts['multiplier']:.3f}: drawdown {facts['drawdown']:.1%}" if stage == "kill_tier" else ""


def _held_back(before: float, after: float, held: float, band: float) -> str:
    """Return why stage 7 moved a weight."""
    if after != held:
        return "Kelly fraction, dust, ladder, capacity or the net cap"
    gap = f"{abs(before - held):.3%} from what is held"
    return f"inside the no-trade band: {gap}" if abs(before - held) <= band else f"halted or not worth its cost: {gap}"


def _note(decision: Decision, i: int, held: Floats) -> str:
    """Return why there is no order where the target moved, or that the money did not reach."""
    if int(decision.plan.why[i]) in _WHY_NOT:
        return _WHY_NOT[int(decision.plan.why[i])]
    if decision.plan.phi < 1.0 and decision.target.goal[i] > held[i]:
        return f"purchases scaled to {decision.plan.phi:.4f} of what was wanted: all there is money for"
    return ""
