"""From a configuration and a panel to a system, a simulator and the span to run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from plimsoll.engine.config.schema import Config
from plimsoll.engine.core import System
from plimsoll.engine.errors import ConfigError, DataError, did_you_mean
from plimsoll.engine.execution.fees import fee_schedule
from plimsoll.engine.execution.planner import Planner
from plimsoll.engine.execution.sim.book import open_book
from plimsoll.engine.execution.sim.broker import SimBroker
from plimsoll.engine.execution.terms import Terms
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.derive import TRADING
from plimsoll.engine.market.calendar import next_session
from plimsoll.engine.market.complete import with_empty
from plimsoll.engine.market.extend import extend_leveraged
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.instruments import instrument
from plimsoll.engine.market.panel import DataWarning, Panel
from plimsoll.engine.market.window import Cursor
from plimsoll.engine.portfolio.book import Pipeline
from plimsoll.engine.portfolio.direct import Direct
from plimsoll.engine.portfolio.integrator import Integrator
from plimsoll.engine.portfolio.legacy.integrator import Legacy
from plimsoll.engine.portfolio.settings import make_settings
from plimsoll.engine.runtime.bill import bill_returns, refuse_short_bill
from plimsoll.engine.runtime.flows import read_flows
from plimsoll.engine.runtime.needs import available, needs_of
from plimsoll.engine.runtime.resolve import make_strategy
from plimsoll.engine.sleeve.sleeve import Sleeve
from plimsoll.engine.sleeve.strategy import Available, Strategy
from plimsoll.engine.types import Floats, Ints


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything a loop needs.

    first : the first bar traded; the decision before it is made at the close of first - 1.
    bill : (T,) return on cash per bar; bill_name its symbol, or "".
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


def make_strategies(config: Config, given: Mapping[str, Strategy] | None = None) -> dict[str, Strategy]:
    """Return the strategy of every sleeve by its name; `given` objects take the place of configured ones."""
    given = given or {}
    return {
        sleeve.name: make_strategy(
            given.get(sleeve.name, sleeve.strategy), sleeve.params, where=f"sleeve {sleeve.name!r}"
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


def build(config: Config, panel: Panel, strategies: Mapping[str, Strategy]) -> Setup:
    """Wire a run.

    Raises
    ------
    ConfigError, DataError
        If a symbol is missing, the span does not overlap the data, or the warm-up does not fit.
    """
    return assemble(config, prepare(config, panel, strategies))


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


def assemble(config: Config, market: Market) -> Setup:
    """Put sleeves, integrator, planner and simulator on a market.

    Raises
    ------
    ConfigError, DataError
        If the span does not overlap the data, or the warm-up does not fit.
    """
    feed, bill, daily = market.feed, market.bill, market.daily
    panel = feed.panel
    terms = terms_of(config, panel.symbols)
    book = open_book(config.run.cash, terms)
    cursor = Cursor()
    quarantine = {sleeve.name: sleeve.on_error == "quarantine" for sleeve in config.sleeve}
    sleeves = [
        Sleeve(name, strategy, feed, bill, cursor, quarantine=quarantine[name])
        for name, strategy in sorted(market.strategies.items())
    ]
    first = market.first
    if first is None:
        ready = [(begins_at(feed, sleeve.columns), sleeve.strategy.warmup_bars) for sleeve in sleeves]
        first = first_bar(config, panel, ready)
        _refuse_early_flows(config, panel, daily, first)
    planner = Planner(
        feed, daily, terms,
        min_notional=config.execution.min_notional,
        at_close=config.execution.fill == "next_close",
        symbols=panel.symbols,
    )  # fmt: skip
    integrator = make_integrator(config, feed, sleeves, terms, daily, market.calendar)
    system = System(feed, cursor, sleeves, integrator, planner)
    broker = SimBroker(feed, daily, book, id_prefix=f"{config.run.name}-{config.digest[:8]}")
    warnings = panel.warnings + _bill_warnings(market.bill_name, panel, first) + market.warnings
    warnings += _end_warnings(config, panel)
    return Setup(config, panel, feed, system, broker, first, bill, market.bill_name, warnings)


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


def make_integrator(
    config: Config, feed: Feed, sleeves: Sequence[Sleeve], terms: Terms, daily: Floats, calendar: Panel
) -> Integrator:
    """Return the integrator of the configured preset; only the clock and the columns of `calendar` matter."""
    maintenance = terms.maintenance
    if config.integrator.preset == "direct":
        return Direct(config.band, maintenance)
    if config.integrator.preset == "legacy":
        return Legacy(feed)
    settings = make_settings(config, calendar, sleeves, maintenance)
    return Pipeline(feed, settings, (terms.half_spread, terms.rules(), daily), [sleeve.name for sleeve in sleeves])


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


def _daily_table(config: Config, panel: Panel, bill: Floats) -> Floats:
    clock = panel.clock
    daily = np.zeros((layout.DAILY, panel.n_bars))
    daily[layout.BILL] = bill
    daily[layout.DAY] = np.where(clock.first_bar, 1.0 / 252.0, 0.0)
    fee_schedule(clock.session, daily)
    if config.account.flows is not None:
        daily[layout.FLOW] = read_flows(config.account.flows, clock)
    return daily


def terms_of(config: Config, symbols: Sequence[str]) -> Terms:
    """Return what the configured account and costs mean for each symbol."""
    costs, account, execution = config.costs, config.account, config.execution
    real = costs.preset == "us_etf"
    for where, named in (("costs.tier", costs.tier), ("account.leverage", account.leverage)):
        for symbol in named:
            if symbol not in symbols:
                raise ConfigError(
                    f"symbol {symbol!r} is not in this run", where=where, fix=did_you_mean(symbol, symbols)
                )
    tiers = [costs.tier.get(symbol, instrument(symbol).tier) for symbol in symbols]
    leverage = np.array([abs(account.leverage.get(symbol, instrument(symbol).leverage)) for symbol in symbols])
    half_spread = np.array([costs.half_spread_bps.get(tier, 0.0) for tier in tiers]) * 1e-4 * costs.stress
    return Terms(
        half_spread=half_spread if real else np.zeros(len(symbols)),
        maintenance_long=np.minimum(account.maintenance_long * np.maximum(leverage, 1.0), 1.0),
        maintenance_short=np.minimum(account.maintenance_short * np.maximum(leverage, 1.0), 1.0),
        flat_rate=costs.flat_bps * 1e-4 if costs.preset == "flat" else 0.0,
        per_share=costs.commission_per_share if real else 0.0,
        impact=costs.impact * costs.stress if real else 0.0,
        fees=real,
        max_participation=execution.max_participation,
        fractional=execution.fractional,
        qty_step=10.0**-execution.qty_decimals,
        carry=execution.unfilled == "carry",
        size_at_fill=execution.sizing == "fill",
        margin_account=account.type == "reg_t",
        margin_spread=config.financing.margin_spread_bps * 1e-4,
        borrow_rate=config.financing.borrow_bps * 1e-4,
    )


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


def begins_at(feed: Feed, columns: Ints) -> int:
    """Return the first bar with a row of any of the columns; the number of bars if there is none."""
    rows = np.flatnonzero((feed.status[:, columns] == TRADING).any(axis=1))
    return int(rows[0]) if len(rows) else feed.panel.n_bars


def first_bar(config: Config, panel: Panel, ready: Sequence[tuple[int, int]]) -> int:
    """Return the first bar traded; ready: for each sleeve the bar its data begin at and the warm-up it needs.

    Raises
    ------
    DataError
        If the history is too short, saying what the earliest start could be.
    """
    session = panel.clock.session
    # in a book the others join when they have history
    earliest = max(min(begins + max(warmup, 1) for begins, warmup in ready), 1)
    start = config.run.start
    if start is not None and np.datetime64(start) > session[-1]:
        raise DataError(f"start {start} is after the last session of the data, {session[-1]}", where="run.start")
    if earliest >= panel.n_bars:
        raise DataError(
            f"the strategy needs {earliest} bars of history before it trades, and the data has {panel.n_bars}",
            where=f"{session[0]} to {session[-1]}",
            fix="use more history, or a shorter lookback",
        )
    first = earliest if start is None else int(np.searchsorted(session, np.datetime64(start)))
    if first < earliest:
        raise DataError(
            f"start {start} leaves {first} of the {earliest} bars of history the strategy needs",
            where="run.start",
            fix=f"the earliest possible start is {session[earliest]}",
        )
    return first
