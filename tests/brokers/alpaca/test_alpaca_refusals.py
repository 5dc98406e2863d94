"""Where the adapter may go, with whose keys, how often, and what the venue's answers mean."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.brokers.alpaca import parse
from plimsoll.brokers.alpaca.address import address_of
from plimsoll.brokers.alpaca.body import body_of
from plimsoll.brokers.alpaca.budget import Budget
from plimsoll.brokers.alpaca.classify import refusal_of
from plimsoll.brokers.alpaca.keys import read_keys
from plimsoll.brokers.alpaca.reply import NoReply, Reply
from plimsoll.engine.errors import ConfigError, EngineError
from plimsoll.engine.execution.venue import Intent, Rejected, Unknown


@pytest.mark.parametrize(
    "url",
    [
        "https://api.alpaca.markets",
        "http://paper-api.alpaca.markets",
        "https://paper-api.alpaca.markets:8443",
        "https://paper-api.alpaca.markets.example.com",
        "https://user:word@paper-api.alpaca.markets",
        "https://paper-api.alpaca.markets/v2",
        "https://paper-api.alpaca.markets?to=api",
        "http://10.0.0.1:8080",
        "http://example.com",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1:99999",
        "ftp://127.0.0.1",
        "",
    ],
)
def test_every_other_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"broker\.url"):
        address_of(url)


def test_the_paper_host_and_this_machine_are_taken() -> None:
    paper = address_of("https://paper-api.alpaca.markets/")
    assert (paper.local, paper.hosts) == (False, {"paper-api.alpaca.markets", "data.alpaca.markets"})
    assert address_of("http://127.0.0.1:8123").trading == "http://127.0.0.1:8123"
    assert address_of("http://localhost:8123").local
    assert address_of("http://[::1]:8123").hosts == {"::1"}


PAIR = {"APCA_API_KEY_ID": "PKTESTTESTTEST", "APCA_API_SECRET_KEY": "canary-of-the-secret"}


def test_keys_do_not_show_themselves() -> None:
    keys = read_keys(PAIR)
    assert "canary" not in f"{keys!r} {keys} {keys.secret}"
    assert keys.secret.get_secret_value() == "canary-of-the-secret"


def test_keys_come_from_a_file_that_nobody_else_reads(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("# paper\nexport ALPACA_API_KEY='PK1'\nALPACA_SECRET_KEY = s1\n")
    file.chmod(0o600)
    assert read_keys({}, file).key.get_secret_value() == "PK1"
    file.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_keys(PAIR, file)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_keys(PAIR, tmp_path / "none")


@pytest.mark.parametrize(
    ("mode", "elsewhere", "taken"), [(0o440, False, True), (0o440, True, False), (0o444, False, False)]
)
def test_a_credential_that_systemd_put_there_may_show_the_mask_of_its_access_list(
    tmp_path: Path, mode: int, elsewhere: bool, taken: bool
) -> None:
    file = tmp_path / "keys"
    file.write_text("APCA_API_KEY_ID=PK1\nAPCA_API_SECRET_KEY=s1\n")
    file.chmod(mode)
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path / "other" if elsewhere else tmp_path)}
    if taken:
        assert read_keys(env, file).key.get_secret_value() == "PK1"
        return
    with pytest.raises(ConfigError, match="others can read"):
        read_keys(env, file)


@pytest.mark.parametrize(
    ("env", "local", "told"),
    [
        ({}, False, "no keys"),
        ({"APCA_API_KEY_ID": "PK1"}, False, "APCA_API_SECRET_KEY is not set"),
        ({"ALPACA_SECRET_KEY": "x"}, False, "ALPACA_API_KEY is not set"),
        ({"APCA_API_KEY_ID": "AK0123456789ABCDEFGH", "APCA_API_SECRET_KEY": "x"}, False, "live account"),
        ({"APCA_API_KEY_ID": "PK0123456789ABCDEFGH", "APCA_API_SECRET_KEY": "x"}, True, "real account"),
    ],
)
def test_keys_that_do_not_belong_here_are_refused_without_being_told(
    env: dict[str, str], local: bool, told: str
) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        read_keys(env, local=local)
    assert not any(value in str(caught.value) for value in env.values() if len(value) > 3)


class Watch:
    """A clock that moves only when somebody waits."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        assert seconds > 0.0
        self.at += seconds


@given(st.lists(st.tuples(st.floats(0.0, 20.0), st.booleans()), max_size=80))
def test_no_minute_ever_holds_more_requests_than_the_budget(steps: list[tuple[float, bool]]) -> None:
    watch = Watch()
    budget = Budget(watch.now, watch.sleep, per_minute=10, reserved=3)
    sent: list[tuple[float, bool]] = []
    for pause, cancels in steps:
        watch.at += pause
        budget.take(cancels=cancels)
        sent.append((watch.at, cancels))
    for at, _ in sent:
        window = [cancels for moment, cancels in sent if at - 60.0 + 1e-9 < moment <= at]  # to rounding
        assert len(window) <= 10


def test_the_last_part_of_the_budget_is_for_cancellations() -> None:
    watch = Watch()
    budget = Budget(watch.now, watch.sleep, per_minute=10, reserved=3)
    for _ in range(7):
        budget.take()
    assert budget.wait() == 60.0
    for _ in range(3):
        assert budget.wait(cancels=True) == 0.0
        budget.take(cancels=True)
    assert budget.wait(cancels=True) == 60.0


def reply(status: int, body: object = None) -> Reply:
    return Reply(status, body, body is None, None)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (422, {"code": 40010001, "message": "client_order_id must be unique"}, "duplicate"),
        (409, {"message": "client order id already exists"}, "duplicate"),
        (409, {"message": "conflict"}, "duplicate"),  # looked up, whatever it was: never taken for a refusal
        (422, {"code": 42210000, "message": "duplicate client order id"}, "duplicate"),
        (422, {"code": 40010001, "message": "this client_order_id has already been used"}, "duplicate"),
        (403, {"code": 40310000, "message": "new orders are rejected by user request"}, "suspended"),
        (403, {"code": 40310000, "message": "insufficient buying power", "buying_power": "1"}, "buying_power"),
        (403, {"message": "insufficient qty available for order", "held_for_orders": "3"}, "shares_held"),
        (403, {"code": 40310000, "message": "potential wash trade detected. use complex orders"}, "wash"),
        (403, {"code": 40310000, "message": "cannot open a long buy while a short sell order is open"}, "wash"),
        (403, {"code": 40310000, "message": 'asset "X" is not fractionable'}, "asset"),
        (403, {"code": 40310000, "message": "cannot open a short sell while a long buy order is open"}, "wash"),
        (403, {"code": 40310000, "message": "fractional trading is disabled"}, "asset"),
        (403, {"code": 40310000, "message": "account is not allowed to short"}, "asset"),
        (403, {"code": 40310000, "message": "trading is blocked for this account"}, "suspended"),
        (403, {"code": 40310100, "message": "trade denied due to pattern day trading protection"}, "rule"),
        (403, {"message": "opg orders must be submitted after 7:00pm and before 9:28am"}, "rule"),
        (403, {"message": "cls orders must be submitted after 7:00pm and before 3:55pm"}, "rule"),
        (403, {"code": 40310000, "message": "cost basis must be >= minimal amount of order 1"}, "rule"),
        (422, {"code": 42210000, "message": "fractional orders must be DAY orders"}, "rule"),
        (422, {"code": 42210000, "message": "fractional orders cannot be sold short"}, "asset"),
        (422, {"code": 42210000, "message": "asset ZZZ not found"}, "asset"),
        (422, {"code": 42210000, "message": 'asset "X" is not tradable'}, "asset"),
        (422, {"code": 42210000, "message": "notional value must be limited to 2 decimal places"}, "rule"),
        (422, {"code": 42210000, "message": "invalid limit_price 1.234. sub-penny increment does not fulfill"}, "rule"),
        (422, {"code": 42210000, "message": "market orders take no limit_price"}, "rule"),
        (422, {"code": 42210000, "message": "opg orders must be market or limit orders"}, "rule"),
        (422, {"code": 40010001, "message": "invalid qty: NaN"}, "malformed"),
        (422, {"code": 40010001, "message": "client_order_id must be no more than 128 characters"}, "malformed"),
        (403, {"code": 40319999, "message": "a word nobody knows"}, "other"),
        (403, {"code": 40319999, "message": "a word nobody knows", "buying_power": "12"}, "buying_power"),
        (401, {"message": "unauthorized."}, "unauthorized"),
        (401, None, "unauthorized"),
    ],
)  # fmt: skip
def test_what_the_venue_refused_is_told_by_status_words_and_fields(status: int, body: object, reason: str) -> None:
    found = refusal_of(reply(status, body))
    assert isinstance(found, Rejected)
    assert found.reason == reason


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (302, {"id": "x", "message": "moved"}),
        (404, {"message": "not found"}),
        (429, {"message": "rate limit"}),
        (500, {"message": "insufficient buying power"}),  # not from the part of the venue that decides
        (503, None),
        (504, {"message": "client_order_id must be unique"}),
        (403, None),  # a wall in between, not the venue
        (403, ["insufficient buying power"]),
        (422, {"message": 17}),
    ],
)
def test_everything_else_is_unknown(status: int, body: object) -> None:
    assert isinstance(refusal_of(reply(status, body)), Unknown)


def test_no_answer_is_unknown() -> None:
    assert refusal_of(NoReply("ReadTimeout")) == Unknown("ReadTimeout")


def test_a_wash_names_the_order_in_the_way() -> None:
    body = {"message": "potential wash trade detected", "existing_order_id": "a-b"}
    found = refusal_of(reply(403, body))
    assert isinstance(found, Rejected)
    assert found.related == "a-b"


@given(st.decimals("0.000000001", "1000000", places=9))
def test_a_quantity_goes_out_digit_by_digit(qty: Decimal) -> None:
    text = body_of(Intent("id-1", "SPY", "buy", qty))["qty"]
    assert Decimal(text) == qty
    assert "E" not in text
    assert len(text.partition(".")[2]) <= 9


@pytest.mark.parametrize(
    "intent",
    [
        Intent("", "SPY", "buy", Decimal(1)),
        Intent("x" * 129, "SPY", "buy", Decimal(1)),
        Intent("id", "SPY", "buy", Decimal(0)),
        Intent("id", "SPY", "buy", Decimal("NaN")),
        Intent("id", "SPY", "buy", Decimal("1e-10")),
        Intent("id", "SPY", "buy", Decimal(1), "limit"),
        Intent("id", "SPY", "buy", Decimal(1), "market", limit=Decimal(5)),
        Intent("id", "SPY", "buy", Decimal(1), "limit", limit=Decimal("100.001")),
    ],
)
def test_what_could_not_be_meant_is_never_sent(intent: Intent) -> None:
    with pytest.raises(EngineError):
        body_of(intent)


ORDER = {
    "id": "5d2c0b0e-0000-4000-8000-000000000001", "client_order_id": "pl1-x", "symbol": "SPY", "side": "buy",
    "qty": "10.5", "filled_qty": "4", "filled_avg_price": "101.25", "status": "partially_filled",
    "submitted_at": "2026-11-27T14:35:00.123456789Z",
}  # fmt: skip


def test_an_order_is_read_as_it_is_told() -> None:
    order = parse.order_of(ORDER)
    assert order is not None
    assert (order.qty, order.filled, order.average, order.ended) == (Decimal("10.5"), 4, Decimal("101.25"), False)
    assert order.submitted_at is not None
    assert order.submitted_at.microsecond == 123456


@pytest.mark.parametrize("word", ["held", "pending_review", "a_word_of_tomorrow", "calculated"])
def test_a_word_nobody_knows_counts_as_working(word: str) -> None:
    order = parse.order_of({**ORDER, "status": word})
    assert order is not None
    assert (order.state, order.word) == ("working", word)


@pytest.mark.parametrize("lost", ["id", "client_order_id", "symbol", "side", "status"])
def test_an_order_without_what_identifies_it_is_not_guessed(lost: str) -> None:
    assert parse.order_of({key: value for key, value in ORDER.items() if key != lost}) is None


@pytest.mark.parametrize(
    ("word", "told", "filled"),
    [
        ("new", {}, 0), ("a_word_of_tomorrow", {"filled_qty": None}, 0), ("filled", {}, Decimal("10.5")),
        ("canceled", {}, None), ("expired", {"filled_qty": None}, None), ("filled", {"qty": None}, None),
        ("canceled", {"filled_qty": "4"}, 4),
    ],
)  # fmt: skip
def test_the_shares_of_an_ended_order_are_never_taken_for_none(
    word: str, told: dict[str, object], filled: Decimal | None
) -> None:
    order = parse.order_of(
        {key: value for key, value in ORDER.items() if key != "filled_qty"} | told | {"status": word}
    )
    assert (None if order is None else order.filled) == filled


def test_a_short_sale_is_a_sale_in_orders_as_in_executions() -> None:
    order = parse.order_of({**ORDER, "side": "sell_short"})
    assert order is not None
    assert order.side == "sell"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.decimals(allow_nan=True),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*ORDER, "extra", "qty_available", "bp"]), json_values) | json_values)
def test_no_json_whatever_breaks_the_readers(body: object) -> None:
    parse.order_of(body)
    parse.fill_of(body)
    parse.asset_of(body)
    parse.quote_of("SPY", body, body, "iex")
    refusal_of(reply(403, body))


def test_shares_of_a_short_are_negative_however_they_are_told() -> None:
    told = {"symbol": "SPY", "qty": "5", "side": "short", "qty_available": "5", "current_price": "10"}
    assert parse.position_of(told).qty == -5
    assert parse.position_of({**told, "qty": "-5"}).qty == -5


def test_numbers_of_the_wire_are_exact() -> None:
    loaded = json.loads('{"p": 0.1}', parse_float=Decimal)
    assert parse.number(loaded["p"]) == Decimal("0.1")
    assert parse.number(True) is None
    assert parse.number("Infinity") is None


@pytest.mark.parametrize("text", ["1e999999999", "-1e999999999", "1e-999999999", "1e40"])
def test_a_number_that_would_fill_the_memory_is_none(text: str) -> None:
    assert parse.number(text) is None
    assert parse.number(Decimal(text)) is None
