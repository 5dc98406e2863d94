"""The page's section on round trips and on where the money came from."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from plimsoll.engine.report.metrics.labels import DASH, STAGES, Label, shown
from plimsoll.engine.report.tearsheet.page_table import PageTable
from plimsoll.engine.runtime.record import Record

MAX_ROWS: Final = 30
EXTREMES: Final = 5
OUTCOME: Final[tuple[Label, ...]] = (
    ("closed", "Closed", "count"),
    ("win_rate", "Win rate", "percent"),
    ("expectancy", "Expectancy: mean result, USD", "usd"),
    ("profit_factor", "Profit factor: won over lost", "ratio"),
    ("mean_win", "Mean win, USD", "usd"),
    ("mean_loss", "Mean loss, USD", "usd"),
    ("payoff", "Payoff: mean win over mean loss", "ratio"),
    ("best", "Best, USD", "usd"),
    ("worst", "Worst, USD", "usd"),
    ("longest_win_streak", "Longest streak of wins", "count"),
    ("longest_loss_streak", "Longest streak of losses", "count"),
)
OF_TRADES: Final[tuple[Label, ...]] = (
    ("mean_return", "Mean return on what was paid", "percent"),
    ("mean_sessions", "Mean sessions held", "ratio"),
    ("median_sessions", "Median sessions held", "ratio"),
    ("mean_mae", "Mean worst price against it (MAE)", "percent"),
    ("worst_mae", "Worst price against one", "percent"),
    ("mean_mfe", "Mean best price for it (MFE)", "percent"),
    ("open_pnl", "Result so far of what is open, USD", "usd"),
)
MONEY: Final = ("price", "dividends", "interest", "financing", "costs", "pnl")
MONEY_HEAD: Final = ("Price", "Dividends", "Interest", "Financing", "Costs", "Net, USD")
OF_SYMBOLS: Final = (
    "Net = price + dividends + interest − financing − costs. Financing: the borrow fee of shorts; of the interest "
    "on a debit each long bears its part of all longs."
)
OF_SLEEVES: Final = (
    "A sleeve: the weights that it is given, held from each decision's close to the next one's. A stage: what it "
    "changed in them. (execution): what the account held beyond the last target, "
    "by fills at other prices, drift, lots, money."
)


def trades_section(record: Record, metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the tables of round trips and of profit; None for a run that never traded."""
    if len(record.trades) == 0:
        return None
    return {
        "outcome": outcome_table(metrics["trades"]),
        "extremes": extremes_table(record.trades),
        "symbols": money_table("Profit by symbol", record.pnl_by_symbol, "Symbol", OF_SYMBOLS),
        "sleeves": money_table("Profit by sleeve and stage", record.pnl_by_sleeve, "Part", OF_SLEEVES)
        if len(record.pnl_by_sleeve)
        else None,
    }


def outcome_table(block: Mapping[str, Any]) -> PageTable:
    """Return the figures of round trips beside those of whole positions."""
    whole = block["positions"]
    rows = [(label, shown(block[key], kind), shown(whole[key], kind)) for key, label, kind in OUTCOME]
    rows.append(("Open at the end", shown(block["open"], "count"), shown(block["positions_open"], "count")))
    rows += [(label, shown(block[key], kind), DASH) for key, label, kind in OF_TRADES]
    note = (
        "Net of financing and costs. A trade is a part of a position from its purchase to its sale, first in, first "
        "out; a position counts from flat to flat. MAE and MFE by the bars' lows and highs. All are in trades.csv."
    )
    return PageTable("Round trips", ("", "Trades", "Positions"), rows, note)


def extremes_table(trades: pd.DataFrame) -> PageTable:
    """Return the closed trades that made and that lost most."""
    closed = trades[~trades["open"]].sort_values("pnl", ascending=False, kind="stable")
    best = closed[closed["pnl"] > 0.0].head(EXTREMES)
    worst = closed[closed["pnl"] < 0.0].tail(EXTREMES)
    rows = [_trade_row(row) for row in [*best.to_dict("records"), *worst.to_dict("records")]]
    head = ("Symbol", "Side", "Shares", "From", "To", "Paid", "Sold at", "Sessions", "Net, USD", "Return", "MAE", "MFE")
    return PageTable("The best and the worst trades", head, rows)


def _trade_row(row: Mapping[Any, Any]) -> tuple[str, ...]:
    return (
        str(row["symbol"]),
        str(row["side"]),
        shown(row["qty"], "usd"),
        f"{row['entry']:%Y-%m-%d}",
        f"{row['exit']:%Y-%m-%d}",
        shown(row["entry_price"], "usd"),
        shown(row["exit_price"], "usd"),
        shown(row["sessions"], "count"),
        shown(row["pnl"], "usd"),
        shown(row["ret"], "percent"),
        *(DASH if pd.isna(row[name]) else shown(row[name], "percent") for name in ("mae", "mfe")),
    )


def money_table(caption: str, table: pd.DataFrame, first: str, note: str = "") -> PageTable:
    """Return a table of profit with its sum; beyond so many rows the ones in the middle are one row."""
    rows = list(table.iterrows())
    if len(rows) > MAX_ROWS:
        top, low = rows[: MAX_ROWS // 2], rows[-(MAX_ROWS // 2) :]
        between = table.iloc[MAX_ROWS // 2 : -(MAX_ROWS // 2)]
        rows = [*top, (f"{len(between)} more", between.sum()), *low]
    cells = [(STAGES.get(str(name), str(name)), *(shown(row[key], "usd") for key in MONEY)) for name, row in rows]
    cells.append(("Sum", *(shown(table[key].sum(), "usd") for key in MONEY)))
    return PageTable(f"{caption}, USD", (first, *MONEY_HEAD), cells, note)
