"""From a panel to what a run is told of the world, before any account or sleeve exists."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import DataError, did_you_mean
from plimsoll.engine.execution.fees import fee_schedule
from plimsoll.engine.kernels import layout
from plimsoll.engine.market.complete import with_empty
from plimsoll.engine.market.extend import extend_leveraged
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.panel import DataWarning, Panel
from plimsoll.engine.runtime.bill import bill_returns, refuse_short_bill
from plimsoll.engine.runtime.flows import read_flows
from plimsoll.engine.runtime.needs import available, needs_of
from plimsoll.engine.runtime.resolve import make_strategy
from plimsoll.engine.sleeve.strategy import Available, Strategy
from plimsoll.engine.types import Floats


def make_strategies(config: Config, given: Mapping[str, Strategy] | None = None) -> dict[str, Strategy]:
    """Return the strategy of every sleeve by its name; `given` objects take the place of configured ones."""
    given = given or {}
    return {
        sleeve.name: make_strategy(
            given.get(sleeve.name, sleeve.strategy),
            sleeve.params,
            where=f"sleeve {sleeve.name!r}",
            modules=config.run.modules,
        )
        for sleeve in config.sleeve
    }


@dataclass(frozen=True, slots=True)
class Market:
    """What a run is told of the world, before any account or sleeve exists.

    calendar : a panel whose clock tells which sessions there are and what the calendar says of them; the tables of
        the integrator that depend on dates alone are made from it.
    first : the first bar traded, None = found from the feed and the strategies.
    bill : (T,) return on cash per bar; bill_name its symbol, or "". daily : (DAILY, T), see `engine.kernels.layout`.
    """

    feed: Feed
    calendar: Panel
    strategies: Mapping[str, Strategy]
    bill: Floats
    bill_name: str
    daily: Floats
    first: int | None
    warnings: tuple[DataWarning, ...]


def prepare(config: Config, panel: Panel, strategies: Mapping[str, Strategy]) -> Market:
    """Derive from a panel what a run needs of it, and leave out the sleeves that cannot run on it.

    Raises
    ------
    ConfigError, DataError
        If a symbol is missing or no sleeve can run.
    """
    needs = needs_of(config, strategies)
    for symbol in needs.symbols:
        if symbol not in panel.symbols:
            raise DataError(f"symbol {symbol!r} is not in the data", fix=did_you_mean(symbol, panel.symbols))
    offered = available(panel)
    panel = with_empty(panel, needs.optional)
    if config.data.extend_leveraged:
        panel = extend_leveraged(panel, config.data.extend_leveraged, _bill_returns(config, panel))
    feed = Feed(panel)
    strategies, disabled = _enabled(strategies, offered)
    bill, bill_name = _bill(config, feed)
    daily = _daily_table(config, panel, bill)
    return Market(feed, panel, strategies, bill, bill_name, daily, None, disabled)


def onto(config: Config, market: Market, panel: Panel) -> Market:
    """Return a market over a panel that goes on from its own: the same columns, and the same sleeves run on it.

    Raises
    ------
    DataError
        If the bill series ends too early, or a flow falls on no session.
    """
    feed = Feed(panel)
    bill, _ = _bill(config, feed)
    return replace(market, feed=feed, calendar=panel, bill=bill, daily=_daily_table(config, panel, bill))


def _enabled(
    strategies: Mapping[str, Strategy], data: Available
) -> tuple[dict[str, Strategy], tuple[DataWarning, ...]]:
    """Return the strategies that can run on these data, and a warning for each that cannot."""
    reasons = {name: strategy.unavailable(data) for name, strategy in strategies.items()}
    kept = {name: strategy for name, strategy in strategies.items() if not reasons[name]}
    if not kept:
        name, reason = next(iter(reasons.items()))
        raise DataError(reason, where=f"sleeve {name!r}", fix="add the missing data, or choose another strategy")
    return kept, tuple(DataWarning("sleeve_disabled", name, reason) for name, reason in reasons.items() if reason)


def _bill_returns(config: Config, panel: Panel) -> Floats:
    """Return the bill series per bar as it is known, NaN where it is not."""
    rate = config.financing.cash_rate
    if isinstance(rate, str):
        known: Floats = Feed(panel).ret[:, panel.column(rate)]
        return known
    return np.where(panel.clock.first_bar, rate / 252.0, 0.0)


def _bill(config: Config, feed: Feed) -> tuple[Floats, str]:
    rate, panel = config.financing.cash_rate, feed.panel
    if not isinstance(rate, str):
        return np.where(panel.clock.first_bar, rate / 252.0, 0.0), ""
    column, after = panel.column(rate), config.financing.cash_rate_after
    refuse_short_bill(panel, rate, after)
    return bill_returns(feed.ret[:, column], ~np.isnan(panel.close[:, column]), panel.clock, after), rate


def _daily_table(config: Config, panel: Panel, bill: Floats) -> Floats:
    clock = panel.clock
    daily = np.zeros((layout.DAILY, panel.n_bars))
    daily[layout.BILL] = bill
    daily[layout.DAY] = np.where(clock.first_bar, 1.0 / 252.0, 0.0)
    fee_schedule(clock.session, daily)
    if config.account.flows is not None:
        daily[layout.FLOW], daily[layout.NEXT_OUT] = read_flows(config.account.flows, clock)
    return daily
