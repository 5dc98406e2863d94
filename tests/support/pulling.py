"""Sources that say what a test wrote down, and a puller with a clock, waits and jitter of its own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from support.histories import NOW, history

from plimsoll.engine.market.catalog.store import Catalog
from plimsoll.engine.market.history import History
from plimsoll.engine.market.pull.budget import Budget
from plimsoll.engine.market.pull.pull import Puller


@dataclass
class ScriptedSource:
    """Answers from `histories`, whatever is not there from a random walk; raises what `errors` queues for a symbol."""

    source: str = "yahoo"
    histories: dict[str, History] = field(default_factory=dict)
    errors: dict[str, list[Exception]] = field(default_factory=dict)
    asked: list[tuple[str, date | None]] = field(default_factory=list)

    def fetch(self, symbol: str, start: date | None) -> History:
        self.asked.append((symbol, start))
        queued = self.errors.get(symbol, [])
        if queued:
            raise queued.pop(0)
        whole = self.histories.get(symbol) or history(symbol, source=self.source)
        return whole if start is None else whole.take(whole.session >= np.datetime64(start))

    def recent(self, symbol: str, start: date) -> History:
        return self.fetch(symbol, start)


def puller(
    folder: Path,
    client: Any,
    *,
    waits: list[float] | None = None,
    now: Callable[[], datetime] = lambda: NOW,
    **given: Any,
) -> Puller:
    """A puller whose waits are written down in `waits` instead of being waited, and whose jitter is none."""
    written = [] if waits is None else waits
    budget = Budget(written.append, lambda: 0.5)
    return Puller(Catalog(folder), client, budget, now, second_budget=Budget(written.append, lambda: 0.5, 2), **given)
