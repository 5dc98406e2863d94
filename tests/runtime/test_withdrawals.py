"""Withdrawals are raised, not borrowed: the schedule is known one session ahead."""

from typing import Any

import numpy as np
import pytest
from support.flows import Flows
from support.money import market, settled, total, with_volume
from support.scripted import Ran

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.panel import Panel

RISING = 100.0 * 1.01 ** np.arange(9)
OUT = 3  # 2024-01-05
DAILY = {t: {"AAA": 0.5, "BBB": 0.5} for t in range(9)}


def after(flows: Flows, panel: Panel, answers: Any, *moves: tuple[int, float], kind: str = "cash", **words: Any) -> Ran:
    """Run with deposits and withdrawals, (bar, dollars)."""
    return settled(panel, answers, account={"type": kind, "flows": flows(panel, moves)}, **words)


def test_a_large_withdrawal_is_sold_for_and_earns_nothing_more(flows: Flows) -> None:
    ran = after(flows, market({"AAA": RISING}), {0: {"AAA": 1.0}}, (OUT, -90_000.0))
    assert total(ran) == pytest.approx(1.01**7 - 1.0, rel=1e-6)  # +7.2%
    assert ran.equity["gross"].max() <= 1.0 + 1e-9
    assert ran.equity["flow"].iloc[OUT - 1] == -90_000.0
    assert ran.equity["cash"].min() >= -1e-6


def test_a_margin_account_raises_it_too(flows: Flows) -> None:
    ran = after(flows, market({"AAA": RISING}), {0: {"AAA": 1.0}}, (OUT, -90_000.0), kind="reg_t")
    # 1,000 shares sized at 100 cost 101,000; seven times +1% on 1.01 of equity, then on about 1.0
    assert total(ran) == pytest.approx(1.01**7 - 1.0, rel=0.02)
    assert ran.equity["gross"].max() <= 1.011
    assert ran.equity["cash"].iloc[OUT - 1] >= ran.equity["cash"].iloc[OUT - 2]


@pytest.mark.parametrize("kind", ["cash", "reg_t"])
def test_a_daily_rebalanced_account_raises_it_too(flows: Flows, kind: str) -> None:
    panel = market({"AAA": RISING, "BBB": RISING / 2})
    ran = after(flows, panel, DAILY, (OUT, -90_000.0), kind=kind)
    assert total(ran) == pytest.approx(1.01**7 - 1.0, rel=0.02)
    assert ran.equity["gross"].max() <= 1.02
    assert kind == "reg_t" or ran.equity["cash"].min() >= -1e-6


def test_every_position_is_scaled_alike(flows: Flows) -> None:
    panel = market({"AAA": np.full(9, 100.0), "BBB": np.full(9, 50.0)})
    ran = after(flows, panel, {0: {"AAA": 0.5, "BBB": 0.25}}, (OUT, -40_000.0))
    assert ran.shares_after(OUT) == pytest.approx([300.0, 300.0], rel=1e-9)  # 60% of 500 and 500
    assert ran.equity["cash"].iloc[OUT - 1] == pytest.approx(15_000.0)


def test_a_debit_shrinks_in_proportion(flows: Flows) -> None:
    ran = after(flows, market({"AAA": np.full(9, 100.0)}), {0: {"AAA": 1.5}}, (OUT, -40_000.0), kind="reg_t")
    assert ran.equity["cash"].iloc[OUT - 2 : OUT].tolist() == pytest.approx([-50_000.0, -30_000.0])
    assert ran.equity["gross"].iloc[OUT - 1] == pytest.approx(1.5)


def test_shorts_are_covered_in_proportion_by_whole_shares_rounded_up(flows: Flows) -> None:
    panel = market({"AAA": np.full(9, 100.0), "BBB": np.full(9, 70.0)})
    ran = after(flows, panel, {0: {"AAA": 1.0, "BBB": -0.5}}, (OUT, -10_000.0), kind="reg_t")
    # 714 short: 10% of 49,980 is 71.4 shares; 990 long would be 10,000: exactly 100 shares
    assert ran.shares_after(OUT) == pytest.approx([900.0, -714.0 + 72.0], rel=1e-9)


def test_whole_shares_are_rounded_up(flows: Flows) -> None:
    panel = market({"AAA": np.full(9, 100.0)})
    ran = after(flows, panel, {0: {"AAA": 1.0}}, (OUT, -12_345.0), execution={"fractional": False})
    assert ran.shares_after(OUT)[0] == 1_000.0 - 124.0
    assert ran.equity["cash"].iloc[OUT - 1] == pytest.approx(12_400.0 - 12_345.0)


@pytest.mark.parametrize("fill", ["next_open", "next_close"])
def test_a_withdrawal_changes_no_return(flows: Flows, fill: str) -> None:
    panel = market({"AAA": RISING})
    terms = {"fill": fill}
    still = after(flows, panel, {0: {"AAA": 1.0}}, execution=terms)
    ran = after(flows, panel, {0: {"AAA": 1.0}}, (OUT, -50_000.0), (OUT + 2, -9_000.0), execution=terms)
    assert ran.equity["ret"].to_numpy() == pytest.approx(still.equity["ret"].to_numpy(), abs=1e-5)


def test_what_the_day_gives_no_market_for_is_paid_the_session_after(flows: Flows) -> None:
    panel = market({"AAA": np.full(9, 100.0)}, volume=with_volume(1e6, 9, none=(OUT,)))
    ran = after(flows, panel, {0: {"AAA": 1.0}}, (OUT, -60_000.0))
    assert ran.equity["cash"].min() >= -1e-6
    assert ran.equity["flow"].iloc[OUT - 1 : OUT + 1].tolist() == pytest.approx([0.0, -60_000.0])
    assert ran.equity["equity"].iloc[-1] == pytest.approx(40_000.0)
    assert ran.result.counts["withdrawals_paid_late"] == 1


def test_what_a_gap_lacks_is_paid_the_session_after(flows: Flows) -> None:
    close = np.r_[np.full(3, 100.0), np.full(6, 80.0)]
    ran = after(flows, market({"AAA": close}), {0: {"AAA": 0.5}}, (OUT, -89_000.0))
    # 44,500 of 50,000 in AAA were to be sold: the 500 shares fetch 40,000 at 80; with 50,000 in cash 1,000 are left
    assert ran.equity["flow"].iloc[OUT - 1] == pytest.approx(-89_000.0)
    assert ran.equity["equity"].iloc[-1] == pytest.approx(1_000.0)
    assert ran.equity["cash"].min() >= -1e-6


def test_costs_of_raising_the_money_are_never_owed(flows: Flows) -> None:
    costs = {"preset": "flat", "flat_bps": 50.0}
    ran = after(flows, market({"AAA": np.full(9, 100.0)}), {0: {"AAA": 1.0}}, (OUT, -50_000.0), costs=costs)
    assert ran.equity["cash"].min() >= -1e-6
    assert ran.equity["flow"].sum() == pytest.approx(-50_000.0)


def test_a_withdrawal_of_more_than_the_account_is_refused(flows: Flows) -> None:
    with pytest.raises(DataError, match="withdrawal on 2024-01-05 exceeds the account"):
        after(flows, market({"AAA": RISING}), {0: {"AAA": 1.0}}, (OUT, -150_000.0))


def test_a_sale_that_was_working_sells_no_more_than_the_withdrawal_left(flows: Flows) -> None:
    panel = market({"AAA": np.full(9, 100.0)}, volume=with_volume(1e6, 9, none=(2,)))
    ran = after(flows, panel, {0: {"AAA": 1.0}, 1: {}}, (OUT, -10_000.0))
    assert ran.shares_after(2)[0] == 1_000.0
    assert [ran.shares_after(t)[0] for t in range(OUT, 9)] == [0.0] * 6
    assert ran.equity["cash"].iloc[-1] == pytest.approx(90_000.0)


def test_a_margin_account_does_not_borrow_what_could_not_be_sold(flows: Flows) -> None:
    panel = market({"AAA": np.full(9, 100.0)}, volume=with_volume(1e6, 9, none=(OUT,)))
    ran = after(flows, panel, {0: {"AAA": 1.5}}, (OUT, -40_000.0), kind="reg_t")
    assert ran.equity["flow"].iloc[OUT - 1 : OUT + 1].tolist() == pytest.approx([0.0, -40_000.0])
    assert ran.equity["cash"].iloc[OUT - 1 : OUT + 1].tolist() == pytest.approx([-50_000.0, -30_000.0])


def test_a_withdrawal_and_what_was_working_share_the_participation_cap(flows: Flows) -> None:
    panel = market({"AAA": np.full(9, 100.0)}, volume=with_volume(500.0, 9))
    ran = after(flows, panel, {0: {"AAA": 0.5}}, (OUT, -20_000.0), execution={"max_participation": 0.05})
    fills = ran.setup.broker.fills
    for t in range(1, 9):
        assert np.abs(fills[fills[:, 0] == t, 2]).sum() <= 25.0 + 1e-9
