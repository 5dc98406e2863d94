"""The run in the terminal: one table of figures, what deserves attention, where the files are."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plimsoll.engine.report.metrics import ladder_words as words
from plimsoll.engine.report.metrics.intraday import intraday_text
from plimsoll.engine.report.metrics.labels import DASH, HEADLINE, SERIES, counted, shown
from plimsoll.engine.report.metrics.notices import banners, span_text, warning_lines
from plimsoll.engine.report.metrics.regime_off import regime_off_text
from plimsoll.engine.report.metrics.target import target_text
from plimsoll.engine.runtime.record import Record

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def print_summary(
    record: Record,
    metrics: Mapping[str, Any],
    *,
    console: "Console | None" = None,
    folder: Path | None = None,
    luck: Sequence[str] = (),
) -> None:
    """Print the run to `console`, standard output if None; `luck` : what is known of other tries, in sentences."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = console if console is not None else Console(highlight=False)
    run = metrics["run"]
    out.print(Text(record.name, style="bold"), Text(span_text(run)))
    for text, style in banners(record, metrics):
        out.print(Text(text, style=style))
    out.print(_figures(metrics))
    if metrics["ladder"] is not None and metrics["ladder"]["rungs"]:
        out.print(_ladder(metrics["ladder"]))
    notes = [("Luck", text, "") for text in luck] + _lines(record, metrics)
    notes += _ladder_lines(metrics["ladder"])
    told = [counted(name, value) for name, value in record.counts.items() if value]
    counts = [f"{words[:1].lower()}{words[1:]} {text}" for words, text in told if text != "0.00%"]
    if counts:
        notes.append(("Counts", ", ".join(counts), "yellow"))
    notes += [("Warning", line, "yellow") for line in warning_lines(record.warnings)]
    grid = Table.grid(padding=(0, 2))
    for label, text, style in notes:
        grid.add_row(Text(label, style=style), Text(text, style=style))
    out.print(grid)
    if folder is not None:
        out.print(Text(f"Files     {folder}"), soft_wrap=True)


def _figures(metrics: Mapping[str, Any]) -> "Table":
    from rich import box
    from rich.table import Table

    bench = metrics["benchmark"]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("net", justify="right", style="bold")
    table.add_column("before costs", justify="right")
    if bench is not None:
        table.add_column(str(bench["symbol"]), justify="right")
    for key, label, kind in SERIES:
        if key not in HEADLINE:
            continue
        row = [label, shown(metrics[key], kind), shown(metrics["gross_of_costs"][key], kind)]
        if bench is not None:
            row.append(shown(bench[key], kind))
        table.add_row(*row)
    return table


def _ladder(block: Mapping[str, Any]) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for position, label in enumerate(words.BRIEF_HEAD):
        table.add_column(label, justify="right" if position else "left", no_wrap=position == 0)
    for rung in block["rungs"]:
        table.add_row(*words.brief_row(rung, block["own"]), style="bold" if rung["name"] == block["own"] else None)
    return table


def _ladder_lines(block: Mapping[str, Any] | None) -> list[tuple[str, str, str]]:
    if block is None:
        return []
    style = "yellow" if block["ships"] not in (None, block["own"]) else ""
    lines = [("Ladder", text, style) for text in words.verdicts(block)]
    return lines + [("Ladder", text, "yellow") for text in words.remarks(block)]


def _lines(record: Record, metrics: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    run, exposure, costs = metrics["run"], metrics["exposure"], metrics["costs"]
    conventions, relative = metrics["conventions"], metrics["relative"]
    flows = f", deposits less withdrawals {shown(run['net_flows'], 'usd')}" if run["net_flows"] else ""
    gross, turnover = exposure["gross"], metrics["turnover"]["two_sided_per_year"]
    money = f"{shown(run['starting_cash'], 'usd')} to {shown(run['final_equity'], 'usd')} USD{flows}"
    look = exposure["look_through_gross"]
    held = (
        f"gross {shown(gross['mean'], 'percent')} on average, {shown(gross['max'], 'percent')} at most; looked through "
        f"{shown(look['mean'], 'percent')} and {shown(look['max'], 'percent')}; "
        f"in the market {shown(exposure['time_in_market'], 'percent')}"
    )
    trading = (
        f"{run['fills']:,} fills of {run['orders']:,} orders; turnover {shown(turnover, 'ratio')} a year (two-sided); "
        f"costs {shown(costs['drag_bps_per_year'], 'bps')} bps a year, {shown(costs['total'], 'usd')} USD"
    )
    interest, borrow = costs["financing_bps_per_year"], costs["borrow_bps_per_year"]
    if (interest or 0.0) + (borrow or 0.0) > 0.0:
        trading += f"; financing: margin {shown(interest, 'bps')} bps a year, borrow {shown(borrow, 'bps')}"
    lines = [("Money", money, ""), ("Exposure", held, ""), ("Trading", trading, "")]
    if metrics["intraday"] is not None:
        lines.append(("Intraday", intraday_text(metrics["intraday"]), ""))
    if metrics["target"] is not None:
        lines.insert(2, ("Target", target_text(metrics["target"]), ""))
    if metrics["regime_off"] is not None:
        lines.append(("Stage 6", regime_off_text(metrics["regime_off"]), ""))
    if relative is not None:
        ratio = shown(relative["information_ratio"], "ratio")
        beta, alpha = shown(relative["beta"], "ratio"), shown(relative["alpha_ann"], "percent")
        symbol = metrics["benchmark"]["symbol"]
        text = f"to {symbol}: beta {beta}, alpha {alpha} a year, information ratio {ratio}"
        lines.append(("Relative", text, ""))
    lines += [("Series", span.text, "") for span in record.spans]
    reading = (
        f"{conventions['periods_per_year']:.0f} sessions a year, ddof {conventions['ddof']}, rf for Sharpe over bills: "
        f"{conventions['risk_free']}; {DASH} = not defined"
    )
    return [*lines, ("Reading", reading, "")]
