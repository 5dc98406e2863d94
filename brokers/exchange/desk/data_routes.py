"""The data API: daily bars, latest quotes and trades, snapshots, corporate actions. Prices are numbers here."""

import base64
import binascii
from datetime import date, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from plimsoll.brokers.exchange.activity import stable_id
from plimsoll.brokers.exchange.desk.history import ADJUSTMENTS, Wanted, bar_of, daily_bars, forming_bar, last_bar
from plimsoll.brokers.exchange.desk.message import Reply, Request, stamp
from plimsoll.brokers.exchange.hours import NEW_YORK, local, session_on
from plimsoll.brokers.exchange.refusal import Refusal
from plimsoll.brokers.exchange.tape import Print, Quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plimsoll.brokers.exchange.desk.desk import Desk

_DAILY: Final = ("1Day", "1D")
_ACTION_KINDS: Final = ("forward_split", "reverse_split", "cash_dividend")


def get_bars(desk: "Desk", request: Request) -> Reply:
    """GET /v2/stocks/bars: symbol by symbol, oldest first; `limit` counts bars of all symbols together."""
    if request.query.get("timeframe") not in _DAILY:
        raise _invalid(f"invalid timeframe: {request.query.get('timeframe', '')[:20]}; this exchange has daily bars")
    now = desk.exchange.now
    today = local(now.astimezone(NEW_YORK).date(), datetime.min.time())
    wanted = Wanted(
        request.moment("start") or today,
        request.moment("end") or now,
        now,
        request.word("adjustment", "raw", ADJUSTMENTS),
    )
    limit, token = request.number("limit", 1000, 10_000), _read_token(request, 2)
    newest_first = request.word("sort", "asc", ("asc", "desc")) == "desc"

    def rows() -> "Iterator[tuple[str, dict[str, Any]]]":
        for symbol in _symbols(request):
            bars = daily_bars(desk.exchange.tape, symbol, wanted) if (symbol,) >= token[:1] else []
            for bar in reversed(bars) if newest_first else bars:
                passed = (symbol,) == token[:1] and (bar["t"] >= token[1] if newest_first else bar["t"] <= token[1])
                if not passed:
                    yield symbol, bar

    page = list(islice(rows(), limit + 1))
    following = _token(page[limit - 1][0], page[limit - 1][1]["t"]) if len(page) > limit else None
    bars: dict[str, list[dict[str, Any]]] = {}
    for symbol, bar in page[:limit]:
        bars.setdefault(symbol, []).append(bar)
    return Reply(payload={"bars": bars, "next_page_token": following})


def get_latest_quotes(desk: "Desk", request: Request) -> Reply:
    """GET /v2/stocks/quotes/latest?symbols=; a symbol without a quote is left out."""
    tape, now = desk.exchange.tape, desk.exchange.now
    found = {symbol: tape.quote(symbol, now) for symbol in _symbols(request)}
    return Reply(payload={"quotes": {symbol: _quote(quote) for symbol, quote in found.items() if quote}})


def get_latest_trades(desk: "Desk", request: Request) -> Reply:
    """GET /v2/stocks/trades/latest?symbols=; a symbol that never traded is left out."""
    tape, now = desk.exchange.tape, desk.exchange.now
    found = {symbol: tape.last(symbol, now) for symbol in _symbols(request)}
    return Reply(payload={"trades": {symbol: _trade(last) for symbol, last in found.items() if last}})


def get_snapshots(desk: "Desk", request: Request) -> Reply:
    """GET /v2/stocks/snapshots?symbols=."""
    exchange = desk.exchange
    views: dict[str, Any] = {}
    for symbol in _symbols(request):
        last, quote = exchange.tape.last(symbol, exchange.now), exchange.tape.quote(symbol, exchange.now)
        if last is None or quote is None:
            continue
        forming = forming_bar(exchange.tape, symbol, exchange.now)
        complete = last_bar(exchange.tape, symbol, exchange.session)
        daily = complete if forming is None else forming
        before = complete
        if forming is None and complete is not None:
            before = last_bar(exchange.tape, symbol, session_on(complete.day))
        views[symbol] = {
            "latestTrade": _trade(last),
            "latestQuote": _quote(quote),
            "minuteBar": None,
            "dailyBar": None if daily is None else bar_of(daily),
            "prevDailyBar": None if before is None else bar_of(before),
        }
    return Reply(payload=views)


def get_corporate_actions(desk: "Desk", request: Request) -> Reply:
    """GET /v1/corporate-actions?symbols=&types=&start=&end=: what has come into force up to today."""
    exchange = desk.exchange
    today = exchange.now.astimezone(NEW_YORK).date()
    start, end = _date(request, "start", today), min(_date(request, "end", today), today)
    symbols = request.names("symbols") or exchange.tape.symbols
    kinds = request.names("types") or _ACTION_KINDS
    limit = request.number("limit", 100, 1000)
    token = _read_token(request, 3)
    found = [
        (f"{kind}s", view)
        for day in exchange.tape.days
        if start <= day <= end
        for symbol in symbols
        for kind, view in _actions(desk, symbol, day)
        if kind in kinds and (day.isoformat(), symbol, kind) > (token or ("",))
    ]
    page, more = found[:limit], found[limit:]
    groups: dict[str, list[dict[str, Any]]] = {}
    for group, view in page:
        groups.setdefault(group, []).append(view)
    following = _token(page[-1][1]["ex_date"], page[-1][1]["symbol"], page[-1][0][:-1]) if more else None
    return Reply(payload={"corporate_actions": groups, "next_page_token": following})


def _actions(desk: "Desk", symbol: str, day: date) -> "Iterator[tuple[str, dict[str, Any]]]":
    """Yield the actions of one symbol on one day in the order of their kinds' names."""
    ratio, dividend = desk.exchange.tape.actions(symbol, day)
    dates = {name: day.isoformat() for name in ("ex_date", "process_date", "record_date", "payable_date")}
    cusip = stable_id("cusip", symbol)[:9].replace("-", "").upper()
    if dividend > 0:
        money = {"rate": float(dividend), "special": False, "foreign": False}
        ident = stable_id("action", symbol, day, "dividend")
        yield "cash_dividend", {"id": ident, "symbol": symbol, "cusip": cusip, **money, **dates}
    if ratio != 1:
        rates = {"new_rate": float(ratio.numerator), "old_rate": float(ratio.denominator)}
        cusips = {"cusip": cusip} if ratio > 1 else {"old_cusip": cusip, "new_cusip": cusip}
        ident = stable_id("action", symbol, day, "split")
        kind = "forward_split" if ratio > 1 else "reverse_split"
        yield kind, {"id": ident, "symbol": symbol, **cusips, **rates, **dates}


def _quote(quote: Quote) -> dict[str, Any]:
    bid, ask = float(quote.bid), float(quote.ask)
    return {
        "t": stamp(quote.at), "bx": "V", "bp": bid, "bs": 1, "ax": "V", "ap": ask, "as": 1, "c": ["R"], "z": "B",
    }  # fmt: skip


def _trade(last: Print) -> dict[str, Any]:
    return {"t": stamp(last.at), "x": "V", "p": float(last.price), "s": 100, "c": ["@"], "i": 1, "z": "B"}


def _symbols(request: Request) -> list[str]:
    symbols = sorted(set(request.names("symbols")))
    if not symbols:
        raise _invalid("symbols is required")
    return symbols


def _token(*parts: str) -> str:
    return base64.urlsafe_b64encode("|".join(parts).encode()).decode()


def _read_token(request: Request, n_parts: int) -> tuple[str, ...]:
    text = request.query.get("page_token")
    if not text:
        return ()
    try:
        parts = tuple(base64.urlsafe_b64decode(text).decode().split("|"))
    except (binascii.Error, ValueError):
        parts = ()
    if len(parts) != n_parts:
        raise _invalid("invalid page_token")
    return parts


def _date(request: Request, name: str, default: date) -> date:
    moment = request.moment(name)
    return default if moment is None else moment.astimezone(NEW_YORK).date()


def _invalid(message: str) -> Refusal:
    """Return the data API's 400, which has no code."""
    return Refusal(400, None, message)
