"""What is saved after a compiled run is what is saved after the ordinary one, by bytes, whatever ended the run."""

from collections.abc import Mapping
from copy import deepcopy

import numpy as np
import pytest
from battery.witness import Witness, witness_book, witness_panel
from support.panels import make_panel, random_panel
from support.restless import Kernelled
from support.scripted import Scripted, plain_config
from support.twins import state_bytes

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.kernels import layout
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.proof.trial_market import trial_panel
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.runtime.compiled.engine import run_compiled
from plimsoll.engine.runtime.resolve import make_strategy, registered
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Context, Strategy
from plimsoll.engine.types import Weights


def ends(config: Config, panel: Panel, strategies: Mapping[str, Strategy]) -> tuple[Setup, Setup]:
    """Run both loops over the same market."""
    ours, theirs = (build(config, panel, deepcopy(dict(strategies))) for _ in range(2))
    run_loop(ours)
    run_compiled(theirs)
    return ours, theirs


def assert_same_end(ours: Setup, theirs: Setup) -> None:
    """Hold systems, account and what sleeves put out against each other."""
    assert state_bytes(theirs) == state_bytes(ours)
    one, other = ours.broker.book.save(), theirs.broker.book.save()
    for book in (one, other):  # a mark without shares is read by nobody: the compiled loop leaves it behind
        book["acct"][layout.MARK, book["acct"][layout.SHARES] == 0.0] = np.nan
    assert [name for name in one if one[name].tobytes() != other[name].tobytes()] == []
    assert theirs.broker.account().margin_call == ours.broker.account().margin_call
    assert theirs.broker.clock() == ours.broker.clock()
    for mine, its in zip(ours.system.sleeves, theirs.system.sleeves, strict=True):
        assert its.tracker.path.tobytes() == mine.tracker.path.tobytes()
        assert its.notes.tobytes() == mine.notes.tobytes()


@pytest.mark.parametrize("name", registered())
def test_a_registered_strategy_is_saved_alike(name: str) -> None:
    strategy = make_strategy(name, {}, where="s")
    panel = trial_panel(tuple(strategy.universe), strategy.indicators, n_bars=strategy.warmup_bars + 60, seed=5)
    assert_same_end(*ends(load_config({"sleeve": [{"name": "s", "strategy": "x:X"}]}), panel, {"s": strategy}))


def test_a_book_is_saved_alike_and_the_two_go_on_alike() -> None:
    config, strategies = witness_book("book")
    ours, theirs = ends(config, witness_panel(150), strategies)
    assert_same_end(ours, theirs)
    account = ours.broker.account()
    decided = [setup.system.decide(account).target.weights.tobytes() for setup in (ours, theirs)]
    assert decided[0] == decided[1]


class Every(Witness):
    """A witness that answers at every `step`-th bar and nowhere else."""

    step = 1

    def on_bar(self, ctx: Context) -> Weights | None:
        return ctx.weights({"AAA": 0.5}) if ctx.bar_index % self.step == 0 else None


@pytest.mark.parametrize(("step", "answered"), [(1, True), (79, True), (78, False)])
def test_whether_the_last_bar_brought_an_answer_is_kept(step: int, answered: bool) -> None:
    strategy = Every()
    strategy.step = step
    ours, theirs = ends(load_config({"sleeve": [{"name": "s", "strategy": "x:X"}]}), witness_panel(80), {"s": strategy})
    assert_same_end(ours, theirs)
    assert theirs.system.due() is ours.system.due() is answered


def sliding(last: float, n_bars: int = 12) -> Panel:
    """One symbol at 100 dollars that closes the last bar at `last`, opens included from then on."""
    close = np.full(n_bars, 100.0)
    close[-1] = last
    return make_panel(close, np.full(n_bars, 100.0))


def test_a_margin_call_at_the_last_close_is_still_on() -> None:
    # 2,000 shares on 100,000 dollars: at 62 the equity of 24,000 is below a quarter of 124,000
    panel = sliding(62.0)
    values = plain_config()
    ours, theirs = ends(load_config(values), panel, {"s": Scripted(panel.symbols, {2: {"S000": 2.0}})})
    assert ours.broker.account().margin_call
    assert_same_end(ours, theirs)


class Bold(Kernelled):
    """Fifteen times as much of everything: three times the account."""

    def on_bar(self, ctx: Context) -> Weights | None:
        weights = super().on_bar(ctx)
        return None if weights is None else 15.0 * weights

    def scan(self, run: Scan) -> None:
        super().scan(run)
        run.notional.held[:] *= 15.0


def test_after_a_ruin_nothing_of_the_bars_beyond_is_left_in_a_strategy_that_has_scanned_them() -> None:
    close = np.full((60, 2), 100.0) * np.where(np.arange(60)[:, None] % 2 == 0, 1.0, [1.002, 1.004])
    close[41:] *= 0.3
    panel = make_panel(close, close)
    for strategy in (Bold(Bold.Params(symbols=panel.symbols)), Scripted(panel.symbols, {2: {"S000": 3.0}})):
        ours, theirs = ends(load_config(plain_config()), panel, {"s": strategy})
        assert ours.system.t == 40
        assert_same_end(ours, theirs)


@pytest.mark.parametrize("fault", ["nan", "unlisted", "raise"])
@pytest.mark.parametrize("looks", [False, True])
def test_a_quarantined_sleeve_is_left_as_it_was_when_it_failed(fault: str, looks: bool) -> None:
    panel = random_panel(5, n_bars=60)
    values = plain_config()
    values["sleeve"][0]["on_error"] = "quarantine"
    params = Kernelled.Params(symbols=panel.symbols, looks=looks, bad=30, fault=fault)
    ours, theirs = ends(load_config(values), panel, {"s": Kernelled(params)})
    assert bool(ours.system.sleeves[0].failure) or fault == "unlisted"
    assert_same_end(ours, theirs)
