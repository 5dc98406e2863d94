"""Preset `direct`: one sleeve, its own weights, a no-trade band."""

from collections.abc import Mapping, Sequence

import numpy as np

from plimsoll.engine.execution.broker import Account
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.portfolio.integrator import Mark, Target, scale_to_margin
from plimsoll.engine.portfolio.stages.s7_turnover import trades
from plimsoll.engine.sleeve.sleeve import Sleeve
from plimsoll.engine.state import Saved, check_saved
from plimsoll.engine.types import Bools, Floats

STAGES = ("raw", "s7_turnover")


@kernel
def direct_target(
    asked: bool, t: int, signal: Floats, value: Floats, equity: float, margin_call: bool, maintenance: Floats,
    band: float, weights: Floats, trade: Bools, trace: Floats,
) -> None:  # fmt: skip
    """Write the target weights (N,), which names trade (N,), and the trace (2, N).

    Row t of signal (T, N) is the sleeve's standing portfolio, read where it answered or is adopted (asked); else the
    target is what is held, so that only a margin call, which scales to the maintenance limit, moves anything.
    value (N,) dollars held.
    """
    for i in range(weights.shape[0]):
        weights[i] = signal[t, i] if asked else value[i] / equity
        trace[0, i] = weights[i]
    if margin_call:
        factor = scale_to_margin(weights, maintenance)
        for i in range(weights.shape[0]):
            weights[i] *= factor
    for i in range(weights.shape[0]):
        held = value[i] / equity
        trade[i] = trades(weights[i], held, band, margin_call)
        trace[1, i] = weights[i] if trade[i] else held


class Direct:
    """The one sleeve's answer is the target; without a new answer nothing is sent.

    The account's own drift differs from the notional portfolio's by costs and gaps; chasing it would be daily churn.
    A margin call is the exception: then the target, or what is held, is scaled to the maintenance limit. There is no
    governor here, so the day's return has no say.
    """

    stages: tuple[str, ...] = STAGES
    skippable: tuple[str, ...] = STAGES[1:]
    facts: tuple[str, ...] = ()
    needs_mark = False
    kept: Mapping[str, str] = {"raw": "the sleeve's own weights are what the band works on"}

    def __init__(self, band: float, maintenance: Floats) -> None:
        self.band = band
        self.maintenance = maintenance  # (2, N): long, short

    def observe(self, t: int, sleeves: Sequence[Sleeve], mark: Mark | None) -> None:
        """Nothing here has memory."""

    def due(self, sleeves: Sequence[Sleeve]) -> bool:
        """Return whether the sleeve answered at this bar."""
        return sleeves[0].answered

    def decide(
        self, sleeves: Sequence[Sleeve], account: Account, *, adopt: bool, day_return: float, skip: frozenset[str]
    ) -> Target:
        """Return the sleeve's standing weights, or what is held if only a margin call asked.

        `adopt` is the first decision of an account: it takes over the sleeve's standing portfolio.
        """
        n, sleeve = len(account.value), sleeves[0]
        answered = sleeve.answered or adopt
        signal = np.zeros((1, n))
        if answered:
            signal[0, sleeve.columns] = sleeve.tracker.now()
        weights, trade, trace = np.empty(n), np.empty(n, dtype=np.bool_), np.empty((2, n))
        band = 0.0 if "s7_turnover" in skip else self.band
        direct_target(
            answered, 0, signal, account.value, account.equity, account.margin_call, self.maintenance, band, weights,
            trade, trace,
        )  # fmt: skip
        return Target(
            weights,
            weights,
            trade,
            trace.T,
            np.empty(0),
            forced=account.margin_call,
            alone=not answered,
        )

    def save(self) -> Saved:
        """Nothing here changes."""
        return {}

    def check(self, saved: Saved) -> None:
        """Refuse anything: nothing here changes."""
        check_saved(saved, {}, "preset 'direct'")

    def restore(self, saved: Saved) -> None:
        """Nothing here changes."""
        self.check(saved)
