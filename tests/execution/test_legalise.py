"""What a venue takes of a plan: every rule of the table, by hand, and what holds for any plan."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.engine.execution.legalise import (
    ALPACA,
    FREES,
    NEEDS,
    Desk,
    Legalised,
    Wish,
    afford,
    collar_limit,
    legalise,
    opens_short,
    rules_on,
)
from plimsoll.engine.execution.venue import Asset, Side

RULES = ALPACA[0]
OPEN = Desk(RULES)


def wish(qty: str, price: str = "100", held: str = "0", symbol: str = "SPY", wave: int | None = None) -> Wish:
    amount, shares = Decimal(qty), Decimal(held)
    frees = shares * amount < 0
    return Wish(0, symbol, amount, Decimal(price), shares, (FREES if frees else NEEDS) if wave is None else wave)


def flags(*, tradable: bool = True, fractionable: bool = True, shortable: bool = True) -> Asset:
    return Asset("SPY", tradable=tradable, fractionable=fractionable, shortable=shortable)


def only(legal: Legalised) -> tuple[str, str]:
    """The one order as text, and the one rule that changed it."""
    order, change = legal.orders, legal.changes
    told = f"{order[0].side} {order[0].qty.normalize():f}" if order else "none"
    return told, change[0].rule if change else ""


@pytest.mark.parametrize(
    ("asked", "desk", "expected"),
    [
        (wish("10.5"), OPEN, ("buy 10.5", "")),
        (wish("1.0000000019"), OPEN, ("buy 1.000000001", "decimals")),
        (wish("0.0099"), OPEN, ("none", "smallest")),  # 99 cents
        (wish("0.01"), OPEN, ("buy 0.01", "")),  # one dollar
        (wish("-0.0102", held="1"), Desk(RULES, collar=Decimal("0.03")), ("none", "smallest")),  # 99 cents there
        (wish("0.01"), Desk(RULES, collar=Decimal("0.03")), ("buy 0.01", "")),
        (wish("90000", price="0.00009"), Desk(RULES, collar=Decimal("0.03")), ("none", "priced")),  # no limit below it
        (wish("-10.5"), OPEN, ("sell 10", "whole_shorts")),
        (wish("-0.5"), OPEN, ("none", "whole_shorts")),
        (wish("-7.25", held="7.25"), OPEN, ("sell 7.25", "")),  # a long may be sold to the last fraction
        (wish("-10", held="4"), OPEN, ("sell 4", "one_side")),
        (wish("10", held="-4"), OPEN, ("buy 4", "one_side")),
        (wish("3", price="0"), OPEN, ("none", "priced")),
        (wish("3", price="NaN"), OPEN, ("none", "priced")),
        (wish("3", price="Infinity"), OPEN, ("none", "priced")),
        (wish("3"), Desk(RULES, assets={}), ("none", "known")),
        (wish("3"), Desk(RULES, assets={"SPY": flags(tradable=False)}), ("none", "tradable")),
        (wish("3.7"), Desk(RULES, assets={"SPY": flags(fractionable=False)}), ("buy 3", "fractions")),
        (wish("3.7"), Desk(RULES, fractional=False), ("buy 3", "fractions")),
        (wish("-3"), Desk(RULES, assets={"SPY": flags(shortable=False)}), ("none", "shortable")),
        (wish("-3", held="5"), Desk(RULES, assets={"SPY": flags(shortable=False)}), ("sell 3", "")),
        (wish("-3"), Desk(RULES, shorting=False), ("none", "shortable")),
        (wish("-5", held="5"), Desk(RULES, available={"SPY": Decimal(2)}), ("sell 2", "free_shares")),
        (wish("-5", held="5"), Desk(RULES, available={"SPY": Decimal(0)}), ("none", "free_shares")),
    ],
)  # fmt: skip
def test_each_rule_leaves_what_it_says(asked: Wish, desk: Desk, expected: tuple[str, str]) -> None:
    assert only(legalise([asked], desk)) == expected


def test_a_change_tells_what_was_asked_what_is_left_and_why() -> None:
    (change,) = legalise([wish("-10.5")], OPEN).changes
    assert (change.asked, change.left, change.why) == (Decimal("-10.5"), Decimal(-10), "shorts are whole shares")


@pytest.mark.parametrize(
    ("price", "side", "limit"),
    [
        ("100", "buy", "103.00"),
        ("100", "sell", "97.00"),
        ("33.33", "buy", "34.32"),  # 34.3299: a cent more would lie beyond the collar
        ("33.33", "sell", "32.34"),  # 32.3301
        ("0.5", "buy", "0.5150"),
        ("0.33333", "sell", "0.3234"),  # 0.3233301
    ],
)
def test_a_limit_lies_on_the_grid_and_never_beyond_the_collar(price: str, side: Side, limit: str) -> None:
    assert collar_limit(Decimal(price), side, Decimal("0.03"), RULES) == Decimal(limit)


def test_a_collar_makes_marketable_limit_orders() -> None:
    (order,) = legalise([wish("2")], Desk(RULES, collar=Decimal("0.03"))).orders
    assert (order.kind, order.limit, order.most, order.notional) == (
        "limit",
        Decimal("103.00"),
        Decimal(206),
        Decimal(200),
    )


def test_purchases_share_one_factor_and_what_frees_money_is_left_alone() -> None:
    wishes = [
        replace(wish("-5", held="5", symbol="TLT"), row=0),
        replace(wish("6"), row=1),
        replace(wish("4", symbol="GLD"), row=2),
    ]
    legal = afford(legalise(wishes, OPEN), Decimal(500), OPEN)
    assert [(one.symbol, one.side, one.qty) for one in legal.orders] == [
        ("TLT", "sell", Decimal(5)),
        ("SPY", "buy", Decimal(3)),
        ("GLD", "buy", Decimal(2)),
    ]
    assert [(one.symbol, one.rule, one.left) for one in legal.changes] == [
        ("SPY", "buying_power", Decimal(3)),
        ("GLD", "buying_power", Decimal(2)),
    ]


def test_a_venue_reserves_what_an_order_costs_at_its_limit() -> None:
    desk = Desk(RULES, collar=Decimal("0.25"))
    legal = legalise([wish("4")], desk)
    assert afford(legal, Decimal(400), desk) is legal
    (order,) = afford(legal, Decimal(400), desk, at_limits=True).orders
    assert order.qty == Decimal("3.2")


def test_enough_money_changes_nothing() -> None:
    legal = legalise([wish("5")], OPEN)
    assert afford(legal, Decimal(500), OPEN) is legal


def test_no_money_at_all_leaves_no_purchase() -> None:
    assert afford(legalise([wish("5")], OPEN), Decimal(-20), OPEN).orders == ()


def test_a_scaled_short_stays_whole_shares() -> None:
    legal = afford(legalise([wish("-7")], OPEN), Decimal(350), OPEN)
    assert [(one.side, one.qty) for one in legal.orders] == [("sell", Decimal(3))]


@pytest.mark.parametrize(("dollars", "shares"), [(1029, 9), (1030, 10)])
def test_a_venue_counts_a_short_sale_at_more_than_its_price(dollars: int, shares: int) -> None:
    legal = afford(legalise([wish("-10")], OPEN), Decimal(dollars), OPEN, at_limits=True)
    assert [one.qty for one in legal.orders] == [shares]  # ten are counted as 1,030


def test_the_rules_in_force_are_those_of_the_day() -> None:
    assert rules_on("alpaca", date(2026, 11, 27)) is ALPACA[-1]


quantities = st.decimals("-5000", "5000", places=12).filter(bool)
prices = st.decimals("0.01", "2000", places=4)
symbols = st.sampled_from(["SPY", "TLT", "GLD", "TQQQ"])
assets = st.builds(
    Asset,
    symbol=st.just("SPY"),
    tradable=st.booleans(),
    fractionable=st.booleans(),
    shortable=st.booleans(),
)


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[Wish], Desk]:
    made = []
    for row, symbol in enumerate(draw(st.lists(symbols, min_size=1, max_size=4, unique=True))):
        qty, held = draw(quantities), draw(st.decimals("-300", "300", places=9))
        made.append(Wish(row, symbol, qty, draw(prices), held, FREES if held * qty < 0 else NEEDS))
    desk = Desk(
        RULES,
        assets=draw(st.none() | st.dictionaries(symbols, assets)),
        collar=draw(st.none() | st.decimals("0.001", "0.2", places=3)),
        shorting=draw(st.booleans()),
        fractional=draw(st.booleans()),
    )
    return made, desk


@given(plans(), st.decimals("-1000", "1000000", places=2))
def test_whatever_is_planned_only_legal_orders_come_out_and_nothing_grows(
    plan: tuple[list[Wish], Desk], money: Decimal
) -> None:
    wishes, desk = plan
    asked = {one.row: one for one in wishes}
    legal = afford(legalise(wishes, desk), money, desk, at_limits=True)
    assert [one.wave for one in legal.orders] == sorted(one.wave for one in legal.orders)
    for order in legal.orders:
        source = asked[order.row]
        assert 0 < order.qty <= abs(source.qty)
        assert order.side == ("buy" if source.qty > 0 else "sell")
        assert order.qty == round(order.qty, 9)
        assert order.notional >= RULES.min_notional
        asset = None if desk.assets is None else desk.assets[order.symbol]
        whole = order.qty == order.qty.to_integral_value()
        if not desk.fractional or (asset is not None and not asset.fractionable):
            assert whole
        if opens_short(source):
            assert whole
            assert desk.shorting
            assert asset is None or asset.shortable
        elif source.held != 0 and source.held * source.qty < 0:
            assert order.qty <= abs(source.held)
        assert asset is None or asset.tradable
        if order.limit is not None:
            assert desk.collar is not None
            assert abs(order.limit / order.price - 1) <= desk.collar
    assert sum(one.most for one in legal.orders if one.wave == NEEDS) <= max(money, Decimal(0))
    # every share that went missing is explained
    for source in wishes:
        left = sum(one.qty for one in legal.orders if one.row == source.row)
        told = [one for one in legal.changes if one.row == source.row]
        assert (left == abs(source.qty)) == (told == [])
        assert not told or abs(told[-1].left) == left
