"""What a run is looked at beside: benchmark, bill series and indicators, each over the span that it has."""

import numpy as np
import pandas as pd

from plimsoll.engine.errors import DataError
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.beside import Span, SpanReturns, span_of, symbol_returns
from plimsoll.engine.runtime.bill import held_sessions


def benchmark_of(setup: Setup, span: slice) -> SpanReturns | None:
    """Return the benchmark's total returns over the part of the traded span that it covers; None without one.

    Raises
    ------
    DataError
        If it has no return within the span.
    """
    symbol, session = setup.config.run.held_against, setup.panel.clock.session
    if symbol is None:
        return None
    found = symbol_returns(setup.panel, setup.feed.ret, symbol, span)
    if not len(found.values):
        raise DataError(
            f"benchmark {symbol} has no return between {session[span.start]} and {session[span.stop - 1]}",
            where="run.benchmark",
            cause="its rows end before the run begins, or begin after it ends",
            fix="choose another benchmark, or a span that it has rows in",
        )
    return found


def bill_of(setup: Setup, span: slice) -> SpanReturns | None:
    """Return what cash earned per session of the traded span by the bill series; None without one."""
    if not setup.bill_name:
        return None
    index = setup.panel.clock.session_index[span]
    firsts = np.flatnonzero(np.concatenate(([True], index[1:] != index[:-1])))
    return SpanReturns(0, np.multiply.reduceat(1.0 + setup.bill[span], firsts) - 1.0)


def dated(setup: Setup, name: str | None, found: SpanReturns | None, span: slice) -> pd.Series | None:
    """Return the same with a date to each return."""
    if found is None:
        return None
    sessions = np.unique(setup.panel.clock.session[span])[found.start : found.start + len(found.values)]
    return pd.Series(found.values, index=pd.DatetimeIndex(sessions, name="session"), name=name)


def spans_of(setup: Setup, span: slice) -> tuple[Span, ...]:
    """Return where the series beside the account begin and end."""
    panel, bill = setup.panel, setup.bill_name
    named = [("benchmark", setup.config.run.held_against, 0)]
    named += [("bill", bill, held_sessions(panel, bill, span))] if bill else []
    known = ~np.isnan(panel.close)
    out = [
        span_of(role, name, known[:, panel.column(name)], panel.clock, span, held) for role, name, held in named if name
    ]
    for column, name in enumerate(panel.indicators):
        out.append(span_of("indicator", name, ~np.isnan(panel.indicator[:, column]), panel.clock, span))
    return tuple(out)
