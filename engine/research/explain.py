"""Why this order: the weight after every stage, what moved it, and the order without each stage."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from plimsoll.engine.core import Decision, System
from plimsoll.engine.errors import DataError, did_you_mean
from plimsoll.engine.execution.broker import Account
from plimsoll.engine.kernels.account.plan import BELOW_MINIMUM, NO_PRICE, ROUNDED_AWAY
from plimsoll.engine.research.reasons import Reasons, reasons_of
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

    held and final are weights before and after; moved_by the step that made the most of it; order is in signed shares;
    without maps each stage to the order there would be if it alone were passed over, the state held; kept says what
    cannot be passed over, and why.
    """

    symbol: str
    session: str
    held: float
    steps: tuple[Step, ...]
    final: float
    moved_by: str
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
    reasons = reasons_of(setup, decision, held)
    columns = [panel.column(symbol)] if symbol is not None else np.flatnonzero(involved).tolist()
    found = []
    for i in columns:
        steps = _steps(reasons, i)
        found.append(
            Explanation(
                symbol=panel.symbols[i],
                session=str(panel.clock.session[decision.t]),
                held=float(held[i]),
                steps=steps,
                final=float(decision.target.trace[i, -1]),
                moved_by=_moved_by(steps, float(held[i])),
                order=float(orders[i]),
                price=float(panel.close[decision.t, i]),
                note=_note(decision, i, held),
                without={stage: float(values[i]) for stage, values in without.items()},
                kept=dict(integrator.kept),
            )
        )
    return found


def _orders(decision: Decision, n: int) -> Floats:
    rows = decision.plan.orders.rows
    return np.bincount(rows.col, weights=rows.qty, minlength=n).astype(np.float64)


def _orders_without(system: System, account: Account, adopt: bool, stage: str, n: int) -> Floats:
    return _orders(system.decide(account, adopt=adopt, skip=frozenset({stage})), n)


def _steps(reasons: Reasons, i: int) -> tuple[Step, ...]:
    """Return the weight of symbol i after each stage."""
    trace = reasons.decision.target.trace[i]
    stages = reasons.setup.system.integrator.stages
    steps = [Step(stages[0], float(trace[0]), 0.0, "the sleeves' own weights")]
    for k in range(1, len(stages)):
        change = float(trace[k] - trace[k - 1])
        steps.append(Step(stages[k], float(trace[k]), change, reasons.why(k, i) if change else ""))
    return tuple(steps)


def _moved_by(steps: tuple[Step, ...], held: float) -> str:
    """Return the stage that made a weight what it is, and its reason: of nothing the one that left nothing.

    Of a name that is left as it is the last one, where the target was another; else the one that moved it most. The
    caps that held it follow.
    """
    last = steps[-1]
    if last.weight == 0.0:
        took = [step for before, step in pairwise(steps) if before.weight != 0.0 and step.weight == 0.0]
        said = f"{took[-1].stage}: {took[-1].why}" if took else ""
        return said if held == 0.0 else (f"exit, {said}" if said else "exit: no sleeve holds it any more")
    moved = last if last.weight == held and last.change else max(steps[1:], key=lambda step: abs(step.change))
    capped = [step for step in steps if step.stage == "s4_caps" and step is not moved]
    return "; ".join(f"{step.stage}: {step.why}" for step in (moved, *capped) if step.change)


def _note(decision: Decision, i: int, held: Floats) -> str:
    """Return why there is no order where the target moved, or that the money did not reach."""
    if int(decision.plan.why[i]) in _WHY_NOT:
        return _WHY_NOT[int(decision.plan.why[i])]
    if decision.plan.phi < 1.0 and decision.target.goal[i] > held[i]:
        return f"purchases scaled to {decision.plan.phi:z.4f} of what was wanted: all there is money for"
    return ""
