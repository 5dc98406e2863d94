"""A system, a simulator that executes its orders, and the span to run them over."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from plimsoll.engine.config.schema import Config
from plimsoll.engine.core import System
from plimsoll.engine.errors import DataError
from plimsoll.engine.execution.legal_batch import desk_of
from plimsoll.engine.execution.legalise import Desk
from plimsoll.engine.execution.sim.book import open_book
from plimsoll.engine.execution.sim.broker import SimBroker
from plimsoll.engine.execution.terms import Terms, terms_of
from plimsoll.engine.kernels import layout
from plimsoll.engine.market.calendar import next_session
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.panel import DataWarning, Panel
from plimsoll.engine.runtime.first_bar import begins_at, first_bar
from plimsoll.engine.runtime.prepare import Market, prepare
from plimsoll.engine.runtime.system import make_system
from plimsoll.engine.sleeve.strategy import Strategy
from plimsoll.engine.types import Floats


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything a loop needs: a system and what executes for it, on one market.

    first : the first bar traded; the decision before it is made at the close of first - 1.
    bill : (T,) return on cash per bar; bill_name its symbol, or "". terms : of the account. desk : of the venue whose
        rules every order passes, None = no venue's.
    """

    config: Config
    panel: Panel
    feed: Feed
    system: System
    broker: SimBroker
    first: int
    bill: Floats
    bill_name: str
    warnings: tuple[DataWarning, ...]
    terms: Terms
    desk: Desk | None = None


def build(config: Config, panel: Panel, strategies: Mapping[str, Strategy]) -> Setup:
    """Wire a run.

    Raises
    ------
    ConfigError, DataError
        If a symbol is missing, the span does not overlap the data, or the warm-up does not fit.
    """
    return assemble(config, prepare(config, panel, strategies))


def assemble(config: Config, market: Market) -> Setup:
    """Put a system and a simulator on a market.

    Raises
    ------
    ConfigError, DataError
        If the span does not overlap the data, or the warm-up does not fit.
    """
    feed, daily = market.feed, market.daily
    panel = feed.panel
    terms = terms_of(config, panel.symbols)
    book = open_book(config.run.cash, terms)
    system = make_system(config, market, terms)
    first = market.first
    if first is None:
        ready = [(begins_at(feed, sleeve.columns), sleeve.strategy.warmup_bars) for sleeve in system.sleeves]
        first = first_bar(config, panel, ready)
        _refuse_early_flows(config, panel, daily, first)
    broker = SimBroker(feed, daily, book, id_prefix=f"{config.run.name}-{config.digest[:8]}")
    warnings = panel.warnings + _bill_warnings(market.bill_name, panel, first) + market.warnings
    warnings += _end_warnings(config, market.calendar)
    desk = desk_of(config)
    return Setup(
        config, panel, feed, system, broker, first, market.bill, market.bill_name, warnings, terms, desk
    )  # fmt: skip


def _bill_warnings(bill_name: str, panel: Panel, first: int) -> tuple[DataWarning, ...]:
    """Say so where the bill series begins after the first bar traded: until then cash earns nothing."""
    if not bill_name:
        return ()
    known = np.flatnonzero(~np.isnan(panel.close[:, panel.column(bill_name)]))
    if len(known) and known[0] <= first:
        return ()
    begins = str(panel.clock.session[known[0]]) if len(known) else ""
    text = f"cash earns nothing before the series begins on {begins}" if begins else "no row: cash earns nothing"
    return (DataWarning("no_bill_rate", bill_name, text, begins),)


def _end_warnings(config: Config, panel: Panel) -> tuple[DataWarning, ...]:
    """Say so where the data end before the run was to."""
    end, last = config.run.end, panel.clock.session[-1].astype(object)
    if end is None or next_session(last) > end:
        return ()
    text = f"the data end on {last}, before run.end = {end}: the run ends with them"
    return (DataWarning("data_end_early", "", text, str(last)),)


def _refuse_early_flows(config: Config, panel: Panel, daily: Floats, first: int) -> None:
    """Refuse money that would move before there is an account."""
    early = np.flatnonzero(daily[layout.FLOW, :first])
    if len(early):
        raise DataError(
            f"{daily[layout.FLOW, early[0]]:+.2f} on {panel.clock.session[early[0]]}, before the first session traded",
            where=str(config.account.flows),
            cause=f"trading starts on {panel.clock.session[first]}",
            fix="start run.start earlier, or put it into run.cash",
        )
