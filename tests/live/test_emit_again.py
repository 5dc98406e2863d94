"""Orders for somebody else to execute, session after session: none is lost in between, none is written twice."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from support.emitting import Emitting
from support.live_book import FIRST, LAST, market

from plimsoll.engine.errors import DataError
from plimsoll.engine.live.emit import _in_new_shares
from plimsoll.engine.live.positions import Holdings, positions_csv, read_positions
from plimsoll.engine.market.calendar import sessions
from plimsoll.engine.verbs.control import status
from plimsoll.engine.verbs.daemon import daemon

WEEK: list[date] = sessions(FIRST, LAST).astype(object).tolist()
# closes that call for a decision: before the first session of the week, and at the end of it; for the third nothing
TWICE = ("2024-11-22", "2024-11-25")
NO_FILLS = "symbol,side,qty,price\n"


def emitted(book: Emitting, days: list[date]) -> list[dict[str, Decimal]]:
    """Emit and confirm as ordered on each of some days; return the orders."""
    found = []
    for day in days:
        outcome, orders = book.emit(day)
        assert outcome.ending == "done"
        found.append(orders)
        book.confirm()
    return found


def test_an_answer_that_nobody_emitted_is_made_up_for_at_the_next_session(tmp_path: Path) -> None:
    daily, late = Emitting(tmp_path / "daily", on=TWICE), Emitting(tmp_path / "late", on=TWICE)
    every = emitted(daily, WEEK[:4])
    assert [bool(orders) for orders in every] == [True, True, False, False]
    first, made_up, after = emitted(late, [WEEK[0], WEEK[2], WEEK[3]])
    assert first == every[0]
    assert set(made_up) == set(every[1])
    assert after == {}
    there, here = read_positions(daily.held).shares, read_positions(late.held).shares
    assert {s: float(qty) for s, qty in here.items()} == pytest.approx(
        {s: float(q) for s, q in there.items()}, rel=0.03
    )


def test_what_was_executed_in_part_is_due_until_it_is_executed(tmp_path: Path) -> None:
    book = Emitting(tmp_path / "book", on=TWICE)
    emitted(book, WEEK[:1])
    _, orders = book.emit(WEEK[1])
    assert orders["CCC"] > 2
    fills = tmp_path / "fills.csv"
    fills.write_text(f"{NO_FILLS}CCC,buy,2,160\n")
    book.confirm(fills)
    outcome, rest = book.emit(WEEK[2])
    assert outcome.ending == "done"
    assert float(rest["CCC"]) == pytest.approx(float(orders["CCC"] - 2), rel=0.05)
    assert float(rest["AAA"]) == pytest.approx(float(orders["AAA"]), rel=0.05)
    book.confirm()
    assert book.emit(WEEK[3])[1] == {}


def test_what_expires_is_not_due_any_more(tmp_path: Path) -> None:
    book = Emitting(tmp_path / "book", on=TWICE, execution={"unfilled": "expire"})
    emitted(book, WEEK[:1])
    book.emit(WEEK[1])
    fills = tmp_path / "fills.csv"
    fills.write_text(NO_FILLS)
    book.confirm(fills)
    assert book.emit(WEEK[2])[1] == {}


def test_orders_that_nobody_confirmed_are_not_written_again(tmp_path: Path) -> None:
    book = Emitting(tmp_path / "book", on=TWICE)
    _, orders = book.emit(WEEK[0])
    for day in WEEK[1:3]:
        outcome, more = book.emit(day)
        assert (outcome.ending, more) == ("refused", {})
        assert "the orders for 2024-11-25 are not confirmed" in outcome.why
    book.confirm()
    assert read_positions(book.held).shares == orders
    outcome, made_up = book.emit(WEEK[2])
    assert outcome.ending == "done"
    assert made_up["CCC"] > 0


def test_orders_that_nobody_executed_are_written_again_once_somebody_says_so(tmp_path: Path) -> None:
    book = Emitting(tmp_path / "book", on=TWICE[:1])
    _, orders = book.emit(WEEK[0])
    fills = tmp_path / "fills.csv"
    fills.write_text(NO_FILLS)
    book.confirm(fills)
    outcome, again = book.emit(WEEK[1])
    assert outcome.ending == "done"
    assert set(again) == set(orders)


def test_positions_that_follow_without_a_confirmation_are_believed(tmp_path: Path) -> None:
    """Somebody exports them from a broker instead: another number of any symbol ordered says that they are new."""
    book = Emitting(tmp_path / "book", on=TWICE)
    _, orders = book.emit(WEEK[0])
    rows = [f"{symbol},{qty}" for symbol, qty in orders.items()]
    book.held.write_text("\n".join(["symbol,qty", "CASH,50000", *rows]) + "\n")
    outcome, more = book.emit(WEEK[1])
    assert outcome.ending == "done"
    assert more


def test_money_alone_does_not_say_that_orders_were_executed(tmp_path: Path) -> None:
    book = Emitting(tmp_path / "book", on=TWICE)
    book.emit(WEEK[0])
    book.held.write_text("symbol,qty\nCASH,101000\n")
    assert book.emit(WEEK[1])[0].ending == "refused"


@pytest.mark.parametrize("split_on", WEEK[1:3], ids=["the session of the orders", "a later one"])
def test_positions_from_before_a_split_are_refused_until_they_are_corrected(tmp_path: Path, split_on: date) -> None:
    book = Emitting(tmp_path / "book", market(split_on=split_on, paid_on=date(2024, 9, 11)), on=TWICE)
    emitted(book, WEEK[:2])
    old = read_positions(book.held)
    outcome, orders = book.emit(WEEK[3])
    assert (outcome.ending, orders) == ("refused", {})
    assert outcome.why.startswith(f"AAA was split on {split_on}, 2 shares for one, and held.csv has the ")
    rows = [f"{s},{qty * (2 if s == 'AAA' else 1)}" for s, qty in old.shares.items()]
    book.held.write_text("\n".join(["symbol,qty", f"CASH,{old.cash}", *rows]) + "\n")
    outcome, orders = book.emit(WEEK[3])
    assert (outcome.ending, orders) == ("done", {})


@pytest.mark.parametrize("answers", [TWICE[:1], TWICE], ids=["nothing ordered that morning", "orders that morning"])
def test_positions_that_came_in_new_shares_on_the_morning_of_a_split_are_believed(
    tmp_path: Path, answers: tuple[str, ...]
) -> None:
    book = Emitting(tmp_path / "b", market(split_on=WEEK[1], paid_on=date(2024, 9, 11)), on=answers)
    emitted(book, WEEK[:1])
    told = read_positions(book.held)
    shares = {**told.shares, "AAA": told.shares["AAA"] * 2}
    book.held.write_bytes(positions_csv(Holdings(shares, told.cash, "")))
    assert len(emitted(book, WEEK[1:5])) == 4


def test_status_tells_that_nothing_was_emitted_whether_or_not_a_broker_is_configured(tmp_path: Path) -> None:
    for name in ("without", "with"):
        book = Emitting(tmp_path / name, on=TWICE)
        if name == "with":
            book.values["broker"] = book.desk.values["broker"]
        emitted(book, WEEK[:1])
        book.to(WEEK[1], "09:34")
        assert status(book.values, host=book.desk.host)["overdue"] == []
        book.to(WEEK[1], "10:30")
        assert status(book.values, host=book.desk.host)["overdue"] == ["09:35"]


def test_what_is_bought_on_the_day_of_a_split_is_bought_in_new_shares(tmp_path: Path) -> None:
    panel = market(split_on=WEEK[0], paid_on=date(2024, 9, 11))
    book = Emitting(tmp_path / "book", panel, on=TWICE[:1])
    _, orders = book.emit(WEEK[0])
    assert orders["AAA"] > 0
    book.confirm()
    assert book.emit(WEEK[1])[0].ending == "done"


def test_what_a_broker_writes_with_a_point_stays_one_position(tmp_path: Path) -> None:
    panel = replace(market(), symbols=("BRK-B", "BBB", "CCC"))
    book = Emitting(tmp_path / "book", panel, on=TWICE)
    book.held.write_text("symbol,qty\nCASH,90000\nBRK.B,10\n")
    _, orders = book.emit(WEEK[0])
    book.confirm()
    held = read_positions(book.held).shares
    assert held["BRK.B"] == 10 + orders["BRK-B"]
    assert "BRK-B" not in held


def test_a_daemon_without_a_file_of_positions_does_not_begin(tmp_path: Path) -> None:
    book = Emitting(tmp_path / "book", on=TWICE)
    book.held.unlink()
    with pytest.raises(DataError, match="cannot be read: No such file"):
        daemon(book.values, emit_to=book.out, positions=book.held, stop=lambda: True, host=book.desk.host)


@pytest.mark.parametrize(
    ("before", "after", "ratio", "new"),
    [
        ("0.5", "0.5", 2.0, False),  # nearer than a share to what it would be, and still the old number
        ("0.9", "0.9", 0.1, False),
        ("0.5", "1", 2.0, True),
        ("0.9", "0.09", 0.1, True),
        ("7", "14", 2.0, True),
        ("7", "3", 0.5, True),  # half a share was paid out
        ("7", "7", 0.5, False),
        ("-7", "-14", 2.0, True),
        ("0", "0", 2.0, False),
    ],
)
def test_a_number_of_shares_is_a_new_one_where_a_split_explains_it(
    before: str, after: str, ratio: float, new: bool
) -> None:
    assert _in_new_shares({"AAA": Decimal(before)}, {"AAA": Decimal(after)}, "AAA", ratio) is new
