"""The deterministic system: `observe` a completed bar, `decide` what to send. No I/O, no clock, no mode."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plimsoll.engine.errors import EngineError
from plimsoll.engine.execution.broker import Account
from plimsoll.engine.execution.planner import Plan, Planner
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.window import Cursor
from plimsoll.engine.portfolio.integrator import NOTHING_SKIPPED, Integrator, Mark, Target
from plimsoll.engine.sleeve.sleeve import Sleeve
from plimsoll.engine.types import Floats


@dataclass(frozen=True, slots=True)
class Decision:
    """The target of one close and the orders that lead there."""

    t: int
    target: Target
    plan: Plan


class System:
    """Sleeves, integrator and planner over one feed.

    `observe` is called once per completed bar, in order; everything with memory moves there. `decide` reads that
    state and an account, writes nothing, and may be called any number of times.
    """

    def __init__(
        self, feed: Feed, cursor: Cursor, sleeves: Sequence[Sleeve], integrator: Integrator, planner: Planner
    ) -> None:
        self.feed = feed
        self.sleeves = tuple(sleeves)
        self.integrator = integrator
        self.planner = planner
        self.cursor = cursor
        self._close = feed.panel.close

    @property
    def t(self) -> int:
        """The last bar observed, -1 before the first."""
        return self.cursor.t

    def observe(self, t: int, mark: Mark | None = None) -> None:
        """Take in bar t; `mark` is what the account was worth at its close, None before there is one.

        Raises
        ------
        StrategyError
            If a strategy fails and is not to be quarantined.
        EngineError
            If t is not the bar after the last one: nothing may be stepped twice, nothing left out.
        """
        if t != self.cursor.t + 1:
            raise EngineError(f"bar {t} was shown after bar {self.cursor.t}")
        self.cursor.t = t
        for sleeve in self.sleeves:
            sleeve.observe(t)
        self.integrator.observe(t, self.sleeves, mark)

    def due(self) -> bool:
        """Return whether the last bar calls for a decision even if nothing forces one."""
        return self.integrator.due(self.sleeves)

    def decide(
        self,
        account: Account,
        *,
        adopt: bool = False,
        price: Floats | None = None,
        skip: frozenset[str] = NOTHING_SKIPPED,
    ) -> Decision:
        """Return target and orders for `account`; a pure function of the observed state.

        Parameters
        ----------
        account : Account
            Holdings, cash and equity now.
        adopt : bool
            The account's first decision: it takes over the sleeves' standing notional portfolios.
        price : (N,) array, optional
            Decision prices, NaN = halted; by default the closes of the last observed bar.
        skip : set of stage names
            Stages to pass over, to see what they do.
        """
        t = self.cursor.t
        at = self._close[t] if price is None else price
        target = self.integrator.decide(self.sleeves, account, adopt=adopt, skip=skip)
        plan = self.planner.plan(t, account, target.goal, target.trade, at, target.min_ticket)
        return Decision(t, target, plan)

    def save(self) -> dict[str, Floats]:
        """Return copies of all state: memory of strategies, trackers, integrator, position in time."""
        saved: dict[str, Floats] = {"t": np.array([self.cursor.t], dtype=np.float64)}
        for sleeve in self.sleeves:
            saved |= {f"sleeve.{sleeve.name}.{key}": value for key, value in sleeve.save().items()}
        return saved | {f"integrator.{key}": value for key, value in self.integrator.save().items()}

    def restore(self, saved: dict[str, Floats]) -> None:
        """Put back what `save` returned."""
        self.cursor.t = int(saved["t"][0])
        for sleeve in self.sleeves:
            prefix = f"sleeve.{sleeve.name}."
            sleeve.restore({k.removeprefix(prefix): v for k, v in saved.items() if k.startswith(prefix)})
        self.integrator.restore(
            {k.removeprefix("integrator."): v for k, v in saved.items() if k.startswith("integrator.")}
        )
