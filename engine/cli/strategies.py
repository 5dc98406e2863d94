"""`plimsoll strategies`."""

import inspect
import json
import sys
from typing import Any

from plimsoll.engine.runtime.resolve import make_strategy, registered, strategy_class
from plimsoll.engine.sleeve.strategy import Strategy


def show_strategies(name: str | None, *, as_json: bool) -> None:
    """Print the registry, or everything about one strategy."""
    if name is None:
        rows = [describe(key, strategy_class(key)) for key in registered()]
        if as_json:
            sys.stdout.write(json.dumps(rows, indent=2) + "\n")
        else:
            _print_list(rows)
        return
    facts = describe(name, strategy_class(name))
    if as_json:
        sys.stdout.write(json.dumps(facts, indent=2) + "\n")
    else:
        _print_one(facts)


def describe(name: str, cls: type[Strategy]) -> dict[str, Any]:
    """Return what there is to know about a strategy as plain values."""
    strategy = make_strategy(cls, {}, where=name)
    fields = cls.Params.model_json_schema().get("properties", {})
    parameters = {
        key: {
            "default": strategy.params.model_dump(mode="json")[key],
            "limits": {limit: spec[limit] for limit in _LIMITS if limit in spec},
        }
        for key, spec in fields.items()
    }
    return {
        "name": name,
        "class": f"{cls.__module__}:{cls.__qualname__}",
        "doc": inspect.cleandoc(cls.__doc__ or ""),
        "universe": list(strategy.universe),
        "indicators": list(strategy.indicators),
        "diagnostics": list(strategy.diagnostics),
        "warmup_bars": strategy.warmup_bars,
        "full_gross": strategy.full_gross,
        "role": strategy.role,
        "parameters": parameters,
        "implied": strategy.implied(),
    }


_LIMITS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "pattern", "minItems", "enum")
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
    for key in ("universe", "indicators", "diagnostics"):
        if facts[key]:
            console.print(f"{key:12s} {' '.join(facts[key])}", markup=False)
    console.print(f"{'warm-up':12s} {facts['warmup_bars']} bars")
    console.print(f"{'full gross':12s} {facts['full_gross']:g}\n{'role':12s} {facts['role']}\n")
    table = Table(box=None, pad_edge=False)
    for column in ("parameter", "default", "limits"):
        table.add_column(column, overflow="fold")
    for key, spec in facts["parameters"].items():
        limits = ", ".join(f"{_SIGNS.get(name, name)} {value}" for name, value in spec["limits"].items())
        table.add_row(key, json.dumps(spec["default"]), limits)
    console.print(table)
    for key, text in facts["implied"].items():
        console.print(f"\n{key}:\n  {text}", markup=False, soft_wrap=True)
