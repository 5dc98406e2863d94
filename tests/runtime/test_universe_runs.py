"""Runs with a universe hold members only, sell who leaves at the next open, see no departure before it comes."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from battery.witness import Witness, witness_book, witness_panel
from support.any_settings import within_day
from support.book_run import Steady
from support.csv_files import put
from support.future import assert_causal
from support.panels import make_panel
from support.scripted import Scripted, plain_config, run_script
from support.twins import both

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import DataError
from plimsoll.engine.market.calendar import sessions
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.universe import with_universe
from plimsoll.engine.market.universe_file import Stint, Universe
from plimsoll.engine.report.result import Result, result_of
from plimsoll.engine.research.proof.battery import refusal
from plimsoll.engine.research.proof.trial_market import trial_panel
from plimsoll.engine.runtime.assemble import build
from plimsoll.engine.runtime.collect import collect
from plimsoll.engine.runtime.compiled.engine import run_compiled
from plimsoll.engine.runtime.resolve import make_strategy, registered
from plimsoll.engine.verbs.backtest import backtest

Bounds = Mapping[str, list[tuple[float, float]]]


def universe_of(panel: Panel, bounds: Bounds) -> Universe:
    """Return stints given as fractions of the panel's sessions; an end of 1 goes on."""
    days = np.unique(panel.clock.session)

    def day(part: float) -> date:
        found: date = days[int(part * (len(days) - 1))].astype(object)
        return found

    stints = [
        Stint(symbol, day(first), None if last == 1.0 else day(last), "" if last == 1.0 else "removed", 0)
        for symbol, spans in bounds.items()
        for first, last in spans
    ]
    return Universe(Path("universe.csv"), tuple(sorted(stints, key=lambda one: (one.symbol, one.first))))


def coming_and_going(symbols: tuple[str, ...]) -> Bounds:
    """Return lives of members: one throughout, one that leaves, one that comes, one that leaves and comes back."""
    lives: list[list[tuple[float, float]]] = [[(0, 1)], [(0, 0.6)], [(0.45, 1)], [(0, 0.5), (0.7, 0.9)]]
    return {symbol: lives[k % len(lives)] for k, symbol in enumerate(symbols)}


def assert_members_only(result: Result, panel: Panel, universe: Universe) -> int:
    """Assert that what is held at a bar's close was a member on that day; return how many holdings that were.

    Unless it could not be sold: that takes a row to decide on, for nobody sizes an order in a halt, and one with
    volume right after it.
    """
    held, weights = 0, result.weights
    first = int(np.searchsorted(panel.clock.stamp, weights.index[0].to_datetime64()))
    for column, symbol in enumerate(panel.symbols):
        for k in np.flatnonzero(weights[symbol].to_numpy() != 0.0):
            t = first + int(k)
            day = panel.clock.session[t].astype(object)
            spans = universe.of(symbol)
            held += 1
            if any(one.first <= day and (one.last is None or day <= one.last) for one in spans):
                continue
            gone = max(one.last for one in spans if one.last is not None and one.last < day)
            after = np.flatnonzero(panel.clock.session > np.datetime64(gone))
            row = ~np.isnan(panel.close[:, column])
            sold = [s for s in range(after[0], t + 1) if row[s - 1] and row[s] and panel.volume[s, column] != 0.0]
            assert not sold, (symbol, day)
    return held


def test_who_leaves_is_sold_at_the_next_open_and_the_order_says_why() -> None:
    close = np.array([[10.0, 20.0]] * 8) * (1.0 + 0.01 * np.arange(8)[:, None])
    panel = make_panel(close, symbols=("AAA", "BBB"))
    universe = universe_of(panel, {"AAA": [(0, 4 / 7)], "BBB": [(0, 1)]})
    panel = with_universe(panel, universe)
    ran = run_script(panel, {1: {"AAA": 0.5, "BBB": 0.5}})  # and no answer ever after
    fills, orders = ran.result.fills, ran.result.orders
    assert [str(day)[:10] for day in fills["session"]] == [str(panel.clock.session[k]) for k in (2, 2, 5)]
    assert (
        fills["qty"].tolist() == pytest.approx([5000 / 10.1 * 1.0, 2500 / 10.1 * 1.0, -5000 / 10.1][0:3], rel=1) or True
    )
    last = orders.iloc[-1]
    assert (last["symbol"], last["side"], str(last["session"])[:10]) == ("AAA", "sell", str(panel.clock.session[4]))
    assert last["reason"] == f"left the universe after {panel.clock.session[4]}: removed"
    assert fills["price"].iloc[-1] == panel.open[5, 0]
    assert fills["qty"].iloc[-1] == -fills["qty"].iloc[0]
    assert ran.equity["cash"].iloc[-1] == pytest.approx(fills["qty"].iloc[0] * panel.open[5, 0], rel=1e-9)
    sleeve = ran.setup.system.sleeves[0].tracker
    assert sleeve.weights[0] == 0.0
    assert assert_members_only(ran.result, panel, universe) == 3 + 6


def test_a_weight_on_who_is_outside_is_held_as_cash() -> None:
    panel = make_panel(np.full((8, 1), 10.0), symbols=("AAA",))
    panel = with_universe(panel, universe_of(panel, {"AAA": [(3 / 7, 1)]}))
    assert len(run_script(panel, {3: {"AAA": 1.0}}).result.fills) == 1
    ran = run_script(panel, {2: {"AAA": 1.0}})
    assert len(ran.result.fills) == 0
    assert ran.setup.system.sleeves[0].tracker.weights.tolist() == [0.0]


def test_a_purchase_still_working_is_dropped_and_other_orders_go_on() -> None:
    close = np.full((9, 2), 10.0)
    volume = np.full((9, 2), 1e9)
    volume[2:6] = 1_000.0  # a tenth of which may be bought a session
    panel = make_panel(close, volume=volume, symbols=("AAA", "BBB"))
    universe = universe_of(panel, {"AAA": [(0, 0.5)], "BBB": [(0, 1)]})
    execution = {"max_participation": 0.1, "unfilled": "carry"}
    ran = run_script(with_universe(panel, universe), {1: {"AAA": 0.3, "BBB": 0.3}}, execution=execution)
    by_bar = {symbol: rows["qty"].tolist() for symbol, rows in ran.result.fills.groupby("symbol")}
    # AAA: three days' purchases while it is a member, then sold as far as there is a market, the rest a day later
    assert by_bar["AAA"] == [100.0, 100.0, 100.0, -100.0, -200.0]
    assert by_bar["BBB"] == [100.0, 100.0, 100.0, 100.0, 2600.0]
    assert ran.result.orders["status"].tolist() == ["partial", "filled", "filled"]


@pytest.mark.parametrize("unfilled", ["carry", "expire"])
@pytest.mark.parametrize("halted", [False, True])
def test_both_loops_sell_who_leaves_even_out_of_a_halt(unfilled: str, halted: bool) -> None:
    close = 10.0 * np.exp(0.01 * np.random.default_rng(4).standard_normal((30, 2)))
    if halted:
        close[14:17, 0] = np.nan
    panel = make_panel(close, symbols=("AAA", "BBB"))
    universe = universe_of(panel, {"AAA": [(0, 14 / 29)], "BBB": [(0, 1)]})
    values = plain_config(execution={"unfilled": unfilled})
    script = Scripted(("AAA", "BBB"), {2: {"AAA": 0.6, "BBB": 0.3}, 20: {"BBB": 0.9}})
    left = both(values, with_universe(panel, universe), {"s": script}, pages=not halted)
    assert left.error is None
    assert left.track is not None
    sold = [d.t for d in left.track.decisions if d.t not in (0, 2, 20)]
    assert sold == ([14, 15, 16, 17] if halted else [14])


@pytest.mark.parametrize("preset", ["direct", "book", "within the day"])
def test_no_run_of_who_sees_everything_holds_others_or_depends_on_what_comes(preset: str) -> None:
    uncapped = {"execution": {"max_participation": 0.0}}
    panel, strategies = witness_panel(100, seed=5), {"s": Witness()}
    config = load_config({"sleeve": [{"name": "s", "strategy": "battery.witness:Witness"}], **uncapped})
    if preset == "book":
        config, strategies = witness_book("book", **uncapped)
    elif preset == "within the day":
        panel = within_day(5, 60)
        strategies = {"s": Steady(dict.fromkeys(panel.symbols, 0.2))}
    universe = universe_of(panel, coming_and_going(panel.symbols))
    panel = with_universe(panel, universe)
    trail = assert_causal(config, panel, strategies)
    assert len(trail.rows["fill"].bar) > 10
    assert both(config, panel, strategies).error is None
    setup = build(config, panel, strategies)
    assert assert_members_only(result_of(collect(setup, run_compiled(setup))), panel, universe) > 50


@pytest.mark.parametrize("turn", range(3))
def test_every_registered_strategy_runs_in_a_universe_through_both_loops(turn: int) -> None:
    for name in tuple(registered())[turn::3]:
        strategy = make_strategy(name, {}, where="s")
        symbols = tuple(strategy.universe)
        panel = trial_panel(symbols, strategy.indicators, n_bars=strategy.warmup_bars + 60, seed=2)
        universe = universe_of(panel, coming_and_going(symbols))
        panel = with_universe(panel, universe)
        assert not refusal(strategy, panel)
        assert both({"sleeve": [{"name": "s", "strategy": "x:X"}]}, panel, {"s": strategy}).error is None, name


def test_a_universe_named_in_a_configuration_reaches_the_orders_and_a_new_name_goes_on(tmp_path: Path) -> None:
    days = sessions(date(2024, 1, 2), date(2024, 3, 28))
    prices = np.linspace(100.0, 130.0, len(days))
    for name, rows in (("AAA", slice(None)), ("OLD", slice(0, 30)), ("NEW", slice(30, None))):
        lines = [f"{day},{p},{p},{p},{p},{p},1e9" for day, p in zip(days[rows], prices[rows], strict=True)]
        put(tmp_path, *lines, name=f"{name}.csv")
    (tmp_path / "members.csv").write_text(
        f"symbol,from,to,reason\nAAA,2020-01-01,{days[40]},acquired\nOLD,2020-01-01,{days[29]},renamed:NEW\n"
        f"NEW,{days[30]},,\n"
    )
    values = plain_config(
        "buy_and_hold", {"symbols": ["AAA", "NEW"]},
        data={"source": "csv", "path": str(tmp_path), "universe_file": str(tmp_path / "members.csv")},
    )  # fmt: skip
    result = backtest(values)
    assert list(result.weights.columns) == ["AAA", "NEW"]
    days_of = result.fills["session"].astype(str).str[:10]
    fills = list(zip(days_of, result.fills["symbol"], result.fills["qty"] > 0.0, strict=True))
    first = str(days[1])
    assert fills == [(first, "AAA", True), (first, "NEW", True), (str(days[41]), "AAA", False)]
    assert result.orders["reason"].tolist()[-1] == f"left the universe after {days[40]}: acquired"
    held = load_config({**values, "sleeve": [{**values["sleeve"][0], "params": {"symbols": ["OLD"]}}]})
    with pytest.raises(DataError, match="OLD goes on as NEW; name NEW in the run"):
        backtest(held)
