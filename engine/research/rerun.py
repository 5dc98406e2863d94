"""Two runs of one configuration on two states of knowledge: what of the decisions and orders would be different."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from plimsoll.engine.config.schema import Config
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.runtime.assemble import build
from plimsoll.engine.runtime.collect import collect
from plimsoll.engine.runtime.compiled.engines import runner
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.sleeve.strategy import Strategy


class OrderChange(NamedTuple):
    """The orders of a session for a symbol, shares signed, 0 = none: then and now."""

    session: str
    symbol: str
    then: float
    now: float


@dataclass(frozen=True, slots=True)
class RunChange:
    """What of a run would be different.

    decisions, orders : how many the run had, and `_changed` how many would be other ones, missing or new.
    first_decision, first_order, first_equity : the first session with a difference, "" if there is none.
    target_change : the largest change of a target weight. equity_then, equity_now : at the end, USD.
    moved : the orders that differ, oldest first.
    """

    decisions: int
    decisions_changed: int
    first_decision: str
    target_change: float
    orders: int
    orders_changed: int
    first_order: str
    equity_then: float
    equity_now: float
    first_equity: str
    moved: tuple[OrderChange, ...]

    @property
    def same(self) -> bool:
        """Whether every target, order and equity is the same to the bit."""
        return not (self.first_decision or self.first_order or self.first_equity)

    def plain(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {**asdict(self), "moved": [one._asdict() for one in self.moved], "same": self.same}


def run_again(config: Config, panel: Panel, strategies: Mapping[str, Strategy]) -> Record:
    """Return the tables of a run; nothing is recorded anywhere.

    Raises
    ------
    InputError
        Whatever the run raises.
    """
    setup = build(config, panel, dict(strategies))
    return collect(setup, runner("python")(setup, None))


def run_change(then: Record, now: Record) -> RunChange:
    """Return what is different between two runs of one configuration."""
    targets = _apart(then.targets, now.targets)
    orders, others = _orders(then), _orders(now)
    keys = sorted({*orders, *others})
    moved = tuple(
        OrderChange(*key, orders.get(key, 0.0), others.get(key, 0.0))
        for key in keys
        if orders.get(key) != others.get(key)
    )
    equity = _apart(then.equity[["equity"]], now.equity[["equity"]])
    return RunChange(
        decisions=len(then.targets),
        decisions_changed=len(targets),
        first_decision=_first(targets),
        target_change=float(np.nan_to_num(targets.abs().to_numpy()).max(initial=0.0)),
        orders=len(orders),
        orders_changed=len(moved),
        first_order=moved[0].session if moved else "",
        equity_then=float(then.equity["equity"].iloc[-1]),
        equity_now=float(now.equity["equity"].iloc[-1]),
        first_equity=_first(equity),
        moved=moved,
    )


def _apart(then: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Return now less then, a row for each session on which the two differ; what one has not counts as 0."""
    index, columns = then.index.union(now.index), then.columns.union(now.columns)
    here, there = (one.reindex(index=index, columns=columns) for one in (then, now))
    only_one = index.isin(then.index) != index.isin(now.index)
    change = there.fillna(0.0) - here.fillna(0.0)
    differs: pd.DataFrame = change[(change != 0.0).any(axis=1) | only_one]
    return differs


def _orders(record: Record) -> dict[tuple[str, str], float]:
    """Return the shares asked for by session and symbol."""
    table = record.orders
    total: dict[tuple[str, str], float] = {}
    for session, symbol, qty in zip(table["session"], table["symbol"], table["qty"], strict=True):
        key = (str(session)[:10], str(symbol))
        total[key] = total.get(key, 0.0) + float(qty)
    return total


def _first(apart: pd.DataFrame) -> str:
    return str(apart.index[0])[:10] if len(apart) else ""
