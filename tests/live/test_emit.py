"""Without a broker: orders into files, once a session, and a file of positions that a person keeps."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from support.emitting import Emitting, orders_in
from support.live_book import FIRST, LAST, make_desk

from plimsoll.engine.errors import DataError
from plimsoll.engine.live.daemon import Silent
from plimsoll.engine.live.positions import read_positions
from plimsoll.engine.live.slots import hours_of
from plimsoll.engine.market.calendar import sessions
from plimsoll.engine.verbs import confirm as confirming
from plimsoll.engine.verbs.confirm import confirm
from plimsoll.engine.verbs.control import status
from plimsoll.engine.verbs.daemon import daemon
from plimsoll.engine.verbs.rebalance import emit

WEEK: list[date] = sessions(FIRST, LAST).astype(object).tolist()


def test_orders_are_emitted_once_for_somebody_else_to_execute(tmp_path: Path) -> None:
    book = Emitting(tmp_path)
    book.to(FIRST, "09:00")
    outcome, file = emit(book.values, "09:35", book.out, book.held, host=book.desk.host)
    assert outcome.ending == "done"
    assert file is not None
    assert (file.name, len(orders_in(file))) == ("orders-week-2024-11-25-0935.csv", 3)
    text = file.read_text()
    again, same = emit(book.values, "09:35", book.out, book.held, host=book.desk.host)
    assert (again.ending, same, file.read_text()) == ("already", file, text)


def test_confirmed_orders_are_in_the_positions_once(tmp_path: Path) -> None:
    book = Emitting(tmp_path)
    book.to(FIRST, "09:00")
    _, file = emit(book.values, "09:35", book.out, book.held, host=book.desk.host)
    assert file is not None
    wanted = {row.split(",")[1]: (Decimal(row.split(",")[3]), Decimal(row.split(",")[6])) for row in orders_in(file)}
    done = confirm(book.values, book.held, host=book.desk.host)
    assert {symbol: qty for symbol, (qty, _) in wanted.items()} == done.holdings
    spent = sum(qty * price for qty, price in wanted.values())
    held = read_positions(book.held)
    assert held.shares == done.holdings
    assert held.cash == round(100_000 - spent, 2)
    before = book.held.read_text()
    assert confirm(book.values, book.held, host=book.desk.host).again
    assert book.held.read_text() == before


def test_what_was_executed_otherwise_is_confirmed_as_it_was(tmp_path: Path) -> None:
    book = Emitting(tmp_path)
    book.to(FIRST, "09:00")
    emit(book.values, "09:35", book.out, book.held, host=book.desk.host)
    fills = tmp_path / "fills.csv"
    fills.write_text("symbol,side,qty,price\nAAA,buy,10,90.50\nAAA,buy,5,91\n")
    done = confirm(book.values, book.held, fills=fills, host=book.desk.host)
    assert (done.holdings, done.cash) == ({"AAA": Decimal(15)}, Decimal(100_000) - Decimal(905) - Decimal(455))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("ZZZ,buy,1,10", "no order to buy ZZZ"),
        ("AAA,sell,1,10", "no order to sell AAA"),
        ("AAA,buy,100000,10", "more of AAA than was ordered"),
        ("AAA,buy,x,10", "is not a fill"),
        ("AAA,buy,-1,10", "is not a fill"),
        ("AAA,buy", "is not a fill"),
    ],
)
def test_a_fill_that_cannot_be_is_refused_and_nothing_changes(tmp_path: Path, row: str, said: str) -> None:
    book = Emitting(tmp_path)
    book.to(FIRST, "09:00")
    emit(book.values, "09:35", book.out, book.held, host=book.desk.host)
    fills, before = tmp_path / "fills.csv", book.held.read_text()
    fills.write_text(f"symbol,side,qty,price\n{row}\n")
    with pytest.raises(DataError, match=said):
        confirm(book.values, book.held, fills=fills, host=book.desk.host)
    assert book.held.read_text() == before
    assert not confirm(book.values, book.held, host=book.desk.host).again


def test_status_of_a_book_without_a_broker(tmp_path: Path) -> None:
    book = Emitting(tmp_path)
    book.to(FIRST, "09:00")
    assert status(book.values, host=book.desk.host)["begun"] is False
    emit(book.values, "09:35", book.out, book.held, host=book.desk.host)
    book.to(FIRST, "15:00")
    told = status(book.values, host=book.desk.host)
    assert (told["account"], told["overdue"], told["healthy"]) == (None, [], True)
    book.to(WEEK[1], "15:00")
    assert status(book.values, host=book.desk.host)["overdue"] == ["09:35"]


def test_nothing_is_confirmed_before_anything_was_emitted(tmp_path: Path) -> None:
    book = Emitting(tmp_path)
    with pytest.raises(DataError, match="nothing was emitted"):
        confirm(book.values, book.held, host=book.desk.host)
    assert not Path(book.values["live"]["state"]).exists()  # and nothing is left behind


def test_a_process_that_dies_in_the_middle_of_a_confirmation_neither_loses_nor_doubles_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Emitting(tmp_path)
    book.to(FIRST, "09:00")
    emit(book.values, "09:35", book.out, book.held, host=book.desk.host)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(confirming, "_replace", die)
        with pytest.raises(KeyboardInterrupt):
            confirm(book.values, book.held, host=book.desk.host)
    assert read_positions(book.held).shares == {}
    found = confirm(book.values, book.held, host=book.desk.host)
    assert len(found.holdings) == 3
    assert confirm(book.values, book.held, host=book.desk.host).holdings == found.holdings


def test_a_daemon_emits_each_session_once_and_positions_that_follow_end_where_the_account_would(tmp_path: Path) -> None:
    book = Emitting(tmp_path / "files")
    desk = book.desk
    book.to(FIRST, "09:00")
    seen: list[str] = []

    class Person:
        """The clock, and somebody who confirms each evening."""

        def now(self) -> datetime:
            return desk.clock.now()

        def sleep(self, seconds: float) -> None:
            desk.clock.sleep(max(seconds, 600.0))
            names = sorted(file.name for file in book.out.glob("*.csv")) if book.out.is_dir() else []
            if names != seen:
                seen[:] = names
                confirm(book.values, book.held, host=desk.host)
            book.to(self.now().date(), "00:00")

    def over() -> bool:
        return desk.clock.now() > hours_of(WEEK[2]).closes + timedelta(hours=1)

    stop: Callable[[], bool] = over
    daemon(book.values, Silent(), emit_to=book.out, positions=book.held, clock=Person(), stop=stop, host=desk.host)
    assert seen == [f"orders-week-{day}-0935.csv" for day in WEEK[:3]]
    traded = make_desk(tmp_path / "account")
    for day in WEEK[:3]:
        traded.to(day, "09:35")
        traded.slot("09:35")
    # prices differ (orders are confirmed at the decision price), the shares do not by more than that
    held = read_positions(book.held).shares
    for symbol, qty in traded.shares().items():
        assert float(held[symbol]) == pytest.approx(float(qty), rel=0.01)
