"""One schema of an order: what it says is what every table of orders holds."""

import numpy as np
import pytest
from support.panels import random_panel
from support.scripted import Ran, run_script

from plimsoll.engine.errors import EngineError
from plimsoll.engine.execution.order import OrderBatch, joined
from plimsoll.engine.kernels.account.order import ORDER_COLUMNS, ORDER_DTYPES, Orders, empty_orders
from plimsoll.engine.research.proof.trail import Trail, recorded, trail_of
from plimsoll.engine.runtime.assemble import build
from plimsoll.engine.runtime.backtest import run_loop

# Columns that a run's table shows under names for a reader.
RENAMED = {"bar": "session", "col": "symbol", "at_close": "kind"}


@pytest.fixture(scope="module")
def ran() -> Ran:
    panel = random_panel(3, n_bars=40, holes=False)
    rng = np.random.default_rng(3)
    answers = {t: dict(zip(panel.symbols, rng.normal(size=4) / 4.0, strict=True)) for t in range(5, 39, 3)}
    return run_script(panel, answers, first=4)


@pytest.fixture(scope="module")
def trail(ran: Ran) -> Trail:
    setup = ran.setup
    strategy = recorded(setup.system.sleeves[0].strategy)
    again = build(setup.config, setup.panel, {"s": strategy})
    return trail_of(again, run_loop(again))


def test_every_column_has_a_kind_and_a_meaning() -> None:
    assert tuple(ORDER_COLUMNS) == tuple(ORDER_DTYPES) == Orders._fields
    assert [column.meaning for column in ORDER_COLUMNS.values() if not column.meaning] == []
    assert [column.dtype for column in empty_orders(3)] == list(ORDER_DTYPES.values())
    assert {np.dtype(np.int64), np.dtype(np.float64), np.dtype(np.bool_)} == set(ORDER_DTYPES.values())


def test_a_batch_and_the_simulators_table_hold_every_column(ran: Ran) -> None:
    together = joined([decision.plan.orders for decision in ran.track.decisions])
    assert [column.dtype for column in together] == list(ORDER_DTYPES.values())
    table = ran.setup.broker.order_table()
    kept = [name for name in Orders._fields if name not in ("qty", "price")]  # those two are told in later share units
    assert [n for n in kept if getattr(table.rows, n).tobytes() != getattr(together, n).tobytes()] == []
    assert len(table.filled) == len(together.col) > 30


def test_a_runs_table_shows_every_column_that_is_to_be_shown(ran: Ran) -> None:
    wanted = [RENAMED.get(name, name) for name, column in ORDER_COLUMNS.items() if column.shown]
    hidden = {name for name, column in ORDER_COLUMNS.items() if not column.shown}
    shown = [name for name in ran.result.orders.columns if name not in ("id", "side", "status", "filled", "reason")]
    assert shown == wanted
    assert hidden.isdisjoint(ran.result.orders.columns)


def test_a_proofs_trail_holds_every_column(ran: Ran, trail: Trail) -> None:
    rows = trail.rows["order"]
    assert rows.columns == Orders._fields
    assert rows.values.dtype == np.float64
    together = joined([decision.plan.orders for decision in ran.track.decisions])
    assert rows.values.tobytes() == np.column_stack(together).astype(np.float64).tobytes()


def test_orders_decided_at_another_bar_are_refused(ran: Ran) -> None:
    batch = ran.track.decisions[3].plan.orders
    with pytest.raises(EngineError, match=r"orders of bars \[\d+\] were sent at bar 39"):
        ran.setup.broker.submit(batch)


def test_a_selection_of_a_batch_shares_nothing_with_it(ran: Ran) -> None:
    batch = ran.track.decisions[3].plan.orders
    chosen = batch.where(slice(0, 2))
    assert len(chosen) == 2
    assert not any(np.shares_memory(a, b) for a, b in zip(chosen.rows, batch.rows, strict=True))
    assert len(OrderBatch(joined([]))) == 0
