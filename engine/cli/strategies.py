"""`plimsoll strategies`."""

import json
import sys
from pathlib import Path
from typing import Any

from plimsoll.engine.verbs.strategies import describe_strategies, describe_strategy


def show_strategies(name: str | None, modules: Path | None, *, as_json: bool) -> None:
    """Print the registry, or everything about one strategy."""
    found = describe_strategies() if name is None else describe_strategy(name, modules)
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    elif isinstance(found, list):
        _print_list(found)
    else:
        _print_one(found)


_SIGNS = {"minimum": ">=", "maximum": "<=", "exclusiveMinimum": ">", "exclusiveMaximum": "<", "pattern": "matches"}


def _print_list(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("name", "what", "universe"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(row["name"], row["doc"].splitlines()[0], " ".join(row["universe"]))
    Console().print(table)


def _print_one(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    console.print(f"[bold]{facts['name']}[/bold]  ({facts['class']})\n")
    console.print(facts["doc"] + "\n", markup=False, soft_wrap=True)
    for key in ("universe", "watched", "indicators", "diagnostics"):
        if facts[key]:
            console.print(f"{key:12s} {' '.join(facts[key])}", markup=False)
    console.print(f"{'warm-up':12s} {facts['warmup_bars']} bars")
    console.print(f"{'full gross':12s} {facts['full_gross']:g}")
    if facts["full_vol"] is not None:
        console.print(f"{'full vol':12s} {facts['full_vol']:g} a year")
    console.print(f"{'role':12s} {facts['role']}\n")
    table = Table(box=None, pad_edge=False)
    for column in ("parameter", "default", "limits"):
        table.add_column(column, overflow="fold")
    for key, spec in facts["parameters"].items():
        limits = ", ".join(f"{_SIGNS.get(name, name)} {value}" for name, value in spec["limits"].items())
        table.add_row(key, json.dumps(spec["default"]), limits)
    console.print(table)
    for key, text in facts["implied"].items():
        console.print(f"\n{key}:\n  {text}", markup=False, soft_wrap=True)
