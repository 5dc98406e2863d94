"""The page's headline figures and its monthly heat map as finished text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from plimsoll.engine.report.metrics.labels import DASH, Kind, shown

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# A month this far from zero has the full colour of the heat map.
FULL_COLOUR: Final = 0.08


@dataclass(frozen=True, slots=True)
class MonthCell:
    """One month of the heat map: its text, sign and strength of colour in 0..1."""

    text: str
    sign: str
    strength: str


@dataclass(frozen=True, slots=True)
class Tile:
    """One headline figure and what it is compared with."""

    label: str
    value: str
    beside: str
    tone: str = ""


def tiles(metrics: Mapping[str, Any]) -> list[Tile]:
    """Return the headline figures, each beside the benchmark's or its own detail."""
    bench = metrics["benchmark"]

    def against(key: str, kind: Kind) -> str:
        return "" if bench is None else f"{bench['symbol']} {shown(bench[key], kind)}"

    costs, turnover, exposure = metrics["costs"], metrics["turnover"], metrics["exposure"]
    gross, look = exposure["gross"], exposure["look_through_gross"]
    total = metrics["total_return"]
    tone = "bad" if total < 0 else "good"
    deepest = metrics["drawdowns"][0] if metrics["drawdowns"] else None
    fall = "" if deepest is None else f"{deepest['peak'] or 'start'} to {deepest['trough']}"
    most = f"most {shown(gross['max'], 'ratio')} · look-through {shown(look['mean'], 'ratio')}"
    per_traded = costs["per_traded_bps"]
    return [
        Tile("Total return", shown(total, "percent"), against("total_return", "percent"), tone),
        Tile("CAGR", shown(metrics["cagr"], "percent"), against("cagr", "percent")),
        Tile("Ann. volatility", shown(metrics["vol_ann"], "percent"), against("vol_ann", "percent")),
        Tile("Max drawdown", shown(metrics["max_drawdown"], "percent"), against("max_drawdown", "percent") or fall),
        Tile("Sharpe", shown(metrics["sharpe"], "ratio"), _joined(against("sharpe", "ratio"), _chance(metrics))),
        Tile("Final equity", shown(metrics["run"]["final_equity"], "count"), "USD"),
        Tile("Mean gross", _with_unit(gross["mean"], "ratio", "×"), most),
        Tile("Turnover a year", _with_unit(turnover["two_sided_per_year"], "ratio", "×"), "two-sided"),
        Tile(
            "Trading costs a year",
            _with_unit(costs["drag_bps_per_year"], "bps", " bps"),
            "" if per_traded is None else f"{shown(per_traded, 'bps')} bps of what is traded",
        ),
        Tile("Financing a year", *_financing(costs)),
    ]


def _financing(costs: Mapping[str, Any]) -> tuple[str, str]:
    """Return what carrying the book costs beside its trades: interest on debt and fees for borrowed shares."""
    interest, borrow = costs["financing_bps_per_year"], costs["borrow_bps_per_year"]
    total = None if interest is None or borrow is None else interest + borrow
    parts = f"margin {shown(interest, 'bps')}, borrow {shown(borrow, 'bps')}"
    return _with_unit(total, "bps", " bps"), "" if total is None else parts


def _chance(metrics: Mapping[str, Any]) -> str:
    """Return the probability that the true Sharpe is above 0, short enough for a tile; "" where there is none."""
    alone = metrics["probabilistic_sharpe"]
    if alone is None:
        return ""
    return f"true above 0: {'<1%' if alone < 0.005 else '>99%' if alone >= 0.995 else f'{alone:z.0%}'}"


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _with_unit(value: float | None, kind: Kind, unit: str) -> str:
    return DASH if value is None else f"{shown(value, kind)}{unit}"


def month_rows(metrics: Mapping[str, Any]) -> list[tuple[str, list[MonthCell], MonthCell]]:
    """Return (year, twelve cells, the year's cell) of the heat map, latest year first."""
    totals = {str(row["year"]): row["total_return"] for row in metrics["by_year"]}
    return [
        (year, [_cell(value) for value in months], _cell(totals[year], 3.0))
        for year, months in reversed(list(metrics["monthly"].items()))
    ]


def _cell(value: float | None, scale: float = 1.0) -> MonthCell:
    if value is None:
        return MonthCell("", "none", "0")
    strength = min(1.0, abs(value) / (FULL_COLOUR * scale))
    sign = "up" if value > 0.0 else "down" if value < 0.0 else "none"
    return MonthCell(shown(value * 100.0, "bps"), sign, f"{strength:z.2f}")
