"""The real yfinance, unpatched, against a Yahoo on loopback that does what Yahoo does on its bad days."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from support.chart import refusal, reply
from support.histories import at, changed, history, without
from support.yahoo_stand import Asked, Reply, YahooStand

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
from plimsoll.engine.market.history import VALUES, History
from plimsoll.engine.market.yahoo.client import YahooClient

PATIENT, HASTY = Route(timeout_s=30.0), Route(timeout_s=0.5)
PAGE = Reply(b"<html><body>Will be right back...</body></html>", 200, "text/html")


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[YahooStand]:
    with YahooStand(tmp_path, lambda asked: reply(history(asked.symbol))) as running:
        yield running


@pytest.fixture
def client(stand: YahooStand) -> Iterator[YahooClient]:
    with _client(stand, PATIENT) as ready:
        yield ready


def _client(stand: YahooStand, route: Route) -> YahooClient:
    return YahooClient(replace(route, proxy=stand.proxy, ca_file=str(stand.ca)))


def _as_traded() -> History:
    """Two splits, dividends around them, a gain and a volume nobody knows."""
    whole = changed(history(), "2024-01-10", dividend=0.5)
    whole = changed(whole, "2024-02-20", dividend=0.25, gain=0.1)
    columns = {name: whole.column(name).copy() for name in VALUES}
    for day, ratio in (("2024-01-22", 3.0), ("2024-02-12", 0.1)):
        row = at(whole, day)
        columns["split"][row] = ratio
        for name in ("open", "high", "low", "close"):
            columns[name][row:] = np.round(columns[name][row:] / ratio, 2)
    columns["volume"] = np.floor(columns["volume"] / 1000) * 1000
    columns["volume"][5] = np.nan
    return replace(whole, **columns)


def test_rows_come_back_as_they_were_traded(stand: YahooStand, client: YahooClient) -> None:
    traded = _as_traded()
    stand.chart = lambda asked: reply(traded)
    found = client.fetch("AAA", None)
    assert found.session.tolist() == traded.session.tolist()
    for name in ("open", "high", "low", "close", "split"):
        assert found.column(name).tolist() == traded.column(name).tolist(), name
    assert np.array_equal(found.volume, traded.volume, equal_nan=True)
    assert np.allclose(found.dividend, traded.dividend, rtol=1e-12)
    assert np.allclose(found.gain, traded.gain, rtol=1e-12)


def test_a_later_split_changes_no_row(stand: YahooStand, client: YahooClient) -> None:
    traded = _as_traded()
    before = traded.take(slice(0, at(traded, "2024-02-12")))
    stand.chart = lambda asked: reply(before)
    first = client.fetch("AAA", None)
    stand.chart = lambda asked: reply(traded)
    client.fetch("BBB", None)
    second = client.fetch("CCC", None).take(slice(0, len(before)))
    for name in ("open", "high", "low", "close", "split"):
        assert first.column(name).tolist() == second.column(name).tolist()
    assert np.allclose(first.volume, second.volume, rtol=0, atol=5.0, equal_nan=True)  # 1:10 rounds to ten shares


def test_only_yahoo_is_asked_and_the_whole_span_to_now(stand: YahooStand, client: YahooClient) -> None:
    client.fetch("BRK.B", date(2024, 1, 2))
    assert set(stand.hosts) == {"fc.yahoo.com", "query1.finance.yahoo.com", "query2.finance.yahoo.com"}
    zone, prices = stand.asked
    assert zone.for_zone
    assert prices.symbol == "BRK-B"
    assert int(prices.query["period2"]) > 1_750_000_000
    assert prices.query["events"] == "div,splits,capitalGains"


def test_an_index_is_asked_for_by_its_caret_and_has_neither_volume_nor_actions(
    stand: YahooStand, client: YahooClient
) -> None:
    stand.chart = lambda asked: reply(history("^VIX"), instrumentType="INDEX", exchangeTimezoneName="America/Chicago")
    found = client.fetch("VIX", None)
    assert found.index
    assert np.isnan(found.volume).all()
    assert {asked.symbol for asked in stand.asked} == {"^VIX"}


CASES: dict[str, tuple[Reply, type[FetchError], str]] = {
    "429": (Reply(b"Too Many Requests", 429, "text/plain"), RateLimitedError, "HTTP 429.*wait some minutes"),
    "500 with a page": (Reply(b"<html>oops</html>", 500, "text/html"), OutageError, "HTTP 500.*says nothing about"),
    "500 with a chart error": (refusal("Internal Server Error", "no data", 500), OutageError, "HTTP 500"),
    "502 in JSON": (refusal("Bad Gateway", "bad", 502), OutageError, "HTTP 502"),
    "will be right back": (PAGE, OutageError, "Will be right back"),
    "a page": (Reply(b"<html>hello</html>", 200, "text/html"), GarbledError, "no chart: '<html>hello"),
    "nothing": (Reply(b"", 200), GarbledError, "with 0 characters"),
    "empty JSON": (Reply(b"{}", 200), GarbledError, "no chart"),
    "null": (Reply(b"null", 200), GarbledError, "no chart"),
    "truncated JSON": (Reply(b'{"chart": {"result": [{"meta"', 200), GarbledError, "no chart"),
    "cut on the way": (replace(reply(history()), cut=900), GarbledError, "AAA: "),
    "a redirect": (
        Reply(b"", 302, headers=(("Location", "https://query2.finance.yahoo.com/v8/else"),)),
        GarbledError,
        "302",
    ),
    "401": (Reply(b"no", 401, "text/plain"), DeniedError, "HTTP 401"),
    "unknown": (
        refusal("Not Found", "No data found, symbol may be delisted", 404),
        NoSuchDataError,
        "unknown to Yahoo",
    ),
    "no rows": (
        Reply(b'{"chart":{"result":[{"meta":{},"indicators":{"quote":[{}]}}],"error":null}}'),
        NoSuchDataError,
        "row",
    ),
    "another market": (reply(history(), exchangeTimezoneName="Europe/Berlin"), NoSuchDataError, "Europe/Berlin"),
    "another currency": (reply(history(), currency="CAD"), NoSuchDataError, "quoted in CAD"),
    "another kind": (
        reply(history(), instrumentType="CRYPTOCURRENCY"),
        NoSuchDataError,
        "CRYPTOCURRENCY, not as a share",
    ),
}


# the question for the zone fails first; these are asked for prices, too
LATER = ("500 with a chart error", "a page", "truncated JSON", "unknown", "no rows")


@pytest.mark.parametrize(
    ("case", "when"), [*((case, "at once") for case in CASES), *((case, "after the zone") for case in LATER)]
)
def test_whatever_yahoo_does_the_error_has_a_type_a_symbol_and_advice(
    stand: YahooStand, client: YahooClient, case: str, when: str
) -> None:
    bad, kind, words = CASES[case]
    stand.chart = lambda asked: reply(history("AAA")) if asked.for_zone and when == "after the zone" else bad
    with pytest.raises(FetchError, match=words) as caught:
        client.fetch("AAA", None)
    assert type(caught.value) is kind
    assert str(caught.value).startswith("yahoo, AAA: ")
    assert "; " in str(caught.value)
    assert "delisted" not in str(caught.value).replace("may be delisted", "").replace(caught.value.fix, "")


@pytest.mark.parametrize("when", ["at once", "after the zone"])
def test_a_hang_ends_with_the_time_allowed(stand: YahooStand, when: str) -> None:
    stand.chart = lambda asked: reply(history()) if asked.for_zone and when != "at once" else Reply(hang=True)
    with (
        _client(stand, HASTY) as client,
        pytest.raises(TimedOutError, match=r"timed out.*or allow more time with --timeout"),
    ):
        client.fetch("AAA", None)


def test_what_failed_is_asked_again_and_not_taken_from_a_memory(stand: YahooStand, client: YahooClient) -> None:
    stand.chart = lambda asked: CASES["500 with a chart error"][0]
    with pytest.raises(OutageError):
        client.fetch("AAA", date(2024, 1, 2))
    stand.chart = lambda asked: reply(history("AAA"))
    assert len(client.fetch("AAA", date(2024, 1, 2))) == len(history())


def test_a_blocked_crumb_is_not_in_the_way(stand: YahooStand, client: YahooClient) -> None:
    stand.crumb = Reply(b"Too Many Requests", 429, "text/plain")
    assert len(client.fetch("AAA", None)) == len(history())


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_a_last_bar_without_a_price_comes_through_as_what_it_is(
    stand: YahooStand, client: YahooClient, value: float
) -> None:
    last = dict.fromkeys(("open", "high", "low", "close"), value)
    stand.chart = lambda asked: reply(changed(history(), "2024-03-01", **last))
    found = client.fetch("AAA", None)
    assert np.array_equal(found.close[-1], value, equal_nan=True)  # the gates keep it out, nobody hides it here
    assert str(found.session[-1]) == "2024-03-01"


def test_a_missing_session_stays_missing(stand: YahooStand, client: YahooClient) -> None:
    stand.chart = lambda asked: reply(without(history(), "2024-02-01"))
    assert np.datetime64("2024-02-01") not in client.fetch("AAA", None).session


def test_nobody_listens(tmp_path: Path) -> None:
    with (
        YahooClient(Route("http://127.0.0.1:9", "", 2.0)) as client,
        pytest.raises(UnreachableError, match="check the net"),
    ):
        client.fetch("AAA", None)


def test_a_child_that_dies_is_an_error_and_not_a_hang(client: YahooClient, stand: YahooStand) -> None:
    def kill(asked: Asked) -> Reply:
        assert client._child is not None
        client._child.kill()
        return Reply(hang=True)

    stand.chart = kill
    with pytest.raises(GarbledError, match="the process that asks died"):
        client.fetch("AAA", None)


def test_no_process_and_no_folder_is_left_behind(stand: YahooStand) -> None:
    with _client(stand, PATIENT) as client:
        client.fetch("AAA", None)
        child, scratch = client._child, Path(client._scratch.name)
    assert child is not None
    assert child.returncode is not None
    assert not scratch.exists()
