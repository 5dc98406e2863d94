"""A journal is of one book on one account: a second configuration with the same state folder is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.emitting import Emitting
from support.live_book import FIRST, Desk, make_desk
from support.opened import on, opened, state

from plimsoll.engine.errors import OutputError
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.verbs.accounts import adopt, flatten, reconcile
from plimsoll.engine.verbs.control import resume, status
from plimsoll.engine.verbs.daemon import daemon
from plimsoll.engine.verbs.rebalance import preview, rebalance
from plimsoll.engine.verbs.twin import twin

OTHER = "this is the journal of book week, not of other"


def copied(desk: Desk, name: str = "other") -> dict[str, Any]:
    """Return the configuration as one copies it for a second book: another name, the same state folder."""
    return {**desk.values, "run": {**desk.values["run"], "name": name}}


VERBS: dict[str, Callable[[Desk, dict[str, Any]], Any]] = {
    "rebalance": lambda desk, them: rebalance(them, "12:00", data=desk.panel, **on(desk)),
    "preview": lambda desk, them: preview(them, data=desk.panel, **on(desk)),
    "reconcile": lambda desk, them: reconcile(them, **on(desk)),
    "adopt": lambda desk, them: adopt(them, "why not", **on(desk)),
    "flatten": lambda desk, them: flatten(them, "why not", **on(desk)),
    "resume": lambda desk, them: resume(them, "why not", venue=desk.venue, host=desk.host),
    "status": lambda desk, them: status(them, host=desk.host),
    "twin": lambda desk, them: twin(them, data=desk.panel, host=desk.host),
    "daemon": lambda desk, them: daemon(them, data=desk.panel, stop=lambda: True, **on(desk)),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_second_book_in_the_state_folder_of_another_is_refused(tmp_path: Path, verb: str) -> None:
    desk = opened(tmp_path)
    desk.to(FIRST, "12:00")
    orders, held = len(desk.exchange.orders), desk.shares()
    with pytest.raises(OutputError, match=OTHER):
        VERBS[verb](desk, copied(desk))
    assert (len(desk.exchange.orders), desk.shares()) == (orders, held)
    assert desk.slot("12:00").ending == "done"


def test_a_book_that_goes_to_another_account_with_its_old_state_is_refused(tmp_path: Path) -> None:
    desk, second = opened(tmp_path), make_desk(tmp_path / "second")
    second.exchange.ledger.cash = Decimal(1_000_000)
    snap = second.venue.snapshot
    second.venue.snapshot = lambda: replace(snap(), account="PA0000000001")  # type: ignore[method-assign]
    moved = {**desk.values, "broker": {**desk.values["broker"], "account": "PA0000000001"}}
    second.to(date(2024, 11, 26), "09:35")
    with pytest.raises(OutputError, match="the journal of account PA0000000000, not of PA0000000001"):
        rebalance(moved, "09:35", data=desk.panel, venue=second.venue, clock=second.clock, host=second.host)
    assert not second.exchange.orders


def test_a_second_book_that_only_emits_is_refused_too(tmp_path: Path) -> None:
    book = Emitting(tmp_path / "book")
    assert book.emit(FIRST)[0].ending == "done"
    book.values["run"] = {**book.values["run"], "name": "other"}
    with pytest.raises(OutputError, match=OTHER):
        book.emit(FIRST)
    with pytest.raises(OutputError, match=OTHER):
        book.confirm()
    with pytest.raises(OutputError, match=OTHER):
        daemon(book.values, emit_to=book.out, positions=book.held, stop=lambda: True, host=book.desk.host)


def test_a_mistyped_account_is_not_written_down(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    typo = {**desk.values, "broker": {**desk.values["broker"], "account": "PA0000000009"}}
    with pytest.raises(Exception, match="the keys are of account PA0000000000"):
        rebalance(typo, "09:35", data=desk.panel, **on(desk))
    assert desk.slot("09:35").ending == "done"


def test_a_journal_from_before_it_said_whose_it_is_takes_it_in_and_says_so(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    journal = Journal.open(state(desk), desk.clock.now)
    told = [json.loads(one.body) for one in journal.events("owner")]
    assert told == [{"book": "week", "account": "PA0000000000", "why": ""}]
    with journal.tx():  # as a journal was before
        for key in ("book", "account"):
            journal._db.execute("DELETE FROM meta WHERE key = ?", (key,))
    journal.close()
    desk.to(FIRST, "12:00")
    assert status(desk.values, host=desk.host)["begun"]
    assert desk.slot("12:00").ending == "done"
    journal = Journal.open(state(desk), desk.clock.now)
    told = [json.loads(one.body) for one in journal.events("owner")]
    journal.close()
    assert told[1] == {"book": "week", "account": "PA0000000000", "why": "the journal was begun before it said so"}
    with pytest.raises(OutputError, match=OTHER):
        rebalance(copied(desk), "12:00", data=desk.panel, **on(desk))
