"""The unmodified clients of alpaca-py over real HTTP."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.enums import Adjustment
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.requests import (
    CorporateActionsRequest,
    StockBarsRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockSnapshotRequest,
)
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.client import TradingClient
from alpaca.trading.models import Asset
from alpaca.trading.requests import (
    ClosePositionRequest,
    GetCalendarRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
)
from pydantic import ValidationError
from support.panels import make_panel
from support.venue import Venue

from plimsoll.engine.market.panel import Panel

Start = Callable[..., Venue]


def _trading(venue: Venue, **more: Any) -> TradingClient:
    client = TradingClient(venue.key_id, venue.secret, paper=True, url_override=venue.url, **more)
    client._session.trust_env = False
    client._retry = 0
    return client


def _data(venue: Venue) -> StockHistoricalDataClient:
    return StockHistoricalDataClient(venue.key_id, venue.secret, url_override=venue.url)


def _buy(symbol: str, qty: float, **more: Any) -> MarketOrderRequest:
    return MarketOrderRequest(symbol=symbol, qty=qty, side="buy", time_in_force="day", **more)


def test_a_day_of_trading_reads_as_typed_models(exchange: Start, market: Panel) -> None:
    venue = exchange(market, at="2019-01-03T10:00", prices="open")
    client = _trading(venue)
    assert str(client.get_account().cash) == "100000"
    assert client.get_clock().is_open
    order = client.submit_order(_buy("A", 10, client_order_id="first"))
    assert order.status == "pending_new"
    filled = client.get_order_by_client_id("first")
    assert (filled.status, filled.filled_qty, filled.filled_avg_price) == ("filled", "10", "101")
    assert client.get_order_by_id(order.id).id == order.id
    (position,) = client.get_all_positions()
    assert (position.symbol, position.qty, position.qty_available) == ("A", "10", "10")
    assert client.get_open_position("A").avg_entry_price == "101"
    assert client.get_open_position(position.asset_id).symbol == "A"
    assert client.get_account().cash == "98990"
    (fill,) = client.get("/account/activities/FILL", {"page_size": 100})
    assert (fill["type"], fill["qty"], fill["price"], fill["cum_qty"], fill["leaves_qty"]) == (
        "fill", "10", "101", "10", "0",
    )  # fmt: skip
    assert fill["order_id"] == str(order.id)
    assert "client_order_id" not in fill
    closed = client.close_position("A", ClosePositionRequest(percentage="50"))
    assert client.get_order_by_id(closed.id).filled_qty == "5"
    (rest,) = client.close_all_positions(cancel_orders=True)
    assert (rest.symbol, rest.status) == ("A", 200)
    assert client.get_all_positions() == []


def test_orders_are_listed_canceled_and_replaced(exchange: Start, market: Panel) -> None:
    client = _trading(exchange(market, at="2019-01-03T10:00"))
    low = [
        client.submit_order(
            LimitOrderRequest(symbol=s, qty=1, side="buy", time_in_force="gtc", limit_price=10, client_order_id=f"l{s}")
        )
        for s in ("A", "B")
    ]
    assert [o.symbol for o in client.get_orders()] == ["B", "A"]
    assert [o.symbol for o in client.get_orders(GetOrdersRequest(symbols=["A"], nested=True, direction="asc"))] == ["A"]
    new = client.replace_order_by_id(low[0].id, ReplaceOrderRequest(qty=2, limit_price=11))
    assert (new.replaces, new.qty, new.limit_price) == (low[0].id, "2", "11")
    assert client.get_order_by_id(low[0].id).status == "replaced"
    assert client.get_order_by_id(low[0].id).replaced_by == new.id
    client.cancel_order_by_id(new.id)
    assert client.get_order_by_id(new.id).status == "canceled"
    assert [(r.id, r.status) for r in client.cancel_orders()] == [(low[1].id, 200)]
    closed = client.get("/orders", {"status": "closed", "direction": "asc", "after_order_id": str(low[0].id)})
    assert [row["id"] for row in closed] == [str(low[1].id), str(new.id)]


def test_calendar_knows_holidays_and_half_days(exchange: Start, market: Panel) -> None:
    client = _trading(exchange(market, at="2019-01-03T10:00"))
    days = client.get_calendar(GetCalendarRequest(start=date(2026, 11, 25), end=date(2026, 11, 30)))
    assert [(d.date, d.close.hour) for d in days] == [
        (date(2026, 11, 25), 16), (date(2026, 11, 27), 13), (date(2026, 11, 30), 16),
    ]  # fmt: skip


@pytest.mark.parametrize(("easy_to_borrow", "reads"), [(True, True), (False, False)], ids=["before", "after"])
def test_asset_fields_of_either_side_of_2026_09_22(
    exchange: Start, market: Panel, easy_to_borrow: bool, reads: bool
) -> None:
    venue = exchange(market, at="2019-01-03T10:00", easy_to_borrow=easy_to_borrow)
    raw = _trading(venue, raw_data=True).get_asset("A")
    assert ("easy_to_borrow" in raw, "borrow_status" in raw) == (reads, True)
    assert [row["symbol"] for row in _trading(venue, raw_data=True).get_all_assets()] == ["A", "B"]
    if reads:
        assert isinstance(_trading(venue).get_asset("A"), Asset)
    else:
        with pytest.raises(ValidationError, match="easy_to_borrow"):
            _trading(venue).get_asset("A")


def test_an_error_body_reaches_the_client_with_its_code(exchange: Start, market: Panel) -> None:
    client = _trading(exchange(market, at="2019-01-03T10:00"))
    with pytest.raises(APIError) as caught:
        client.submit_order(_buy("A", 5000))
    assert (caught.value.status_code, caught.value.code) == (403, 40310000)
    assert caught.value.message == "insufficient buying power"
    with pytest.raises(APIError) as caught:
        client.get_order_by_client_id("never")
    assert (caught.value.status_code, caught.value.code) == (404, 40410000)


def test_wrong_keys_get_a_401_without_a_code(exchange: Start, market: Panel) -> None:
    venue = exchange(market, at="2019-01-03T10:00")
    client = TradingClient(venue.key_id, "wrong", paper=True, url_override=venue.url)
    with pytest.raises(APIError, match=r"unauthorized\.") as caught:
        client.get_account()
    assert caught.value.status_code == 401
    with pytest.raises(KeyError):
        _ = caught.value.code


def test_the_kill_switch_is_one_raw_patch(exchange: Start, market: Panel) -> None:
    client = _trading(exchange(market, at="2019-01-03T10:00"))
    client.patch("/account/configurations", {"suspend_trade": True})
    assert client.get_account().trade_suspended_by_user
    assert client.get_account_configurations().suspend_trade
    with pytest.raises(APIError, match="new orders are rejected by user request"):
        client.submit_order(_buy("A", 1))
    client.set_account_configurations(
        client.get_account_configurations().model_copy(update={"suspend_trade": False, "no_shorting": True})
    )
    assert not client.get_account().shorting_enabled
    client.submit_order(_buy("A", 1))


def test_bars_come_in_pages_and_never_from_the_future(exchange: Start, market: Panel) -> None:
    venue = exchange(market, at="2019-01-08T20:00")
    client = _data(venue)
    ask = StockBarsRequest(
        symbol_or_symbols=["B", "A"], timeframe=TimeFrame.Day, start=datetime(2019, 1, 1, tzinfo=UTC)
    )
    bars = client.get_stock_bars(ask)
    assert [bar.close for bar in bars["A"]] == [101.0, 102.0, 103.0, 104.0, 105.0]
    assert bars["B"][0].timestamp.isoformat() == "2019-01-02T05:00:00+00:00"
    pages, token = [], None
    while True:
        page = client.get("/stocks/bars", {
            "symbols": "A,B", "timeframe": "1Day", "start": "2019-01-01", "limit": 3, "page_token": token,
        })  # fmt: skip
        pages.append({symbol: len(bars) for symbol, bars in page["bars"].items()})
        token = page["next_page_token"]
        if token is None:
            break
    assert pages == [{"A": 3}, {"A": 2, "B": 1}, {"B": 3}, {"B": 1}]


def test_todays_bar_shows_only_what_has_been_seen_of_it(exchange: Start) -> None:
    venue = exchange(make_panel([[100.0], [100.0]], [[100.0], [90.0]], symbols=("A",)), at="2019-01-03T09:30")
    client = _data(venue)
    ask = StockBarsRequest(symbol_or_symbols="A", timeframe=TimeFrame.Day, start=datetime(2019, 1, 3, tzinfo=UTC))
    assert client.get_stock_bars(ask)["A"][0].close == 90.0
    venue.forward(195 * 60)  # half of the session: between low (a third) and high (two thirds)
    bar = client.get_stock_bars(ask)["A"][0]
    assert (bar.open, bar.low, bar.close, bar.high) == (90.0, 90.0, 95.0, 95.0)


def test_adjusted_bars_take_splits_and_dividends_in_force(exchange: Start, market: Panel) -> None:
    venue = exchange(market, at="2019-01-10T20:00")
    client = _data(venue)

    def closes(adjustment: Adjustment) -> list[float]:
        ask = StockBarsRequest(
            symbol_or_symbols="A", timeframe=TimeFrame.Day, start=datetime(2019, 1, 8, tzinfo=UTC),
            adjustment=adjustment,
        )  # fmt: skip
        return [bar.close for bar in client.get_stock_bars(ask)["A"]]

    assert closes(Adjustment.RAW) == [105.0, 53.0, 53.5]
    assert closes(Adjustment.SPLIT) == [52.5, 53.0, 53.5]
    assert closes(Adjustment.ALL) == [round(52.5 * (1 - 0.5 / 53), 6), 52.5, 53.5]


def test_quotes_trades_and_snapshots_read_as_typed_models(exchange: Start, market: Panel) -> None:
    venue = exchange(market, at="2019-01-03T09:00", half_spread_bps=Decimal(10))
    client = _data(venue)
    quote = client.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols=["A", "NONE"]))
    assert set(quote) == {"A"}
    assert (quote["A"].bid_price, quote["A"].ask_price) == (100.89, 101.11)  # 101 -+ 0.101, outwards to the cent
    trade = client.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols="A"))["A"]
    assert (trade.price, trade.timestamp) == (101.0, datetime(2019, 1, 2, 21, 0, tzinfo=UTC))
    venue.to("open")
    snapshot = client.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="A"))["A"]
    assert (snapshot.daily_bar.open, snapshot.previous_daily_bar.close) == (101.0, 101.0)


def test_corporate_actions_are_told_when_they_are_in_force(exchange: Start, market: Panel) -> None:
    venue = exchange(market, at="2019-01-09T08:00")
    client = CorporateActionsClient(venue.key_id, venue.secret, url_override=venue.url)
    ask = CorporateActionsRequest(symbols=["A", "B"], start=date(2019, 1, 1), end=date(2019, 1, 31))
    found = client.get_corporate_actions(ask).data
    assert [(a.symbol, a.new_rate, a.old_rate) for a in found["forward_splits"]] == [("A", 2.0, 1.0)]
    venue.to("close")
    venue.to("open")
    found = client.get_corporate_actions(ask).data
    assert [(a.ex_date, a.rate) for a in found["cash_dividends"]] == [(date(2019, 1, 10), 0.5)]
