"""The cost of one trade against published figures."""

import math
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.broker_bench import Bench
from support.panels import make_panel
from support.plain_fees import raw

from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.cost import (
    FEES_ON,
    FLAT_RATE,
    IMPACT_Y,
    PER_SHARE,
    commission_cost,
    estimate_cost,
    impact_cost,
    raw_fees,
    round_up_cent,
    spread_cost,
)

Golden = Callable[[str], dict[str, Any]]
DAY = date(2026, 9, 15)  # the schedule of the published example: SEC 20.60 per million, TAF .000195, CAT .000003


def test_half_the_spread_is_paid_on_the_notional() -> None:
    assert spread_cost(10_000.0, 2e-4) == pytest.approx(2.0, rel=1e-15)


def test_commission_is_a_rate_per_dollar_plus_a_rate_per_share() -> None:
    rules = np.zeros(layout.RULES)
    rules[FLAT_RATE], rules[PER_SHARE] = 5e-4, 0.0035
    assert commission_cost(20_000.0, 100.0, rules) == pytest.approx(10.0 + 0.35, rel=1e-15)


def test_impact_follows_the_published_square_root_example(golden: Golden) -> None:
    example = golden("costs")["sqrt"]["example"]
    notional, volume = 1e6, 1e8
    shares = example["Q_over_V"] * volume
    paid = impact_cost(notional, shares, example["sigma_daily"], volume, example["Y"])
    assert paid / notional * 1e4 == pytest.approx(example["avg_bp"], rel=1e-12)
    assert 1.5 * paid / notional * 1e4 == pytest.approx(example["peak_bp"], rel=1e-12)


def test_impact_of_ten_basis_points_of_volume_is_two_and_a_half_basis_points() -> None:
    paid = impact_cost(1.0, 1e5, 0.012, 1e8, 1.0)  # sigma 1.2%, Q/V = .001: 2/3 * .012 * sqrt(.001)
    assert paid * 1e4 == pytest.approx(2.53, abs=5e-3)


@given(q=st.floats(1.0, 1e6), k=st.floats(0.1, 10.0))
def test_impact_grows_with_the_power_of_three_halves_of_the_size(q: float, k: float) -> None:
    one = impact_cost(q * 50.0, q, 0.01, 1e7, 1.0)
    assert impact_cost(k * q * 50.0, k * q, 0.01, 1e7, 1.0) == pytest.approx(k**1.5 * one, rel=1e-12)


@pytest.mark.parametrize(("sigma", "adv"), [(math.nan, 1e6), (0.01, math.nan), (0.0, 1e6), (0.01, 0.0)])
def test_impact_is_nothing_where_volatility_or_volume_is_unknown(sigma: float, adv: float) -> None:
    assert impact_cost(1e6, 1e3, sigma, adv, 1.0) == 0.0


def day_of(*trades: tuple[str, float, float]) -> Bench:
    """A day on which each (side, shares, price) is traded at its own symbol, in an account that can afford it."""
    prices = np.array([price for _, _, price in trades])
    panel = make_panel(np.tile(prices, (3, 1)), start=date(2026, 9, 14))
    assert panel.clock.session[1] == np.datetime64(DAY)
    bench = Bench(panel, cash=1e9, fees=True)
    bench.send(*((i, -q if side == "sell" else q) for i, (side, q, _) in enumerate(trades)))
    bench.step()
    return bench


def test_the_published_day_of_trades_costs_44_83_in_fees(golden: Golden) -> None:
    example = golden("costs")["alpaca_fee_day"]
    bench = day_of(*example["fills(side,qty,price)"])
    assert bench.row("fees") == pytest.approx(example["total"], abs=1e-12)
    assert bench.row("fees") == pytest.approx(44.83, abs=1e-12)
    fills = bench.broker.fills
    by_kind = [fills[:, layout.FILL_COLUMNS.index(kind)].sum() for kind in ("sec", "taf", "cat")]
    assert by_kind == pytest.approx(example["charged"], abs=1e-12)


def test_the_published_day_before_rounding(golden: Golden) -> None:
    example = golden("costs")["alpaca_fee_day"]
    bench = day_of(*example["fills(side,qty,price)"])
    sums = np.zeros(3)
    for side, qty, price in example["fills(side,qty,price)"]:
        sums += raw_fees(1, -qty if side == "sell" else qty, price, bench.daily)
    assert sums == pytest.approx(example["raw"], rel=1e-12)


def test_fees_of_a_day_equal_the_sum_over_its_fills() -> None:
    bench = day_of(("sell", 100.0, 250.0), ("buy", 7.0, 40.0), ("sell", 3.0, 12.0))
    assert bench.fees() == pytest.approx(bench.row("fees"), rel=1e-12)
    assert bench.cash == pytest.approx(1e9 + 25_000.0 - 280.0 + 36.0 - bench.row("fees"), rel=1e-15)


def test_the_trading_activity_fee_stops_at_its_cap() -> None:
    bench = day_of(("sell", 1e6, 10.0))
    assert raw_fees(1, -1e6, 10.0, bench.daily)[1] == pytest.approx(9.79, rel=1e-15)
    assert raw_fees(1, -50_205.0, 1.0, bench.daily)[1] == pytest.approx(50_205 * 0.000195, rel=1e-12)


def test_purchases_pay_the_audit_trail_only() -> None:
    bench = day_of(("buy", 1_000.0, 50.0))
    assert raw_fees(1, 1_000.0, 50.0, bench.daily) == pytest.approx((0.0, 0.0, 0.003), rel=1e-12)


@pytest.mark.parametrize(
    ("amount", "charged"),
    [(0.0, 0.0), (1e-10, 0.0), (0.0001, 0.01), (0.01, 0.01), (0.010001, 0.02), (29.389475, 29.39)],
)
def test_fees_are_rounded_up_to_the_cent(amount: float, charged: float) -> None:
    assert round_up_cent(amount) == pytest.approx(charged, abs=1e-12)


@given(seed=st.integers(0, 2**32))
def test_the_estimate_of_a_trade_is_the_sum_of_its_parts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bench = day_of(("buy", 1.0, 1.0))
    rules = np.zeros(layout.RULES)
    rules[FLAT_RATE], rules[PER_SHARE], rules[IMPACT_Y], rules[FEES_ON] = 1e-4, 0.002, 0.8, 1.0
    qty, price, spread = float(rng.normal() * 1e4), float(rng.uniform(1.0, 500.0)), float(rng.uniform(0.0, 1e-3))
    sigma, adv = float(rng.uniform(0.001, 0.05)), float(rng.uniform(1e5, 1e8))
    notional = abs(qty) * price
    expected = notional * (spread + 1e-4) + abs(qty) * 0.002 + sum(raw(str(DAY), qty, price))
    expected += notional * 2 / 3 * 0.8 * sigma * math.sqrt(abs(qty) / adv)
    assert estimate_cost(1, qty, price, spread, sigma, adv, rules, bench.daily) == pytest.approx(expected, rel=1e-12)
