"""`plimsoll explain`."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from plimsoll.engine.research.explain import Explanation
from plimsoll.engine.verbs.explain import explain

if TYPE_CHECKING:
    from rich.console import Console


def run_explain(run: Path, symbol: str | None, session: str | None, data: Path | None, *, as_json: bool) -> None:
    """Print why a decision's orders are what they are."""
    found = explain(run, session, symbol, data)
    if as_json:
        sys.stdout.write(json.dumps([asdict(one) for one in found], indent=2) + "\n")
        return
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    if not found:
        console.print("nothing was held, wanted or traded")
        return
    console.print(f"Decision at the close of {found[0].session}\n")
    if symbol is None:
        _print_table(console, found)
    else:
        _print_one(console, found[0])


def _print_table(console: "Console", found: list[Explanation]) -> None:
    from rich.table import Table

    console.width = max(console.width, 160)
    table = Table(box=None, pad_edge=False)
    table.add_column("symbol", no_wrap=True)
    for name in ("held", *(step.stage.partition("_")[0] for step in found[0].steps), "order", "at"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("moved most by", no_wrap=True)
    for one in found:
        moved = max(one.steps[1:], key=lambda step: abs(step.change))
        why = f"{moved.stage}: {moved.why}" if moved.change else "nothing"
        weights = [f"{100 * value:.2f}%" for value in (one.held, *(step.weight for step in one.steps))]
        order = f"{one.order:+.4f}" if one.order else "-"
        table.add_row(one.symbol, *weights, order, f"{one.price:.2f}", (one.note or why)[:60])
    console.print(table)


def _print_one(console: "Console", one: Explanation) -> None:
    console.print(f"[bold]{one.symbol}[/bold]  held {one.held:.4%}, order {one.order:+.6f} shares at {one.price:.2f}\n")
    for step in one.steps:
        change = f"{100 * step.change:+8.4f}%" if step.change else " " * 9
        console.print(f"  {step.stage:14s} {100 * step.weight:9.4f}%  {change}  {step.why}", markup=False)
    if one.note:
        console.print(f"\n  {one.note}", markup=False)
    if one.without:
        console.print("\nThe order if one stage were passed over:")
    for stage, order in one.without.items():
        same = "  (the same)" if order == one.order else ""
        console.print(f"  without {stage:17s} {order:+16.6f}{same}", markup=False)
    for what, why in one.kept.items():
        console.print(f"  {what} cannot be passed over: {why}", markup=False)
