"""The page's section on the ladder: each way of sharing the book beside an equal share of risk."""

from collections.abc import Mapping
from typing import Any

from plimsoll.engine.report.metrics import ladder_words as words
from plimsoll.engine.report.metrics.ladder import ladder_returns
from plimsoll.engine.report.metrics.returns import growth
from plimsoll.engine.report.page.figure_parts import Figure, line, percent_axis, series_colour, thin
from plimsoll.engine.report.tearsheet.page_table import PageTable
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.runtime.rung import BENCHMARK, TITLES


def ladder_section(record: Record, metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return figure, table, verdicts and remarks of the ladder; None where none was asked for."""
    block = metrics["ladder"]
    if block is None:
        return None
    return {
        "figure": ladder_figure(record, block),
        "table": ladder_table(block),
        "verdicts": words.verdicts(block),
        "remarks": words.remarks(block),
    }


def ladder_figure(record: Record, block: Mapping[str, Any]) -> Figure:
    """Return the growth of each rung over that of 1/N-risk, less 1."""
    title, series = "Growth relative to 1/N-risk, net of costs", ladder_returns(record)
    others = [name for name in series if name != BENCHMARK]
    if BENCHMARK not in series or not others or not len(record.sessions):
        why = "Nothing can be compared: see the remarks below."
        return Figure("ladder_growth", title, why, empty=why)
    at, base = thin(len(record.sessions)), growth(series[BENCHMARK])[1:]
    data, last = [], []
    for rank, name in enumerate(others):
        ahead = growth(series[name])[1:] / base - 1.0
        width = {"width": 2.4} if name == block["own"] else {}
        data.append(line(TITLES[name], "thin", ahead[at], series_colour(rank), line=width))
        last.append(f"{TITLES[name]} {ahead[-1]:+z.2%}")
    alt = f"Line chart of each way of sharing the book relative to 1/N-risk; at the end: {', '.join(last)}."
    return Figure("ladder_growth", title, alt, data, percent_axis("ahead of 1/N-risk"), height=300)


def ladder_table(block: Mapping[str, Any]) -> PageTable:
    """Return a row per rung."""
    rows = [words.row(rung, block["own"]) for rung in block["rungs"]]
    note = (
        f"Standard errors by {block['draws']:,} samples of paired blocks of {block['block_sessions']} sessions, seed "
        f"{block['seed']}; beyond two of them a difference counts. Of five compared at once, one stands out by chance "
        "alone in up to a fifth of cases. 1/N-risk: equal shares between sleeves of one volatility; 1/N: equal "
        "shares between sleeves that keep their own."
    )
    return PageTable("The same sleeves, the book shared in other ways, net of costs", words.head(), rows, note)
