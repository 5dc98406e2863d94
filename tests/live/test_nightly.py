"""The nightly check: silent where the replay is what was journalled, else no new risk and a reason for it."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.live_book import FIRST, Desk, make_desk, market
from support.restless import Restless
from support.twin_week import WEEK, case_of, journal_of, revised, trade

from plimsoll.engine.errors import DataError
from plimsoll.engine.live.inputs import Inputs, digest_of_state, revisions
from plimsoll.engine.live.nightly import NightlyReport, check_session
from plimsoll.engine.live.prefix import prefixes
from plimsoll.engine.live.replay import Case

CHECKED = date(2024, 11, 29)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A book that traded four sessions."""
    desk = make_desk(tmp_path)
    trade(desk, WEEK[:4])
    return desk


def check(desk: Desk, case: Case | None = None, session: date = CHECKED) -> tuple[NightlyReport, list[Any]]:
    """Check a session; return what was found and the halts there are."""
    with journal_of(desk) as journal:
        found = check_session(case or case_of(desk), journal, session)
        told = [event.body for event in journal.events("nightly")]
        assert told
        return found, journal.halts()


def test_a_session_that_is_as_it_was_is_silent(desk: Desk) -> None:
    for day in WEEK[:4]:
        found, halts = check(desk, session=day)
        assert (found.ok, found.checked, found.why, halts) == (True, True, (), [])


def test_a_session_without_a_decision_is_not_checked(desk: Desk) -> None:
    found, halts = check(desk, session=date(2024, 12, 3))
    assert (found.ok, found.checked, halts) == (True, False, [])


def test_a_revised_price_stops_new_risk_and_is_named(desk: Desk) -> None:
    found, halts = check(desk, case_of(desk, revised(desk.panel, "CCC", date(2024, 11, 26))))
    assert (found.data, found.ok) == (False, False)
    assert found.why == ("prices were revised: CCC on 2024-11-26",)
    assert [(one.grade, one.reason) for one in halts] == [
        ("new_risk", "nightly check of 2024-11-29: prices were revised: CCC on 2024-11-26")
    ]


def test_a_revision_from_before_the_book_went_live_is_named_as_that(desk: Desk) -> None:
    found, _ = check(desk, case_of(desk, revised(desk.panel, "AAA", date(2024, 10, 3))))
    assert found.why == ("prices were revised: AAA on or before 2024-11-22",)


def test_a_revision_after_the_close_that_decided_is_none(desk: Desk) -> None:
    found, halts = check(desk, case_of(desk, revised(desk.panel, "AAA", CHECKED)))
    assert (found.ok, halts) == (True, [])


def test_checked_twice_it_halts_once(desk: Desk) -> None:
    other = case_of(desk, revised(desk.panel, "CCC", date(2024, 11, 26)))
    check(desk, other)
    _, halts = check(desk, other)
    assert len(halts) == 1


def test_after_the_halt_nothing_that_opens_is_sent(desk: Desk) -> None:
    check(desk, case_of(desk, revised(desk.panel, "CCC", date(2024, 11, 26))))
    before = len(desk.exchange.orders)
    desk.to(WEEK[4], "09:35")
    desk.slot("09:35")
    sent = list(desk.exchange.orders.values())[before:]
    assert {order.ticket.side for order in sent} <= {"sell"}


def test_the_prices_that_end_too_early_conclude_nothing(desk: Desk) -> None:
    short = replace(desk.panel)
    with journal_of(desk) as journal:
        case = Case(desk.config, {}, short)
        with pytest.raises(DataError, match="the prices end on 2024-12-03"):
            case.setup(date(2024, 12, 4))
        assert journal.halts() == []


def other_rule(desk: Desk) -> Case:
    """Return the same configuration whose sleeve answers otherwise."""
    changed = Restless(Restless.Params(symbols=("AAA", "BBB", "CCC"), seed=4, most=0.25, often=0.6))
    return replace(case_of(desk), strategies={"s": changed})


def test_where_nothing_told_changed_the_engine_is_named(desk: Desk) -> None:
    found, halts = check(desk, other_rule(desk))
    assert found.data
    assert not found.state
    assert "the engine's code or its libraries" in found.why[0]
    assert len(halts) == 1


def test_changed_source_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plimsoll.engine.live.replay.code_hash_of", lambda _: "another")
    found, _ = check(desk, other_rule(desk))
    assert found.why == ("the strategies' source is another one",)


def test_a_changed_configuration_is_named(desk: Desk) -> None:
    desk.values["sleeve"][0]["params"]["seed"] = 8
    found, _ = check(desk)
    assert found.why == ("the configuration is another one",)


def test_news_of_earlier_executions_are_named(tmp_path: Path) -> None:
    """What the governor is told of the account is an input of the state like the prices are."""
    desk = make_desk(tmp_path, integrator={"preset": "book"})
    trade(desk, WEEK[:4])
    found, _ = check(desk)
    assert found.ok
    with journal_of(desk) as journal, journal.tx():
        journal.event("cash", amount="-2500", session=FIRST.isoformat())
        journal.set_meta("cash", str(journal.cash() - 2500))
    found, halts = check(desk)
    assert found.data
    assert found.why == ("the journal learned of executions or cash of earlier sessions after the decision",)
    assert len(halts) == 1


def test_the_digest_of_a_state_sees_every_part_of_it() -> None:
    saved = {"a": np.array([1.0, 2.0]), "b": np.array([3], dtype=np.int64)}
    others = [
        {"a": np.array([1.0, 2.0]), "c": np.array([3], dtype=np.int64)},
        {"a": np.array([1.0, np.nextafter(2.0, 3.0)]), "b": saved["b"]},
        {"a": np.array([[1.0, 2.0]]), "b": saved["b"]},
        {"a": saved["a"], "b": np.array([3], dtype=np.int32)},
    ]
    digests = {digest_of_state(one) for one in [saved, *others]}
    assert len(digests) == 5
    assert digest_of_state(dict(reversed(saved.items()))) == digest_of_state(saved)


PANEL = market()
DAYS = PANEL.clock.session.astype(object).tolist()
LIVE = DAYS[-8:]


def told(panel: Any) -> list[Inputs]:
    """Return inputs as eight sessions in a row would have journalled them."""
    from decimal import Decimal

    stops = range(len(DAYS) - 7, len(DAYS) + 1)
    return [
        Inputs(day, day, Decimal(0), 0.0, {}, {}, {}, False, True, (), "", prices.columns(), "", "")
        for day, prices in zip(LIVE, prefixes(panel, stops), strict=True)
    ]


@settings(max_examples=60, deadline=None)
@given(
    changes=st.dictionaries(st.sampled_from(["AAA", "BBB", "CCC"]), st.integers(1, len(DAYS) - 1), max_size=3),
    field=st.sampled_from([0, 1, 2, 3, 4]),
)
def test_every_revision_is_found_where_it_was_made(changes: dict[str, int], field: int) -> None:
    block = PANEL.block.copy()
    for symbol, t in changes.items():
        block[field, t, PANEL.column(symbol)] += 0.5
    line = told(PANEL)
    found = {one.name: one for one in revisions(replace(PANEL, block=block), line, line[-1])}
    assert set(found) == set(changes)
    for symbol, t in changes.items():
        one, day = found[symbol], DAYS[t]
        if day <= LIVE[0]:
            assert (one.after, one.until, one.exact) == (None, LIVE[0], False)
        else:
            assert (one.until, one.exact, str(one)) == (day, True, f"{symbol} on {day}")
