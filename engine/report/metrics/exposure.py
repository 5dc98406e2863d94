"""What was held, traded and paid, as blocks of the metrics."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from plimsoll.engine.kernels.cost import COST_COLUMNS
from plimsoll.engine.market.instruments import instrument
from plimsoll.engine.report.metrics import book
from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.returns import Figures
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Floats

CARRY_KINDS: Final = ("financing", "borrow")


def exposure_block(record: Record) -> Figures:
    """Return exposure at session closes as fractions of equity.

    `look_through` counts a leveraged fund with its daily multiple: 10% of a 3x fund is 30%, of a -3x fund -30% net. So
    do the shares of time; those of what the funds are worth are called `notional`.
    """
    gross, net, held = record.close_of("gross"), record.close_of("net"), record.held()
    leverage = _leverage(record)
    look_net, look_gross = _weighted(held, leverage), _weighted(np.abs(held), np.abs(leverage))
    equity = record.close_of("equity")
    cash = np.divide(record.close_of("cash"), equity, out=np.full(len(equity), m.NAN), where=equity > 0.0)
    positions = np.sum(np.abs(held) > book.DUST, axis=1).astype(np.float64)
    return {
        "time_in_market": book.share_of(gross > book.DUST),
        "gross": book.spread_of(gross),
        "net": book.spread_of(net),
        "cash": book.spread_of(cash),
        "look_through_gross": book.spread_of(look_gross),
        "look_through_net": book.spread_of(look_net),
        "time_levered": book.share_of(look_gross > 1.0 + 1e-6),
        "time_gross_above_1_5": book.share_of(look_gross > 1.5),
        "time_levered_notional": book.share_of(gross > 1.0 + 1e-6),
        "time_gross_above_1_5_notional": book.share_of(gross > 1.5),
        "time_net_short": book.share_of(look_net < -book.DUST),
        "positions": book.spread_of(positions),
        "effective_n": book.spread_of(book.effective_n(held))["mean"],
        "effective_n_entropy": book.spread_of(book.effective_n_entropy(held))["mean"],
    }


def _leverage(record: Record) -> Floats:
    """Return (N,) the daily multiple of each fund, signed; the account's own word on its size goes first."""
    given: Mapping[str, Any] = record.config.get("account", {}).get("leverage", {})
    known = np.array([instrument(str(symbol)).leverage for symbol in record.weights.columns], dtype=np.float64)
    size = np.array([given.get(str(symbol), np.nan) for symbol in record.weights.columns], dtype=np.float64)
    return np.where(np.isnan(size), known, np.where(known < 0.0, -np.abs(size), size))


def _weighted(held: Floats, factor: Floats) -> Floats:
    total: Floats = np.sum(held * factor[None, :], axis=1)
    return total


def turnover_block(record: Record) -> Figures:
    """Return how much was traded, in multiples of equity a year and in dollars."""
    traded = record.column("traded")
    two_sided = book.per_year(traded, record.base, len(record.rows))
    block = {
        "two_sided_per_year": two_sided,
        "one_way_per_year": two_sided / 2.0,
        "traded": float(np.sum(traded)),
        "sessions_with_trades": int(np.sum(record.session_sum(traded) > 0.0)),
        "orders": len(record.orders),
        "fills": len(record.fills),
    }
    return m.annualised(block, len(record.rows))


def costs_block(record: Record, cagr_lost: float) -> Figures:
    """Return what trading and carrying cost, in dollars and in basis points of equity a year."""
    n, base = len(record.rows), record.base
    costs, traded = record.column("costs"), float(np.sum(record.column("traded")))
    out: Figures = {
        "total": float(np.sum(costs)),
        "drag_bps_per_year": book.per_year(costs, base, n) * 1e4,
        "cagr_lost": cagr_lost,
        "per_traded_bps": float(np.sum(costs)) / traded * 1e4 if traded > 0.0 else None,
    }
    for kind in COST_COLUMNS + CARRY_KINDS:
        amounts = record.column(kind)
        out[kind] = float(np.sum(amounts))
        out[f"{kind}_bps_per_year"] = book.per_year(amounts, base, n) * 1e4
    return m.annualised(out, n)


def pnl_block(record: Record) -> Figures:
    """Return where the money came from: the parts sum to the change of equity.

    `unexplained` is what the parts leave over; it is rounding, or a defect.
    """
    parts: Figures = {
        "flow": float(np.sum(record.column("flow"))),
        "price_pnl": float(np.sum(record.column("price_pnl"))),
        "dividends": float(np.sum(record.column("dividends"))),
        "interest": float(np.sum(record.column("interest"))),
        "financing": -float(np.sum(record.column("financing"))),
        "borrow": -float(np.sum(record.column("borrow"))),
        "costs": -float(np.sum(record.column("costs"))),
    }
    equity = record.column("equity")
    final = float(equity[-1]) if len(equity) else record.cash
    return {
        "starting_cash": record.cash,
        **parts,
        "final_equity": final,
        "unexplained": final - record.cash - sum(parts.values()),
    }


def sleeves_block(record: Record) -> Figures:
    """Return each sleeve's own notional result, gross of costs, status at the end, average allocation, skill.

    skill_known is the share of decisions at which it had one.
    """
    out: Figures = {}
    known, status = _skill_known(record), _status_at_the_end(record)
    for name in sleeve_names(record):
        entry: Figures = {"status": status[name]} if name in status else {}
        equity = _sleeve_column(record, name, "equity")
        weight = _sleeve_column(record, name, "weight")
        if equity is not None and len(equity) > 1 and np.all(np.isfinite(equity)) and np.all(equity > 0.0):
            returns = equity[1:] / equity[:-1] - 1.0
            figures = {
                "total_return": m.total_return(returns),
                "cagr": m.cagr(returns),
                "vol_ann": m.vol_ann(returns),
                "sharpe": m.sharpe(returns),
                "max_drawdown": m.max_drawdown(returns),
            }
            entry |= m.annualised(figures, len(returns))
        if weight is not None:
            entry["weight"] = book.spread_of(weight)
        if name in known:
            entry["skill_known"] = known[name]
        out[name] = entry
    return out


def _skill_known(record: Record) -> dict[str, float]:
    """Return each sleeve's share of decisions at which it had a skill; nothing where no stage 1 runs."""
    table = record.diagnostics
    rows = table.loc[table["sleeve"] == "book", "name"].value_counts()
    if "rung" not in rows:
        return {}
    return {name: float(rows.get(f"skill.{name}", 0) / rows["rung"]) for name in sleeve_names(record)}


def _status_at_the_end(record: Record) -> dict[str, str]:
    """Return what each configured sleeve of a book was at the last session; the other presets know no statuses."""
    if record.config.get("integrator", {}).get("preset") != "book" or not len(record.sessions):
        return {}
    before = {"promoted": "incubating", "quarantined": "promoted"}
    last, out = str(record.sessions[-1]), {}
    for section in record.config["sleeve"]:
        status = section.get("status", "promoted")
        begun = section.get("since") is None or section["since"] <= last
        out[section["name"]] = status if begun else before.get(status, status)
    return out


def sleeve_names(record: Record) -> list[str]:
    """Return the sleeves in the order of their columns."""
    return list(dict.fromkeys(str(column).rpartition(".")[0] for column in record.sleeves.columns))


def _sleeve_column(record: Record, sleeve: str, part: str) -> Floats | None:
    column = f"{sleeve}.{part}"
    if column not in record.sleeves.columns or len(record.sleeves) != len(record.equity):
        return None
    values: Floats = record.sleeves[column].to_numpy(dtype=np.float64)[record.rows]
    return values
