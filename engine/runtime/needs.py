"""What a run loads, and what a source offers."""

from collections.abc import Mapping
from dataclasses import dataclass

from plimsoll.engine.config.schema import Config
from plimsoll.engine.market.instruments import instrument
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.sleeve.strategy import Available, Strategy


@dataclass(frozen=True, slots=True)
class Needs:
    """What a run loads, each sorted: `symbols` must be there, `optional` and `indicators` are taken where they are.

    required_indicators : those the configuration itself names. held : what the sleeves may hold, the optional too.
    """

    symbols: tuple[str, ...]
    optional: tuple[str, ...]
    indicators: tuple[str, ...]
    required_indicators: tuple[str, ...]
    held: tuple[str, ...] = ()


def needs_of(config: Config, strategies: Mapping[str, Strategy]) -> Needs:
    """Return what a run loads."""
    named = {name for name in (config.run.held_against, config.financing.cash_rate) if isinstance(name, str)}
    optional = {symbol for strategy in strategies.values() for symbol in strategy.optional} - named
    for strategy in strategies.values():
        named |= set(strategy.universe) - set(strategy.optional)
    named |= {instrument(symbol).underlying for symbol in config.data.extend_leveraged} - {""}
    indicators = {name for strategy in strategies.values() for name in strategy.indicators}
    if config.integrator.preset == "book":
        section = config.integrator.regime
        optional |= {section.stocks, section.bonds} - named
        optional |= (
            set(config.integrator.normalize.cash_equivalents) - named if config.integrator.turnover.park_cash else set()
        )
        indicators.add(section.fear)
    return Needs(
        tuple(sorted(named)),
        tuple(sorted(optional - named)),
        tuple(sorted(indicators - set(config.data.indicators))),
        tuple(sorted(config.data.indicators)),
        tuple(sorted({s for strategy in strategies.values() for s in set(strategy.universe) - set(strategy.watched)})),
    )


def available(panel: Panel) -> Available:
    """Return what a source offers: what it has a series for, never when or whether that series says something.

    A run cut at an earlier day has the same series, so whether a sleeve takes part cannot depend on the future.
    """
    mute = set(panel.adjusted_only) | {w.symbol for w in panel.warnings if w.kind == "no_dividends"}
    return Available(
        symbols=frozenset(panel.symbols),
        paying=frozenset(panel.symbols) - mute,
        indicators=frozenset(panel.indicators),
    )
