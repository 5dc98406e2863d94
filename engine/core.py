"""The deterministic system: `observe` a completed bar, `decide` what to send. No I/O, no clock, no mode."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plimsoll.engine.errors import EngineError
from plimsoll.engine.execution.broker import Account
from plimsoll.engine.execution.planner import Plan, Planner
from plimsoll.engine.kernels.account.leave import expel
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.window import Cursor
from plimsoll.engine.portfolio.integrator import (
    NOTHING_SKIPPED,
    Integrator,
    Mark,
    Target,
    check_day_return,
    check_skip,
)
from plimsoll.engine.sleeve.sleeve import Sleeve
from plimsoll.engine.state import Saved, check_saved, parts_of, whole_number
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

    def observe(self, t: int, mark: Mark | None = None, *, blind: frozenset[str] = frozenset()) -> None:
        """Take in bar t; `mark` is what the account was worth at its close, None before there is one.

        blind : names of sleeves that are not asked at this bar, for want of what they read; they keep what they hold.

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
            if sleeve.name in blind:
                sleeve.pass_over()
            else:
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
        day_return: float = 0.0,
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
        day_return : float
            Return of the account since the close of the last observed bar. 0 at that close itself: what the day
            brought up to there has been observed. A later decision of a session passes what it has come to since.
        skip : set of stage names
            Stages to pass over, to see what they do; names of the integrator's `skippable`.

        Raises
        ------
        ConfigError
            If a stage to skip is unknown, or the day's return is not a number above -1.
        StrategyError
            If a cash account would have to sell short.
        """
        check_skip(skip, self.integrator.skippable)
        check_day_return(day_return)
        t = self.cursor.t
        at = self._close[t] if price is None else price
        target = self.integrator.decide(self.sleeves, account, adopt=adopt, day_return=day_return, skip=skip)
        traded = target.trace.T[-1]
        expel(t, self.feed.status, account.value, target.weights, target.goal, target.trade, traded)
        plan = self.planner.plan(t, account, target.goal, target.trade, at, target.min_ticket)
        return Decision(t, target, plan)

    def save(self) -> Saved:
        """Return copies of all state: memory of strategies, trackers, integrator, position in time."""
        parts = [sleeve.save() for sleeve in self.sleeves] + [self.integrator.save()]
        named = {p + key: value for p, part in zip(self._prefixes(), parts, strict=True) for key, value in part.items()}
        return self._position() | named

    def restore(self, saved: Saved) -> None:
        """Put back what `save` returned.

        Raises
        ------
        EngineError
            If a name is unknown or missing, or an array has another shape or type; nothing is changed then.
        """
        prefixes = tuple(self._prefixes())
        where = "the system"
        check_saved({k: v for k, v in saved.items() if not k.startswith(prefixes)}, self._position(), where)
        t = whole_number(saved, "t", -1, self.feed.panel.n_bars - 1, where)
        *of_sleeves, of_integrator = parts_of(saved, prefixes)
        for sleeve, part in zip(self.sleeves, of_sleeves, strict=True):
            sleeve.check(part)
        self.integrator.check(of_integrator)
        self.cursor.t = t
        for sleeve, part in zip(self.sleeves, of_sleeves, strict=True):
            sleeve.restore(part)
        self.integrator.restore(of_integrator)

    def _position(self) -> Saved:
        return {"t": np.array([self.cursor.t], dtype=np.int64)}

    def _prefixes(self) -> list[str]:
        return [*(f"sleeve.{sleeve.name}." for sleeve in self.sleeves), "integrator."]
