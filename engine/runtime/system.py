"""From a configuration and a market to a system: sleeves, integrator and planner, without any broker."""

from collections.abc import Sequence

from plimsoll.engine.config.schema import Config
from plimsoll.engine.core import System
from plimsoll.engine.execution.planner import Planner
from plimsoll.engine.execution.terms import Terms
from plimsoll.engine.market.window import Cursor
from plimsoll.engine.portfolio.book import Pipeline
from plimsoll.engine.portfolio.direct import Direct
from plimsoll.engine.portfolio.integrator import Integrator
from plimsoll.engine.portfolio.legacy.integrator import Legacy
from plimsoll.engine.portfolio.settings import make_settings
from plimsoll.engine.runtime.prepare import Market
from plimsoll.engine.sleeve.sleeve import Sleeve


def make_system(config: Config, market: Market, terms: Terms) -> System:
    """Return the system of a configuration over a market, before its first bar; what executes its orders is not its.

    Raises
    ------
    ConfigError, StrategyError
        If a restricted symbol is not in the run, or a strategy cannot make its memory.
    """
    feed, cursor = market.feed, Cursor()
    quarantine = {sleeve.name: sleeve.on_error == "quarantine" for sleeve in config.sleeve}
    sleeves = [
        Sleeve(name, strategy, feed, market.bill, cursor, quarantine=quarantine[name])
        for name, strategy in sorted(market.strategies.items())
    ]
    planner = Planner(
        feed, market.daily, terms,
        min_notional=config.execution.min_notional,
        at_close=config.execution.fill == "next_close",
        symbols=feed.panel.symbols,
    )  # fmt: skip
    return System(feed, cursor, sleeves, make_integrator(config, market, sleeves, terms), planner)


def make_integrator(config: Config, market: Market, sleeves: Sequence[Sleeve], terms: Terms) -> Integrator:
    """Return the integrator of the configured preset."""
    if config.integrator.preset == "direct":
        return Direct(config.band, terms.maintenance)
    if config.integrator.preset == "legacy":
        return Legacy(market.feed)
    settings = make_settings(config, market.calendar, sleeves, terms.maintenance)
    costs = (terms.half_spread, terms.rules(), market.daily)
    return Pipeline(market.feed, settings, costs, [sleeve.name for sleeve in sleeves])
