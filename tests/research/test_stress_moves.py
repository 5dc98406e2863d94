"""What a symbol does in a scenario: the order of sources, leveraged funds by their days, the missing by class."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.panels import make_panel
from support.stressed import from_days, imagined

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.stress.books import Books, shock
from plimsoll.engine.research.stress.moves import CLASS, LEVERAGE, PRICES, STATED, STILL, Moves, spread
from plimsoll.engine.research.stress.scenario import Scenario, built_in
from plimsoll.engine.research.stress.window import PriceWindow, window_of

BY_NAME = {scenario.name: scenario for scenario in built_in()}


def window(panel: Panel, said: Scenario) -> PriceWindow | None:
    return window_of(panel, Feed(panel), said.start, said.end)


def moves(panel: Panel, said: Scenario, **own: str) -> Moves:
    return Moves(said, own, window(panel, said))


def test_a_leveraged_fund_compounds_three_times_each_day() -> None:
    said = Moves(imagined(paths={"QQQ": [-0.10, 0.05]}), {})
    # by hand: .70 x 1.15 = .805; three times the window's -5.5% would be -16.5%
    assert said.shock("TQQQ") == pytest.approx(0.70 * 1.15 - 1.0, abs=1e-15)
    # the inverse fund: 1.30 x .85 = 1.105
    assert said.shock("SQQQ") == pytest.approx(1.30 * 0.85 - 1.0, abs=1e-15)
    assert said.path("TQQQ").how == LEVERAGE


def test_a_fund_cannot_lose_more_than_everything() -> None:
    said = Moves(imagined(paths={"QQQ": [-0.40, 0.50]}), {})
    assert said.shock("TQQQ") == -1.0
    assert Moves(imagined(returns={"QQQ": -0.2}), {}).shock("TQQQ") == pytest.approx(-0.6, abs=1e-15)


def test_a_window_return_that_is_only_stated_is_spread_evenly_before_it_is_levered() -> None:
    said = Moves(imagined(returns={"TLT": 0.21}, sessions=2), {})
    assert said.path("TLT").ret == pytest.approx([0.1, 0.1])
    assert said.shock("TMF") == pytest.approx(1.3**2 - 1.0)
    assert said.shock("TLT") == 0.21


@given(total=st.floats(-1.0, 10.0), n=st.integers(1, 400))
def test_a_spread_return_compounds_to_itself(total: float, n: int) -> None:
    days = spread(total, n)
    assert len(days) == n
    assert np.prod(1.0 + days) - 1.0 == pytest.approx(total, abs=1e-11, rel=1e-11)
    assert np.ptp(days) == 0.0


def test_funds_that_were_not_alive_move_by_their_class() -> None:
    crash = Moves(BY_NAME["black_monday_1987"], {})
    assert crash.shock("SPY") == -0.205
    assert crash.shock("EFA") == pytest.approx(-0.205)  # developed equities as equities
    assert crash.shock("IAU") == pytest.approx(0.02)  # gold
    assert crash.shock("SHY") == pytest.approx(0.25 * 0.05)
    assert crash.shock("TMF") == pytest.approx(3 * 0.08)
    assert crash.path("DBMF").how == STILL  # a hedge nobody could hold yet earns nothing
    assert crash.shock("DBMF") == 0.0
    assert crash.path("EFA").how == CLASS


def test_a_symbol_nobody_knows_is_asked_for_in_one_line_and_a_class_of_ones_own_answers() -> None:
    with pytest.raises(ConfigError, match=r"what NVDA does.*\[stress.classes\] NVDA = ") as caught:
        Moves(BY_NAME["gfc_full"], {}).shock("NVDA")
    assert "\n" not in str(caught.value)
    assert Moves(BY_NAME["gfc_full"], {"NVDA": "nasdaq"}).shock("NVDA") == pytest.approx(-0.5156)
    assert Moves(imagined(returns={"NVDA": -0.3}), {}).shock("NVDA") == -0.3
    with pytest.raises(ConfigError, match="unknown asset class"):
        Moves(BY_NAME["gfc_full"], {"NVDA": "tech"})


def test_prices_of_the_sessions_come_before_a_class_and_behind_what_is_stated() -> None:
    close = np.column_stack(([100.0, 100.0, 90.0, 99.0], [50.0, 50.0, 40.0, 30.0]))
    panel = make_panel(close, symbols=("EFA", "SPY"))
    plain = from_days(panel, 1, 3)
    assert moves(panel, plain).path("EFA").how == PRICES
    assert moves(panel, plain).shock("EFA") == pytest.approx(-0.01)
    assert moves(panel, plain).path("EFA").ret == pytest.approx([-0.1, 0.1])
    stated = from_days(panel, 1, 3, returns={"EFA": -0.5})
    assert (moves(panel, stated).path("EFA").how, moves(panel, stated).shock("EFA")) == (STATED, -0.5)
    by_class = from_days(panel, 1, 3, classes={"developed_equity": -0.3})
    assert moves(panel, by_class).shock("EFA") == pytest.approx(-0.3)
    assert moves(panel, by_class).path("SPY").how == PRICES


def test_where_the_returns_are_measured_prices_give_the_path_and_the_figure_the_shock() -> None:
    panel = make_panel(np.array([100.0, 100.0, 90.0, 99.0]), symbols=("SPY",))
    said = moves(panel, from_days(panel, 1, 3, measured=True, returns={"SPY": -0.0101}))
    assert said.path("SPY").ret == pytest.approx([-0.1, 0.1])
    assert said.shock("SPY") == -0.0101


def test_a_stated_underlying_moves_its_fund_although_the_fund_has_prices() -> None:
    panel = make_panel(np.full((4, 2), 10.0), symbols=("QQQ", "TQQQ"))
    said = moves(panel, from_days(panel, 1, 3, paths={"QQQ": [-0.1, -0.1]}))
    assert said.shock("TQQQ") == pytest.approx(0.7**2 - 1.0)


def test_a_generated_market_knows_nothing_of_a_date() -> None:
    from dataclasses import replace

    panel = make_panel(np.full((4, 1), 10.0), symbols=("SPY",))
    said = from_days(panel, 1, 3)
    assert window(panel, said) is not None
    assert window(replace(panel, synthetic=True), said) is None


def test_rows_before_a_funds_first_session_do_not_count() -> None:
    panel = make_panel(np.full((4, 2), 10.0), symbols=("SPY", "TQQQ"), start=np.datetime64("2009-01-05").astype(object))
    found = window(panel, from_days(panel, 1, 3))
    assert found is not None
    assert (found.covers("SPY"), found.covers("TQQQ"), found.covers("TLT")) == (True, False, False)


def test_a_window_that_the_prices_only_touch_is_none() -> None:
    panel = make_panel(np.full((10, 1), 10.0), symbols=("SPY",))
    for said in ("gfc_full", "tariff_2025"):
        assert window(panel, BY_NAME[said]) is None


def test_what_comes_before_the_open_is_told_apart_dividends_included() -> None:
    close = np.array([100.0, 100.0, 95.0])
    panel = make_panel(close, np.array([100.0, 100.0, 98.0]), dividend=np.array([0.0, 0.0, 1.0]), symbols=("SPY",))
    found = window(panel, from_days(panel, 1, 2))
    assert found is not None
    ret, gap = found.moves("SPY")
    assert ret == pytest.approx([-0.04])
    assert gap == pytest.approx([-0.01])  # 98 and a dollar


weights = st.lists(st.floats(-2.0, 2.0), min_size=4, max_size=4)
SYMBOLS = ("GLD", "SPY", "TLT", "TQQQ")


def lost(held: list[list[float]]) -> float:
    books = Books(SYMBOLS, np.array(held), tuple(str(k) for k in range(len(held))))
    return shock(books, Moves(BY_NAME["covid_2020"], {})).last


@given(one=weights, two=weights, scale=st.floats(-3.0, 3.0))
def test_a_shock_is_linear_in_what_is_held(one: list[float], two: list[float], scale: float) -> None:
    both = [a + scale * b for a, b in zip(one, two, strict=True)]
    assert lost([both]) == pytest.approx(lost([one]) + scale * lost([two]), abs=1e-12)


def test_the_books_are_the_last_the_mean_and_the_one_hit_hardest() -> None:
    held = np.array([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    books = Books(("GLD", "SPY"), held, ("2020-01-02", "2020-01-03", "2020-01-06"))
    found = shock(books, Moves(imagined(returns={"GLD": 0.03, "SPY": -0.3}), {}))
    assert (found.last, found.worst, found.worst_day) == (0.03, -0.3, "2020-01-02")
    assert found.mean == pytest.approx((0.03 - 0.3) / 3.0)


def test_a_symbol_that_no_close_held_need_not_be_known() -> None:
    books = Books(("NVDA", "SPY"), np.array([[0.0, 1.0]]), ("2020-01-02",))
    assert shock(books, Moves(BY_NAME["covid_2020"], {})).moves == {"SPY": -0.3372}
