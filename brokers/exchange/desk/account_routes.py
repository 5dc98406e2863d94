"""The trading API: account, assets, clock, calendar, activities."""

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from plimsoll.brokers.exchange.activity import Fill, activity_id
from plimsoll.brokers.exchange.desk.message import Reply, Request, local_stamp
from plimsoll.brokers.exchange.desk.trading_views import (
    account_view,
    activity_view,
    asset_view,
    configuration_view,
    symbol_of,
)
from plimsoll.brokers.exchange.hours import session_after
from plimsoll.brokers.exchange.refusal import bad_parameter, not_found
from plimsoll.engine.market.calendar import FIRST_DAY, LAST_DAY, session_hours, sessions

if TYPE_CHECKING:
    from plimsoll.brokers.exchange.desk.desk import Desk

_SWITCHES = ("suspend_trade", "no_shorting", "fractional_trading")


def get_account(desk: "Desk", request: Request) -> Reply:
    """GET /v2/account."""
    del request
    return Reply(payload=desk.lagged("account", lambda: account_view(desk.exchange)))


def get_configuration(desk: "Desk", request: Request) -> Reply:
    """GET /v2/account/configurations."""
    del request
    return Reply(payload=configuration_view(desk.exchange))


def patch_configuration(desk: "Desk", request: Request) -> Reply:
    """PATCH /v2/account/configurations; what is null or not kept here is left as it is."""
    body = request.json()
    if not isinstance(body, dict):
        raise bad_parameter("request body format is invalid")
    changes = {name: body[name] for name in _SWITCHES if body.get(name) is not None}
    for name, value in changes.items():
        if not isinstance(value, bool):
            raise bad_parameter(f"invalid {name}")
    desk.exchange.switches = replace(desk.exchange.switches, **changes)
    return get_configuration(desk, request)


def get_clock(desk: "Desk", request: Request) -> Reply:
    """GET /v2/clock."""
    del request
    exchange = desk.exchange
    following = session_after(exchange.session) if exchange.is_open else exchange.session
    return Reply(
        payload={
            "timestamp": local_stamp(exchange.now),
            "is_open": exchange.is_open,
            "next_open": local_stamp(following.open),
            "next_close": local_stamp(exchange.session.close),
        }
    )


def get_calendar(desk: "Desk", request: Request) -> Reply:
    """GET /v2/calendar?start=&end=, both included; 1970 to 2029 where left out."""
    del desk
    first, last = _day(request, "start", date(1970, 1, 1)), _day(request, "end", date(2029, 12, 31))
    if last < first:
        return Reply(payload=[])
    days = sessions(max(first, FIRST_DAY), min(last, LAST_DAY)).astype(object).tolist()
    return Reply(payload=[_calendar_day(day) for day in days])


def get_assets(desk: "Desk", request: Request) -> Reply:
    """GET /v2/assets?status=&asset_class=&exchange=."""
    exchange = desk.exchange
    listed = [s for s in exchange.tape.symbols if exchange.tape.is_listed(s, exchange.session.day)]
    views = [asset_view(exchange, symbol) for symbol in listed]
    for parameter, key in (("status", "status"), ("asset_class", "class"), ("exchange", "exchange")):
        if parameter in request.query:
            views = [view for view in views if view[key] == request.query[parameter]]
    return Reply(payload=views)


def get_asset(desk: "Desk", request: Request, name: str) -> Reply:
    """GET /v2/assets/{symbol or asset id}."""
    del request
    symbol = symbol_of(desk.exchange, name)
    if not desk.exchange.tape.is_listed(symbol, desk.exchange.session.day):
        raise not_found(f"asset not found for {name}")
    return Reply(payload=asset_view(desk.exchange, symbol))


def get_activities(desk: "Desk", request: Request, kind: str = "") -> Reply:
    """GET /v2/account/activities[/{type}]: by type, order, day; `page_token` is the id of the last one seen."""
    kinds = (kind,) if kind else request.names("activity_types")
    direction = request.word("direction", "desc", ("asc", "desc"))
    size = request.number("page_size", 100, 100)
    after, until = request.moment("after"), request.moment("until")
    day = _day(request, "date", date.min)
    order_id, token = request.query.get("order_id"), request.query.get("page_token")
    exchange, lag = desk.exchange, timedelta(seconds=desk.exchange.behaviour.activity_lag_s)
    found = [
        one
        for one in exchange.activities
        if (not kinds or one.kind in kinds)
        and one.at + lag <= exchange.now
        and (after is None or one.at > after)
        and (until is None or one.at < until)
        and (day == date.min or one.at.date() == day)
        and (order_id is None or (isinstance(one, Fill) and one.order_id == order_id))
    ]
    if direction == "desc":
        found.reverse()
    if token:
        ids = [activity_id(one) for one in found]
        found = found[ids.index(token) + 1 :] if token in ids else []
    if exchange.behaviour.duplicate_activities:
        found = [one for one in found for _ in range(2)]
    return Reply(payload=[activity_view(exchange, one) for one in found[:size]])


def _calendar_day(day: date) -> dict[str, str]:
    opens, closes = (f"{minute // 60:02d}:{minute % 60:02d}" for minute in session_hours(day))
    return {"date": day.isoformat(), "open": opens, "close": closes, "session_open": "0400", "session_close": "2000"}


def _day(request: Request, name: str, default: date) -> date:
    text = request.query.get(name)
    if not text:
        return default
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise bad_parameter(f"invalid {name}: {text[:40]}") from None
