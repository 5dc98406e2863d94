"""`plimsoll plan`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from plimsoll.engine.cli.options import RunOptions, command_host, effective_config
from plimsoll.engine.cli.progress import progress_bar
from plimsoll.engine.live.day_plan import DayPlan, order_row
from plimsoll.engine.live.emit import alone, check_time, orders_csv, target_of, write_orders
from plimsoll.engine.verbs.plan import plan

if TYPE_CHECKING:
    from rich.console import Console

_HEADS = ("wave", "symbol", "side", "qty", "type", "limit", "price", "notional")
_WIDTH = 120


def run_plan(
    path: Path,
    options: RunOptions,
    positions: Path | None,
    account: str | None,
    slot: str,
    out: Path | None,
    *,
    adopt: bool | None,
    force: bool,
    explain: bool,
    as_json: bool,
    quiet: bool,
) -> bool:
    """Plan, write, print; return whether nothing stood in the way of a plan."""
    check_time(slot)
    host = command_host(quiet=quiet)
    config = effective_config(path, options)
    with progress_bar(config.run.name, shown=not (quiet or as_json)) as progress:
        made = plan(
            config, positions=positions, account=account, end=options.end, adopt=adopt, progress=progress, host=host
        )
    file = None
    if out is not None and not made.refusal:
        file = target_of(out, made, slot)
        with alone(file):
            write_orders(file, orders_csv(made), force=force)
    if as_json:
        told = {**made.plain(), "slot": slot, "file": None if file is None else str(file)}
        if explain:
            told["trace"] = {
                symbol: {step.stage: step.weight for step in one.steps} for symbol, one in made.explained.items()
            }
        sys.stdout.write(json.dumps(told, indent=2, allow_nan=False) + "\n")
    elif quiet:
        sys.stdout.write(f"{file}\n" if file is not None else "")
    else:
        from rich.console import Console

        _print(Console(highlight=False, soft_wrap=True), made, slot, file, explain=explain)
    return not made.refusal


def _print(console: "Console", made: DayPlan, slot: str, file: Path | None, *, explain: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    console.print(Text(made.name, style="bold"), f"decided at the close of {made.decided}, for {made.executes} {slot}")
    console.print(f"equity {made.equity:z,.2f}, cash {made.cash:z,.2f}, from {made.source}")
    if made.refusal:
        console.print(Text(f"REFUSED: {made.refusal}", style="bold red"))
        return
    if made.adopted:
        console.print("the account holds nothing of this book: it takes over the standing portfolio")
    if made.forced:
        console.print(Text("margin call: what is held is scaled to the maintenance limit", style="yellow"))
    if made.orders:
        table = Table(box=None, pad_edge=False)
        for head in _HEADS:
            table.add_column(head, justify="left" if head in ("symbol", "side", "type") else "right", no_wrap=True)
        for head in ("held", "wanted"):
            table.add_column(head, justify="right", no_wrap=True)
        table.add_column("moved by", no_wrap=True)
        for order in made.orders:
            row, one = order_row(order), made.explained[order.symbol]
            shown = [f"{one.held:z.2%}", f"{one.final:z.2%}", one.moved_by.partition(":")[0]]
            table.add_row(*(str(row[head]) for head in _HEADS), *shown)
        console.width = max(console.width, _WIDTH)
        console.print(table, soft_wrap=False)
    else:
        console.print("no order is needed" if made.due else "no order: nothing was to be decided at this close")
    _print_what_was_not(console, made)
    if explain:
        _print_trace(console, made)
    if file is not None:
        console.print(f"Orders  {file}")


def _print_what_was_not(console: "Console", made: DayPlan) -> None:
    """Print what was changed, refused, not traded or left alone, a line each."""
    from rich.text import Text

    for change in made.changes:
        asked, left = (f"{qty.normalize():f}" for qty in (change.asked, change.left))
        became = "refused" if change.left == 0 else f"becomes {left}"
        console.print(Text(f"{change.symbol} {asked} {became}: {change.why} ({change.rule})", style="yellow"))
    for one in made.unpriced:
        console.print(Text(f"{one.symbol} is not traded: {one.why}", style="yellow"))
    for name in made.blind:
        console.print(Text(f"sleeve {name} keeps what it holds: an indicator it reads is missing", style="yellow"))
    if made.beside:
        held = ", ".join(f"{qty:f} {symbol}" for symbol, qty in sorted(made.beside.items()))
        console.print(f"beside the book, left alone: {held}")


def _print_trace(console: "Console", made: DayPlan) -> None:
    from rich.table import Table

    steps = next(iter(made.explained.values())).steps if made.explained else ()
    table = Table(box=None, pad_edge=False)
    for head in ("symbol", "held", *(step.stage.partition("_")[0] for step in steps)):
        table.add_column(head, justify="left" if head == "symbol" else "right", no_wrap=True)
    for symbol, one in made.explained.items():
        table.add_row(symbol, f"{one.held:z.2%}", *(f"{step.weight:z.2%}" for step in one.steps))
    console.print(table, soft_wrap=False)
