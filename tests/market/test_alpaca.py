"""The real data clients of alpaca-py against an Alpaca on loopback."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from support.alpaca_stand import AlpacaStand, bars_of
from support.histories import NOW, at, changed, history
from support.yahoo_stand import Reply

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.alpaca.client import AlpacaClient, Keys
from plimsoll.engine.market.fetching import (
    DeniedError,
    FetchError,
    GarbledError,
    NoSuchDataError,
    OutageError,
    RateLimitedError,
    Route,
    TimedOutError,
    UnreachableError,
)

SECRET = "canary-secret-9f3c"


@pytest.fixture
def stand() -> Iterator[AlpacaStand]:
    with AlpacaStand(lambda query: bars_of(history())) as running:
        yield running


def _client(stand: AlpacaStand, *, timeout_s: float = 30.0) -> AlpacaClient:
    return AlpacaClient(Keys("key", SECRET), Route(timeout_s=timeout_s), lambda: NOW, stand.url)


def test_bars_and_actions_come_back_as_traded(stand: AlpacaStand) -> None:
    actions = {
        "forward_splits": [{"symbol": "AAA", "new_rate": 3, "old_rate": 1, "ex_date": "2024-01-22"}],
        "reverse_splits": [{"symbol": "AAA", "new_rate": 1, "old_rate": 10, "ex_date": "2024-02-12"}],
        "stock_dividends": [{"symbol": "AAA", "rate": 0.05, "ex_date": "2024-02-13"}],
        "cash_dividends": [
            {"symbol": "AAA", "rate": 0.5, "special": False, "foreign": False, "ex_date": "2024-01-10"},
            {"symbol": "AAA", "rate": 0.25, "special": True, "foreign": False, "ex_date": "2024-01-10"},
            {"symbol": "AAA", "rate": 9.0, "special": False, "foreign": False, "ex_date": "2024-06-10"},
        ],
    }
    stand.actions = lambda query: Reply(json.dumps({"corporate_actions": actions, "next_page_token": None}).encode())
    found = _client(stand).fetch("AAA", date(2024, 1, 2))
    for name in ("open", "high", "low", "close", "volume"):
        assert found.column(name).tolist() == history().column(name).tolist()
    told = {str(found.session[row]): float(found.split[row]) for row in np.flatnonzero(found.split != 1.0)}
    assert told == {"2024-01-22": 3.0, "2024-02-12": 0.1, "2024-02-13": 1.05}
    assert found.dividend[at(found, "2024-01-10")] == 0.75
    assert np.count_nonzero(found.dividend) == 1  # what is announced for later is not there yet


def test_raw_prices_of_no_particular_feed_and_nothing_younger_than_the_free_delay_is_asked_for(
    stand: AlpacaStand,
) -> None:
    _client(stand).fetch("AAA", date(2024, 1, 2))
    (path, query), (_, about) = stand.asked
    assert path == "/v2/stocks/bars"
    assert (query["adjustment"], query["timeframe"], query["start"][:10]) == ("raw", "1Day", "2024-01-02")
    assert datetime.fromisoformat(query["end"]) == datetime(2024, 3, 1, 21, 44, tzinfo=UTC)
    assert "feed" not in query
    assert about["types"].split(",")[0] == "forward_split"


def test_pages_are_put_together(stand: AlpacaStand) -> None:
    whole = history()

    def page(query: dict[str, str]) -> Reply:
        second = query.get("page_token") == "two"
        return bars_of(whole.take(slice(20, None) if second else slice(0, 20)), token=None if second else "two")

    stand.bars = page
    assert _client(stand).fetch("AAA", None).session.tolist() == whole.session.tolist()


def test_a_class_of_shares_is_asked_for_with_its_point(stand: AlpacaStand) -> None:
    stand.bars = lambda query: bars_of(history("BRK.B"))
    assert _client(stand).fetch("BRK.B", None).symbol == "BRK.B"
    assert stand.asked[0][1]["symbols"] == "BRK.B"


def test_an_action_without_a_bar_is_not_lost(stand: AlpacaStand) -> None:
    action = {"symbol": "AAA", "new_rate": 2, "old_rate": 1, "ex_date": "2024-02-03"}
    body = {"corporate_actions": {"forward_splits": [action]}, "next_page_token": None}
    stand.actions = lambda query: Reply(json.dumps(body).encode())
    found = _client(stand).fetch("AAA", None)
    assert np.isnan(found.close[at(found, "2024-02-03")])
    assert found.split[at(found, "2024-02-03")] == 2.0


CASES: dict[str, tuple[Reply, type[FetchError], str]] = {
    "429": (Reply(b'{"message":"too many requests."}', 429), RateLimitedError, "too many requests"),
    "500": (Reply(b'{"message":"internal"}', 500), OutageError, "HTTP 500, internal"),
    "504 with a page": (Reply(b"<html>gateway</html>", 504, "text/html"), OutageError, "HTTP 504, no message"),
    "401": (Reply(b'{"message":"unauthorized."}', 401), DeniedError, "unauthorized"),
    "403": (Reply(b'{"message":"subscription does not permit"}', 403), DeniedError, "subscription does not"),
    "422": (Reply(b'{"message":"invalid symbol"}', 422), NoSuchDataError, "invalid symbol"),
    "a redirect": (
        Reply(b'{"bars":{}}', 302, headers=(("Location", "http://127.0.0.1:9/"),)),
        GarbledError,
        "HTTP 302",
    ),
    "a page": (Reply(b"<html>hello</html>", 200, "text/html"), GarbledError, "cannot be read"),
    "truncated JSON": (Reply(b'{"bars": {"AAA": [{"t"', 200), GarbledError, "cannot be read"),
    "cut on the way": (replace(bars_of(history()), cut=50), GarbledError, "AAA: "),
    "nothing": (Reply(b"", 200), GarbledError, "another shape"),
    "null": (Reply(b"null", 200), GarbledError, "another shape"),
    "null bars": (Reply(b'{"bars":null,"next_page_token":null}', 200), GarbledError, "another shape"),
    "a bar without a close": (
        Reply(b'{"bars":{"AAA":[{"t":"2024-01-02T05:00:00Z","o":1}]}}'),
        GarbledError,
        "another shape",
    ),
    "no bars": (Reply(b'{"bars":{},"next_page_token":null}', 200), NoSuchDataError, "not one bar"),
    "another zone": (bars_of(history(), hour="00:00:00"), GarbledError, "not daily by New York's clock"),
    "twice": (bars_of(history().take(np.array([0, 0, 1]))), GarbledError, "not one a day"),
}


@pytest.mark.parametrize("case", CASES)
def test_whatever_alpaca_does_the_error_has_a_type_a_symbol_and_advice(
    stand: AlpacaStand, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    reply, kind, words = CASES[case]
    stand.bars = lambda query: reply
    with caplog.at_level(logging.DEBUG), pytest.raises(FetchError, match=words) as caught:
        _client(stand).fetch("AAA", None)
    assert type(caught.value) is kind
    assert str(caught.value).startswith("alpaca, AAA: ")
    assert "; " in str(caught.value)
    assert len({path for path, _ in stand.asked}) == len(stand.asked)  # nothing is sent twice behind our back
    assert caught.value.__cause__ is None
    assert SECRET not in caplog.text + str(caught.value)


def test_a_hang_ends_with_the_time_allowed(stand: AlpacaStand) -> None:
    stand.bars = lambda query: Reply(hang=True)
    with pytest.raises(TimedOutError, match=r"no answer in the time allowed.*--timeout"):
        _client(stand, timeout_s=0.2).fetch("AAA", None)


def test_nobody_listens() -> None:
    client = AlpacaClient(Keys("key", SECRET), Route(timeout_s=5.0), lambda: NOW, "http://127.0.0.1:9")
    with pytest.raises(UnreachableError, match="no connection; there is no way"):
        client.fetch("AAA", None)


def test_the_proxy_of_the_environment_is_not_asked(stand: AlpacaStand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert len(_client(stand).fetch("AAA", None)) == len(history())


def test_a_spin_off_is_more_than_prices_can_tell(stand: AlpacaStand) -> None:
    body = {"corporate_actions": {"spin_offs": [{"ex_date": "2024-02-05"}]}, "next_page_token": None}
    stand.actions = lambda query: Reply(json.dumps(body).encode())
    with pytest.raises(NoSuchDataError, match="a spin-off on 2024-02-05, which no price tells; pull it from yahoo"):
        _client(stand).fetch("AAA", None)


def test_an_index_is_not_even_asked_for(stand: AlpacaStand) -> None:
    with pytest.raises(NoSuchDataError, match="Alpaca has no indices"):
        _client(stand).fetch("VIX", None)
    assert stand.asked == []


def test_null_prices_come_through_as_unknown(stand: AlpacaStand) -> None:
    unknown = bars_of(changed(history(), "2024-03-01", close=np.nan)).body.replace(b"NaN", b"null")
    stand.bars = lambda query: Reply(unknown)
    assert np.isnan(_client(stand).recent("AAA", date(2024, 1, 2)).close[-1])


@pytest.mark.parametrize("url", ["https://evil.example", "http://data.alpaca.markets", "http://127.0.0.1.evil.example"])
def test_no_other_host_ever_sees_the_keys(url: str) -> None:
    with pytest.raises(ConfigError, match="neither Alpaca's data host nor on loopback"):
        AlpacaClient(Keys("key", SECRET), Route(), lambda: NOW, url)


def test_keys_are_found_under_either_pair_of_names_and_never_shown() -> None:
    for names in (("APCA_API_KEY_ID", "APCA_API_SECRET_KEY"), ("ALPACA_API_KEY", "ALPACA_SECRET_KEY")):
        keys = Keys.of(dict(zip(names, ("key", SECRET), strict=True)))
        assert keys == Keys("key", SECRET)
        assert SECRET not in repr(keys)
    assert Keys.of({"APCA_API_KEY_ID": "key"}) is None


def test_what_is_announced_twice_counts_once_and_what_is_announced_beside_it_as_well(stand: AlpacaStand) -> None:
    paid = {"symbol": "AAA", "rate": 0.8, "special": False, "foreign": False, "ex_date": "2024-01-10"}
    split = {"symbol": "AAA", "new_rate": 3, "old_rate": 1, "ex_date": "2024-01-22"}
    stock = {"symbol": "AAA", "rate": 0.05, "ex_date": "2024-02-13"}
    actions = {
        "cash_dividends": [
            {**paid, "id": "1", "process_date": "2024-01-12"},
            {**paid, "id": "2", "process_date": "2024-01-15"},
            {**paid, "id": "3", "special": True},
            {**paid, "id": "4", "rate": 0.1},
            {**paid, "id": "5", "ex_date": "2024-02-08"},
        ],
        "forward_splits": [{**split, "id": "6"}, {**split, "id": "7"}],
        "stock_dividends": [{**stock, "id": "8"}, {**stock, "id": "8"}],
    }
    stand.actions = lambda query: Reply(json.dumps({"corporate_actions": actions, "next_page_token": None}).encode())
    found = _client(stand).fetch("AAA", date(2024, 1, 2))
    assert found.dividend[at(found, "2024-01-10")] == pytest.approx(0.8 + 0.8 + 0.1)
    assert found.dividend[at(found, "2024-02-08")] == 0.8
    assert (found.split[at(found, "2024-01-22")], found.split[at(found, "2024-02-13")]) == (3.0, 1.05)
