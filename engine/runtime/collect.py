"""From a finished loop to the result a user gets."""

import platform
from typing import Any

import numpy as np
import pandas as pd

from plimsoll.engine.execution.sim.order_table import STATUSES, OrderTable
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account.ledger import bar_costs
from plimsoll.engine.kernels.account.order import ORDER_COLUMNS
from plimsoll.engine.kernels.account.plan import BELOW_MINIMUM, NO_PRICE, ROUNDED_AWAY
from plimsoll.engine.kernels.cost import COST_COLUMNS, COSTS
from plimsoll.engine.kernels.derive import DELISTED, OUTSIDE
from plimsoll.engine.market.panel import DataWarning
from plimsoll.engine.market.universe import LEFT
from plimsoll.engine.runtime.alongside import benchmark_of, bill_of, dated, spans_of
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.backtest import Track
from plimsoll.engine.runtime.bill import held_sessions
from plimsoll.engine.runtime.counts import book_counts, unbound_volatility
from plimsoll.engine.runtime.overridden import overridden_caps
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.runtime.run_facts import EQUITY_COLUMNS
from plimsoll.engine.runtime.run_prices import run_prices
from plimsoll.engine.runtime.sleeve_pnl import sleeve_parts
from plimsoll.engine.runtime.unfilled import unfilled_warnings
from plimsoll.engine.types import Floats

_COUNTERS = {
    "margin_calls": layout.MARGIN_CALLS,
    "negative_cash_closes": layout.NEGATIVE_CASH,
    "partial_fills": layout.PARTIAL_FILLS,
    "expired_orders": layout.EXPIRED_ORDERS,
    "fills_with_unknown_volume": layout.VOLUME_UNKNOWN,
    "fills_with_unknown_impact": layout.IMPACT_UNKNOWN,
    "delisted_positions_sold": layout.DELISTED_COUNT,
    "orders_cut_at_fill": layout.CUT_AT_FILL,
    "withdrawals_paid_late": layout.LATE_PAYMENTS,
}
# Why an order is as `STATUSES` says it is.
_REASONS = (
    "still working at the end",
    "",
    "participation cap, or the other leg waits",
    "no row, no volume, or above the participation cap",
    "replaced by a newer decision, or delisted",
)
_SKIPPED = {
    "orders_below_minimum": BELOW_MINIMUM,
    "orders_without_price": NO_PRICE,
    "orders_rounded_away": ROUNDED_AWAY,
}


def collect(setup: Setup, track: Track) -> Record:
    """Make the tables of a run from what the loop and the simulator recorded."""
    config, panel = setup.config, setup.panel
    span = slice(setup.first, track.last + 1)
    index = pd.DatetimeIndex(panel.clock.stamp[span], name="session")
    orders = setup.broker.order_table()
    warnings = setup.warnings + _run_warnings(setup, track, orders)
    return Record(
        name=config.run.name,
        run_id=f"{config.run.name}-{config.digest[:8]}",
        equity=_equity(setup, index, span),
        weights=pd.DataFrame(setup.broker.held[span], index=index, columns=list(panel.symbols)),
        targets=_targets(setup, track),
        orders=_orders(setup, orders),
        fills=_fills(setup, orders),
        sleeves=_sleeves(setup, track, index, span),
        diagnostics=pd.concat([_diagnostics(setup, index, span), _decisions(setup, track)], ignore_index=True),
        trace=_trace(setup, track),
        cash=config.run.cash,
        session_last=panel.clock.last_bar[span],
        benchmark=dated(setup, config.run.held_against, benchmark_of(setup, span), span),
        bill=dated(setup, setup.bill_name, bill_of(setup, span), span),
        spans=spans_of(setup, span),
        config=config.of_run().plain(),
        config_toml=config.of_run().toml(),
        config_hash=config.digest,
        data_hash=panel.data_hash,
        synthetic=panel.synthetic,
        source=panel.source,
        interval=panel.clock.interval,
        warnings=warnings,
        counts=_counts(setup, track),
        env=environment(setup),
        ruined=track.ruined,
        prices=run_prices(panel, span),
        parts=sleeve_parts(
            [sleeve.name for sleeve in setup.system.sleeves],
            setup.system.integrator.stages,
            track.decisions,
            setup.first,
            panel.close,
        ),
    )


def environment(setup: Setup) -> dict[str, Any]:
    """Return what a reader needs to run this again: versions, hashes, seed, when the data were known."""
    as_of, known_at = setup.config.data.as_of, setup.panel.known_at
    return {
        "versions": versions(),
        "machine": platform.machine(),
        **({"as_of": as_of} if as_of is not None else {}),
        **({"known_at": known_at} if known_at else {}),
        "data_hash": setup.panel.data_hash,
        "config_hash": setup.config.digest,
        "seed": setup.config.run.seed,
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that make the numbers."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for name in ("plimsoll", "numpy", "pandas", "numba", "exchange_calendars"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _equity(setup: Setup, index: pd.DatetimeIndex, span: slice) -> pd.DataFrame:
    rec = setup.broker.rec[span]
    frame = pd.DataFrame(rec, index=index, columns=list(layout.RECORD_COLUMNS))
    equity = rec[:, layout.R_EQUITY]
    safe = np.where(equity > 0.0, equity, np.inf)
    frame["equity_gross"] *= setup.config.run.cash
    frame["gross"] = (rec[:, layout.R_LONG] + rec[:, layout.R_SHORT]) / safe
    frame["net"] = (rec[:, layout.R_LONG] - rec[:, layout.R_SHORT]) / safe
    frame["costs"] = bar_costs(rec)
    return frame[list(EQUITY_COLUMNS)]


def _targets(setup: Setup, track: Track) -> pd.DataFrame:
    n = setup.panel.n_symbols
    rows = np.array([decision.target.weights for decision in track.decisions]).reshape(len(track.decisions), n)
    stamps = setup.panel.clock.stamp[[decision.t for decision in track.decisions]]
    return pd.DataFrame(rows, index=pd.DatetimeIndex(stamps, name="session"), columns=list(setup.panel.symbols))


def _orders(setup: Setup, table: OrderTable) -> pd.DataFrame:
    shown = {"id": np.array(table.ids, dtype=object)}
    for name, column in ORDER_COLUMNS.items():
        if column.shown:
            shown |= _order_columns(setup, name, getattr(table.rows, name))
    shown["status"] = np.array(STATUSES, dtype=object)[table.status]
    shown["filled"] = table.filled
    shown["reason"] = np.array(_REASONS, dtype=object)[table.status]
    for row in np.flatnonzero(setup.feed.status[table.rows.bar, table.rows.col] == OUTSIDE):
        said = _departure(setup, int(table.rows.bar[row]), int(table.rows.col[row]))
        shown["reason"][row] = "; ".join(filter(None, (said, shown["reason"][row])))
    return pd.DataFrame(shown)


def _departure(setup: Setup, bar: int, column: int) -> str:
    """Return why a symbol that is outside the universe at a bar is sold."""
    symbol, session = setup.panel.symbols[column], str(setup.panel.clock.session[bar])
    told = [w.text for w in setup.warnings if w.kind == LEFT and w.symbol == symbol and w.session <= session]
    return told[-1].removeprefix(f"{symbol} ") if told else "left the universe"


def _order_columns(setup: Setup, name: str, values: Any) -> dict[str, Any]:
    """Return the columns in which a run's table shows one of its orders' columns."""
    if name == "bar":
        return {"session": setup.panel.clock.stamp[values]}
    if name == "col":
        return {"symbol": np.array(setup.panel.symbols, dtype=object)[values]}
    if name == "qty":
        return {"side": np.where(values < 0.0, "sell", "buy").astype(object), "qty": values}
    if name == "at_close":
        kinds = [f"market/{fill}" for fill in ("next_open", "next_close")]
        return {"kind": np.array(kinds, dtype=object)[values.astype(np.int64)]}
    return {name: values}


def _fills(setup: Setup, orders: OrderTable) -> pd.DataFrame:
    fills = setup.broker.fills
    ids = np.array([*orders.ids, ""], dtype=object)  # -1: no order asked for it
    costs = {
        column: sum(fills[:, layout.F_COSTS + k] for k, cost in enumerate(COSTS) if cost.column == column)
        for column in COST_COLUMNS
    }
    return pd.DataFrame(
        {
            "session": setup.panel.clock.stamp[fills[:, layout.F_BAR].astype(np.int64)],
            "symbol": np.array(setup.panel.symbols, dtype=object)[fills[:, layout.F_COLUMN].astype(np.int64)],
            "qty": fills[:, layout.F_QTY],
            "price": fills[:, layout.F_PRICE],
            **costs,
            "order_id": ids[fills[:, layout.F_ORDER].astype(np.int64)],
        }
    )


def _sleeves(setup: Setup, track: Track, index: pd.DatetimeIndex, span: slice) -> pd.DataFrame:
    columns: dict[str, Floats] = {}
    for sleeve in setup.system.sleeves:
        sleeve.tracker.catch_up()
        columns[f"{sleeve.name}.equity"] = sleeve.tracker.path[span, 0]
        columns[f"{sleeve.name}.drawdown"] = sleeve.tracker.path[span, 1]
        columns[f"{sleeve.name}.weight"] = _share(setup, track, sleeve.name, span)
    return pd.DataFrame(columns, index=index)


def _share(setup: Setup, track: Track, name: str, span: slice) -> Floats:
    """Return the share of the book that a sleeve had at each close; an equal one where no stage 1 runs."""
    facts = setup.system.integrator.facts
    whole = np.full(setup.panel.n_bars, 1.0 / len(setup.system.sleeves))
    if f"share.{name}" in facts:
        at = facts.index(f"share.{name}")
        whole[:] = np.nan
        for decision in track.decisions:
            whole[decision.t] = decision.target.facts[at]
    return whole[span]


def _diagnostics(setup: Setup, index: pd.DatetimeIndex, span: slice) -> pd.DataFrame:
    parts = []
    for sleeve in setup.system.sleeves:
        for column, name in enumerate(sleeve.strategy.diagnostics):
            values = sleeve.notes[span, column]
            known = ~np.isnan(values)
            parts.append(
                pd.DataFrame({"session": index[known], "sleeve": sleeve.name, "name": name, "value": values[known]})
            )
    if not parts:
        return pd.DataFrame({"session": index[:0], "sleeve": [], "name": [], "value": np.empty(0)})
    return pd.concat(parts, ignore_index=True)


def _decisions(setup: Setup, track: Track) -> pd.DataFrame:
    """Return the integrator's own figures of every decision, as diagnostics of a sleeve called "book"."""
    names = setup.system.integrator.facts
    if not names or not track.decisions:
        return pd.DataFrame({"session": pd.DatetimeIndex([]), "sleeve": [], "name": [], "value": np.empty(0)})
    table = np.array([decision.target.facts for decision in track.decisions])
    stamps = setup.panel.clock.stamp[[decision.t for decision in track.decisions]]
    row, column = np.nonzero(~np.isnan(table.T))
    return pd.DataFrame(
        {
            "session": pd.DatetimeIndex(stamps)[column],
            "sleeve": "book",
            "name": np.array(names, dtype=object)[row],
            "value": table.T[row, column],
        }
    )


def _trace(setup: Setup, track: Track) -> pd.DataFrame:
    """Return the weights after each stage, a row per decision and symbol that any stage gives or takes weight."""
    stages = setup.system.integrator.stages
    bars, cols, values = [], [], []
    for decision in track.decisions:
        touched = np.flatnonzero(decision.target.trace.any(axis=1))
        bars.append(np.full(len(touched), decision.t))
        cols.append(touched)
        values.append(decision.target.trace[touched])
    bar = np.concatenate([np.empty(0, dtype=np.int64), *bars])
    col = np.concatenate([np.empty(0, dtype=np.int64), *cols])
    table = np.concatenate([np.empty((0, len(stages))), *values])
    frame = pd.DataFrame(table, columns=list(stages))
    frame.insert(0, "session", setup.panel.clock.stamp[bar])
    frame.insert(1, "symbol", np.array(setup.panel.symbols, dtype=object)[col])
    return frame


def _counts(setup: Setup, track: Track) -> dict[str, int | float]:
    scal = setup.broker.book.scal
    counts: dict[str, int | float] = {name: int(scal[row]) for name, row in _COUNTERS.items()}
    why = np.concatenate([np.empty(0, dtype=np.int8), *(decision.plan.why for decision in track.decisions)])
    counts |= {name: int(np.count_nonzero(why == code)) for name, code in _SKIPPED.items()}
    counts["decisions"] = len(track.decisions)
    counts["decisions_scaled_to_affordable"] = sum(decision.plan.phi < 1.0 for decision in track.decisions)
    counts["decisions_scaled_to_margin"] = sum(decision.target.forced for decision in track.decisions)
    facts = setup.system.integrator.facts
    counts |= book_counts(facts, track.decisions)
    counts |= unbound_volatility(facts, track.decisions, setup.broker.rec[:, layout.R_RET])
    if setup.bill_name:
        span = slice(setup.first, track.last + 1)
        counts["bill_rate_held_sessions"] = held_sessions(setup.panel, setup.bill_name, span)
    counts["sleeves_disabled"] = sum(warning.kind == "sleeve_disabled" for warning in setup.warnings)
    counts["sleeves_quarantined"] = sum(bool(sleeve.failure) for sleeve in setup.system.sleeves)
    return counts


def _run_warnings(setup: Setup, track: Track, orders: OrderTable) -> tuple[DataWarning, ...]:
    found = [DataWarning("quarantined", "", s.failure) for s in setup.system.sleeves if s.failure]
    fills, status = setup.broker.fills, setup.feed.status
    for row in fills[fills[:, layout.F_ORDER] < 0.0]:
        bar, col = int(row[layout.F_BAR]), int(row[layout.F_COLUMN])
        if status[bar, col] != DELISTED:
            continue
        symbol, session = setup.panel.symbols[col], str(setup.panel.clock.session[bar])
        shares, price = -row[layout.F_QTY], row[layout.F_PRICE]
        text = f"no row for six sessions: {shares:.6g} shares booked as sold at the last close {price:.6g}"
        found.append(DataWarning("delisted", symbol, text, session))
    if track.ruined:
        session = str(setup.panel.clock.session[track.last])
        found.append(DataWarning("ruined", "", "equity fell to zero or below: liquidated and stopped", session))
    found += unfilled_warnings(setup, track.last, orders)
    found += overridden_caps(setup.config, setup.system.integrator.facts, track.decisions)
    return tuple(found)
