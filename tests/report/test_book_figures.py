"""What was held, traded and paid."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from plimsoll.engine.report.metrics import book
from plimsoll.engine.report.result import Result

Make = Callable[..., Result]


def test_the_parts_of_the_result_explain_every_dollar(make_result: Make) -> None:
    pnl = make_result(sessions=300, short=True, flows={40: 25_000.0, 200: -10_000.0}).metrics["pnl"]
    assert abs(pnl["unexplained"]) < 1e-9 * pnl["final_equity"]
    assert pnl["flow"] == 15_000.0
    assert pnl["borrow"] < 0.0
    assert pnl["costs"] < 0.0


def test_deposits_are_not_returns(make_result: Make) -> None:
    calm = {"trade": False, "sessions": 30}
    with_flow, without = make_result(**calm, flows={10: 1e6}), make_result(**calm)
    assert with_flow.metrics["total_return"] == pytest.approx(without.metrics["total_return"], rel=1e-12)
    assert with_flow.metrics["run"]["net_flows"] == 1e6


def test_turnover_and_cost_drag_by_hand(make_result: Make) -> None:
    result = make_result(sessions=21, trade=False)
    table = result.equity.copy()
    first, later = table.index[0], table.index[10]
    table.loc[first, "traded"] = 100_000.0  # once the starting cash
    table.loc[later, "traded"] = 0.5 * float(table["equity"].iloc[9])
    table.loc[first, ["spread", "costs"]] = 50.0  # 5 bps of it
    metrics = make_result(sessions=21, trade=False, equity=table).metrics
    assert metrics["turnover"]["two_sided_per_year"] == pytest.approx(1.5 * 252.0 / 21.0)
    assert metrics["turnover"]["one_way_per_year"] == pytest.approx(0.75 * 252.0 / 21.0)
    assert metrics["turnover"]["sessions_with_trades"] == 2
    assert metrics["costs"]["drag_bps_per_year"] == pytest.approx(5.0 * 252.0 / 21.0)
    assert metrics["costs"]["spread_bps_per_year"] == pytest.approx(5.0 * 252.0 / 21.0)
    assert metrics["costs"]["impact"] == 0.0


def test_a_deposit_counts_in_the_equity_a_bar_starts_with(make_result: Make) -> None:
    plain_run = make_result(sessions=30, trade=False, flows={1: 100_000.0})
    table = plain_run.equity.copy()
    table.loc[table.index[1], "traded"] = float(table["equity"].iloc[0]) + 100_000.0
    metrics = make_result(sessions=30, trade=False, equity=table).metrics
    assert metrics["turnover"]["two_sided_per_year"] == pytest.approx(252.0 / 30.0)


def test_effective_number_of_positions_has_the_textbook_values() -> None:
    weights = np.array([[0.4, 0.3, 0.2, 0.1], [0.4, -0.3, 0.2, -0.1], [0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(book.effective_n(weights), [10.0 / 3.0, 10.0 / 3.0, 2.0, np.nan])
    entropy = math.exp(-sum(p * math.log(p) for p in (0.4, 0.3, 0.2, 0.1)))
    np.testing.assert_allclose(book.effective_n_entropy(weights), [entropy, entropy, 2.0, np.nan])
    assert entropy == pytest.approx(3.596, abs=5e-4)


def test_look_through_counts_leveraged_funds_with_their_multiple(make_result: Make) -> None:
    result = make_result(sessions=3, trade=False)
    held = result.weights.copy()
    held[:] = 0.0
    held["SPY"], held["TQQQ"], held["SQQQ"] = 0.2, 0.1, 0.3
    exposure = make_result(sessions=3, trade=False, weights=held).metrics["exposure"]
    assert exposure["look_through_gross"]["mean"] == pytest.approx(0.2 + 0.3 + 0.9)
    assert exposure["look_through_net"]["mean"] == pytest.approx(0.2 + 0.3 - 0.9)
    assert exposure["time_net_short"] == 1.0
    assert exposure["positions"]["max"] == 3.0
    assert (exposure["time_levered"], exposure["time_levered_notional"]) == (1.0, 0.0)


def test_time_above_a_gross_is_looked_through_and_the_notional_one_says_so(make_result: Make) -> None:
    result = make_result(sessions=4, trade=False)
    held = result.weights.copy()
    held[:] = 0.0
    held["TQQQ"] = [0.2, 0.4, 0.6, 0.6]  # 0.6, 1.2, 1.8, 1.8 of its index
    held["SPY"] = [0.0, 0.0, 0.0, 0.8]
    table = result.equity.copy()
    table["gross"] = held.abs().sum(axis=1).to_numpy()
    exposure = make_result(sessions=4, trade=False, weights=held, equity=table).metrics["exposure"]
    assert exposure["time_levered"] == 0.75
    assert exposure["time_gross_above_1_5"] == 0.5
    assert exposure["time_levered_notional"] == 0.25
    assert exposure["time_gross_above_1_5_notional"] == 0.0


@pytest.mark.parametrize(
    ("given", "net"),
    [({}, 0.2 - 0.9), ({"SPY": 2.0}, 0.4 - 0.9), ({"SPY": -1.0}, -0.2 - 0.9), ({"SQQQ": 2.0}, 0.2 - 0.6)],
    ids=["known", "larger", "inverse", "an inverse fund's size"],
)
def test_the_accounts_word_on_a_funds_leverage_goes_first(
    make_result: Make, given: dict[str, float], net: float
) -> None:
    held = make_result(sessions=3, trade=False).weights.copy()
    held[:] = 0.0
    held["SPY"], held["SQQQ"] = 0.2, 0.3
    config = {"account": {"leverage": given}}
    exposure = make_result(sessions=3, trade=False, weights=held, config=config).metrics["exposure"]
    assert exposure["look_through_net"]["mean"] == pytest.approx(net)
