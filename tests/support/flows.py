"""Files of deposits and withdrawals for generated accounts."""

from collections.abc import Callable, Iterable
from pathlib import Path

from plimsoll.engine.market.panel import Panel

Flows = Callable[[Panel, Iterable[tuple[int, float]]], str]


def flow_writer(folder: Path) -> Flows:
    """Return what writes (bar, dollars) as a file of its own in `folder` and returns its path."""

    def write(panel: Panel, moves: Iterable[tuple[int, float]]) -> str:
        rows = [f"{panel.clock.session[bar]},{amount}" for bar, amount in sorted(moves)]
        path = folder / f"{len(list(folder.iterdir()))}.csv"
        path.write_text("\n".join(["date,amount", *rows]) + "\n")
        return str(path)

    return write
