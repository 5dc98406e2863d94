"""Every rule an order can break, and the error body that tells it: status, code, message, extra fields."""

from decimal import Decimal
from typing import Any

import pytest
from support.venue import ask, make_desk

from plimsoll.brokers.exchange.desk.desk import Desk
from plimsoll.brokers.exchange.settings import Traits
from plimsoll.engine.market.panel import Panel

OPEN = "2019-01-03T10:00"  # A opened at 101, last price 101 at most a few cents on; B is flat at 50


def order(symbol: str = "A", qty: Any = 1, side: str = "buy", **more: Any) -> dict[str, Any]:
    base = {"symbol": symbol, "qty": qty, "side": side, "type": "market", "time_in_force": "day"}
    return {key: value for key, value in {**base, **more}.items() if value is not None}


def limit(price: str, symbol: str = "A", qty: Any = 1, side: str = "buy", **more: Any) -> dict[str, Any]:
    return order(symbol, qty, side, type="limit", limit_price=price, **more)


def send(desk: Desk, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    reply = ask(desk, "POST", "/v2/orders", body)
    return reply.status, reply.payload


def refused(desk: Desk, body: dict[str, Any]) -> tuple[int, int | None, str]:
    before = len(desk.exchange.orders)
    status, payload = send(desk, body)
    assert len(desk.exchange.orders) == before
    return status, payload.get("code"), payload["message"]


SHAPE = {
    "qty and notional": (order(notional="10"), 422, 40010001, "exactly one of qty and notional is required"),
    "neither": (order(qty=None), 422, 40010001, "exactly one of qty and notional is required"),
    "zero": (order(qty=0), 422, 42210000, "qty must be > 0"),
    "negative": (order(qty="-5"), 422, 42210000, "qty must be > 0"),
    "not a number": (order(qty="NaN"), 422, 40010001, "invalid qty: NaN"),
    "ten decimals": (order(qty="0.1234567891"), 422, 42210000, "qty must be limited to 9 decimal places"),
    "a float's tail": (order(qty="0.30000000000000004"), 422, 42210000, "qty must be limited to 9 decimal places"),
    "notional of three decimals": (
        order(qty=None, notional="10.001"), 422, 42210000, "notional value must be limited to 2 decimal places",
    ),
    "sub-penny": (
        limit("10.123"), 422, 42210000,
        "invalid limit_price 10.123. sub-penny increment does not fulfill minimum pricing criteria",
    ),
    "five decimals below a dollar": (
        limit("0.12345"), 422, 42210000,
        "invalid limit_price 0.12345. sub-penny increment does not fulfill minimum pricing criteria",
    ),
    "limit of zero": (limit("0"), 422, 42210000, "limit_price must be > 0"),
    "limit order without a limit": (order(type="limit"), 422, 42210000, "limit orders require a limit_price"),
    "market order with a limit": (order(limit_price="10"), 422, 42210000, "market orders take no limit_price"),
    "stop as opg": (
        order(type="stop", stop_price="120", time_in_force="opg"), 422, 42210000,
        "opg orders must be market or limit orders",
    ),
    "fractional gtc": (
        limit("90", qty="0.5", time_in_force="gtc"), 422, 42210000, "fractional orders must be DAY orders",
    ),
    "notional opg": (
        order(qty=None, notional="50", time_in_force="opg"), 422, 42210000, "fractional orders must be DAY orders",
    ),
    "extended hours at market": (
        order(extended_hours=True), 422, 42210000, "extended hours order must be DAY or GTC limit orders",
    ),
    "trailing stop": (order(type="trailing_stop"), 422, 40010001, "invalid type: trailing_stop"),
    "bracket": (order(order_class="bracket"), 422, 42210000, "only simple orders are supported by this exchange"),
    "an unknown field": (order(qti=3), 422, 40010001, "qti is not supported by this exchange"),
    "a long client id": (
        order(client_order_id="x" * 129), 422, 40010001, "client_order_id must be no more than 128 characters",
    ),
    "unknown asset": (order("ZZZ"), 422, 42210000, 'asset "ZZZ" not found'),
}  # fmt: skip


@pytest.mark.parametrize(("body", "status", "code", "message"), SHAPE.values(), ids=SHAPE)
def test_what_no_state_can_make_legal(market: Panel, body: Any, status: int, code: int, message: str) -> None:
    assert refused(make_desk(market, OPEN), body) == (status, code, message)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"qty": NaN}', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_order_is_a_bad_parameter(market: Panel, body: bytes) -> None:
    from support.venue import HEADERS

    from plimsoll.brokers.exchange.desk.message import Request

    reply = make_desk(market, OPEN).answer(Request("POST", "/v2/orders", {}, HEADERS, body))
    assert (reply.status, reply.payload["code"]) == (422, 40010001)


def test_the_limits_themselves_are_legal(market: Panel) -> None:
    desk = make_desk(market, OPEN)
    for body in (
        order(qty="0.123456789"),
        order(qty=None, notional="10.01"),
        limit("0.1234"),
        limit("10.12", client_order_id="x" * 128),
        limit("100.00", extended_hours=True),
        order(order_class="simple", position_intent="buy_to_open"),
    ):
        assert send(desk, body)[0] == 200, body


@pytest.mark.parametrize(("status", "code"), [(422, 40010001), (409, None)])
def test_a_client_id_is_used_up_for_good(market: Panel, status: int, code: int | None) -> None:
    desk = make_desk(market, OPEN, duplicate_status=status)
    _, first = send(desk, limit("10", client_order_id="once"))
    assert refused(desk, order("B", client_order_id="once")) == (status, code, "client_order_id must be unique")
    ask(desk, "DELETE", f"/v2/orders/{first['id']}")
    assert refused(desk, limit("10", client_order_id="once")) == (status, code, "client_order_id must be unique")


def test_fractions_need_an_asset_and_an_account_that_allow_them(market: Panel) -> None:
    desk = make_desk(market, OPEN, traits={"A": Traits(fractionable=False)})
    assert refused(desk, order(qty="0.5")) == (403, 40310000, 'asset "A" is not fractionable')
    assert refused(desk, order("B", qty="0.01")) == (
        403, 40310000, "cost basis must be >= minimal amount of order 1",
    )  # fmt: skip
    ask(desk, "PATCH", "/v2/account/configurations", {"fractional_trading": False})
    assert refused(desk, order("B", qty="0.5")) == (403, 40310000, "fractional trading is disabled")


def test_no_fraction_is_sold_short(market: Panel) -> None:
    desk = make_desk(market, OPEN)
    for body in (order(qty="1.5", side="sell"), order(qty=None, notional="100", side="sell")):
        assert refused(desk, body) == (422, 42210000, "fractional orders cannot be sold short")


def test_short_sales_need_an_account_and_an_asset_that_allow_them(market: Panel) -> None:
    sale = order(side="sell")
    assert refused(make_desk(market, OPEN, multiplier=1), sale)[2] == "account is not allowed to short"
    desk = make_desk(market, OPEN, traits={"A": Traits(shortable=False)})
    assert refused(desk, sale) == (422, 42210000, 'asset "A" cannot be sold short')
    ask(desk, "PATCH", "/v2/account/configurations", {"no_shorting": True})
    assert refused(desk, order("B", side="sell")) == (403, 40310000, "account is not allowed to short")


def test_buying_power_is_reserved_by_open_buys_and_told_in_the_refusal(market: Panel) -> None:
    desk = make_desk(market, OPEN, cash=Decimal(10_000), multiplier=2)
    send(desk, limit("40", "B", 300))  # rests below the market: 12,000 of 20,000 are spoken for
    status, payload = send(desk, limit("100", "A", 81))
    assert (status, payload) == (
        403,
        {
            "code": 40310000, "message": "insufficient buying power",
            "buying_power": "8000", "cost_basis": "8100",
        },
    )  # fmt: skip
    assert send(desk, limit("100", "A", 80))[0] == 200
    assert ask(desk, "GET", "/v2/account").payload["buying_power"] == "0"


def test_a_sale_gives_no_buying_power_before_it_is_filled(market: Panel) -> None:
    desk = make_desk(market, OPEN, cash=Decimal(10_000), multiplier=1)
    send(desk, order("B", 200))
    assert ask(desk, "GET", "/v2/account").payload["buying_power"] == "0"
    send(desk, limit("60", "B", 200, "sell"))
    assert refused(desk, order("A"))[2] == "insufficient buying power"


def test_market_orders_are_valued_at_the_ask_and_short_sales_three_percent_above(market: Panel) -> None:
    desk = make_desk(market, OPEN, cash=Decimal(1030), multiplier=1, prices="open", half_spread_bps=Decimal(200))
    assert refused(desk, order("B", 21))[2] == "insufficient buying power"  # 21 x 51 = 1,071
    assert send(desk, order("B", 20))[0] == 200  # 20 x 51 = 1,020
    desk = make_desk(market, OPEN, cash=Decimal(1030), multiplier=2, prices="open")
    assert send(desk, order("B", 40, "sell"))[0] == 200  # 40 x 51.50 = 2,060
    desk = make_desk(market, OPEN, cash=Decimal(1029), multiplier=2, prices="open")
    assert send(desk, order("B", 40, "sell"))[1]["cost_basis"] == "2060"


def test_shares_under_an_open_sale_are_held(market: Panel) -> None:
    desk = make_desk(market, OPEN)
    send(desk, order("B", 10))
    send(desk, limit("60", "B", 7, "sell"))
    (position,) = ask(desk, "GET", "/v2/positions").payload
    assert (position["qty"], position["qty_available"]) == ("10", "3")
    status, payload = send(desk, limit("61", "B", 4, "sell"))
    assert (status, payload) == (
        403,
        {
            "code": 40310000, "message": "insufficient qty available for order (requested: 4, available: 3)",
            "symbol": "B", "existing_qty": "10", "held_for_orders": "7", "available": "3",
        },
    )  # fmt: skip
    assert send(desk, limit("61", "B", 3, "sell"))[0] == 200


@pytest.mark.parametrize(("first", "second"), [("buy", "sell"), ("sell", "buy")])
def test_no_order_crosses_from_long_to_short_or_back(market: Panel, first: str, second: str) -> None:
    desk = make_desk(market, OPEN)
    send(desk, order("B", 10, first))
    message = "insufficient qty available for order (requested: 11, available: 10)"
    assert refused(desk, order("B", 11, second)) == (403, 40310000, message)


def test_a_flat_symbol_is_opened_one_way_at_a_time(market: Panel) -> None:
    desk = make_desk(market, OPEN)
    send(desk, limit("40", "B"))
    assert refused(desk, limit("60", "B", side="sell"))[2] == "cannot open a short sell while a long buy order is open"
    send(desk, limit("200", "A", side="sell"))
    assert refused(desk, limit("90", "A"))[2] == "cannot open a long buy while a short sell order is open"


def test_an_order_that_could_meet_ones_own_is_a_wash_trade(market: Panel) -> None:
    desk = make_desk(market, OPEN)
    send(desk, order("B", 10))
    _, resting = send(desk, limit("55", "B", 5, "sell"))
    status, payload = send(desk, limit("55", "B", 1))
    assert (status, payload["code"]) == (403, 40310000)
    assert payload["message"] == "potential wash trade detected. use complex orders"
    assert payload["existing_order_id"] == resting["id"]
    assert payload["reject_reason"] == "opposite side limit order exists"
    assert refused(desk, order("B", 1))[2].startswith("potential wash trade")
    assert send(desk, limit("45", "B", 1))[0] == 200  # cannot meet a sale at 55
    _, stop = send(desk, order("B", 5, "sell", type="stop", stop_price="40"))
    assert "existing_order_id" in stop  # the resting buy at 45 stands in the way
    for row in ask(desk, "GET", "/v2/orders").payload:
        ask(desk, "DELETE", f"/v2/orders/{row['id']}")
    _, stop = send(desk, order("B", 5, "sell", type="stop", stop_price="40"))
    _, payload = send(desk, limit("30", "B", 1))
    assert (payload["existing_order_id"], payload["reject_reason"]) == (
        stop["id"], "opposite side market/stop order exists",
    )  # fmt: skip


WINDOWS = [
    ("opg", "2019-01-03T18:59", False), ("opg", "2019-01-03T19:00", True), ("opg", "2019-01-04T09:27", True),
    ("opg", "2019-01-04T09:28", False), ("opg", "2019-01-04T12:00", False), ("opg", "2019-01-05T12:00", True),
    ("cls", "2019-01-03T18:59", False), ("cls", "2019-01-03T19:00", True), ("cls", "2019-01-04T15:49", True),
    ("cls", "2019-01-04T15:50", False), ("cls", "2019-01-04T16:30", False),
]  # fmt: skip


@pytest.mark.parametrize(("tif", "at", "taken"), WINDOWS)
def test_auction_orders_have_their_hours(market: Panel, tif: str, at: str, taken: bool) -> None:
    status, payload = send(make_desk(market, at), order(time_in_force=tif))
    told = "9:28am" if tif == "opg" else "3:55pm"
    message = f"{tif} orders must be submitted after 7:00pm and before {told}"
    assert (status == 200) == taken
    assert taken or (status, payload) == (403, {"code": 40310000, "message": message})


@pytest.mark.parametrize(("at", "taken"), [("2026-11-27T12:49", True), ("2026-11-27T12:50", False)])
def test_on_a_half_day_the_closing_auction_ends_early(at: str, taken: bool) -> None:
    from datetime import date

    from support.panels import make_panel

    panel = make_panel([50.0, 50.0, 50.0], symbols=("B",), start=date(2026, 11, 25))
    assert (send(make_desk(panel, at), order("B", time_in_force="cls"))[0] == 200) == taken


def test_a_halted_asset_is_refused_and_its_orders_wait(market: Panel) -> None:
    desk = make_desk(market, OPEN)
    desk.exchange.halt("B", on=True)
    assert refused(desk, order("B")) == (422, 42210000, 'asset "B" is not tradable')
    assert ask(desk, "GET", "/v2/assets/B").payload["tradable"] is False


def test_what_is_not_there_is_a_404_with_its_code(market: Panel) -> None:
    desk = make_desk(market, OPEN)
    for path, message in (
        ("/v2/orders/none", "order not found for none"),
        ("/v2/orders:by_client_order_id", "order not found for "),
        ("/v2/positions/A", "position does not exist"),
        ("/v2/assets/ZZZ", "asset not found for ZZZ"),
        ("/v2/nonsense", "endpoint not found"),
    ):
        reply = ask(desk, "GET", path)
        assert (reply.status, reply.payload) == (404, {"code": 40410000, "message": message})


def test_an_order_that_has_ended_cannot_be_canceled(market: Panel) -> None:
    desk = make_desk(market, OPEN)
    _, filled = send(desk, order("B"))
    reply = ask(desk, "DELETE", f"/v2/orders/{filled['id']}")
    assert (reply.status, reply.payload["code"]) == (422, 42210000)


def test_replacements_are_whole_shares_of_untouched_orders(market: Panel) -> None:
    desk = make_desk(market, OPEN)
    _, resting = send(desk, limit("40", "B", 10))
    path = f"/v2/orders/{resting['id']}"
    assert ask(desk, "PATCH", path, {"qty": "1.5"}).payload["message"] == "qty of a replacement must be a whole number"
    assert ask(desk, "PATCH", path, {"limit_price": 0}).payload["message"] == "limit_price must be > 0"
    assert ask(desk, "PATCH", path, {"qty": 10_000}).payload["message"] == "insufficient buying power"
    assert desk.exchange.find(resting["id"]).status == "new"
    assert ask(desk, "PATCH", path, {"qty": 11}).payload["replaces"] == resting["id"]
    assert ask(desk, "PATCH", path, {"qty": 12}).payload["message"] == "cannot replace order in replaced status"
    desk = make_desk(market, "2019-01-03T08:00")
    _, by_value = send(desk, order(qty=None, notional="100"))
    assert ask(desk, "PATCH", f"/v2/orders/{by_value['id']}", {"qty": 1}).payload["message"] == (
        "cannot replace a notional order"
    )
