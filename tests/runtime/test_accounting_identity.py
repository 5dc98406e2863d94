"""Change of equity = price P&L + dividends + interest - financing - borrow - costs + flow, at every bar."""

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from support.identity import assert_adds_up, bars_of
from support.random_accounts import FIRST, SETTINGS, case

ONE_FOLDER = [HealthCheck.function_scoped_fixture]


@given(s=SETTINGS)
@settings(max_examples=60, suppress_health_check=ONE_FOLDER)
def test_every_bar_of_every_kind_of_account_adds_up(s: dict[str, Any], tmp_path: Path) -> None:
    ran = case(s, tmp_path).run()
    setup, result = ran.setup, ran.result
    assert_adds_up(
        setup.panel, FIRST, result.equity, result.weights.to_numpy(), bars_of(result.fills, setup.panel), setup.bill,
        100_000.0, 0.015, 0.03, rebate=s["rebate"], at_close=s["fill"] == "next_close",
    )  # fmt: skip


@given(s=SETTINGS)
@settings(max_examples=40, suppress_health_check=ONE_FOLDER)
def test_fills_of_an_order_never_exceed_it_nor_the_participation_cap(s: dict[str, Any], tmp_path: Path) -> None:
    ran = case(s, tmp_path).run()
    panel, orders = ran.setup.panel, ran.result.orders
    fills = bars_of(ran.result.fills, panel)
    traded = fills[fills["order_id"] != ""]
    assert (orders["filled"].abs() <= orders["qty"].abs() * (1.0 + 1e-12)).all()
    assert ((orders["filled"] * orders["qty"] > 0.0) | (orders["filled"] == 0.0)).all()
    complete = orders[orders["status"] == "filled"]
    np.testing.assert_allclose(complete["filled"], complete["qty"], rtol=1e-12)
    for (bar, column), of_bar in traded.groupby(["bar", "column"]):
        volume = panel.volume[bar, column]
        assert volume != 0.0
        if s["max_participation"] > 0.0 and not np.isnan(volume):
            assert of_bar["qty"].abs().sum() <= s["max_participation"] * volume * (1.0 + 1e-12)
        price = panel.open if s["fill"] == "next_open" else panel.close
        assert (of_bar["price"] == price[bar, column]).all()


@given(s=SETTINGS)
@settings(max_examples=40, suppress_health_check=ONE_FOLDER)
def test_a_short_position_is_always_a_whole_number_of_shares(s: dict[str, Any], tmp_path: Path) -> None:
    ran = case(s | {"sizing": "decision"}, tmp_path).run()
    whole = not s["fractional"]
    for t in range(FIRST, ran.track.last + 1, 7):
        shares = ran.shares_after(t)
        kept = shares if whole else shares[shares < -1e-9]
        np.testing.assert_allclose(kept, np.round(kept), rtol=0.0, atol=1e-9)
