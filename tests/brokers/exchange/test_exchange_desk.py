"""The counter without a network: keys, limits, lags, lists, the control endpoints."""

from decimal import Decimal
from typing import Any

import pytest
from support.venue import ask, make_desk, moment, ticket

from plimsoll.brokers.exchange.clock import WallClock
from plimsoll.brokers.exchange.desk.desk import Desk, Keys
from plimsoll.brokers.exchange.desk.message import Request
from plimsoll.brokers.exchange.settings import Behaviour, Handling
from plimsoll.engine.market.panel import Panel

OPEN = "2019-01-03T10:00"
BUY = {"symbol": "B", "qty": 1, "side": "buy", "type": "market", "time_in_force": "day"}


def rest(desk: Desk, n: int, symbol: str = "B") -> list[str]:
    """Leave `n` orders working; return their ids, oldest first."""
    body = {**BUY, "symbol": symbol, "type": "limit", "limit_price": "1.00", "time_in_force": "gtc"}
    return [ask(desk, "POST", "/v2/orders", body).payload["id"] for _ in range(n)]


def listed(desk: Desk, **query: str) -> list[str]:
    reply = ask(desk, "GET", "/v2/orders", **query)
    assert reply.status == 200, reply.payload
    return [row["id"] for row in reply.payload]


@pytest.mark.parametrize("headers", [{}, {"apca-api-key-id": "EXCHANGE-TEST-KEY"}, {"apca-api-secret-key": "é"}])
def test_without_both_keys_there_is_no_answer_not_even_to_control(market: Panel, headers: dict[str, str]) -> None:
    desk = make_desk(market, OPEN)
    for path in ("/v2/account", "/_control/transcript", "/nowhere"):
        reply = desk.answer(Request("GET", path, {}, headers))
        assert (reply.status, reply.payload) == (401, {"message": "unauthorized."})
    assert "canary" not in repr(Keys("a", "canary"))


def test_the_rate_limit_counts_down_in_its_headers_and_begins_anew_each_minute(market: Panel) -> None:
    seconds = [120.0]
    desk = make_desk(market, OPEN, seconds=lambda: seconds[0])
    desk.exchange.behaviour = Behaviour(rate_limit=3)
    seen = []
    for at in (121.0, 130.0, 179.9, 179.95, 180.0):
        seconds[0] = at
        reply = ask(desk, "GET", "/v2/clock")
        names = ("Limit", "Remaining", "Reset")
        seen.append((reply.status, *(int(reply.headers[f"X-Ratelimit-{name}"]) for name in names)))
    assert seen == [(200, 3, 2, 180), (200, 3, 1, 180), (200, 3, 0, 180), (429, 3, 0, 180), (200, 3, 2, 240)]
    assert ask(desk, "POST", "/_control/clock", {"seconds": 1}).status == 200  # control does not count


def test_orders_are_paged_by_the_id_of_a_neighbour_or_by_time(market: Panel) -> None:
    desk = make_desk(market, OPEN)
    ids = []
    for _ in range(7):
        ids += rest(desk, 1)
        ask(desk, "POST", "/_control/clock", {"seconds": 1})
    assert listed(desk) == ids[::-1]
    assert listed(desk, direction="asc", limit="3") == ids[:3]
    walked: list[str] = []
    while page := listed(
        desk, status="all", direction="asc", limit="3", **({"after_order_id": walked[-1]} if walked else {})
    ):
        walked += page
    assert walked == ids
    assert listed(desk, before_order_id=ids[2]) == [ids[1], ids[0]]
    second = desk.exchange.find(ids[1]).submitted_at
    fifth = desk.exchange.find(ids[5]).submitted_at
    assert listed(desk, after=second.isoformat(), until=fifth.isoformat(), direction="asc") == ids[2:5]
    assert listed(desk, symbols="A") == []
    assert listed(desk, side="sell") == []
    for bad in (
        {"limit": "501"}, {"limit": "0"}, {"limit": "x"}, {"status": "opened"}, {"direction": "up"}, {"after": "noon"},
        {"after_order_id": ids[0], "until": "2020-01-01"}, {"after_order_id": ids[0], "before_order_id": ids[1]},
    ):  # fmt: skip
        assert ask(desk, "GET", "/v2/orders", **bad).payload["code"] == 40010001, bad
    assert ask(desk, "GET", "/v2/orders", after_order_id="none").status == 404


def test_the_list_is_of_open_orders_fifty_long_unless_asked_otherwise(market: Panel) -> None:
    desk = make_desk(market, OPEN)
    ids = rest(desk, 60)
    ask(desk, "DELETE", f"/v2/orders/{ids[59]}")
    assert listed(desk) == ids[9:59][::-1]
    assert listed(desk, status="closed") == [ids[59]]
    assert len(listed(desk, status="all", limit="500")) == 60


def test_a_fresh_order_is_not_found_until_the_lag_is_over(market: Panel) -> None:
    desk = make_desk(market, OPEN)
    desk.exchange.behaviour = Behaviour(read_lag_s=5)
    order = ask(desk, "POST", "/v2/orders", {**BUY, "client_order_id": "x"}).payload
    for path, query in ((f"/v2/orders/{order['id']}", {}), ("/v2/orders:by_client_order_id", {"client_order_id": "x"})):
        assert ask(desk, "GET", path, **query).status == 404
    assert listed(desk, status="all") == []
    assert ask(desk, "POST", "/v2/orders", {**BUY, "client_order_id": "x"}).status == 422  # it is there all the same
    ask(desk, "POST", "/_control/clock", {"seconds": 5})
    assert listed(desk, status="all") == [order["id"]]


def test_the_account_is_shown_late(market: Panel) -> None:
    desk = make_desk(market, OPEN)
    desk.exchange.behaviour = Behaviour(account_lag_s=5)
    ask(desk, "POST", "/v2/orders", BUY)
    seen = []
    for _ in range(3):
        seen.append((ask(desk, "GET", "/v2/account").payload["cash"], len(ask(desk, "GET", "/v2/positions").payload)))
        ask(desk, "POST", "/_control/clock", {"seconds": 2.5})
    assert seen == [("100000", 0), ("100000", 0), ("99950", 1)]


def test_activities_come_late_twice_and_in_pages(market: Panel) -> None:
    desk = make_desk(market, OPEN)
    first = ask(desk, "POST", "/v2/orders", BUY).payload["id"]
    ask(desk, "POST", "/_control/clock", {"seconds": 60})
    for _ in range(4):
        ask(desk, "POST", "/v2/orders", BUY)
    path = "/v2/account/activities/FILL"
    all_ids = [row["id"] for row in ask(desk, "GET", path, direction="asc").payload]
    assert len(set(all_ids)) == 5
    page = [row["id"] for row in ask(desk, "GET", path, direction="asc", page_size="2").payload]
    rest_ = [row["id"] for row in ask(desk, "GET", path, direction="asc", page_token=page[-1]).payload]
    assert page + rest_ == all_ids
    assert [row["order_id"] for row in ask(desk, "GET", path, order_id=first).payload] == [first]
    assert ask(desk, "GET", "/v2/account/activities", activity_types="DIV,SPLIT").payload == []
    assert all_ids[0].startswith("20190103100000000::")  # New York time
    desk.exchange.behaviour = Behaviour(activity_lag_s=30, duplicate_activities=True)
    assert [row["id"] for row in ask(desk, "GET", path).payload] == [all_ids[0]] * 2


def test_closing_more_than_is_free_is_told_per_position(market: Panel) -> None:
    desk = make_desk(market, OPEN)
    ask(desk, "POST", "/v2/orders", {**BUY, "qty": 10})
    ask(desk, "POST", "/v2/orders", {**BUY, "qty": 4, "side": "sell", "type": "limit", "limit_price": "60"})
    (row,) = ask(desk, "DELETE", "/v2/positions").payload
    assert (row["status"], row["body"]["code"], row["body"]["available"]) == (403, 40310000, "6")
    (row,) = ask(desk, "DELETE", "/v2/positions", cancel_orders="True").payload
    assert (row["status"], row["body"]["qty"]) == (200, "10")
    assert ask(desk, "GET", "/v2/positions").payload == []
    assert ask(desk, "DELETE", "/v2/positions/B").status == 404


def test_a_short_position_is_negative_and_its_close_is_a_buy(market: Panel) -> None:
    desk = make_desk(market, OPEN)
    ask(desk, "POST", "/v2/orders", {**BUY, "qty": 10, "side": "sell"})
    (row,) = ask(desk, "GET", "/v2/positions").payload
    assert [row[key] for key in ("side", "qty", "qty_available", "market_value", "cost_basis")] == [
        "short", "-10", "-10", "-500", "-500",
    ]  # fmt: skip
    account = ask(desk, "GET", "/v2/account").payload
    assert [account[key] for key in ("cash", "equity", "buying_power", "short_market_value")] == [
        "100500", "100000", "199500", "-500",
    ]  # fmt: skip
    assert ask(desk, "DELETE", "/v2/positions/B", qty="4").payload["side"] == "buy"
    assert desk.exchange.ledger.qty("B") == -6


def test_last_equity_is_that_of_the_last_close(market: Panel) -> None:
    desk = make_desk(market, "2019-01-03T10:00", prices="open")
    desk.exchange.submit(ticket("A", 100))  # at 101, closes at 102
    ask(desk, "POST", "/_control/clock", {"to": "close"})
    assert ask(desk, "GET", "/v2/account").payload["last_equity"] == "100100"


def test_the_clock_moves_forward_only_and_to_the_edges_of_sessions(market: Panel) -> None:
    desk = make_desk(market, "2019-01-03T08:00")
    moves = ({"to": "open"}, {"to": "next_open"}, {"to": "close"}, {"seconds": 60}, {"at": "2019-01-08T12:00:00-05:00"})
    seen = [ask(desk, "POST", "/_control/clock", body).payload["now"][:16] for body in moves]
    assert seen == [
        "2019-01-03T09:30", "2019-01-04T09:30", "2019-01-04T16:00", "2019-01-04T16:01", "2019-01-08T12:00",
    ]  # fmt: skip
    for bad in ({"at": "2019-01-07"}, {"seconds": -1}, {"to": "lunch"}, {}, {"to": "open", "seconds": 1}, {"at": "x"}):
        assert ask(desk, "POST", "/_control/clock", bad).status == 422, bad
    clock = ask(desk, "GET", "/v2/clock").payload
    assert (clock["is_open"], clock["next_open"], clock["next_close"]) == (
        True, "2019-01-09T09:30:00-05:00", "2019-01-08T16:00:00-05:00",
    )  # fmt: skip


def test_a_request_can_move_a_virtual_clock(market: Panel) -> None:
    desk = make_desk(market, OPEN)
    desk.exchange.behaviour = Behaviour(handling=Handling(delay_s=2), tick_s=1)
    order = ask(desk, "POST", "/v2/orders", BUY).payload
    seen = [ask(desk, "GET", f"/v2/orders/{order['id']}").payload["status"] for _ in range(3)]
    assert seen == ["new", "filled", "filled"]


def test_the_machines_clock_is_not_ours_to_move(market: Panel) -> None:
    desk = make_desk(market, OPEN)
    desk.clock = WallClock(lambda: moment("2019-01-03T11:00").timestamp())
    assert ask(desk, "GET", "/v2/clock").payload["timestamp"] == "2019-01-03T11:00:00-05:00"
    assert ask(desk, "POST", "/_control/clock", {"seconds": 1}).status == 422


@pytest.mark.parametrize(("path", "body"), [
    ("behaviour", {"ratelimit": 3}), ("behaviour", [1]), ("behaviour", {"random_partials": 2}),
    ("behaviour", {"handling": {"parts": ["0.9", "0.9"]}}), ("handling", {"a": 1}), ("handling", [{"symbol": "A"}]),
    ("halt", {"symbol": "ZZZ", "on": True}), ("halt", {"symbol": "A"}), ("clock", None),
])  # fmt: skip
def test_control_refuses_what_it_does_not_know(market: Panel, path: str, body: Any) -> None:
    assert ask(make_desk(market, OPEN), "POST", f"/_control/{path}", body).status == 422


def test_behaviour_changes_only_where_it_is_named(market: Panel) -> None:
    desk = make_desk(market, OPEN)
    ask(desk, "POST", "/_control/behaviour", {"read_lag_s": 3})
    ask(desk, "POST", "/_control/behaviour", {"handling": {"delay_s": 2, "parts": ["0.5"]}})
    assert desk.exchange.behaviour == Behaviour(read_lag_s=3, handling=Handling(delay_s=2, parts=(Decimal("0.5"),)))


@pytest.mark.parametrize("query", [
    {"symbols": "A"}, {"symbols": "A", "timeframe": "1Min"}, {"timeframe": "1Day"},
    {"symbols": "A", "timeframe": "1Day", "page_token": "bm90aGluZw=="},
    {"symbols": "A", "timeframe": "1Day", "page_token": "?"},
])  # fmt: skip
def test_the_data_api_refuses_with_400_and_no_code(market: Panel, query: dict[str, str]) -> None:
    reply = ask(make_desk(market, OPEN), "GET", "/v2/stocks/bars", **query)
    assert (reply.status, list(reply.payload)) == (400, ["message"])
