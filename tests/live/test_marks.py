"""What the governor sees of a live account: its own closes, dividends credited, deposits no gain."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from support.live_book import FIRST, LAST, SLOTS, Desk, make_desk

from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.marks import LiveMarks, marks_of
from plimsoll.engine.market.calendar import sessions
from plimsoll.engine.portfolio.integrator import Mark

WEEK: list[date] = sessions(FIRST, LAST).astype(object).tolist()


def traded(desk: Desk, deposit_on: date | None = None) -> tuple[LiveMarks, list[float]]:
    """Trade the week; return the folded marks and what the exchange said the account was worth at each close."""
    worth = []
    for day in WEEK:
        if day == deposit_on:
            desk.exchange.ledger.cash += Decimal(50_000)
        for slot in SLOTS:
            desk.to(day, slot)
            assert desk.slot(slot).ok
        desk.to(day, "16:30")
        worth.append(float(desk.venue.snapshot().equity))
    journal = Journal.read_only(Path(desk.values["live"]["state"]), desk.clock.now)
    assert journal is not None
    marks = marks_of(journal, desk.panel)
    journal.close()
    return marks, worth


def live(marks: LiveMarks) -> np.ndarray:
    """Return equity and growth of the live sessions, (2, S)."""
    known = ~np.isnan(marks.index)
    return np.vstack((marks.equity[known], marks.index[known]))


def test_the_folded_closes_are_the_ones_the_account_had(tmp_path: Path) -> None:
    marks, worth = traded(make_desk(tmp_path))
    equity, index = live(marks)
    assert equity == pytest.approx(worth, abs=0.02)
    assert index == pytest.approx(np.array(worth) / 100_000.0, abs=1e-6)
    assert len(worth) == len(WEEK)


def test_a_deposit_is_no_gain(tmp_path: Path) -> None:
    marks, worth = traded(make_desk(tmp_path), deposit_on=WEEK[2])
    equity, index = live(marks)
    assert equity == pytest.approx(worth, abs=0.02)
    returns = np.diff(worth) / worth[:-1]
    returns[1] = (worth[2] - 50_000.0) / worth[1] - 1.0
    assert index == pytest.approx(worth[0] / 100_000.0 * np.cumprod(np.append(1.0, 1.0 + returns)), abs=1e-6)


def test_a_dividend_that_the_venue_does_not_pay_is_credited(tmp_path: Path) -> None:
    paying, _ = traded(make_desk(tmp_path / "a"))
    desk = make_desk(tmp_path / "b", dividends=False)
    marks, worth = traded(desk)
    owed = live(marks)[0][-1] - worth[-1]
    assert owed == pytest.approx(0.5 * 469.388239142, abs=0.01)  # half a dollar on what was held of it
    assert live(marks)[1][3] == pytest.approx(live(paying)[1][3], abs=1e-9)


def test_before_it_went_live_the_simulated_marks_count_and_after_it_they_are_linked(tmp_path: Path) -> None:
    marks, _ = traded(make_desk(tmp_path))
    first = int(np.flatnonzero(~np.isnan(marks.index))[0])
    assert marks(first - 1, Mark(123.0, 1.25)) == Mark(123.0, 1.25)
    found = marks(first, Mark(999.0, 9.0))
    assert found == Mark(float(marks.equity[first]), 1.25 * float(marks.index[first]))
