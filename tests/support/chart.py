"""Yahoo's chart JSON, made from rows as traded the way Yahoo makes it: adjusted for splits, in single precision."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from support.yahoo_stand import Reply

from plimsoll.engine.market.history import History

ZONE = "America/New_York"


def opens(history: History, zone: str = ZONE) -> list[int]:
    """The opening of every session, epoch seconds."""
    days = [day.astype(object) for day in history.session]
    return [int(datetime(d.year, d.month, d.day, 9, 30, tzinfo=ZoneInfo(zone)).timestamp()) for d in days]


def meta(symbol: str, **given: Any) -> dict[str, Any]:
    """The metadata of a fund."""
    return {
        "currency": "USD",
        "symbol": symbol,
        "instrumentType": "ETF",
        "exchangeTimezoneName": ZONE,
        "gmtoffset": -18000,
        "timezone": "EST",
        "priceHint": 2,
        "dataGranularity": "1d",
        "range": "",
        "validRanges": ["1d", "5d", "max"],
        "currentTradingPeriod": {},
        **given,
    }


def chart(history: History, **given: Any) -> dict[str, Any]:
    """The whole answer. given : metadata that differs."""
    factor = np.append(np.cumprod(history.split[::-1])[::-1][1:], 1.0)
    stamps = opens(history)

    def told(values: Any) -> list[float | None]:
        single = np.asarray(values, dtype=np.float32).astype(np.float64)
        return [None if np.isnan(value) else float(value) for value in single]

    quote: dict[str, Any] = {name: told(getattr(history, name) / factor) for name in ("open", "high", "low", "close")}
    shares = np.round(history.volume * factor)
    quote["volume"] = [None if np.isnan(one) else int(one) for one in shares]
    events: dict[str, Any] = {}
    for key, name, label in (("dividends", "dividend", "amount"), ("capitalGains", "gain", "amount")):
        values = history.column(name) / factor
        found = {str(t): {label: float(v), "date": t} for t, v in zip(stamps, values, strict=True) if v}
        events |= {key: found} if found else {}
    ratios = {
        str(t): {"date": t, "numerator": float(v), "denominator": 1.0, "splitRatio": f"{v:g}:1"}
        for t, v in zip(stamps, history.split, strict=True)
        if v != 1.0
    }
    events |= {"splits": ratios} if ratios else {}
    result = {
        "meta": meta(history.symbol, **given),
        "timestamp": stamps,
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": quote["close"]}]},
        **({"events": events} if events else {}),
    }
    return {"chart": {"result": [result], "error": None}}


def reply(history: History, **given: Any) -> Reply:
    """The answer as bytes."""
    return Reply(json.dumps(chart(history, **given)).encode())


def refusal(code: str, description: str, status: int) -> Reply:
    """An answer that says no."""
    body = {"chart": {"result": None, "error": {"code": code, "description": description}}}
    return Reply(json.dumps(body).encode(), status)
