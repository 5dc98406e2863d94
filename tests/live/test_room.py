"""What a process finds when it comes to its book: money, losses, old orders, a full disk, a folder of others."""

import shutil
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.live_book import FIRST, make_desk
from support.live_venue import Killed
from support.opened import on, opened, state

from plimsoll.engine.errors import ConfigError, OutputError
from plimsoll.engine.execution.venue import Snapshot, VenueOrder
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.verbs.accounts import reconcile
from plimsoll.engine.verbs.control import status


def test_money_that_comes_in_is_recognised_and_no_loss_of_the_day(tmp_path: Path) -> None:
    desk = opened(tmp_path, live={"caps": {"day_loss": 0.05}})
    desk.exchange.ledger.cash -= Decimal(20_000)
    desk.clock.sleep(timedelta(minutes=5).total_seconds())
    found = reconcile(desk.values, **on(desk))
    assert found.recognised == ["cash that is not from orders: -20000.00"]
    desk.to(FIRST, "12:00")
    assert desk.slot("12:00").ok
    assert status(desk.values, host=desk.host)["halts"] == []


def test_a_loss_beyond_the_days_bound_stops_new_risk(tmp_path: Path) -> None:
    desk = opened(tmp_path, live={"caps": {"day_loss": 0.05}})
    real = desk.venue.snapshot

    def poorer() -> Snapshot:
        return replace(real(), equity=real().equity * Decimal("0.94"))

    desk.venue.snapshot = poorer  # type: ignore[method-assign]
    desk.to(FIRST, "12:00")
    desk.slot("12:00")
    assert "the account fell" in status(desk.values, host=desk.host)["halts"][0]["reason"]


def test_an_order_of_an_older_session_is_cancelled_at_the_start(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    desk.exchange.behaviour = desk.exchange.behaviour.model_validate({"handling": {"delay_s": 36000}})

    def die(name: str) -> None:
        if name == "all sent":
            raise Killed(name)

    with pytest.raises(Killed):
        desk.slot("09:35", point=die)
    desk.to(FIRST, "12:00")
    outcome = desk.slot("12:00")
    first = [one for one in desk.exchange.orders.values() if "-0935-" in one.client_order_id]
    assert {one.status for one in first} == {"canceled"}
    assert any("had not ended" in note for note in outcome.notes)
    told: VenueOrder | Any = desk.venue.lookup(first[0].client_order_id)
    assert told.ended


def test_a_disk_that_is_nearly_full_is_refused_before_anything_is_sent(tmp_path: Path, monkeypatch: Any) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:35")
    usage = shutil.disk_usage(tmp_path)._replace(free=199_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OutputError, match="199 MB are free, 200 are needed"):
        desk.slot("09:35")
    assert not desk.exchange.orders


def test_a_state_folder_that_others_can_write_in_is_refused(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    state(desk).chmod(0o777)
    desk.to(FIRST, "12:00")
    with pytest.raises(OutputError, match="others can write in it"):
        desk.slot("12:00")
    state(desk).chmod(0o700)
    assert desk.slot("12:00").ok


def test_a_state_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    state(desk).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="is a link"):
        status(desk.values, host=desk.host)


def test_what_a_venue_rounds_away_is_followed_and_never_taken_for_an_altered_journal(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    real = desk.venue.snapshot
    off = Decimal(0)

    def rounded() -> Snapshot:
        told = real()
        shares = tuple(replace(one, qty=one.qty + off) for one in told.positions)
        return replace(told, positions=shares)

    desk.venue.snapshot = rounded  # type: ignore[method-assign]
    exact = desk.shares()
    for step in range(1, 4):
        off = step * Decimal("9e-10")  # each within a billionth of what was seen before
        assert reconcile(desk.values, **on(desk)).clean
    journal = Journal.open(state(desk), desk.clock.now)  # its tables are still what its events say, to the last digit
    assert journal.holdings() == {symbol: qty + off for symbol, qty in exact.items()}
    assert len(journal.events("dust")) == 9
    journal.close()
