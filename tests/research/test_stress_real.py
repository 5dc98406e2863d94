"""On real prices: windows agree with the published returns, and a replay from their eve is what really came."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.stressed import session_returns

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.market.csv.source import load_csv, symbols_in
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.span import until
from plimsoll.engine.research.stress.moves import PRICES, Moves
from plimsoll.engine.research.stress.scenario import built_in
from plimsoll.engine.research.stress.stress import case_of, run_stress
from plimsoll.engine.research.stress.window import window_of
from plimsoll.engine.runtime.assemble import assemble
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.runtime.prepare import make_strategies, prepare

pytestmark = pytest.mark.realdata
OVERLAY = Path(__file__).resolve().parents[2] / "config/kalman_overlay.toml"
COVID = next(scenario for scenario in built_in() if scenario.name == "covid_2020")


@pytest.fixture(scope="module")
def panel(real_daily: Path) -> Panel:
    return load_csv(real_daily, [name for name in symbols_in(real_daily) if name != "VIX"], ["VIX"])


def test_prices_of_every_measured_window_return_what_was_published(panel: Panel) -> None:
    feed, compared = Feed(panel), 0
    for said in (scenario for scenario in built_in() if scenario.measured):
        window = window_of(panel, feed, said.start, said.end)
        assert window is not None
        moves = Moves(said, {}, window)
        for symbol, stated in said.returns.items():
            if window.covers(symbol):
                assert moves.path(symbol).how == PRICES
                # dividends are cash on their day here, and reinvested by a rounded factor in adjusted closes
                assert moves.path(symbol).total == pytest.approx(stated, abs=1.5e-3), (said.name, symbol)
                compared += 1
        vix = said.indicators["VIX"]
        levels = window.levels("VIX")
        assert levels is not None
        assert not isinstance(vix, tuple)
        assert max(levels.max(), panel.indicator[window.base, 0]) == pytest.approx(vix.peak)
        assert levels[-1] == pytest.approx(vix.end)
    assert compared > 200


def test_a_triple_fund_lost_about_what_its_underlyings_days_say(panel: Panel) -> None:
    """TQQQ -69.8% in February and March 2020; three times the window's -27.9% would be -83.8%."""
    feed = Feed(panel)
    window = window_of(panel, feed, COVID.start, COVID.end)
    assert window is not None
    by_days = np.prod(1.0 + 3.0 * window.moves("QQQ")[0]) - 1.0
    assert by_days == pytest.approx(COVID.returns["TQQQ"], abs=0.01)


def test_the_overlay_on_the_eve_of_a_crash_goes_through_it_as_it_did(real_daily: Path) -> None:
    base = load_config(OVERLAY, sets=["data.source=csv", f"data.path={real_daily}"])
    assert COVID.start is not None
    assert COVID.end is not None
    whole = until(load_csv(real_daily, ["BIL", "QQQ", "SQQQ", "TQQQ"], ["VIX"]), COVID.end)

    def ran(prices: Panel) -> Any:
        market = prepare(base, prices, make_strategies(base))
        setup = assemble(base, market)
        return setup, market, run_loop(setup)

    full, *_ = ran(whole)
    case = case_of(*ran(until(whole, COVID.start)), whole)
    (found,) = run_stress(case, [COVID], seed=1).outcomes
    expected = session_returns(full, case.stand.last, full.panel.n_bars - 1)
    assert len(expected) == 23
    assert found.replay.ret[:23].tobytes() == expected.tobytes()
    assert found.replay.drawdown > 0.1


def test_before_its_time_nothing_of_a_scenario_is_known(panel: Panel) -> None:
    early = until(panel, date(2007, 12, 31))
    assert window_of(early, Feed(early), COVID.start, COVID.end) is None
