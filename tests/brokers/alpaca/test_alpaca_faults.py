"""The adapter on a bad day, over real HTTP: an order is sent once, nothing is guessed, nothing goes elsewhere."""

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alpaca.trading.client import TradingClient
from support.houses import ENV, Watch, intent, over_http
from support.panels import make_panel
from support.venue import KEYS, Venue

from plimsoll.brokers.alpaca.budget import Budget
from plimsoll.brokers.alpaca.connect import connect
from plimsoll.brokers.alpaca.reply import Reply
from plimsoll.brokers.alpaca.venue import AlpacaVenue
from plimsoll.brokers.alpaca.wire import Wire
from plimsoll.engine.errors import ConfigError, EngineError, VenueError
from plimsoll.engine.execution.venue import Acked, Missing, Rejected, Unknown, VenueOrder
from plimsoll.engine.market.panel import Panel

Start = Callable[..., Venue]
OPEN = "2019-01-03T10:00"
BEGIN = datetime(2019, 1, 3, 15, 0, tzinfo=UTC)
FAULTS: dict[str, dict[str, Any]] = {
    **{f"status {status}": {"do": "status", "status": status} for status in (404, 408, 429, 500, 502, 503, 504)},
    "gateway page": {"do": "html", "status": 504},
    "forbidden page": {"do": "html", "status": 403},
    "page instead of JSON": {"do": "html", "status": 200},
    "redirect": {"do": "redirect"},
    "empty success": {"do": "empty"},
    "cut": {"do": "reset"},
    "hang": {"do": "hang"},
}
UNREADABLE: dict[str, dict[str, Any]] = {
    **{f"no {name}": {"do": "edit", "remove": (name,)} for name in ("id", "client_order_id", "symbol", "status")},
    "another order": {"do": "edit", "change": {"client_order_id": "somebody-elses"}},
    "a list": {"do": "status", "status": 200, "payload": [{"id": "x"}]},
    "a number that is none": {"do": "edit", "change": {"filled_qty": "NaN"}},
    "a side that is none": {"do": "edit", "change": {"side": "sideways"}},
}
both_times = pytest.mark.parametrize("when", ["before", "after"])
every_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())


@pytest.fixture
def running(exchange: Start, market: Panel) -> Venue:
    return exchange(market, at=OPEN)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def venue(running: Venue, watch: Watch) -> AlpacaVenue:
    return over_http(running, watch=watch, timeout=0.4)


def sent(running: Venue) -> list[str]:
    """The client ids of every order that was sent, in order, as the exchange noted them."""
    return [json.loads(row["body"])["client_order_id"] for row in running.transcript.requests("POST", "/v2/orders")]


@both_times
@every_fault
def test_an_order_without_a_clear_answer_is_unknown_was_sent_once_and_can_be_looked_up(
    running: Venue, venue: AlpacaVenue, fault: dict[str, Any], when: str
) -> None:
    running.fault(method="POST", path="/v2/orders", when=when, **fault)
    assert isinstance(venue.submit(intent("one", "B", 1)), Unknown)
    assert sent(running) == ["one"]
    found = venue.lookup("one")
    if when == "before":
        assert found == Missing()
    else:
        assert isinstance(found, VenueOrder)
        assert found.state == "filled"
    assert sent(running) == ["one"]


@pytest.mark.parametrize("fault", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_acceptance_that_cannot_be_read_is_unknown_too(
    running: Venue, venue: AlpacaVenue, fault: dict[str, Any]
) -> None:
    running.fault(method="POST", path="/v2/orders", **fault)
    assert isinstance(venue.submit(intent("one", "B", 1)), Unknown)
    assert isinstance(venue.lookup("one"), VenueOrder)
    assert sent(running) == ["one"]


def test_what_an_order_can_do_without_may_be_missing_and_what_is_new_is_passed_over(
    running: Venue, venue: AlpacaVenue
) -> None:
    running.fault(
        do="edit", method="POST", remove=("qty", "filled_qty", "filled_avg_price", "asset_class", "submitted_at"),
        change={"status": "held_by_the_moon", "colour": {"of": ["the", "sky"]}},
    )  # fmt: skip
    answer = venue.submit(intent("one", "B", 1))
    assert isinstance(answer, Acked)
    assert (answer.order.state, answer.order.word, answer.order.qty) == ("working", "held_by_the_moon", None)


def test_an_order_sent_again_after_an_unknown_outcome_is_told_as_sent(running: Venue, venue: AlpacaVenue) -> None:
    running.fault(do="reset", method="POST")
    assert isinstance(venue.submit(intent("one", "B", 1)), Unknown)
    again = venue.submit(intent("one", "B", 1))
    assert isinstance(again, Rejected)
    assert again.reason == "duplicate"
    assert len(running.transcript.happenings("accepted")) == 1


@every_fault
def test_a_lookup_without_a_clear_answer_never_says_missing(
    running: Venue, venue: AlpacaVenue, fault: dict[str, Any]
) -> None:
    venue.submit(intent("one", "B", 1))
    running.fault(path="/v2/orders:by_client_order_id", **fault)
    assert isinstance(venue.lookup("one"), Unknown)
    assert isinstance(venue.lookup("one"), VenueOrder)


def test_a_404_of_something_in_between_is_not_the_venues(running: Venue, venue: AlpacaVenue) -> None:
    venue.submit(intent("one", "B", 1))
    running.fault(do="status", status=404, payload={"message": "endpoint not found"}, method="GET")
    assert isinstance(venue.lookup("one"), Unknown)


@every_fault
def test_a_cancellation_without_a_clear_answer_is_unknown_and_was_asked_for_once(
    running: Venue, venue: AlpacaVenue, fault: dict[str, Any]
) -> None:
    answer = venue.submit(intent("one", "B", 1, "40"))
    assert isinstance(answer, Acked)
    running.fault(method="DELETE", **fault)
    assert isinstance(venue.cancel(answer.order), Unknown)
    assert len(running.transcript.requests("DELETE")) == 1
    found = venue.lookup("one")
    assert isinstance(found, VenueOrder)
    assert found.state == "canceled"


def reads(venue: AlpacaVenue) -> dict[str, Callable[[], object]]:
    """Every question that raises where there is no answer, by the path it asks."""
    day = BEGIN.date()
    return {
        "/v2/account": venue.snapshot,
        "/v2/positions": venue.snapshot,
        "/v2/account/configurations": venue.snapshot,
        "/v2/clock": venue.clock,
        "/v2/calendar": lambda: venue.calendar(day, day),
        "/v2/orders": lambda: venue.orders(BEGIN),
        "/v2/account/activities/FILL": lambda: venue.fills(BEGIN),
        "/v2/assets/B": lambda: venue.assets(("B",)),
        "/v2/stocks/quotes/latest": lambda: venue.quotes(("B",)),
        "/v2/stocks/trades/latest": lambda: venue.quotes(("B",)),
    }


@pytest.mark.parametrize(
    "name", ["status 404", "status 500", "page instead of JSON", "redirect", "empty success", "cut"]
)
def test_a_question_without_an_answer_raises_and_is_never_answered_by_nothing(
    running: Venue, venue: AlpacaVenue, name: str
) -> None:
    venue.submit(intent("one", "B", 1))
    for path, ask in reads(venue).items():
        running.fault(path=path, times=None, **FAULTS[name])
        with pytest.raises(VenueError):
            ask()
        running.run(lambda desk: desk.faults.clear())
        assert ask(), path


@pytest.mark.parametrize("status", [429, 500, 504])
def test_a_question_is_asked_again_until_a_burst_is_over(
    running: Venue, venue: AlpacaVenue, watch: Watch, status: int
) -> None:
    running.fault(do="status", status=status, path="/v2/clock", times=3)
    assert venue.clock().is_open
    assert watch.waited == [0.5, 1.0, 2.0]
    running.fault(do="status", status=status, path="/v2/clock", times=4)
    with pytest.raises(VenueError, match=f"status {status}"):
        venue.clock()
    assert len(running.transcript.requests("GET", "/v2/clock")) == 8


@pytest.mark.parametrize(
    ("path", "lost"),
    [
        ("/v2/account", "equity"), ("/v2/account", "cash"), ("/v2/account", "buying_power"),
        ("/v2/account", "account_number"), ("/v2/positions", "qty"), ("/v2/positions", "symbol"),
        ("/v2/clock", "timestamp"), ("/v2/clock", "is_open"), ("/v2/calendar", "close"),
        ("/v2/orders", "client_order_id"),
        ("/v2/account/activities/FILL", "cum_qty"), ("/v2/account/activities/FILL", "price"),
        ("/v2/assets/B", "symbol"), ("/v2/stocks/quotes/latest", "quotes"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_without_is_not_guessed(running: Venue, venue: AlpacaVenue, path: str, lost: str) -> None:
    venue.submit(intent("one", "B", 1))
    running.fault(do="edit", path=path, remove=(lost,))
    with pytest.raises(VenueError):
        reads(venue)[path]()


def test_what_can_be_done_without_is(running: Venue, venue: AlpacaVenue) -> None:
    venue.submit(intent("one", "B", 1))
    running.fault(do="edit", path="/v2/account", remove=("status", "shorting_enabled", "multiplier", "id"))
    running.fault(do="edit", path="/v2/positions", remove=("qty_available", "current_price", "side", "avg_entry_price"))
    shown = venue.snapshot()
    assert [(one.qty, one.available, one.price) for one in shown.positions] == [(1, 1, None)]
    running.fault(do="edit", path="/v2/assets/B", remove=("fractionable", "shortable", "exchange", "marginable"))
    told = venue.assets(("B",))["B"]
    assert (told.tradable, told.fractionable, told.shortable, told.marginable) == (True, False, False, True)
    running.fault(do="edit", path="/v2/stocks/quotes/latest", change={"quotes/B/ap": 0, "quotes/B/bp": "NaN"})
    quote = venue.quotes(("B",))["B"]
    assert (quote.bid, quote.ask, quote.last) == (None, None, 50)


def test_only_what_is_easy_to_borrow_can_be_sold_short_in_old_answers_and_new(exchange: Start, market: Panel) -> None:
    for old in (False, True):
        running = exchange(market, at=OPEN, easy_to_borrow=old)
        venue = over_http(running)
        assert venue.assets(("B",))["B"].shortable
        running.fault(do="edit", path="/v2/assets/B", change={"borrow_status": "hard_to_borrow"})
        assert not venue.assets(("B",))["B"].shortable
    running.fault(do="edit", path="/v2/assets/B", change={"easy_to_borrow": False})
    assert not venue.assets(("B",))["B"].shortable


def test_many_assets_are_asked_for_at_once(exchange: Start) -> None:
    running = exchange(make_panel(np.full((4, 25), 50.0)), at=OPEN)
    wanted = (*(f"S{k:03d}" for k in range(25)), "ZZZ")
    assert set(over_http(running).assets(wanted)) == set(wanted[:-1])
    assert len(running.transcript.requests("GET")) == 1


def test_an_account_that_may_not_trade_says_why(running: Venue, venue: AlpacaVenue) -> None:
    running.fault(do="edit", path="/v2/account", change={"trading_blocked": True, "status": "ACCOUNT_CLOSED"})
    assert venue.snapshot().blocked == "trading_blocked, status ACCOUNT_CLOSED"


def test_what_the_account_itself_has_switched_off_is_told(running: Venue, venue: AlpacaVenue) -> None:
    shown = venue.snapshot()
    assert (shown.shorting, shown.fractional) == (True, True)
    running.fault(do="edit", path="/v2/account/configurations", change={"no_shorting": True})
    assert not venue.snapshot().shorting  # although the account as such may
    running.fault(do="edit", path="/v2/account/configurations", change={"fractional_trading": False})
    assert not venue.snapshot().fractional
    running.fault(do="edit", path="/v2/account/configurations", remove=("no_shorting", "fractional_trading"))
    assert (venue.snapshot().shorting, venue.snapshot().fractional) == (True, True)


def test_wrong_keys_are_refused_and_told(running: Venue) -> None:
    wrong = {"APCA_API_KEY_ID": "WRONG", "APCA_API_SECRET_KEY": "wrong-secret"}
    venue = connect(running.url, wrong, sleep=Watch().sleep)
    answer = venue.submit(intent("one", "B", 1))
    assert isinstance(answer, Rejected)
    assert answer.reason == "unauthorized"
    with pytest.raises(VenueError, match=r"401.*check the account's keys"):
        venue.snapshot()


def test_an_order_that_cannot_be_seen_yet_is_missing_and_then_found(running: Venue, venue: AlpacaVenue) -> None:
    running.behave(read_lag_s=3)
    assert isinstance(venue.submit(intent("one", "B", 1)), Acked)
    assert venue.lookup("one") == Missing()
    assert venue.orders(BEGIN) == ()
    running.forward(3)
    assert isinstance(venue.lookup("one"), VenueOrder)


def test_fills_that_are_told_late_and_twice_are_there_once_in_the_end(running: Venue, venue: AlpacaVenue) -> None:
    running.behave(activity_lag_s=60, duplicate_activities=True, handling={"delay_s": 1, "parts": ["0.5"]})
    venue.submit(intent("one", "B", 4))
    running.forward(10)
    assert venue.fills(BEGIN) == ()
    running.forward(51.5)
    assert [one.cumulative for one in venue.fills(BEGIN)] == [2]
    running.forward(60)
    assert [one.cumulative for one in venue.fills(BEGIN)] == [2, 4]


# ---- nowhere else, and no word of the keys


def test_no_redirect_is_followed_and_no_proxy_is_asked(
    exchange: Start, market: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere, running = exchange(market, at=OPEN), exchange(market, at=OPEN)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, elsewhere.url)
    monkeypatch.setenv("APCA_API_BASE_URL", elsewhere.url)
    venue = over_http(running)
    running.fault(do="redirect", location=f"{elsewhere.url}/v2/orders", method="POST")
    running.fault(do="redirect", location=f"{elsewhere.url}/v2/account", path="/v2/account")
    assert isinstance(venue.submit(intent("one", "B", 1)), Unknown)
    with pytest.raises(VenueError, match="302"):
        venue.snapshot()
    assert len(running.transcript.requests()) == 2
    assert elsewhere.transcript.requests() == []


def test_a_client_that_was_pointed_elsewhere_sends_nothing(running: Venue) -> None:
    client = TradingClient(KEYS.key_id, KEYS.secret, paper=True, raw_data=True, url_override=running.url)
    wire = Wire(client, frozenset({"paper-api.alpaca.markets"}), (1.0, 1.0))
    with pytest.raises(EngineError, match="was stopped"):
        wire.send("GET", "/account")
    assert running.transcript.requests() == []


def test_an_order_that_lost_its_id_on_the_way_is_not_sent(running: Venue, venue: AlpacaVenue) -> None:
    with pytest.raises(EngineError, match="without its client id"):
        venue._trading.send("POST", "/orders", {"symbol": "B", "qty": "1"}, must_hold="one")
    assert running.transcript.requests() == []


def test_keys_and_addresses_of_live_accounts_get_no_venue(running: Venue) -> None:
    real = {"APCA_API_KEY_ID": "PK0123456789ABCDEFGH", "APCA_API_SECRET_KEY": "x"}
    live = {"APCA_API_KEY_ID": "AK0123456789ABCDEFGH", "APCA_API_SECRET_KEY": "x"}
    for url, env in (
        (running.url, real),
        (running.url, live),
        ("https://paper-api.alpaca.markets", live),
        ("https://api.alpaca.markets", ENV),
        ("http://192.0.2.1", ENV),
    ):
        with pytest.raises(ConfigError):
            connect(url, env)
    assert running.transcript.requests() == []


def told_of(error: BaseException) -> Iterator[str]:
    """All that a log could hold of an error and of those behind it."""
    yield from (str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error)))
    for behind in (error.__cause__, error.__context__):
        if behind is not None:
            yield from told_of(behind)


def test_no_key_is_in_any_log_error_or_file_under_any_fault(
    running: Venue,
    venue: AlpacaVenue,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    told: list[str] = [repr(venue), str(venue)]
    first = venue.submit(intent("first", "B", 1, "40"))
    assert isinstance(first, Acked)
    for name in ("", "urllib3", "alpaca", "requests", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name or None)
    with (tmp_path / "log").open("w") as file:
        handler = logging.StreamHandler(file)
        logging.getLogger().addHandler(handler)
        for number, fault in enumerate((*FAULTS.values(), *UNREADABLE.values())):
            calls = (
                lambda number=number: venue.submit(intent(f"n{number}", "B", 1)),
                lambda: venue.lookup("first"),
                lambda: venue.cancel(first.order),
                venue.snapshot,
                lambda: venue.suspend(False),
            )
            for call in calls:
                running.fault(**fault)
                try:
                    told.append(repr(call()))
                except VenueError as error:
                    logging.getLogger("here").exception("failed")
                    told.extend(told_of(error))
                running.run(lambda desk: desk.faults.clear())
        logging.getLogger().removeHandler(handler)
    (tmp_path / "transcript").write_text("\n".join(running.transcript.lines))
    out, err = capfd.readouterr()
    seen = "\n".join((*told, caplog.text, out, err, *(one.read_text() for one in tmp_path.iterdir())))
    assert "POST /v2/orders" in seen  # the log was on
    assert KEYS.secret not in seen
    assert KEYS.key_id not in seen


def test_a_symbol_that_another_company_had_before_is_the_one_that_is_traded_now() -> None:
    symbols = [f"S{k:03d}" for k in range(21)]

    def listed(symbol: str, *, active: bool) -> dict[str, object]:
        status = "active" if active else "inactive"
        return {"symbol": symbol, "status": status, "tradable": active, "fractionable": active, "shortable": active}

    now = [listed(symbol, active=True) for symbol in symbols]
    gone = listed("S003", active=False)
    for rows in ([*now, gone], [gone, *now]):

        class Line:
            def send(self, *_: object, told: list[dict[str, object]] = rows, **__: object) -> Reply:
                return Reply(200, told, False, None)

        line: Any = Line()
        venue = AlpacaVenue(line, line, Budget(lambda: 0.0, lambda _: None), lambda _: None)
        assert all(one.tradable and one.fractionable for one in venue.assets(symbols).values())
