"""`plimsoll doctor --live`: what it finds at a venue, what it calls missing, and that it orders nothing."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.houses import ENV, over_desk
from support.panels import make_panel
from support.venue import KEYS, Venue, make_desk, moment, ticket

from plimsoll.brokers.exchange.desk.desk import Desk
from plimsoll.brokers.exchange.desk.fault import Fault
from plimsoll.brokers.exchange.server import ExchangeServer
from plimsoll.brokers.exchange.settings import Traits
from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.live.ids import OrderId, account_code, book_code
from plimsoll.engine.runtime.venues import open_venue
from plimsoll.engine.verbs.doctor import Check
from plimsoll.engine.verbs.doctor_live import doctor_live
from plimsoll.engine.verbs.host import Host

AT = "2019-11-27T10:00"  # the day before Thanksgiving; a half day follows
ACCOUNT = "PA0000000000"
PANEL = make_panel(np.full((250, 3), 50.0), symbols=("GLD", "SPY", "TLT"))


def config(**broker: Any) -> Config:
    sleeve = {"name": "s", "strategy": "equal_weight", "params": {"symbols": ["SPY", "TLT"]}}
    return load_config({"run": {"name": "book"}, "sleeve": [sleeve], "broker": {"account": ACCOUNT, **broker}})


def found(desk: Desk, given: Config | None = None, at: str = AT) -> dict[str, Check]:
    host = Host(ENV, clock=lambda: moment(at))
    checks = doctor_live(given or config(), venue=over_desk(desk), host=host)
    assert {row["method"] for row in desk.transcript.requests()} <= {"GET"}
    return {check.name: check for check in checks}


def test_a_book_that_could_trade_is_ok_from_top_to_bottom() -> None:
    checks = found(make_desk(PANEL, AT))
    assert list(checks) == ["venue", "account", "clock", "calendar", "assets", "quotes", "orders", "positions"]
    assert all(check.ok for check in checks.values()), checks
    assert checks["account"].detail == f"{ACCOUNT}, equity 100,000.00, cash 100,000.00, buying power 200,000.00"
    assert checks["clock"].detail.startswith("2019-11-27 10:00:00 New York, open until 16:00")
    assert checks["calendar"].detail == "10 sessions to 2019-12-11 as in XNYS"
    assert checks["assets"].detail == "2 of 2 known"


def test_the_keys_of_another_account_are_told() -> None:
    assert "the keys of another account" in found(make_desk(PANEL, AT), config(account="PA1"))["account"].detail
    unnamed = found(make_desk(PANEL, AT), config(account=None))["account"]
    assert (unnamed.ok, f"set broker.account = '{ACCOUNT}'" in unnamed.detail) == (False, True)


def test_an_account_that_may_not_trade_is_told() -> None:
    desk = make_desk(PANEL, AT)
    desk.faults.add(Fault(do="edit", path="/v2/account", change={"trading_blocked": True}))
    assert "it may not trade: trading_blocked" in found(desk)["account"].detail


def test_a_clock_that_is_off_is_told() -> None:
    away = found(make_desk(PANEL, AT), at="2019-11-27T10:05")["clock"]
    assert (away.ok, "300 s from this machine's" in away.detail) == (False, True)
    here = found(make_desk(PANEL, AT), config(url="http://127.0.0.1:1"), at="2026-01-02T10:05")["clock"]
    assert (here.ok, "a time of its own" in here.detail) == (True, True)


def test_a_calendar_that_differs_is_told() -> None:
    desk = make_desk(PANEL, AT)
    desk.faults.add(Fault(do="edit", path="/v2/calendar", change={"1/close": "16:00"}))  # the half day
    assert "2019-11-29 differ" in found(desk)["calendar"].detail


def test_what_the_book_needs_and_the_venue_lacks_is_told() -> None:
    desk = make_desk(PANEL, AT, traits={"TLT": Traits(fractionable=False, shortable=False)})
    desk.exchange.halt("SPY", on=True)
    assets = found(desk)["assets"]
    assert not assets.ok
    assert assets.detail == ("2 of 2 known; not tradable: SPY; whole shares only: TLT; cannot be sold short: TLT")
    lacking = make_desk(make_panel(np.full((250, 1), 50.0), symbols=("SPY",)), AT)
    checks = found(lacking)
    assert checks["assets"].detail.endswith("unknown: TLT")
    assert (checks["quotes"].ok, "TLT" in checks["quotes"].detail) == (False, True)


def test_a_quote_that_would_not_be_believed_is_told_while_the_market_is_open() -> None:
    desk = make_desk(PANEL, AT)
    desk.faults.add(Fault(do="edit", path="/v2/stocks/quotes/latest", change={"quotes/SPY/t": "2019-11-26T15:00:00Z"}))
    desk.faults.add(Fault(do="edit", path="/v2/stocks/trades/latest", change={"trades/SPY/t": "2019-11-26T15:00:00Z"}))
    quotes = found(desk)["quotes"]
    assert (quotes.ok, "none for SPY (quote 86400 s old" in quotes.detail) == (False, True)
    assert found(make_desk(PANEL, "2019-11-27T20:00"), at="2019-11-27T20:00")["quotes"].ok


def test_orders_of_others_are_told_and_ours_are_counted() -> None:
    desk = make_desk(PANEL, AT)
    code, name = account_code(ACCOUNT), book_code("book")
    own = OrderId(code, name, moment(AT).date(), "0935", "SPY", "buy", 0, 0)
    desk.exchange.submit(ticket("SPY", 1, "40", client_order_id=str(own)))
    assert found(desk)["orders"].detail == "1 working of this book, 0 others"
    desk.exchange.submit(ticket("GLD", 1, "40", client_order_id="mine"))
    orders = found(desk)["orders"]
    assert (orders.ok, "buy GLD (mine)" in orders.detail) == (False, True)
    assert found(desk, config(manage="symbols"))["orders"].ok  # GLD is not a symbol of the book
    desk.exchange.submit(ticket("TLT", 1, "40"))
    assert not found(desk, config(manage="symbols"))["orders"].ok


def test_positions_beside_the_book_halt_it_or_are_left_alone_as_configured() -> None:
    desk = make_desk(PANEL, AT)
    for symbol in ("SPY", "GLD"):
        desk.exchange.submit(ticket(symbol, 2))
    told = found(desk)["positions"]
    assert (told.ok, told.detail.startswith("1 of this book, 1 beside it: GLD 2; sell them")) == (False, True)
    assert found(desk, config(manage="symbols"))["positions"].ok


@pytest.mark.parametrize("path", ["/v2/calendar", "/v2/assets/SPY", "/v2/stocks/quotes/latest", "/v2/orders"])
def test_what_gives_no_answer_is_told_and_the_rest_is_still_asked(path: str) -> None:
    desk = make_desk(PANEL, AT)
    desk.faults.add(Fault(do="status", status=503, path=path, times=None))
    checks = found(desk)
    assert len(checks) == 8
    (failed,) = (check for check in checks.values() if not check.ok)
    assert "no answer (status 503)" in failed.detail


def test_a_venue_out_of_reach_is_one_line() -> None:
    desk = make_desk(PANEL, AT)
    desk.faults.add(Fault(do="reset", times=None))
    checks = found(desk)
    assert list(checks) == ["venue"]
    assert "no answer (reset)" in checks["venue"].detail


@contextmanager
def listening() -> Iterator[Venue]:
    with ExchangeServer(make_desk(PANEL, AT)) as server:
        yield Venue(server)


def test_the_command_prints_a_line_a_check_and_exits_with_0_or_1(
    cli: Callable[..., Any], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    with listening() as running:
        text = config(url=running.url).toml()
        (here / "ours.toml").write_text(text)
        (here / "theirs.toml").write_text(text.replace(ACCOUNT, "PA7"))
        ran = cli("doctor", "--live", "ours.toml")
        assert (ran.code, ran.out.count("\n"), ran.err) == (0, 8, "")
        assert all(len(line) <= 200 for line in ran.out.splitlines())
        ran = cli("doctor", "--live", "theirs.toml", "--json")
        assert ran.code == 1
        assert [check["name"] for check in json.loads(ran.out) if not check["ok"]] == ["account"]
        assert {row["method"] for row in running.transcript.requests()} == {"GET"}
        assert KEYS.secret not in ran.out + ran.err


def test_what_cannot_be_asked_is_refused_in_one_line(refused: Callable[..., str], here: Path) -> None:
    assert "no [broker] section" in refused("doctor", "--live", "run.toml")
    assert "two questions" in refused("doctor", "--live", "run.toml", "--data", "data")


def test_a_broker_is_found_by_its_name() -> None:
    section = config(url="http://127.0.0.1:1").broker
    assert section is not None
    assert type(open_venue(section, ENV)) is type(over_desk(make_desk(PANEL, AT)))
    with pytest.raises(ConfigError, match="no broker 'alpacca'"):
        open_venue(section.model_copy(update={"kind": "alpacca"}), ENV)
