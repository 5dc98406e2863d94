"""The same thing again and again: redrawn on a terminal, a line each time elsewhere."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from plimsoll.engine.errors import InputError

Told = Mapping[str, Any]


def watch(
    ask: Callable[[], Told], text_of: Callable[[Told], str], every_s: float, *, as_json: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> None:  # fmt: skip
    """Ask and show until interrupted. The first answer must come; a later one that does not is shown as its error."""
    told = ask()
    if as_json or not sys.stdout.isatty():
        while True:
            sys.stdout.write(f"{json.dumps(told, allow_nan=False) if as_json else status_line(told)}\n")
            sys.stdout.flush()
            sleep(every_s)
            told = _asked(ask)
    from rich.live import Live
    from rich.text import Text

    with Live(Text(text_of(told)), auto_refresh=False, screen=True) as screen:
        while True:
            sleep(every_s)
            told = _asked(ask)
            screen.update(Text(text_of(told)), refresh=True)


def _asked(ask: Callable[[], Told]) -> Told:
    try:
        return ask()
    except InputError as error:
        return {"healthy": False, "error": str(error)}


def status_line(told: Told) -> str:
    """Return how a book stands in one line."""
    if "error" in told:
        return f"NOT HEALTHY, {told['error']}"
    beat, halts, overdue = told["heartbeat"], told["halts"], told.get("overdue") or []
    parts = [
        f"{told['at'][:19]} {told['book']}",
        "healthy" if told["healthy"] else "NOT HEALTHY",
        f"heartbeat {beat['age_s']:.0f} s: {beat['doing']}" if isinstance(beat, Mapping) else f"heartbeat {beat}",
        f"next {told['next_slot']}",
        f"working {len(told.get('working') or [])}",
        *(f"{one['grade']} halted: {one['reason']}" for one in halts),
        *([f"overdue {' '.join(overdue)}"] if overdue else []),
    ]
    return ", ".join(parts)
