"""A broker, an integrator and a planner that cheat, and functions that put them into a setup."""

from dataclasses import replace
from typing import Any

import numpy as np

from plimsoll.engine.core import System
from plimsoll.engine.execution.planner import Plan, Planner
from plimsoll.engine.execution.sim.broker import SimBroker
from plimsoll.engine.execution.terms import terms_of
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.derive import TRADING
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.panel import OPEN
from plimsoll.engine.portfolio.direct import Direct
from plimsoll.engine.portfolio.integrator import Target
from plimsoll.engine.runtime.assemble import Setup


class FillsAtTheDecision(SimBroker):
    """Books every purchase and sale at the close that decided it, a bar later."""

    def advance(self, t: int) -> int:
        true = self._block
        self._block = true.copy()
        listed = ~np.isnan(true[OPEN, t])
        self._block[OPEN, t, listed] = self._panel.close[t - 1, listed]
        try:
            return super().advance(t)
        finally:
            self._block = true


class FillsAtTheLow(SimBroker):
    """Finds the best price of the bar for every order."""

    def advance(self, t: int) -> int:
        true = self._block
        self._block = true.copy()
        self._block[OPEN, t] = self._panel.low[t]
        try:
            return super().advance(t)
        finally:
            self._block = true


class FillsBeforeTheDecision(SimBroker):
    """Says its fills were made at the open of the bar whose close decided them."""

    def advance(self, t: int) -> int:
        before = len(self.fills)
        found = super().advance(t)
        for fill in self.fills[before:]:
            if fill[layout.F_ORDER] >= 0.0:
                fill[layout.F_BAR] = t - 1
                fill[layout.F_PRICE] = self._panel.open[t - 1, int(fill[layout.F_COLUMN])]
        return found


class LooksAheadInAStage(Direct):
    """Halves what is going to fall."""

    feed: Any = None

    def decide(self, sleeves: Any, account: Any, *, adopt: bool, day_return: float, skip: Any) -> Target:
        target = super().decide(sleeves, account, adopt=adopt, day_return=day_return, skip=skip)
        t = sleeves[0]._context.bar_index
        ahead = self.feed.ret[min(t + 1, len(self.feed.ret) - 1)]
        goal = np.where(ahead < 0.0, 0.5 * target.weights, target.weights)
        trace = np.column_stack((target.trace[:, 0], goal))
        return replace(target, weights=goal, goal=goal, trace=trace)


class SizesAtTomorrowsOpen(Planner):
    """Knows what it is going to pay."""

    feed: Feed

    def plan(self, t: int, account: Any, target: Any, trade: Any, price: Any, min_ticket: float = 0.0) -> Plan:
        panel = self.feed.panel
        ahead = panel.open[min(t + 1, panel.n_bars - 1)]
        known = (self.feed.status[t] == TRADING) & ~np.isnan(ahead)
        return super().plan(t, account, target, trade, np.where(known, ahead, price), min_ticket)


def with_broker(setup: Setup, kind: type[SimBroker]) -> Setup:
    old = setup.broker
    return replace(setup, broker=kind(setup.feed, old.daily, old.book, id_prefix=old.prefix))


def fills_at_the_decision(setup: Setup) -> Setup:
    return with_broker(setup, FillsAtTheDecision)


def fills_at_the_low(setup: Setup) -> Setup:
    return with_broker(setup, FillsAtTheLow)


def fills_before_the_decision(setup: Setup) -> Setup:
    return with_broker(setup, FillsBeforeTheDecision)


def looks_ahead_in_a_stage(setup: Setup) -> Setup:
    built = setup.system
    assert isinstance(built.integrator, Direct)
    stage = LooksAheadInAStage(0.0, built.integrator.maintenance)
    stage.feed = setup.feed
    return replace(setup, system=System(setup.feed, built.cursor, built.sleeves, stage, built.planner))


def sizes_at_tomorrows_open(setup: Setup) -> Setup:
    built = setup.system
    planner = SizesAtTomorrowsOpen(
        setup.feed, setup.broker.daily, terms_of(setup.config, setup.panel.symbols), min_notional=1.0, at_close=False,
        symbols=setup.panel.symbols,
    )  # fmt: skip
    planner.feed = setup.feed
    return replace(setup, system=System(setup.feed, built.cursor, built.sleeves, built.integrator, planner))


def unchanged(setup: Setup) -> Setup:
    return setup
