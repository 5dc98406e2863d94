"""The integrator port, and preset `direct`: one sleeve, its own weights, a no-trade band."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.execution.broker import Account
from engine.kernels.layout import MAINT_LONG, MAINT_SHORT
from engine.portfolio.sleeves import Sleeve
from engine.portfolio.stages.s7_turnover import no_trade_band
from engine.types import Bools, Floats


@dataclass(frozen=True, slots=True)
class Target:
    """What an account should hold.

    weights : (N,) signed fractions of equity, before the band.
    trade : (N,) which names trade; the others keep the shares they have.
    trace : (N, stages) weights after each step in execution order; `stages` names them.
    forced : a margin call scaled the weights.
    """

    weights: Floats
    trade: Bools
    trace: Floats
    stages: tuple[str, ...]
    forced: bool = False


class Integrator(Protocol):
    """From the state of all sleeves to one target. What has memory moves in `observe`; `decide` is pure."""

    stages: tuple[str, ...]

    def observe(self, t: int, sleeves: Sequence[Sleeve]) -> None:
        """Advance everything with memory by the completed bar t."""

    def due(self, sleeves: Sequence[Sleeve]) -> bool:
        """Return whether this close calls for a decision even if nothing forces one."""

    def decide(self, sleeves: Sequence[Sleeve], account: Account, adopt: bool) -> Target:
        """Return the target for `account`; `adopt` marks its first decision."""

    def save(self) -> dict[str, Floats]:
        """Return copies of everything that changes."""

    def restore(self, saved: dict[str, Floats]) -> None:
        """Put back what `save` returned."""


class Direct:
    """Preset `direct`: the one sleeve's answer is the target; without a new answer nothing is sent.

    The account's own drift differs from the notional portfolio's by costs and gaps; chasing it would be daily churn.
    A margin call is the exception: then the target, or what is held, is scaled to the maintenance limit.
    """

    stages: tuple[str, ...] = ("raw", "s7_turnover")

    def __init__(self, band: float, maintenance: Floats) -> None:
        self._band = band
        self._maintenance = maintenance  # (2, N): long, short

    def observe(self, t: int, sleeves: Sequence[Sleeve]) -> None:
        """Nothing here has memory."""

    def due(self, sleeves: Sequence[Sleeve]) -> bool:
        """Return whether the sleeve answered at this bar."""
        return sleeves[0].answered

    def decide(self, sleeves: Sequence[Sleeve], account: Account, adopt: bool) -> Target:
        """Return the sleeve's standing weights, or what is held if only a margin call asked.

        `adopt` is the first decision of an account: it takes over the sleeve's standing portfolio.
        """
        held = account.value / account.equity
        sleeve = sleeves[0]
        if sleeve.answered or adopt:
            weights = np.zeros(len(held))
            weights[sleeve.columns] = sleeve.tracker.weights
        else:
            weights = held.copy()
        raw = weights.copy()
        if account.margin_call:
            weights *= scale_to_margin(weights, self._maintenance)
        trade = np.zeros(len(held), dtype=np.bool_)
        no_trade_band(weights, held, self._band, account.margin_call, trade)
        trace = np.column_stack((raw, np.where(trade, weights, held)))
        return Target(weights, trade, trace, self.stages, account.margin_call)

    def save(self) -> dict[str, Floats]:
        """Nothing here changes."""
        return {}

    def restore(self, saved: dict[str, Floats]) -> None:
        """Nothing here changes."""


def scale_to_margin(weights: Floats, maintenance: Floats) -> float:
    """Return the factor, at most 1, that brings weights (N,) within their maintenance requirement.

    maintenance (2, N) is the fraction of market value required for longs and shorts: the factor solves
    factor * sum_i |w_i| m_i = 1.
    """
    required = float(np.sum(np.where(weights > 0.0, weights * maintenance[0], -weights * maintenance[1])))
    return 1.0 / required if required > 1.0 else 1.0


def maintenance_rates(acct: Floats) -> Floats:
    """Return the (2, N) maintenance rates of a book's account array."""
    return np.ascontiguousarray(acct[[MAINT_LONG, MAINT_SHORT]])
