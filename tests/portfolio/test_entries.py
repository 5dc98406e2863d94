"""Kernels of a bar are called without a look at their arguments: they are always what they were found for."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numba import typeof
from support.book_run import build_book
from test_pipeline import market, wander

from plimsoll.engine.execution import planner
from plimsoll.engine.kernels.jit import entry_for, kernel
from plimsoll.engine.portfolio import book
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.types import Floats

Entry = Callable[..., Any]


def made(integrator: dict[str, Any], **sections: Any) -> Setup:
    sleeves = wander(8)
    if integrator["preset"] == "direct":
        sleeves = {"alpha": sleeves["alpha"]}
    return build_book(market(8), sleeves, first=150, integrator=integrator, costs={"preset": "us_etf"}, **sections)  # type: ignore[arg-type]


def looked_up(fn: Entry, *_: Any) -> Entry:
    """Return a kernel that looks at its arguments at every call, as numba does."""
    return fn


def watched(fn: Entry, *given: Any) -> Entry:
    """Return an entry that says so if it is called with anything else than it was found for."""
    kinds, entry = [typeof(one) for one in given], entry_for(fn, *given)

    def call(*arguments: Any) -> Any:
        assert [typeof(one) for one in arguments] == kinds
        return entry(*arguments)

    return call


@pytest.mark.parametrize("integrator", [{"preset": "book"}, {"preset": "direct"}, {"preset": "legacy"}])
@pytest.mark.parametrize("account", [{}, {"type": "reg_t"}])
def test_a_run_calls_entries_with_what_they_were_found_for_and_reaches_the_same(
    monkeypatch: pytest.MonkeyPatch, integrator: dict[str, Any], account: dict[str, Any]
) -> None:
    records: list[Floats] = []
    for way in (watched, looked_up, entry_for):
        monkeypatch.setattr(book, "entry_for", way)
        monkeypatch.setattr(planner, "entry_for", way)
        setup = made(integrator, account=account)
        run_loop(setup)
        records.append(setup.broker.rec)
    assert np.isfinite(records[0][-1, 0])
    for record in records[1:]:
        assert record.tobytes() == records[0].tobytes()


@pytest.mark.parametrize("integrator", [{"preset": "book"}, {"preset": "direct"}])
def test_an_account_may_come_in_arrays_of_any_make(integrator: dict[str, Any]) -> None:
    setup = made(integrator)
    run_loop(setup, stop_at=200)
    system, clean = setup.system, setup.broker.account()
    whole = replace(clean, shares=np.round(clean.shares), value=np.round(clean.value), equity=round(clean.equity))
    price = np.round(setup.panel.close[200])
    wanted = system.decide(whole, price=price)
    locked = whole.value.copy()
    locked.flags.writeable = False
    for shares, value, at in (
        (whole.shares.astype(np.int64), whole.value.astype(np.int64), price),
        (np.repeat(whole.shares, 2)[::2], np.repeat(whole.value, 3)[::3], np.repeat(price, 2)[::2]),
        (whole.shares, locked, price.astype(np.float32)),
    ):
        found = system.decide(replace(whole, shares=shares, value=value), price=at)
        assert found.target.goal.tobytes() == wanted.target.goal.tobytes()
        assert [column.tobytes() for column in found.plan.orders.rows] == [
            column.tobytes() for column in wanted.plan.orders.rows
        ]


def test_an_entry_is_for_the_kinds_it_was_asked_for() -> None:
    @kernel
    def total(x: Floats, k: int) -> float:
        return x.sum() * k

    entry = entry_for(total, np.ones(2), 1)
    assert entry(np.arange(4.0), 3) == 18.0
    assert entry_for(total, np.ones(5), 2) is entry
    assert entry_for(total, np.ones(2, dtype=np.int64), 1) is not entry


def test_where_nothing_is_compiled_it_is_the_function_itself() -> None:
    def plain(x: float) -> float:
        return 2.0 * x

    assert entry_for(plain, 1.0) is plain
