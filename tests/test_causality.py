"""Whatever comes after a bar, noise, nothing known or the end of the data: no output through it changes a bit."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from battery.witness import FIELDS, LIVES, Witness, witness_book, witness_panel
from hypothesis import given, settings
from hypothesis import strategies as st
from support.future import assert_causal
from support.panels import random_panel

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.sample.source import sample_panel
from plimsoll.engine.market.span import first_bars
from plimsoll.engine.research.proof.future import HOWS, How, replace_future
from plimsoll.engine.research.proof.trail import Trail, difference, run_trail
from plimsoll.engine.research.proof.trial_market import trial_panel
from plimsoll.engine.runtime.load import load_data
from plimsoll.engine.runtime.resolve import make_strategy, registered, strategy_class
from plimsoll.engine.sleeve.strategy import Available, Context, Strategy
from plimsoll.engine.types import Weights

N_BARS = 130


def _config(**sections: object) -> Config:
    return load_config({"sleeve": [{"name": "s", "strategy": "battery.witness:Witness"}], **sections})


def _trail(strategy: Strategy, panel: Panel, config: Config | None = None) -> Trail:
    return run_trail(_config() if config is None else config, panel, {"s": strategy})


def _eager(name: str) -> Strategy:
    """A registered strategy that answers every session where it has a schedule."""
    has_schedule = "rebalance" in strategy_class(name).Params.model_fields
    return make_strategy(name, {"rebalance": "D"} if has_schedule else {}, where="s")


def _feed_bytes(panel: Panel, t: int) -> dict[str, bytes]:
    feed = Feed(panel)
    series = {name: feed.field(name) for name in FIELDS} | {"status": feed.status, "factor": feed.factor}
    return {name: np.ascontiguousarray(values[: t + 1]).tobytes() for name, values in series.items()}


@pytest.mark.parametrize("how", HOWS)
def test_no_output_of_a_strategy_that_sees_everything_depends_on_what_comes_later(how: How) -> None:
    panel = witness_panel(N_BARS)
    whole = _trail(Witness(), panel)
    assert len(whole.answered()) > 50
    assert len(whole.rows["fill"].bar) > 100
    for t in range(1, N_BARS - 1, 2):
        assert difference(whole, _trail(Witness(), replace_future(panel, t, how)), t) == ""


@pytest.mark.parametrize(
    "sections",
    [
        {"execution": {"fill": "next_close"}},
        {"execution": {"unfilled": "carry", "max_participation": 1e-5}},
        {
            "execution": {"sizing": "fill"},
            "integrator": {"turnover": {"band": 0.05}},
            "financing": {"cash_rate": "AAA", "cash_rate_after": 0.0},
        },
        {"execution": {"fractional": False}, "costs": {"preset": "flat"}},
    ],
    ids=["close", "carry", "sized at the fill", "whole shares"],
)
def test_no_way_of_executing_depends_on_what_comes_later(sections: dict[str, object]) -> None:
    panel, config = witness_panel(N_BARS, seed=3), _config(**sections)
    whole = _trail(Witness(), panel, config)
    for t in range(2, N_BARS - 1, 9):
        for how in HOWS:
            assert difference(whole, _trail(Witness(), replace_future(panel, t, how), config), t) == ""


@pytest.mark.parametrize("preset", ["book", "legacy"])
def test_no_output_of_a_book_depends_on_what_comes_later(preset: str) -> None:
    config, strategies = witness_book(preset)
    whole = assert_causal(config, witness_panel(N_BARS, seed=5), strategies)
    assert len(whole.rows["fill"].bar) > 50


@pytest.mark.parametrize("name", registered())
def test_no_output_of_a_registered_strategy_depends_on_what_comes_later(name: str) -> None:
    strategy = _eager(name)
    symbols = tuple(strategy.universe)
    lives = dict(zip(symbols, list(LIVES.values()) * len(symbols), strict=False))
    n_bars = strategy.warmup_bars + 60
    panel = trial_panel(symbols, strategy.indicators, n_bars=n_bars, seed=1, lives=lives)
    assert_causal(_config(), panel, {"s": strategy})


@given(seed=st.integers(0, 10_000), at=st.floats(0.0, 1.0), how=st.sampled_from(HOWS))
@settings(max_examples=60, deadline=None)
def test_derived_series_depend_on_the_past_alone(seed: int, at: float, how: How) -> None:
    panel = random_panel(seed, n_bars=60)
    t = int(at * (panel.n_bars - 1))
    assert _feed_bytes(replace_future(panel, t, how, seed), t) == _feed_bytes(panel, t)


class Patient(Witness):
    """Needs CCC, which lists at 0.45 of the span; AAA trades from the first bar on."""

    universe = ("AAA", "CCC")
    optional = ("CCC",)
    indicators = ()

    def unavailable(self, data: Available) -> str:
        return "" if "CCC" in data.symbols else "CCC is not in the data"

    def on_bar(self, ctx: Context) -> Weights | None:
        return ctx.weights({"AAA": 0.5, "CCC": -0.5}) if ctx.listed.all() and ctx.bar_index % 5 == 0 else None


def test_a_book_does_not_depend_on_which_symbols_list_later() -> None:
    config, strategies = witness_book("book")
    strategies["w2"] = Patient()
    panel = witness_panel(N_BARS)
    whole = run_trail(config, panel, strategies)
    cut = run_trail(config, replace_future(panel, 50, "cut off"), strategies)
    assert whole.rows.keys() == cut.rows.keys()
    assert difference(whole, cut, 50) == ""


def test_replacing_the_future_leaves_the_past_and_the_original_and_changes_the_rest() -> None:
    panel = witness_panel(60)
    before = panel.block.tobytes()
    for how in HOWS:
        other = replace_future(panel, 30, how)
        assert other.block[:, :31].tobytes() == panel.block[:, :31].tobytes()
        assert panel.block.tobytes() == before
        if how != "cut off":
            assert other.block[:, 31:].tobytes() != panel.block[:, 31:].tobytes()
            assert other.indicator[31:].tobytes() != panel.indicator[31:].tobytes()
    assert replace_future(panel, 30, "cut off").n_bars == 31


def test_a_difference_names_output_session_column_and_both_values() -> None:
    panel = witness_panel(40)
    block = panel.block.copy()
    block[:, 20] *= 1.5
    found = difference(_trail(Witness(), panel), _trail(Witness(), replace(panel, block=block)), 39)
    assert re.fullmatch(rf"s (answer|note) on {panel.clock.session[20]}, (hash|[A-E]{{3}}): \S+ became \S+", found)


def test_calendar_flags_do_not_depend_on_where_the_data_stops() -> None:
    whole = sample_panel(("SPY", "BIL"), end=date(2008, 12, 31))
    for day in (date(2008, 10, 30), date(2008, 10, 31), date(2008, 11, 26), date(2008, 12, 24)):
        cut = sample_panel(("SPY", "BIL"), end=day)
        assert cut.n_bars < whole.n_bars
        for flags in ("month_first", "month_last", "week_last", "first_bar", "last_bar", "session_index", "stamp"):
            assert getattr(cut.clock, flags).tobytes() == getattr(whole.clock, flags)[: cut.n_bars].tobytes(), flags
        assert cut.block.tobytes() == np.ascontiguousarray(whole.block[:, : cut.n_bars]).tobytes()


def test_cutting_a_panel_equals_loading_less() -> None:
    whole, cut = sample_panel(("GLD", "SPY"), ("VIX",)), sample_panel(("GLD", "SPY"), ("VIX",), end=date(2010, 3, 17))
    ours = first_bars(whole, cut.n_bars)
    assert ours.data_hash == cut.data_hash
    assert ours.clock.stamp.tobytes() == cut.clock.stamp.tobytes()
    assert first_bars(whole, whole.n_bars + 5) is whole


def _write(folder: Path, panel: Panel, stop: int) -> None:
    """Write files with adjusted closes, from which dividends are derived."""
    folder.mkdir()
    for i, symbol in enumerate(panel.symbols):
        close, paid = panel.close[:, i], panel.dividend[:, i]
        adjusted, factor = close.copy(), 1.0
        for t in range(panel.n_bars - 1, 0, -1):  # as vendors do: back from the last session of the whole history
            factor *= 1.0 - paid[t] / close[t - 1]
            adjusted[t - 1] = close[t - 1] * factor
        rows = ["date,open,high,low,close,adj_close,volume"]
        for t in range(stop):
            prices = ",".join(f"{x:.6f}" for x in (panel.open[t, i], panel.high[t, i], panel.low[t, i], close[t]))
            rows.append(f"{panel.clock.session[t]},{prices},{adjusted[t]:.12f},1000")
        (folder / f"{symbol}.csv").write_text("\n".join(rows) + "\n")


def test_files_that_stop_earlier_load_to_the_same_past(tmp_path: Path) -> None:
    panel = sample_panel(("LQD", "SPY"), start=date(2012, 1, 3), end=date(2012, 12, 31))
    assert (panel.dividend > 0.0).sum() > 8
    stop = 150
    _write(tmp_path / "whole", panel, panel.n_bars)
    _write(tmp_path / "early", panel, stop)
    end = panel.clock.session[stop - 1].astype(object)
    whole = load_data(tmp_path / "whole", panel.symbols)
    for early in (load_data(tmp_path / "early", panel.symbols), load_data(tmp_path / "whole", panel.symbols, end=end)):
        assert early.n_bars == stop
        assert early.block.tobytes() == np.ascontiguousarray(whole.block[:, :stop]).tobytes()
        assert early.clock.month_last.tobytes() == whole.clock.month_last[:stop].tobytes()


@pytest.mark.realdata
def test_level61_on_real_prices_does_not_depend_on_what_comes_later(real_daily: Path) -> None:
    strategy = make_strategy("regime_risk_parity", {}, where="s")
    config = _config(
        financing={"cash_rate": "BIL", "cash_rate_after": 0.0, "margin_spread_bps": 100.0}, run={"start": "2010-01-04"}
    )
    panel = load_data(real_daily, (*strategy.universe, "BIL"))
    whole = _trail(strategy, panel, config)
    sessions = panel.clock.session
    for day in ("2010-01-29", "2010-02-01", "2011-08-30", "2011-08-31", "2020-03-31", "2022-06-15", "2024-12-31"):
        t = int(np.searchsorted(sessions, np.datetime64(day)))
        assert sessions[t] == np.datetime64(day)
        loaded = load_data(real_daily, (*strategy.universe, "BIL"), end=date.fromisoformat(day))
        assert difference(whole, _trail(strategy, loaded, config), t) == ""
        for how in HOWS:
            assert difference(whole, _trail(strategy, replace_future(panel, t, how), config), t) == ""
