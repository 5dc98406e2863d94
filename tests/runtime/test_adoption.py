"""What the account takes over at its first decision, and when it decides after that."""

from datetime import date

import numpy as np
import pytest
from support.panels import make_panel
from support.scripted import plain_config, run_config, run_script

from plimsoll.engine.errors import ConfigError, DataError, StrategyError

T = 40
RISING = 100.0 * 1.01 ** np.arange(T)
MARKET = np.column_stack((RISING, np.full(T, 50.0)))


def test_an_answer_given_in_the_warm_up_is_not_lost() -> None:
    panel = make_panel(MARKET)
    config = plain_config(
        "plimsoll.strategies.buy_and_hold:BuyAndHold",
        {"symbols": ["S000", "S001"]},
        run={"start": str(panel.clock.session[25])},
    )
    ran = run_config(panel, config)
    assert len(ran.track.decisions) == 1
    assert ran.track.decisions[0].t == 24
    assert len(ran.result.fills) == 2


def test_the_weights_taken_over_have_drifted_since_the_answer() -> None:
    ran = run_script(make_panel(MARKET), {4: {"S000": 0.5, "S001": 0.25}}, first=25)
    grown = 0.5 * 1.01**20
    total = grown + 0.25 + 0.25
    assert ran.track.decisions[0].target.weights == pytest.approx([grown / total, 0.25 / total], rel=1e-12)
    assert ran.result.targets.iloc[0].to_numpy() == pytest.approx([grown / total, 0.25 / total], rel=1e-12)


def test_cash_in_the_warm_up_earned_the_bill_rate() -> None:
    ran = run_script(make_panel(MARKET), {4: {"S001": 0.5}}, first=25, financing={"cash_rate": 0.252})
    growth = 1.0
    weight = 0.5
    for _ in range(20):
        step = 1.0 + (1.0 - weight) * 0.001
        weight, growth = weight / step, growth * step
    assert ran.track.decisions[0].target.weights[1] == pytest.approx(weight, rel=1e-12)


@pytest.mark.parametrize("first", [1, 25])
def test_every_order_bears_the_session_it_was_decided_at(first: int) -> None:
    ran = run_script(make_panel(MARKET), {0: {"S000": 0.5}, 30: {"S001": 0.5}}, first=first)
    decided = [ran.setup.panel.clock.stamp[t] for t in (first - 1, 30, 30)]
    assert ran.result.orders["session"].to_numpy().tolist() == np.array(decided, dtype="datetime64[s]").tolist()
    assert [i.split("-")[2] for i in ran.result.orders["id"]] == [
        str(d)[:10].replace("-", "") + "0000" for d in decided
    ]


def test_with_no_answer_yet_the_account_starts_in_cash_and_waits() -> None:
    ran = run_script(make_panel(MARKET), {30: {"S000": 0.5}}, first=25)
    assert [d.t for d in ran.track.decisions] == [24, 30]
    assert ran.track.decisions[0].plan.orders.rows.qty.size == 0
    assert ran.equity["long"].iloc[: 31 - 25].max() == 0.0


def test_none_keeps_what_is_held_and_sends_nothing() -> None:
    ran = run_script(make_panel(MARKET), {26: {"S000": 0.5}, 33: {"S000": 0.5}}, first=25)
    assert [d.t for d in ran.track.decisions] == [24, 26, 33]
    assert sorted(set(ran.setup.broker.fills[:, 0])) == [27.0, 34.0]
    held = [ran.shares_after(t)[0] for t in range(27, 34)]
    assert len(set(held)) == 1


def test_a_zero_vector_sells_everything() -> None:
    ran = run_script(make_panel(MARKET), {26: {"S000": 0.5, "S001": 0.3}, 33: {}}, first=25)
    assert ran.shares_after(T - 1).tolist() == [0.0, 0.0]
    assert ran.equity["cash"].iloc[-1] == ran.equity["equity"].iloc[-1]


def test_an_answer_on_the_last_bar_is_decided_and_stays_unfilled() -> None:
    ran = run_script(make_panel(MARKET), {T - 1: {"S000": 0.5}}, first=25)
    assert ran.track.decisions[-1].t == T - 1
    assert ran.result.orders["status"].tolist() == ["working"]
    assert len(ran.result.fills) == 0


def test_the_first_bar_traded_can_be_the_second_of_the_data() -> None:
    ran = run_script(make_panel(MARKET), {0: {"S000": 1.0}})
    assert ran.setup.first == 1
    assert ran.shares_after(1)[0] == pytest.approx(1_000.0)


def test_a_gap_on_the_first_bar_is_traded_at_its_open() -> None:
    opened = np.vstack((MARKET[:1], MARKET[:-1]))
    opened[25] *= 1.5
    ran = run_script(make_panel(MARKET, opened), {20: {"S001": 0.8}}, first=25)
    assert ran.result.fills["price"].tolist() == [75.0]
    assert ran.equity["cash"].iloc[0] == pytest.approx(100_000.0 - 1_600.0 * 75.0)


def test_a_start_that_leaves_too_little_history_names_the_earliest_possible_one() -> None:
    panel = make_panel(np.full((T, 8), 50.0), symbols=("EEM", "EFA", "GLD", "IWM", "LQD", "QQQ", "SPY", "TLT"))
    config = plain_config("plimsoll.strategies.regime_risk_parity:RegimeRiskParity", run={"start": "2019-01-10"})
    with pytest.raises(DataError) as caught:
        run_config(panel, config)
    earliest = panel.clock.session[31]
    assert f"earliest possible start is {earliest}" in str(caught.value)
    config["run"]["start"] = str(earliest)
    assert run_config(panel, config).setup.first == 31


def test_too_short_a_history_is_one_clear_line() -> None:
    panel = make_panel(np.full((20, 8), 50.0), symbols=("EEM", "EFA", "GLD", "IWM", "LQD", "QQQ", "SPY", "TLT"))
    with pytest.raises(DataError, match=r"needs 31 bars.*the data has 20"):
        run_config(panel, plain_config("plimsoll.strategies.regime_risk_parity:RegimeRiskParity"))


def test_a_start_after_the_data_is_refused() -> None:
    with pytest.raises(DataError, match="after the last session of the data"):
        run_script(make_panel(MARKET), {}, run={"start": "2031-01-02"})


def test_a_missing_symbol_is_named_with_a_suggestion() -> None:
    panel = make_panel(MARKET, symbols=("SPY", "TLT"))
    with pytest.raises(DataError, match=r"'IEF' is not in the data"):
        run_config(panel, plain_config("plimsoll.strategies.sixty_forty:SixtyForty"))


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ({"S001": 0.5}, r"S001, which is not listed"),
        ({"S000": float("nan")}, r"answered nan for S000"),
    ],
)
def test_an_impossible_answer_names_sleeve_and_session(answer: dict[str, float], what: str) -> None:
    close = MARKET.copy()
    close[:30, 1] = np.nan
    with pytest.raises(StrategyError, match=rf"sleeve 's' \(Scripted\) on 2019-02-07.*{what}"):
        run_script(make_panel(close), {25: answer}, first=20)


def test_a_symbol_listed_in_the_middle_can_be_bought_from_its_first_close_on() -> None:
    close = MARKET.copy()
    close[:30, 1] = np.nan
    ran = run_script(make_panel(close), {30: {"S001": 0.5}}, first=20)
    assert ran.setup.broker.fills[:, :3].tolist() == [[31.0, 1.0, 1_000.0]]


def test_a_parameter_that_does_not_exist_is_refused() -> None:
    config = plain_config("plimsoll.strategies.buy_and_hold:BuyAndHold", {"symbol": ["S000"]})
    with pytest.raises(ConfigError, match=r"did you mean 'symbols'"):
        run_config(make_panel(MARKET, start=date(2019, 1, 2)), config)
