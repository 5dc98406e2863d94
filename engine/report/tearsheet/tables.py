"""The page's tables as rows of finished text."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from plimsoll.engine.kernels.cost import COST_COLUMNS
from plimsoll.engine.report.metrics.book import DUST
from plimsoll.engine.report.metrics.diagnostic_words import words_for
from plimsoll.engine.report.metrics.intraday import intraday_text
from plimsoll.engine.report.metrics.labels import (
    COST_TITLES,
    DASH,
    EXPOSURE,
    PNL,
    RELATIVE,
    SERIES,
    SPREADS,
    TURNOVER,
    Label,
    as_read,
    count_shown,
    counted,
    shown,
    title,
)
from plimsoll.engine.report.metrics.notices import warning_lines
from plimsoll.engine.report.metrics.regime_off import COMPARED
from plimsoll.engine.report.metrics.target import TAKERS
from plimsoll.engine.report.tearsheet.first_screen import contributors, vouched, what_ran, worth_acting_on
from plimsoll.engine.report.tearsheet.headline import MONTHS, month_rows, tiles
from plimsoll.engine.report.tearsheet.page_table import PageTable
from plimsoll.engine.report.tearsheet.risk_tables import capacity_table, crisis_table, drawdown_table, quantile_table
from plimsoll.engine.runtime.record import Record

MAX_ROWS: Final = 30
_STATISTICS: Final = {"days": "sessions on", "ratio": "share of sessions on", "mean": "mean", "last": "last"}


def page_tables(record: Record, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything on the page that is text."""
    return {
        "tiles": tiles(metrics),
        "ran": what_ran(record, metrics),
        "vouched": vouched(record),
        "acted_on": worth_acting_on(record, metrics),
        "contributors": contributors(record),
        "months": month_rows(metrics),
        "month_names": MONTHS,
        "drawdowns": drawdown_table(metrics),
        "crises": crisis_table(metrics),
        "quantiles": quantile_table(metrics),
        "capacity": capacity_table(metrics),
        "years": year_table(metrics),
        "series": series_table(metrics),
        "relative": block_table(f"Against {metrics['benchmark']['symbol']}", metrics["relative"], RELATIVE)
        if metrics["relative"]
        else None,
        "spans": span_table(record),
        "exposure": exposure_table(metrics),
        "target": target_table(metrics),
        "regime_off": regime_off_table(metrics),
        "exposure_shares": block_table("Time and breadth", metrics["exposure"], EXPOSURE),
        "turnover": block_table("Trading", metrics["turnover"], TURNOVER),
        "costs": cost_table(metrics),
        "pnl": block_table("Where the money came from, USD", metrics["pnl"], PNL),
        "symbols": symbol_table(record),
        "sleeves": sleeve_table(metrics),
        "notes": notes_table(metrics),
        "counts": [(*counted(name, value), bool(value)) for name, value in record.counts.items()],
        "warnings": warning_lines(record.warnings),
        "conventions": [(title(name), str(value)) for name, value in metrics["conventions"].items()],
        "facts": fact_rows(record, metrics),
    }


def year_table(metrics: Mapping[str, Any]) -> PageTable:
    """Return one row per calendar year."""
    bench = metrics["benchmark"]
    head = ("Year", "Return", *((bench["symbol"],) if bench else ()), "Volatility", "Sharpe", "Max drawdown")
    rows = [
        (
            str(row["year"]),
            shown(row["total_return"], "percent"),
            *((shown(row["benchmark"], "percent"),) if bench else ()),
            shown(row["vol_ann"], "percent"),
            shown(row["sharpe"], "ratio"),
            shown(row["max_drawdown"], "percent"),
            shown(row["turnover"], "ratio"),
            shown(row["cost_bps"], "bps"),
            shown(row["sessions"], "count"),
        )
        for row in metrics["by_year"]
    ]
    return PageTable("By calendar year", (*head, "Turnover", "Costs, bps", "Sessions"), rows)


def series_table(metrics: Mapping[str, Any]) -> PageTable:
    """Return every statistic of the account net and before costs, and of the benchmark."""
    bench = metrics["benchmark"]
    blocks = [metrics, metrics["gross_of_costs"], *([bench] if bench else [])]
    head = ("", "Net", "Before costs", *((bench["symbol"],) if bench else ()))
    rows = [(label, *(shown(block[key], kind) for block in blocks)) for key, label, kind in SERIES]
    return PageTable("Returns", head, rows)


def block_table(caption: str, block: Mapping[str, Any], labels: Sequence[Label]) -> PageTable:
    """Return a two-column table of one block."""
    return PageTable(caption, ("", ""), [(label, shown(block[key], kind)) for key, label, kind in labels])


def span_table(record: Record) -> PageTable | None:
    """Return where benchmark, bill series and indicators begin and end; None without any."""
    rows = [
        (
            f"{span.name}, {span.role}{', by default' if span.by_default else ''}",
            span.first or DASH,
            span.last or DASH,
            f"{span.sessions:,} of {span.of:,}",
            shown(span.held, "count"),
        )
        for span in record.spans
    ]
    head = ("", "First row", "Last row", "Sessions with a row", "Last rate held, sessions")
    return PageTable("Series beside the account", head, rows) if rows else None


def exposure_table(metrics: Mapping[str, Any]) -> PageTable:
    """Return mean, median, minimum and maximum of each exposure."""
    block = metrics["exposure"]
    parts = ("mean", "median", "min", "max")
    rows = [(label, *(shown(block[key][part], kind) for part in parts)) for key, label, kind in SPREADS]
    return PageTable("Exposure at session closes", ("", "Mean", "Median", "Min", "Max"), rows)


def target_table(metrics: Mapping[str, Any]) -> PageTable | None:
    """Return what kept a book from the volatility it aims at; None for a run that aims at none."""
    block = metrics["target"]
    if block is None:
        return None
    rows = [
        ("Target volatility a year, mean", shown(block["sigma_p"], "percent")),
        ("Realised over target", shown(block["realised_over_target"], "ratio")),
        *((f"Taken by {name}", shown(block["taken"][key], "percent")) for key, name in TAKERS.items()),
        ("Took most", DASH if block["responsible"] is None else TAKERS[block["responsible"]]),
    ]
    return PageTable("The volatility target", ("", ""), rows, "Of the exposure that the target calls for.")


def regime_off_table(metrics: Mapping[str, Any]) -> PageTable | None:
    """Return the book as it is beside itself with stage 6 off; None where the report was not asked to."""
    block = metrics["regime_off"]
    if block is None:
        return None
    rows = [] if block["why"] else COMPARED
    cells = [(label, *(shown(block[side][key], kind) for side in ("on", "off"))) for key, label, kind in rows]
    return PageTable("What the regime changes", ("", "As run", "Stage 6 off"), cells, block["why"])


def cost_table(metrics: Mapping[str, Any]) -> PageTable:
    """Return the costs by kind, in dollars and in basis points of equity a year."""
    costs = metrics["costs"]
    rows = [
        (label, shown(costs[kind], "usd"), shown(costs[f"{kind}_bps_per_year"], "bps"))
        for kind, label in COST_TITLES.items()
    ]
    rows.append(("Trading costs in all", shown(costs["total"], "usd"), shown(costs["drag_bps_per_year"], "bps")))
    return PageTable("Costs", ("", "USD", "bps a year"), rows, _cost_note(costs))


def _cost_note(costs: Mapping[str, Any]) -> str:
    """Return what is known of the costs in all, as one sentence; "" if nothing is."""
    parts = []
    if costs["per_traded_bps"] is not None:
        parts.append(f"{shown(costs['per_traded_bps'], 'bps')} bps of traded notional")
    if costs["cagr_lost"] is not None:
        parts.append(f"they took {shown(costs['cagr_lost'], 'percent')} off the CAGR")
    return f"{'; '.join(parts)}." if parts else ""


def symbol_table(record: Record) -> PageTable:
    """Return weights, trades and costs per symbol, the largest average weight first."""
    held = record.held()
    names = [str(column) for column in record.weights.columns]
    size = np.abs(held).mean(axis=0) if len(held) else np.zeros(len(names))
    traded, paid, fills = _per_symbol(record.fills)
    involved = [k for k in range(len(names)) if size[k] > DUST or names[k] in fills]
    order = sorted(involved, key=lambda k: (-size[k], names[k]))
    rows = [
        (
            names[k],
            shown(held[-1, k], "percent"),
            shown(held[:, k].mean(), "percent"),
            shown(held[:, k].min(), "percent"),
            shown(held[:, k].max(), "percent"),
            shown(fills.get(names[k], 0), "count"),
            shown(traded.get(names[k], 0.0), "usd"),
            shown(paid.get(names[k], 0.0), "usd"),
        )
        for k in order[:MAX_ROWS]
    ]
    more = len(order) - len(rows)
    note = f"{more} more symbols are in weights and fills." if more > 0 else ""
    head = ("Symbol", "Last", "Mean", "Min", "Max", "Fills", "Traded, USD", "Costs, USD")
    return PageTable("By symbol", head, rows, note)


def _per_symbol(fills: pd.DataFrame) -> tuple[dict[str, float], dict[str, float], dict[str, int]]:
    if len(fills) == 0:
        return {}, {}, {}
    codes, found = pd.factorize(fills["symbol"])
    notional = np.abs(fills["qty"].to_numpy(np.float64) * fills["price"].to_numpy(np.float64))
    paid = np.zeros(len(fills))
    for kind in COST_COLUMNS:
        paid = paid + fills[kind].to_numpy(np.float64)
    names = [str(name) for name in found]
    sums = [np.bincount(codes, weights=values, minlength=len(names)).tolist() for values in (notional, paid)]
    counts = np.bincount(codes, minlength=len(names)).tolist()
    traded, costs = (dict(zip(names, values, strict=True)) for values in sums)
    return traded, costs, dict(zip(names, counts, strict=True))


def sleeve_table(metrics: Mapping[str, Any]) -> PageTable | None:
    """Return the sleeves' own results; None without sleeves."""
    blocks = metrics["sleeves"]
    if not blocks:
        return None
    kinds: tuple[Label, ...] = tuple(
        label for label in SERIES if label[0] in ("total_return", "cagr", "vol_ann", "sharpe", "max_drawdown")
    )
    ranked = [name for name, block in blocks.items() if "skill_known" in block]
    head = ("Sleeve", *(label for _, label, _ in kinds), "Mean weight", *(("Skill known",) if ranked else ()))
    rows = [
        (
            name if block.get("status") in (None, "promoted") else f"{name} ({block['status']})",
            *(shown(block.get(key), kind) for key, _, kind in kinds),
            shown((block.get("weight") or {}).get("mean"), "percent"),
            *((shown(block.get("skill_known"), "percent"),) if ranked else ()),
        )
        for name, block in blocks.items()
    ]
    without = [name for name in ranked if blocks[name]["skill_known"] == 0.0]
    note = f"Never tilted by skill, which takes five symbols to rank: {', '.join(without)}." if without else ""
    return PageTable("Sleeves, notional and gross of costs", head, rows, note)


def notes_table(metrics: Mapping[str, Any]) -> PageTable | None:
    """Return the diagnostics in figures; None without any."""
    rows = []
    for sleeve, block in metrics["diagnostics"].items():
        for key, value in block.items():
            name, _, what = key.rpartition("_")
            words, kind = words_for(sleeve, name)
            share = what == "ratio" or (kind == "percent" and what != "days")
            text = shown(value, "percent") if share else as_read(f"{value:,.0f}" if what == "days" else f"{value:.4g}")
            rows.append((sleeve, f"{words}: {_STATISTICS.get(what, what)}", text))
    return PageTable("Diagnostics in figures", ("Sleeve", "Figure", "Value"), rows) if rows else None


def fact_rows(record: Record, metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what the run was made from."""
    run = metrics["run"]
    rows = [
        ("Run", record.run_id),
        ("Config hash", record.config_hash),
        ("Data hash", record.data_hash),
        ("Data source", record.source or "–"),
        ("Interval", record.interval if metrics["intraday"] is None else intraday_text(metrics["intraday"])),
        ("Decisions", count_shown(run["decisions"])),
    ]
    seen = {"config_hash", "data_hash"}
    for key, value in record.env.items():
        if isinstance(value, dict):
            rows.append((title(str(key)), ", ".join(f"{name} {item}" for name, item in value.items())))
        elif key not in seen:
            rows.append((title(str(key)), str(value)))
    return rows
