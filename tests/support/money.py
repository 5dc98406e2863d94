"""Small accounts whose right figures can be worked out on paper, run through both loops."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
from support.panels import make_panel
from support.scripted import Ran, Scripted, plain_config, run_config
from support.twins import both

from plimsoll.engine.market.panel import Panel

START = date(2024, 1, 2)


def market(closes: Mapping[str, Any], **words: Any) -> Panel:
    """Return a panel from 2024-01-02 on whose opens are its closes; an array in `words` has a column per symbol."""
    close = np.column_stack([np.asarray(column, dtype=np.float64) for column in closes.values()])
    return make_panel(close, words.pop("open_", close), symbols=tuple(closes), start=START, **words)


def with_volume(volume: float, n_bars: int, n_symbols: int = 1, *, none: tuple[int, ...] = ()) -> Any:
    """Return (T, N) volumes; on the bars `none` the first symbol trades nothing."""
    table = np.full((n_bars, n_symbols), volume)
    table[list(none), 0] = 0.0
    return table


def settled(panel: Panel, answers: Mapping[int, Mapping[str, float]], *, first: int = 1, **sections: Any) -> Ran:
    """Run scripted answers in a cash account unless said otherwise; both loops must leave the same bytes."""
    sections.setdefault("account", {})
    sections["account"] = {"type": "cash", **sections["account"]}
    values = plain_config(**sections)
    values["run"] = {**values["run"], "start": str(panel.clock.session[first])}
    both(values, panel, {"s": Scripted(panel.symbols, answers)})
    return run_config(panel, values, Scripted(panel.symbols, answers))


def total(ran: Ran) -> float:
    """Return the time-weighted return of the whole run."""
    return float((1.0 + ran.equity["ret"]).prod() - 1.0)


def told(ran: Ran, words: str) -> list[str]:
    """Return the warnings that contain some words."""
    return [warning.text for warning in ran.result.warnings if words in warning.text]
