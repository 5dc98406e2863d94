"""The page's tables of what hurt, what might, and how much money it takes: drawdowns, crises, quantiles, capacity."""

from collections.abc import Mapping
from typing import Any

from plimsoll.engine.report.metrics.labels import shown
from plimsoll.engine.report.metrics.quantiles import SHARES
from plimsoll.engine.report.tearsheet.page_table import PageTable


def drawdown_table(metrics: Mapping[str, Any]) -> PageTable:
    """Return the worst drawdowns."""
    rows = [
        (
            str(rank),
            shown(row["depth"], "percent"),
            row["peak"] or "start",
            row["trough"],
            row["recovery"] or "open",
            shown(row["sessions_to_trough"], "count"),
            shown(row["sessions_to_recovery"], "count"),
            shown(row["sessions"], "count"),
        )
        for rank, row in enumerate(metrics["drawdowns"], start=1)
    ]
    head = ("", "Depth", "Peak", "Trough", "Recovered", "To trough", "To recovery", "Sessions")
    return PageTable("Worst drawdowns", head, rows)


def crisis_table(metrics: Mapping[str, Any]) -> PageTable:
    """Return what the run did in known falls of the market, and in its own worst."""
    bench = metrics["benchmark"]
    rows = [
        (
            row["name"] if row["whole"] else f"{row['name']} (in part)",
            row["start"],
            row["end"],
            shown(row["sessions"], "count"),
            shown(row["total_return"], "percent"),
            *((shown(row["benchmark"], "percent"),) if bench else ()),
            shown(row["max_drawdown"], "percent"),
        )
        for row in metrics["crises"]
    ]
    head = ("", "Close of", "To", "Sessions", "Return", *((bench["symbol"],) if bench else ()), "Max drawdown within")
    note = (
        "From the closing high of the S&P 500 to its closing low; the last row from the run's own peak to its trough."
    )
    return PageTable("Crisis windows", head, rows, note)


def quantile_table(metrics: Mapping[str, Any]) -> PageTable:
    """Return quantiles of returns by horizon."""
    names = {0.0: "Worst", 0.5: "Median", 1.0: "Best"}
    head = ("Return of a", "Number", *(names.get(share, f"{share:z.0%}") for share in SHARES))
    rows = [
        (row["horizon"], shown(row["count"], "count"), *(shown(value, "percent") for value in row["quantiles"]))
        for row in metrics["quantiles"]
    ]
    note = "Months and years of the calendar; the first and the last as far as the run has them."
    return PageTable("Quantiles of returns", head, rows, note)


def capacity_table(metrics: Mapping[str, Any]) -> PageTable | None:
    """Return how costs grow with the money; None where nothing was traded."""
    block = metrics["capacity"]
    if block is None:
        return None
    rows = [
        ("Mean equity of the run, USD", shown(block["equity_mean"], "count")),
        ("Impact, bps a year", shown(block["impact"] * 1e4, "bps")),
        ("Trading costs in all, bps a year", shown(block["costs"] * 1e4, "bps")),
        ("Assets at which impact is twice that, USD", shown(block["impact_doubles_usd"], "count")),
        ("Assets at which trading costs are twice that, USD", shown(block["costs_double_usd"], "count")),
    ]
    note = (
        "The cost model has no impact: capacity is not measured."
        if block["impact_doubles_usd"] is None
        else "By the square-root law, the same trades in a larger account; caps on participation are left out."
    )
    return PageTable("Capacity", ("", ""), rows, note)
