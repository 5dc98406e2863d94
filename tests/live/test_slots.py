"""When a slot runs: once, in its session, at its time, under a clock that can be believed (rows 6, 7 and 20)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from support.live_case import LIVE, Case, due_of, flat, make_case

from plimsoll.brokers.exchange.settings import Handling
from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.execution.venue import VenueClock
from plimsoll.engine.live.slots import AFTER_OPEN, BEFORE_CLOSE, hours_of, timing_of, window_of, windows
from plimsoll.engine.market.calendar import sessions

SLOTS = LiveSection().slots
TIMING = timing_of(LiveSection())
HALF_DAYS = [date(2024, 7, 3), date(2024, 11, 29), date(2024, 12, 24), date(2026, 11, 27), date(2026, 12, 24)]


def named(day: date) -> list[str]:
    return [one.slot for one in windows(hours_of(day), TIMING)]


@pytest.mark.parametrize("day", HALF_DAYS)
def test_a_half_day_has_no_afternoon_slots(day: date) -> None:
    assert named(day) == ["09:35", "12:00"]


def test_every_slot_of_every_session_lies_within_it_and_ends_before_the_next() -> None:
    for day in sessions(date(2005, 1, 1), date(2027, 6, 30)).astype(object).tolist():
        hours = hours_of(day)
        made = windows(hours, TIMING)
        assert [one.slot for one in made] in ([*SLOTS], [*SLOTS[:2]], [*SLOTS[:3]]), day
        for one, following in zip(made, [*made[1:], None], strict=True):
            assert hours.opens + AFTER_OPEN <= one.due <= one.late <= one.ends <= hours.closes - BEFORE_CLOSE
            assert following is None or one.ends <= following.due


def test_a_slot_that_is_not_configured_is_an_error_and_not_a_day_without_it() -> None:
    with pytest.raises(ConfigError, match=r"live\.slots"):
        window_of(hours_of(HALF_DAYS[0]), TIMING, "10:00")


@pytest.mark.parametrize("slot", ["14:00", "15:30"])
def test_an_afternoon_slot_of_a_half_day_is_skipped_at_any_hour(place: Path, slot: str) -> None:
    day = date(2024, 11, 29)
    case = make_case(place, first=day)
    case.decide(AAA=10)
    for hour in (14, 18, 19, 20, 21):
        case.to(datetime(2024, 11, 29, hour, 1, tzinfo=UTC))
        outcome = case.run(slot)
        assert (outcome.ending, outcome.why) == ("skipped", f"the session closes too early for {slot}")
    assert case.sent() == []


@pytest.mark.parametrize(
    ("friday", "before", "after"),
    [(date(2024, 3, 8), "14:35", "13:35"), (date(2024, 11, 1), "13:35", "14:35")],
    ids=["spring", "autumn"],
)
def test_over_both_changes_of_the_clock_a_slot_keeps_its_new_york_time(
    place: Path, friday: date, before: str, after: str
) -> None:
    case = make_case(place, first=friday)
    case.decide(AAA=10)
    case.decide(case.day(1), AAA=20)
    for n, at in enumerate((before, after)):
        case.slot("09:35", case.day(n))
        assert f"{case.line.posted[n].at:%H:%M}" == at
        assert case.run("09:35").ending == "already"
    assert len(case.sent()) == 2


@pytest.mark.parametrize("day", [date(2024, 3, 29), date(2023, 12, 25), date(2024, 1, 6)], ids=str)
def test_a_day_without_a_session_is_skipped(place: Path, day: date) -> None:
    case = make_case(place, flat(date(2023, 12, 20), n=80), first=date(2023, 12, 20))
    case.to(datetime(day.year, day.month, day.day, 15, 0, tzinfo=UTC))
    assert case.run("09:35").ending == "skipped"
    assert case.sent() == []


@pytest.mark.parametrize("change", ["closed", "closes early", "opens late"])
def test_an_unscheduled_closure_the_venue_knows_of_refuses_the_slot(place: Path, change: str) -> None:
    case = make_case(place)
    case.decide(AAA=10)
    hour = timedelta(hours=1)
    case.line.on_calendar = lambda told: {
        "closed": (),
        "closes early": tuple(replace(one, closes=one.closes - hour) for one in told),
        "opens late": tuple(replace(one, opens=one.opens + hour) for one in told),
    }[change]
    outcome = case.slot("09:35")
    assert (outcome.ending, outcome.why.startswith("the venue")) == ("refused", True)
    assert case.sent() == []


# ---- row 7: the machine's clock


def changed(**live: object) -> LiveSection:
    return LIVE.model_copy(update=live)


def off_by(case: Case, seconds: float) -> None:
    case.clock.off = timedelta(seconds=seconds)


@pytest.mark.parametrize("seconds", [-29.0, -3.0, 3.0, 29.0])
@pytest.mark.parametrize("max_age", [1.0, 120.0])
def test_a_clock_a_few_seconds_off_is_told_and_the_slot_runs(place: Path, seconds: float, max_age: float) -> None:
    case = make_case(place, live=changed(max_quote_age_seconds=max_age))
    case.line.on_quotes = lambda told: {
        name: replace(one, quoted_at=case.clock.venue.now(), traded_at=case.clock.venue.now())
        for name, one in told.items()
    }
    case.decide(AAA=10)
    case.at("09:35", seconds=60)
    off_by(case, seconds)
    outcome = case.run("09:35")
    assert outcome.ending == "done"
    assert case.positions() == {"AAA": 10}
    assert any("clock is" in note for note in outcome.notes)


@pytest.mark.parametrize("seconds", [-25.0, 0.0, 25.0])
def test_an_old_quote_is_old_whatever_this_machine_s_clock_says(place: Path, seconds: float) -> None:
    case = make_case(place, live=changed(max_quote_age_seconds=120.0))
    old = timedelta(seconds=130)
    case.line.on_quotes = lambda told: {
        name: replace(one, quoted_at=case.clock.venue.now() - old, traded_at=case.clock.venue.now() - old)
        for name, one in told.items()
    }
    case.decide(AAA=10)
    case.at("09:35", seconds=60)
    off_by(case, seconds)
    assert case.run("09:35").sent == 0
    assert case.sent() == []


@pytest.mark.parametrize("seconds", [-31.0, 31.0, -3600.0, 3600.0, -86_400.0, 86_400.0])
def test_a_clock_that_cannot_be_believed_sends_nothing_and_halts_new_risk_until_someone_looks(
    place: Path, seconds: float
) -> None:
    case = make_case(place)
    case.decide(AAA=10)
    case.at("09:35", case.day(1), seconds=60)
    case.decide(case.day(1), AAA=10)
    off_by(case, seconds)
    assert case.run("09:35").ending == "refused"
    off_by(case, 0.0)
    case.run("09:35")
    assert case.sent() == []
    case.resume()
    case.slot("12:00", case.day(1))
    assert len(case.sent()) == 1


def test_a_clock_set_back_over_a_slot_does_not_run_it_again(place: Path) -> None:
    case = make_case(place)
    case.decide(AAA=10)
    case.slot("12:00")
    off_by(case, -25.0)
    assert case.run("12:00").ending == "already"
    inner = case.line.inner
    for back in (60.0, 3600.0, 8700.0):  # the venue's clock goes wrong with it: nothing tells that time runs backwards
        off_by(case, -back)
        now = case.clock.now()
        case.line.clock = lambda now=now: VenueClock(now, True, now, now)  # type: ignore[method-assign, misc]
        assert case.run("12:00").ending in ("already", "skipped", "late", "refused")
    assert inner.lookup(case.sent()[0])
    assert len(case.sent()) == 1


def test_a_frozen_clock_sends_once(place: Path) -> None:
    case = make_case(place)
    case.decide(AAA=10)
    case.at("09:35")
    assert [case.run("09:35").ending for _ in range(3)] == ["done", "already", "already"]
    assert len(case.sent()) == 1


@pytest.mark.parametrize(("late", "ending"), [(0, "done"), (599, "done"), (601, "late"), (3000, "late")])
def test_a_slot_later_than_the_grace_time_is_skipped_and_the_next_one_decides(
    place: Path, late: int, ending: str
) -> None:
    case = make_case(place)
    case.decide(AAA=10)
    case.at("09:35", seconds=late)
    assert case.run("09:35").ending == ending
    case.slot("12:00")
    assert case.positions() == {"AAA": 10}
    assert len(case.sent()) == 1


# ---- row 20: nothing is sent outside its session's hours


@pytest.mark.parametrize("at", ["09:29", "09:34", "15:51", "16:01", "20:00", "23:59"])
@pytest.mark.parametrize("slot", SLOTS)
def test_started_outside_its_hours_a_slot_sends_nothing(place: Path, at: str, slot: str) -> None:
    case = make_case(place)
    case.decide(AAA=10)
    hour, minute = map(int, at.split(":"))
    case.to(due_of(case.first, "12:00") + timedelta(hours=hour - 12, minutes=minute))
    assert case.run(slot).ending in ("skipped", "late")
    assert case.sent() == []


@pytest.mark.parametrize("closure", ["stand_down", "halt"])
def test_while_the_venue_says_that_its_market_is_closed_nothing_is_decided_or_sent(place: Path, closure: str) -> None:
    case = make_case(place, live=changed(closure=closure))
    case.decide(AAA=10)
    real = case.line.clock
    case.line.clock = lambda: replace(real(), is_open=False)  # type: ignore[method-assign]
    outcome = case.slot("09:35")
    assert (outcome.ending, outcome.why) == ("refused", "the venue's market is closed")
    assert case.sent() == []
    case.line.clock = real  # type: ignore[method-assign]
    case.slot("12:00")
    assert len(case.sent()) == (1 if closure == "stand_down" else 0)


@pytest.mark.parametrize("where", ["planned", "wave begun"])
def test_a_market_that_closes_on_the_way_gets_no_order(place: Path, where: str) -> None:
    case = make_case(place)
    case.decide(AAA=10, BBB=10)
    real, shut = case.line.clock, list[str]()
    case.line.clock = lambda: replace(real(), is_open=real().is_open and not shut)  # type: ignore[method-assign]
    outcome = case.slot("09:35", point=lambda name: shut.append(name) if name == where else None)
    assert outcome.sent == 0
    assert case.sent() == []
    assert {one.why for one in case.orders()} == {"the venue's market is closed"}
    shut.clear()
    assert case.slot("12:00").ending == "done"  # the next slot makes up for it
    assert case.positions() == {"AAA": 10, "BBB": 10}


@pytest.mark.parametrize("hours", [1, 6, 10, 24])
@pytest.mark.parametrize("where", ["planned", "sending locked", "sending committed", "wave begun"])
def test_a_process_that_slept_on_its_way_sends_nothing_when_it_wakes(place: Path, hours: int, where: str) -> None:
    case = make_case(place)
    case.decide(AAA=10)
    case.at("09:35")

    def sleep(name: str) -> None:
        if name == where:
            case.to(case.clock.venue.now() + timedelta(hours=hours))

    case.run("09:35", sleep)
    assert case.sent() == []


def test_a_slot_that_is_asked_for_again_after_its_end_cancels_what_works_of_it(place: Path) -> None:
    case = make_case(place)
    case.decide(AAA=10)
    case.behave(handling=Handling(delay_s=10_000_000))

    def gone(name: str) -> None:
        if name == "outcome committed":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        case.slot("15:30", point=gone)
    case.at("15:30", seconds=1500)
    assert case.run("15:30").ending == "already"
    assert case.exchange.working() == []
    assert len(case.sent()) == 1


def test_what_still_works_of_an_older_session_is_cancelled_first(place: Path) -> None:
    case = make_case(place)
    case.decide(AAA=10)
    case.behave(handling=Handling(delay_s=10_000_000))

    def gone(name: str) -> None:
        if name == "outcome committed":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        case.slot("09:35", point=gone)
    [stuck] = case.exchange.working()
    stuck.ticket = replace(stuck.ticket, time_in_force="gtc")  # a venue that forgot to expire it
    case.behave(handling=Handling())
    case.decide(case.day(1), BBB=10)
    assert case.slot("09:35", case.day(1)).ending == "done"
    assert stuck.status == "canceled"
    assert case.positions() == {"BBB": 10}
