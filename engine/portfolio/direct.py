"""Preset `direct`: one sleeve, its own weights, a no-trade band."""

from collections.abc import Sequence

import numpy as np

from engine.execution.broker import Account
from engine.portfolio.integrator import NOTHING_SKIPPED, Mark, Target, scale_to_margin
from engine.portfolio.sleeves import Sleeve
from engine.portfolio.stages.s7_turnover import no_trade_band
from engine.types import Floats


class Direct:
    """The one sleeve's answer is the target; without a new answer nothing is sent.

    The account's own drift differs from the notional portfolio's by costs and gaps; chasing it would be daily churn.
    A margin call is the exception: then the target, or what is held, is scaled to the maintenance limit.
    """

    stages: tuple[str, ...] = ("raw", "s7_turnover")
    facts: tuple[str, ...] = ()
    needs_mark = False

    def __init__(self, band: float, maintenance: Floats) -> None:
        self._band = band
        self._maintenance = maintenance  # (2, N): long, short

    def observe(self, t: int, sleeves: Sequence[Sleeve], mark: Mark | None) -> None:
        """Nothing here has memory."""

    def due(self, sleeves: Sequence[Sleeve]) -> bool:
        """Return whether the sleeve answered at this bar."""
        return sleeves[0].answered

    def decide(
        self, sleeves: Sequence[Sleeve], account: Account, *, adopt: bool, skip: frozenset[str] = NOTHING_SKIPPED
    ) -> Target:
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
        band = 0.0 if "s7_turnover" in skip else self._band
        no_trade_band(weights, held, band, np.full(len(held), account.margin_call), trade)
        trace = np.column_stack((raw, np.where(trade, weights, held)))
        return Target(weights, weights, trade, trace, np.empty(0), forced=account.margin_call)

    def save(self) -> dict[str, Floats]:
        """Nothing here changes."""
        return {}

    def restore(self, saved: dict[str, Floats]) -> None:
        """Nothing here changes."""
