"""What a run is looked at beside where its configuration names nothing: SPY and a bill fund, if the data hold them.

Neither enters the run. A symbol that the run did not load is read by itself, after it, from the same source: the
account, the panel and its hash are what they are without.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import DataError
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.panel import DataWarning, Panel
from plimsoll.engine.market.said import Said
from plimsoll.engine.market.source import open_source
from plimsoll.engine.runtime.beside import Span, SpanReturns, span_of, symbol_returns
from plimsoll.engine.runtime.bill import HELD_SESSIONS, bill_returns, first_bars, held_sessions
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Dates, Floats

BENCHMARK: Final = "SPY"
# Funds of Treasury bills, the longest history first; the first that covers a run is its risk-free rate.
BILLS: Final = ("BIL", "SGOV")


@dataclass(frozen=True, slots=True)
class _Seen:
    """A panel that holds a symbol, with its returns, and the bars of it that a run's sessions fall on.

    of : sessions of the run.
    """

    feed: Feed
    run: slice
    of: int

    @property
    def panel(self) -> Panel:
        """The panel."""
        return self.feed.panel

    def dated(self, name: str, found: SpanReturns) -> pd.Series:
        """Return session returns with their dates."""
        sessions = np.unique(self.panel.clock.session[self.run])[found.start : found.start + len(found.values)]
        return pd.Series(found.values, index=pd.DatetimeIndex(sessions, name="session"), name=name)

    def span(self, role: str, name: str, held: int = 0) -> Span:
        """Return where the symbol begins and ends."""
        known = ~np.isnan(self.panel.close[:, self.panel.column(name)])
        found = span_of(role, name, known, self.panel.clock, self.run, held)
        return replace(found, of=self.of, by_default=True)


def with_defaults(record: Record, config: Config, feed: Feed, *, from_source: bool) -> Record:
    """Return a record with the benchmark and the risk-free rate that its configuration leaves open.

    feed : of the run's panel. from_source : whether the panel came from the configured source, so that a symbol it
    lacks may be read from there.

    The benchmark is SPY. The risk-free rate is the return of the first of `BILLS` that has a row before the run's
    first session and none missing at its end, and is taken only where `financing.cash_rate` is 0: what cash earns
    stays as configured. A file that cannot be read leaves the default out, with a warning.
    """
    wanted = _wanted(config)
    if not wanted or not len(record.sessions):
        return record
    seen, warnings = _look(wanted, config, feed, record.sessions, from_source=from_source)
    spans = list(record.spans)
    benchmark, bill = record.benchmark, record.bill
    if BENCHMARK in wanted and (found := seen.get(BENCHMARK)) is not None:
        returns = symbol_returns(found.panel, found.feed.ret, BENCHMARK, found.run)
        if len(returns.values):
            benchmark = found.dated(BENCHMARK, returns)
            spans.insert(0, found.span("benchmark", BENCHMARK))
    bills = [name for name in BILLS if name in wanted and name in seen]
    if (chosen := next((one for one in bills if _covers(seen[one], one, record.sessions)), None)) is not None:
        bill = _bill(seen[chosen], chosen)
        held = held_sessions(seen[chosen].panel, chosen, seen[chosen].run)
        spans.insert(sum(span.role == "benchmark" for span in spans), seen[chosen].span("bill", chosen, held))
    elif bills:
        warnings += (_uncovered(seen[bills[0]], bills[0]),)
    return replace(record, benchmark=benchmark, bill=bill, spans=tuple(spans), warnings=record.warnings + warnings)


def _wanted(config: Config) -> tuple[str, ...]:
    rate_open = config.financing.cash_rate == 0.0 and config.report.risk_free == "auto"
    return ((BENCHMARK,) if config.run.benchmark is None else ()) + (BILLS if rate_open else ())


def _look(
    wanted: tuple[str, ...], config: Config, feed: Feed, sessions: Dates, *, from_source: bool
) -> tuple[dict[str, _Seen], tuple[DataWarning, ...]]:
    """Return where each symbol is, if anywhere, and a warning for each file that cannot be used."""
    places: dict[str, Feed] = {name: feed for name in wanted if _has_rows(feed.panel, name)}
    elsewhere = [name for name in wanted if name not in places] if from_source else []
    warnings = []
    for name in _offered(elsewhere, config):
        try:
            places[name] = Feed(_alone(name, config))
        except DataError as error:
            text = f"not looked at beside the run: {error}"
            warnings.append(DataWarning("default_left_out", name, text))
    found = {name: _Seen(place, _bars(place.panel, sessions), len(sessions)) for name, place in places.items()}
    return {name: one for name, one in found.items() if one.run.stop > one.run.start}, tuple(warnings)


def _has_rows(panel: Panel, name: str) -> bool:
    return name in panel.symbols and not bool(np.isnan(panel.close[:, panel.column(name)]).all())


def _offered(names: Iterable[str], config: Config) -> list[str]:
    data, names = config.data, list(names)
    if not names:
        return []
    offer = open_source(data.source, data.path, as_of=data.as_of).offers(data.interval)
    return [name for name in names if name in offer.symbols]


def _alone(name: str, config: Config) -> Panel:
    data = config.data
    said = Said(data.prices, data.confirmed, data.label or "left", data.extended_hours or "refuse")
    source = open_source(data.source, data.path, as_of=data.as_of)
    return source.load((name,), (), interval=data.interval, end=config.run.end, seed=config.run.seed, said=said)


def _bars(panel: Panel, sessions: Dates) -> slice:
    """Return the bars of a panel from a run's first session to its last."""
    days = panel.clock.session
    first, last = np.searchsorted(days, sessions[0]), np.searchsorted(days, sessions[-1], side="right")
    return slice(int(first), int(last))


def _covers(seen: _Seen, name: str, sessions: Dates) -> bool:
    """Whether a series has a return on a run's first session, and its last row within `HELD_SESSIONS` of the end."""
    days = seen.panel.clock.session
    rows = np.flatnonzero(~np.isnan(seen.panel.close[:, seen.panel.column(name)]))
    missing = int(np.count_nonzero(sessions > days[rows[-1]]))
    return bool(days[rows[0]] < sessions[0] and days[-1] >= sessions[-1]) and missing <= HELD_SESSIONS


def _bill(seen: _Seen, name: str) -> pd.Series:
    """Return a bill series' return per session; where it has no row, what `bill_returns` says cash would earn."""
    panel, column = seen.panel, seen.panel.column(name)
    per_bar: Floats = bill_returns(seen.feed.ret[:, column], ~np.isnan(panel.close[:, column]), panel.clock, None)
    firsts = first_bars(panel.clock)
    firsts = firsts[(firsts >= seen.run.start) & (firsts < seen.run.stop)] - seen.run.start
    values: Floats = np.multiply.reduceat(1.0 + per_bar[seen.run], firsts) - 1.0
    return seen.dated(name, SpanReturns(0, values))


def _uncovered(seen: _Seen, name: str) -> DataWarning:
    span = seen.span("bill", name)
    text = f"the risk-free rate is 0: {name} has rows from {span.first} to {span.last}, which does not cover the run"
    return DataWarning("no_bill_rate", name, text)
