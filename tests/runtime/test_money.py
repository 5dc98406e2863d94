"""A cash account never owes, initial margin binds whatever opens or adds, and what was not filled works on."""

from typing import Any

import numpy as np
import pytest
from support.money import market, settled, told, total, with_volume
from support.scripted import Ran, run_script

T = 40
FLAT = np.full(T, 100.0)
MARGIN = {"type": "reg_t"}


def test_a_purchase_waits_for_the_sale_that_pays_for_it() -> None:
    panel = market({"AAA": FLAT, "BBB": FLAT / 2}, volume=with_volume(1e6, T, 2, none=(5,)))
    ran = settled(panel, {0: {"AAA": 1.0}, 4: {"BBB": 1.0}})
    assert ran.equity["cash"].min() >= 0.0
    assert ran.shares_after(5).tolist() == [1_000.0, 0.0]
    assert ran.shares_after(6).tolist() == [0.0, 2_000.0]
    assert ran.result.counts["negative_cash_closes"] == 0
    assert ran.equity["equity"].to_numpy() == pytest.approx(100_000.0, rel=1e-12)


def test_sizing_at_the_fill_owes_nothing_either() -> None:
    panel = market({"AAA": FLAT, "BBB": FLAT / 2}, volume=with_volume(1e6, T, 2, none=(5,)))
    ran = settled(panel, {0: {"AAA": 1.0}, 4: {"BBB": 1.0}}, execution={"sizing": "fill"})
    assert ran.equity["cash"].min() >= -1e-6
    assert ran.shares_after(5).tolist() == pytest.approx([1_000.0, 0.0])


def test_without_volume_for_long_a_cash_account_still_owes_nothing() -> None:
    panel = market({"AAA": FLAT, "BBB": FLAT / 2}, volume=with_volume(1e6, T, 2, none=tuple(range(5, T))))
    ran = settled(panel, {0: {"AAA": 1.0}, 4: {"BBB": 1.0}})
    assert ran.equity["cash"].min() >= 0.0
    assert ran.shares_after(T - 1).tolist() == [1_000.0, 0.0]


def test_a_switch_out_of_a_thin_fund_buys_day_by_day_what_was_sold() -> None:
    volume = with_volume(500.0, T, 2)  # 5% of it are 25 shares a day, of 400
    volume[:, 1] = 1e9
    panel = market({"AAA": FLAT, "BBB": FLAT / 2}, volume=volume)
    ran = settled(panel, {0: {"AAA": 1.0}, 20: {"BBB": 1.0}}, run={"cash": 40_000.0},
                  execution={"max_participation": 0.05})  # fmt: skip
    assert ran.shares_after(16).tolist() == [400.0, 0.0]
    for k in range(1, 17):
        assert ran.shares_after(20 + k) == pytest.approx([400.0 - 25.0 * k, 50.0 * k], rel=1e-9, abs=1e-9)
    assert ran.equity["cash"].min() >= -1e-6


def test_a_mixed_book_beyond_its_margin_is_scaled_on_both_sides() -> None:
    panel = market({"AAA": FLAT, "BBB": FLAT / 2})
    ran = settled(panel, {0: {"AAA": 1.5, "BBB": -1.0}}, account=MARGIN)
    assert ran.result.weights.iloc[-1].tolist() == pytest.approx([1.2, -0.8], rel=1e-9)
    assert ran.result.counts["decisions_scaled_to_affordable"] == 1


def test_a_purchase_at_an_open_above_the_close_is_cut_to_the_cash_there_is() -> None:
    panel = market({"AAA": [100.0, 150.0, 150.0, 165.0]})
    ran = settled(panel, {0: {"AAA": 1.0}})
    assert total(ran) == pytest.approx(0.10, rel=1e-9)
    assert ran.equity["cash"].abs().max() <= 1e-6
    assert ran.shares_after(3)[0] == pytest.approx(100_000.0 / 150.0, abs=1e-8)  # what was cut does not come later
    assert ran.result.counts["orders_cut_at_fill"] == 1


def test_a_margin_account_is_cut_at_the_fill_to_its_initial_margin() -> None:
    panel = market({"AAA": [100.0, 110.0, 110.0, 110.0]})
    ran = settled(panel, {0: {"AAA": 2.0}}, account=MARGIN)
    assert ran.equity["long"].iloc[0] == pytest.approx(200_000.0, rel=1e-9)  # 2,000 shares would be 220,000
    assert ran.result.counts["orders_cut_at_fill"] == 1


def test_a_gap_within_the_margin_is_financed_and_counted() -> None:
    panel = market({"AAA": [100.0, 110.0, 110.0, 110.0]})
    ran = settled(panel, {0: {"AAA": 1.5}}, account=MARGIN)
    assert ran.shares_after(3)[0] == 1_500.0
    assert ran.equity["cash"].iloc[0] == pytest.approx(-65_000.0)
    assert ran.result.counts["orders_cut_at_fill"] == 0
    assert ran.result.counts["negative_cash_closes"] == 3


def test_a_short_gap_beyond_the_margin_is_cut_too() -> None:
    panel = market({"AAA": [100.0, 110.0, 110.0, 110.0]})
    ran = settled(panel, {0: {"AAA": -2.0}}, account=MARGIN)
    assert ran.shares_after(3)[0] == -1_818.0  # 200,000 at 110, whole shares


def test_opening_shorts_is_bound_by_initial_margin_and_counted() -> None:
    ran = settled(market({"AAA": FLAT}), {0: {"AAA": -3.0}}, account=MARGIN)
    assert ran.equity["short"].iloc[-1] == pytest.approx(200_000.0)
    assert ran.result.counts["decisions_scaled_to_affordable"] == 1


def test_a_leveraged_fund_is_bought_to_its_own_requirement() -> None:
    ran = settled(market({"TQQQ": FLAT}), {0: {"TQQQ": 2.0}}, account=MARGIN)
    assert ran.result.weights["TQQQ"].iloc[-1] == pytest.approx(1.0 / 0.75, rel=1e-9)
    assert ran.result.counts["margin_calls"] == 0


def test_what_reduces_is_never_scaled_and_makes_room_for_what_opens() -> None:
    panel = market({"AAA": FLAT, "BBB": FLAT})
    ran = settled(panel, {0: {"AAA": -2.0}, 3: {"AAA": -1.0, "BBB": 3.0}}, account=MARGIN)
    assert ran.shares_after(4) == pytest.approx([-1_000.0, 1_000.0], abs=1e-6)  # 50% of 100,000 each


def test_a_sale_that_did_not_fill_keeps_its_margin() -> None:
    panel = market({"AAA": FLAT, "BBB": FLAT}, volume=with_volume(1e6, T, 2, none=(5,)))
    ran = settled(panel, {0: {"AAA": 1.5}, 4: {"BBB": 1.5}}, account=MARGIN)
    assert ran.shares_after(5) == pytest.approx([1_500.0, 500.0], abs=1e-6)
    assert ran.shares_after(6) == pytest.approx([0.0, 1_500.0], abs=1e-6)


@pytest.mark.parametrize("row", ["missing", "volume 0"])
def test_a_purchase_that_found_no_market_is_made_the_session_after(row: str) -> None:
    there = row == "volume 0"
    close = [100.0, 100.0 if there else np.nan, 101.0, 102.0, 110.0]
    ran = settled(market({"AAA": close}, volume=with_volume(1e6, 5, none=(1,))), {0: {"AAA": 1.0}})
    assert total(ran) == pytest.approx(110.0 / 101.0 - 1.0, rel=1e-9)  # +8.9%
    assert ran.equity["cash"].min() >= -1e-6


def test_a_purchase_in_a_thin_fund_is_filled_over_weeks() -> None:
    panel = market({"AAA": FLAT}, volume=with_volume(500.0, T))
    ran = settled(panel, {0: {"AAA": 1.0}}, run={"cash": 40_000.0}, execution={"max_participation": 0.05})
    held = [ran.shares_after(t)[0] for t in range(1, T)]
    assert held == pytest.approx([min(25.0 * t, 400.0) for t in range(1, T)], rel=1e-9)
    assert ran.result.orders["status"].tolist() == ["filled"]


def test_unfilled_orders_still_expire_where_that_is_asked_for() -> None:
    panel = market({"AAA": FLAT}, volume=with_volume(500.0, T))
    terms = {"max_participation": 0.05, "unfilled": "expire"}
    ran = settled(panel, {0: {"AAA": 1.0}}, run={"cash": 40_000.0}, execution=terms)
    assert ran.shares_after(T - 1)[0] == 25.0


def test_a_carried_purchase_stops_at_its_decided_weight() -> None:
    close = np.r_[100.0, 100.0, np.full(8, 200.0)]  # 25 shares, then the price doubles
    panel = market({"AAA": close}, volume=with_volume(500.0, 10))
    ran = settled(panel, {0: {"AAA": 0.5}}, run={"cash": 20_000.0}, execution={"max_participation": 0.05})
    # bar 2 fills 25 more of the 100 at 200; then 50 x 200 of 20,000 + 25 x 100 = 22,500 is 44%: room for 6.25
    assert [ran.shares_after(t)[0] for t in (1, 2, 3, 9)] == pytest.approx([25.0, 50.0, 56.25, 56.25], rel=1e-9)


def test_a_purchase_that_waits_is_bounded_by_the_last_close_of_what_was_not_held() -> None:
    fell = np.r_[np.full(3, 200.0), np.full(4, 100.0), np.nan, np.full(4, 100.0)]  # halved while nobody held it
    panel = market({"AAA": fell, "BBB": np.full(12, 50.0)})
    ran = settled(panel, {0: {"BBB": 0.5}, 6: {"BBB": 0.5, "AAA": 0.5}})
    assert ran.shares_after(7).tolist() == [0.0, 1_000.0]
    assert ran.shares_after(8) == pytest.approx([500.0, 1_000.0], rel=1e-9)


def test_a_decision_that_sends_nothing_ends_what_was_working() -> None:
    panel = market({"AAA": FLAT}, volume=with_volume(500.0, T))
    ran = settled(panel, {0: {"AAA": 1.0}, 2: {"AAA": 0.125}}, run={"cash": 40_000.0},
                  execution={"max_participation": 0.05})  # fmt: skip
    assert ran.shares_after(T - 1)[0] == 50.0  # 12.5% of 40,000 is what it had after two sessions


def test_what_was_never_bought_is_one_warning_with_its_reason() -> None:
    gone = np.r_[100.0, 100.0, np.full(12, np.nan)]
    ran = settled(market({"AAA": gone, "BBB": np.full(14, 50.0)}), {1: {"AAA": 1.0}}, first=2)
    (said,) = told(ran, "AAA was never bought")
    assert said.startswith("AAA was never bought: no row on 2024-01-04")


def test_a_target_that_is_held_within_four_sessions_is_no_warning() -> None:
    close = np.r_[100.0, 100.0, np.full(4, np.nan), np.full(8, 100.0)]
    ran = settled(market({"AAA": close}), {1: {"AAA": 1.0}}, first=2)
    assert ran.shares_after(6)[0] == 1_000.0
    assert told(ran, "never bought") == []


@pytest.mark.parametrize(("bars", "warned"), [(2, False), (6, False), (7, True)])
def test_what_the_end_of_the_data_cut_short_was_not_open_for_five_sessions(bars: int, warned: bool) -> None:
    gone = np.r_[100.0, 100.0, np.full(12, np.nan)][:bars]
    ran = settled(market({"AAA": gone, "BBB": np.full(bars, 50.0)}), {1: {"AAA": 1.0}})
    assert bool(told(ran, "AAA was never bought")) == warned


def called(answer: dict[str, float], volume: float = 1e9, missing: bool = True, **more: Any) -> Ran:
    """Long two funds at 200%; at bar 4 `answer`; at bar 5 BBB falls by 75% and the account is called."""
    close, thin = np.full((9, 2), 100.0), np.full((9, 2), 1e9)
    close[5:, 1] = 25.0
    thin[5:, 0] = volume
    if missing:
        close[5, 0] = np.nan
    panel = market({"AAA": close[:, 0], "BBB": close[:, 1]}, volume=thin)
    ran = settled(panel, {0: {"AAA": 1.0, "BBB": 1.0}, 4: answer}, account=MARGIN, **more)
    assert ran.shares_after(4).tolist() == [1_000.0, 1_000.0]
    assert ran.result.counts["margin_calls"] >= 1
    return ran


def test_what_was_to_be_sold_when_the_call_came_is_sold_though_it_had_no_price_then() -> None:
    ran = called({"AAA": 0.0, "BBB": 1.3})
    assert ran.shares_after(5).tolist() == [
        1_000.0,
        1_000.0,
    ]  # the purchase waited, and ends with the call
    assert ran.shares_after(6)[0] == 0.0
    assert ran.shares_after(6)[1] < 1_000.0  # and what the call asked of the other
    assert ran.result.counts["margin_calls"] == 1


def test_a_call_never_sells_less_than_was_on_its_way() -> None:
    ran = called({"AAA": 0.2, "BBB": 1.0}, volume=1_000.0, missing=False, execution={"max_participation": 0.1})
    left = ran.shares_after(5)[0]
    assert left == 900.0  # a tenth of the day's volume, of 800 shares
    assert [ran.shares_after(t)[0] for t in (6, 7, 8)] == [800.0, 700.0, 600.0]


def test_a_position_that_was_to_be_turned_when_the_call_came_is_only_closed() -> None:
    ran = called({"AAA": -0.3, "BBB": 0.3})
    assert [ran.shares_after(t)[0] for t in (5, 6, 7, 8)] == [1_000.0, 0.0, 0.0, 0.0]


def test_what_a_call_asks_for_is_sold_at_a_limit_of_its_own() -> None:
    """The sale on its way was for more, at a limit a gap has left behind: by itself it would never be filled."""
    close = np.full(12, 100.0)
    close[5:] = 60.0
    panel = market({"AAA": close}, volume=np.full((12, 1), 1e9))
    execution = {"venue": "alpaca", "limits": True, "unfilled": "carry"}
    account = {**MARGIN, "maintenance_long": 0.4}
    ran = run_script(panel, {0: {"AAA": 2.0}, 4: {"AAA": 0.5}}, first=1, account=account, execution=execution)
    held = [float(ran.shares_after(t)[0]) for t in (4, 5, 6)]
    assert held == [2_000.0, 2_000.0, 500.0]  # as many as were to be sold at bar 4
    assert ran.result.counts["margin_calls"] == 1
    assert ran.result.orders["qty"].to_list()[1:] == [-1_500.0, -1_500.0]  # the second one took the place of the first


def test_sized_at_the_fill_a_sale_goes_on_under_a_call_and_a_call_sells_what_it_asks() -> None:
    fill = {"sizing": "fill"}
    missing = called({"AAA": 0.0, "BBB": 1.3}, execution=fill)
    assert missing.shares_after(6)[0] == 0.0
    assert missing.shares_after(6)[1] < 1_000.0
    mild = called({"AAA": 0.9, "BBB": 1.0}, missing=False, volume=1_000.0, execution=fill | {"max_participation": 0.1})
    alone = called({"AAA": 1.0, "BBB": 1.0}, missing=False, volume=1_000.0, execution=fill | {"max_participation": 0.1})
    assert mild.shares_after(8)[0] <= alone.shares_after(8)[0] < 1_000.0


@pytest.mark.parametrize(("unfilled", "held"), [("carry", 500.0), ("expire", 1_000.0)])
def test_what_is_sized_at_the_fill_waits_for_a_price_as_everything_does(unfilled: str, held: float) -> None:
    close = np.full(8, 100.0)
    close[3:5] = np.nan
    execution = {"sizing": "fill", "unfilled": unfilled}
    ran = settled(
        market({"AAA": close, "BBB": np.full(8, 10.0)}), {0: {"AAA": 1.0}, 2: {"AAA": 0.5}}, execution=execution
    )
    assert [float(ran.shares_after(t)[0]) for t in (2, 3, 4, 5)] == [1_000.0, 1_000.0, 1_000.0, held]
    assert ran.result.counts["expired_orders"] == (unfilled == "expire")


def test_sized_at_the_fill_a_call_never_sells_less_than_was_on_its_way() -> None:
    execution = {"sizing": "fill", "max_participation": 0.1}
    ran = called({"AAA": 0.0, "BBB": 1.0}, volume=1_000.0, missing=False, execution=execution)
    assert [ran.shares_after(t)[0] for t in (5, 6, 7, 8)] == [900.0, 800.0, 700.0, 600.0]  # to nothing, as was decided


def test_an_order_sized_at_the_fill_that_waits_for_a_price_is_working_at_the_end() -> None:
    close = np.array([100.0, 100.0, 100.0, np.nan, np.nan])
    panel = market({"AAA": close, "BBB": np.full(5, 10.0)})
    ran = settled(panel, {0: {"AAA": 1.0}, 2: {"AAA": 0.5}}, execution={"sizing": "fill"})
    assert ran.result.orders["status"].to_list() == ["filled", "working"]
