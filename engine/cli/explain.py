"""`plimsoll explain`."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from plimsoll.engine.research.explain import Explanation
from plimsoll.engine.verbs.explain import explain

if TYPE_CHECKING:
    from rich.console import Console

# Fewer columns than this beside the numbers are no room for a reason: it goes below them.
ROOM: Final = 40
INDENT: Final = 8


def run_explain(run: Path, symbol: str | None, session: str | None, data: Path | None, *, as_json: bool) -> None:
    """Print why a decision's orders are what they are, as wide as the terminal is."""
    found = explain(run, session, symbol, data)
    if as_json:
        sys.stdout.write(json.dumps([asdict(one) for one in found], indent=2) + "\n")
        return
    from rich.console import Console

    console = Console(highlight=False)
    if not found:
        console.print("nothing was held, wanted or traded")
        return
    console.print(f"Decision at the close of {found[0].session}\n")
    if symbol is None:
        _print_all(console, found)
    else:
        _print_one(console, found[0])


def _print_all(console: "Console", found: list[Explanation]) -> None:
    from rich.table import Table
    from rich.text import Text

    stages = [step.stage.partition("_")[0] for step in found[0].steps]
    heads = ["symbol", "held", *stages, "order", "at"]
    rows = [_numbers(one) for one in found]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    if sum(widths) + len(widths) + ROOM <= console.width:
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
        for head in heads:
            table.add_column(head, justify="left" if head == "symbol" else "right", no_wrap=True)
        table.add_column("moved by", overflow="fold")
        for one, row in zip(found, rows, strict=True):
            table.add_row(*row, Text(_why(one)))
        console.print(table)
        return
    for one, row in zip(found, rows, strict=True):
        order = "no order" if row[-2] == "-" else f"order {row[-2]} at {row[-1]}"
        path = ", ".join(f"{name} {value}" for name, value in zip(stages, row[2:-2], strict=True))
        lines = [f"{one.symbol:{INDENT - 1}s} held {row[1]}, {order}"]
        for text in (path, _why(one)):
            lines += wrap(text, console.width, initial_indent=" " * INDENT, subsequent_indent=" " * INDENT)
        console.print("\n".join(lines), markup=False, soft_wrap=True)


def _numbers(one: Explanation) -> list[str]:
    """Return what a row shows: symbol, weights held and after each stage, the order, the price."""
    weights = [f"{100 * value:z.2f}%" for value in (one.held, *(step.weight for step in one.steps))]
    return [one.symbol, *weights, f"{one.order:+z.4f}" if one.order else "-", f"{one.price:.2f}"]


def _why(one: Explanation) -> str:
    return "; ".join(said for said in (one.moved_by, one.note) if said) or "nothing"


def _print_one(console: "Console", one: Explanation) -> None:
    from rich.table import Table
    from rich.text import Text

    head = f"{one.symbol}  held {one.held:z.4%}, order {one.order:+z.6f} shares at {one.price:.2f}"
    console.print(Text(head, style="bold"), Text(f"moved by {_why(one)}\n"), sep="\n")
    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    for justify in ("left", "right", "right"):
        table.add_column(justify=justify, no_wrap=True)
    table.add_column(overflow="fold")
    for step in one.steps:
        change = f"{100 * step.change:+z.4f}%" if step.change else ""
        table.add_row(f"  {step.stage}", f"{100 * step.weight:z.4f}%", change, Text(step.why))
    console.print(table)
    if one.without:
        console.print("\nThe order if one stage were passed over:")
    for stage, order in one.without.items():
        same = "  (the same)" if order == one.order else ""
        console.print(f"  without {stage:17s} {order:+z16.6f}{same}", markup=False)
    for what, why in one.kept.items():
        console.print(f"  {what} cannot be passed over: {why}", markup=False)
