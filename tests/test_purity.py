"""`decide` reads and writes nothing; what a strategy is shown cannot be written."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from battery.witness import FIELDS, SYMBOLS, Witness, witness_book, witness_panel

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.core import Decision
from plimsoll.engine.errors import EngineError
from plimsoll.engine.execution.broker import Account
from plimsoll.engine.kernels.account.ledger import MARGIN_CALL
from plimsoll.engine.portfolio.integrator import Mark
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.sleeve.strategy import Context, Strategy
from plimsoll.engine.types import Weights


def _book(preset: str) -> Setup:
    config, strategies = witness_book(preset)
    return build(config, witness_panel(), strategies)


def _setup(strategy: Strategy | None = None, **sections: object) -> Setup:
    sleeve = {"name": "s", "strategy": "battery.witness:Witness"}
    config = load_config({"sleeve": [sleeve], **sections})
    return build(config, witness_panel(), {"s": strategy or Witness()})


def _state(setup: Setup) -> dict[str, bytes]:
    """Every byte that any later bar or output could depend on."""
    broker, arrays = setup.broker, dict(setup.system.save())
    arrays |= setup.broker.book.save() | {"rec": broker.rec, "held": broker.held, "fills": broker.fills}
    for sleeve in setup.system.sleeves:
        arrays |= {"notes": sleeve.notes, "path": sleeve.tracker.path}
    return {key: np.ascontiguousarray(value).tobytes() for key, value in arrays.items()}


def _picture(decision: Decision) -> list[bytes]:
    target, plan = decision.target, decision.plan
    arrays = [target.weights, target.goal, target.trade, target.trace, target.facts, plan.why, *plan.orders.rows]
    arrays.append(np.array([plan.phi, decision.t, target.forced]))
    return [np.ascontiguousarray(array).tobytes() for array in arrays]


def _others(account: Account) -> list[Account]:
    """Accounts that differ in cash, holdings, sign and urgency."""
    n = len(account.shares)
    short = np.where(np.arange(n) % 2 == 0, -25.0, 40.0)
    return [
        replace(account, cash=2e6, equity=account.equity + 2e6 - account.cash),
        replace(account, shares=np.zeros(n), value=np.zeros(n), cash=account.equity),
        replace(account, shares=short, value=short * 50.0, equity=account.cash + float((short * 50.0).sum()) + 1e5),
        replace(account, margin_call=True, maintenance=account.equity * 1.1),
    ]


def _each_decision(setup: Setup, look: Callable[[Account, bool], Any]) -> int:
    """Run the loop by hand; before each decision call `look` with the account and whether it is the first."""
    system, broker, looked = setup.system, setup.broker, 0
    for t in range(setup.panel.n_bars):
        code = broker.advance(t) if t >= setup.first else 0
        if t == setup.first - 1:
            broker.mark_start(t)
        adopt = t == setup.first - 1
        system.observe(t, Mark(*broker.mark()) if adopt or t >= setup.first else None)
        if adopt or (t >= setup.first and (system.due() or code == MARGIN_CALL)):
            look(broker.account(), adopt)
            looked += 1
            broker.submit(system.decide(broker.account(), adopt=adopt).plan.orders)
    return looked


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"execution": {"fill": "next_close", "fractional": False}},
        {"costs": {"preset": "flat"}},
        {"preset": "book"},
        {"preset": "legacy"},
    ],
    ids=["default", "whole shares at the close", "flat costs", "book", "legacy"],
)
def test_ten_decisions_change_no_byte_and_are_equal_whoever_else_asks(sections: dict[str, Any]) -> None:
    setup = _book(sections["preset"]) if "preset" in sections else _setup(**sections)

    def look(account: Account, adopt: bool) -> None:
        before = _state(setup)
        first = _picture(setup.system.decide(account, adopt=adopt))
        skippable = [frozenset(), *(frozenset({stage}) for stage in setup.system.integrator.skippable)]
        for k in range(10):
            other = _others(account)[k % 4]
            setup.system.decide(other, adopt=k % 2 == 0, price=setup.panel.open[setup.system.t] * 1.01)
            setup.system.decide(account, adopt=adopt, skip=skippable[k % len(skippable)])
            assert _picture(setup.system.decide(account, adopt=adopt)) == first
        assert _state(setup) == before

    assert _each_decision(setup, look) > 60


def test_decisions_for_different_accounts_differ() -> None:
    setup = _setup()
    seen = []

    def look(account: Account, adopt: bool) -> None:
        seen.append({tuple(_picture(setup.system.decide(a, adopt=adopt))) for a in (account, *_others(account))})

    _each_decision(setup, look)
    assert max(len(pictures) for pictures in seen) == 5


def test_a_decision_holds_no_view_of_anything_that_moves_on() -> None:
    setup = _setup()
    taken: list[tuple[Decision, list[bytes]]] = []

    def look(account: Account, adopt: bool) -> None:
        decision = setup.system.decide(account, adopt=adopt)
        taken.append((decision, _picture(decision)))

    _each_decision(setup, look)
    assert all(_picture(decision) == picture for decision, picture in taken)


def test_an_account_is_a_copy() -> None:
    setup = _setup()

    def look(account: Account, adopt: bool) -> None:
        before = setup.broker.book.save()
        account.shares[:] = 1e9
        account.value[:] = -1.0
        assert setup.broker.book.acct.tobytes() == before["acct"].tobytes()

    assert _each_decision(setup, look) > 60


def test_a_bar_is_neither_shown_twice_nor_left_out() -> None:
    system = _setup().system
    system.observe(0)
    system.observe(1)
    for t in (1, 0, 3, -1):
        with pytest.raises(EngineError, match=f"bar {t} was shown after bar 1"):
            system.observe(t)
    assert system.t == 1


def _no_look(account: Account, adopt: bool) -> None:
    """Decide once, as a plain run does."""


class Vandal(Witness):
    """Tries to write into everything it is handed and keeps what was refused."""

    def __init__(self, kept: set[str], allowed: set[str]) -> None:
        super().__init__()
        self.kept = kept
        self.allowed = allowed

    def on_bar(self, ctx: Context) -> Weights | None:
        views = {f"{name} {n}": getattr(ctx.past, name)(n) for name in FIELDS for n in (1, 5, 40)}
        views |= {"VIX 1": ctx.past.indicator("VIX"), "VIX 40": ctx.past.indicator("VIX", 40)}
        for name, view in views.items():
            try:
                view[...] = 1.0
                self.allowed.add(name)
            except ValueError:
                self.kept.add(name)
        for name in ("symbols", "state", "sleeve", "session", "bar_index", "listed", "last_session_of_month"):
            try:
                setattr(ctx, name, None)
                self.allowed.add(name)
            except AttributeError:
                self.kept.add(name)
        for copied in (ctx.sleeve.weights, ctx.listed):  # writing into a copy does nothing
            copied[:] = True
        return super().on_bar(ctx)


def test_nothing_a_strategy_is_shown_can_be_written() -> None:
    kept: set[str] = set()
    allowed: set[str] = set()
    vandal, honest = _setup(Vandal(kept, allowed)), _setup()
    for setup in (vandal, honest):
        _each_decision(setup, _no_look)
    assert allowed == set()
    assert len(kept) == 3 * len(FIELDS) + 2 + 7
    assert _state(vandal) == _state(honest)


def test_windows_have_exactly_n_rows_unknown_on_top() -> None:
    seen: dict[int, Any] = {}

    class Looks(Witness):
        def on_bar(self, ctx: Context) -> Weights | None:
            seen[ctx.bar_index] = (ctx.past.ret(5), ctx.past.indicator("VIX", 5), ctx.past.close(1))
            return None

    setup = _setup(Looks())
    _each_decision(setup, _no_look)
    for t, (ret, vix, close) in seen.items():
        assert ret.shape == (5, len(SYMBOLS))
        assert vix.shape == (5,)
        missing = max(4 - t, 0)
        assert np.isnan(ret[:missing]).all()
        assert np.isnan(vix[:missing]).all()
        assert np.array_equal(vix[missing:], setup.panel.indicator[max(t - 4, 0) : t + 1, 0])
        assert np.array_equal(ret[missing:], setup.feed.ret[max(t - 4, 0) : t + 1], equal_nan=True)
        assert close.shape == (1, len(SYMBOLS))
