"""A process that is killed at any place, under any fault, loses no order, sends none twice and none after HALT.

The processes are real, as are HTTP and the journal; the exchange's own word is what they are judged by. All of the
places, faults and fills together are `scripts/chaos crash`; here each place meets each fault.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.crash_broken import BROKEN
from support.crash_fork import ForkServer, Fresh
from support.crash_matrix import (
    Suite,
    any_request,
    caps,
    counts,
    every_place,
    fresh,
    halts,
    suspended,
    table,
    twice,
    weathers,
)
from support.crash_run import FAULTS, WEATHERS, Case
from support.crash_summary import PROPERTY

from plimsoll.engine.live.clock import POINTS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")
Check = Callable[[str, Iterable[Case]], Counter[str]]


@pytest.fixture(scope="module")
def suite() -> Iterator[Suite]:
    with ForkServer() as server:
        yield Suite(server)


@pytest.fixture
def check(suite: Suite, record_property: Callable[[str, object], None]) -> Check:
    def run_all(name: str, cases: Iterable[Case], **how: Fresh) -> Counter[str]:
        done, wrong = Counter[str](), {}
        for case in cases:
            verdict = suite.check(case, **how)
            done.update(counts(verdict))
            if verdict.wrong:
                wrong[case.name] = verdict.wrong
        record_property(PROPERTY, {"name": name, "counts": dict(done)})
        print(table({name: done}))
        assert wrong == {}
        return done

    return run_all


@pytest.mark.parametrize("fault", FAULTS)
def test_killed_at_every_place_nothing_is_lost_or_sent_twice(check: Check, fault: str) -> None:
    done = check(f"killed, {fault}", every_place([fault], whole=False))
    assert done["runs"] == done["killed"] == len(POINTS)
    assert (done["faults"] > 0) == (fault != "none")


@pytest.mark.parametrize("part", range(3))
def test_killed_again_on_the_way_back_nothing_is_lost_or_sent_twice(check: Check, part: int) -> None:
    done = check("killed twice", list(twice(whole=False))[part::3])
    assert done["killed"] == 2 * done["runs"] == 2 * len(POINTS)


@pytest.mark.parametrize("dies", [False, True], ids=["and-goes-on", "and-dies"])
def test_after_halt_no_order_arrives_until_somebody_resumes(check: Check, *, dies: bool) -> None:
    done = check("HALT", [case for case in halts(whole=False) if bool(case.kills) == dies])
    assert done["halted"] == done["runs"] == len(POINTS)
    assert done["killed"] == len(POINTS) * dies
    assert done["denied"] > 0 or dies


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see that a process is suspended")
def test_after_a_halt_while_the_process_is_suspended_anywhere_no_order_arrives(check: Check) -> None:
    done = check("HALT while suspended", suspended(whole=False))
    assert done["halted"] == done["runs"] == len(POINTS)


def test_killed_anywhere_the_day_has_no_more_orders_than_its_cap(check: Check) -> None:
    done = check("capped", caps(whole=False))
    assert done["killed"] == done["runs"] == len(POINTS)


def test_killed_at_any_request_nothing_is_lost_or_sent_twice(check: Check) -> None:
    done = check("any request", any_request(whole=False))
    assert done["killed"] == done["runs"] > 12


@pytest.mark.parametrize("weather", list(WEATHERS)[1:])
def test_killed_anywhere_while_the_venue_is_slow_or_deaf_nothing_is_lost(check: Check, weather: str) -> None:
    done = check(f"{weather} venue", [case for case in weathers(whole=False) if case.weather == weather])
    assert done["killed"] == done["runs"] == len(POINTS)


@pytest.mark.parametrize("case", list(fresh()), ids=lambda case: case.kills[0][0].replace(" ", "-"))
def test_a_fresh_process_goes_on_where_a_killed_one_stopped(check: Check, case: Case) -> None:
    assert check("fresh processes", [case], launcher=Fresh())["killed"] == 1


# what each is found out by: the case, and one thing that is wrong with it
FOUND_OUT = {
    "no write-ahead": (Case(kills=(("answered", 1),)), "unwritten"),
    "an id for each attempt": (Case("504"), "unwritten"),
    "no look at HALT": (Case(halt=("sending locked", 2)), "after halt"),
    "no answer is a no": (Case("504"), "duplicated"),
    "no answer is a yes": (Case("302"), "lost"),
    "no barrier": (Case(fill="slow"), "other"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_an_engine_with_one_rule_taken_out_is_rejected(suite: Suite, broken: str) -> None:
    case, kind = FOUND_OUT[broken]
    assert suite.check(case).wrong == []
    assert kind in [one for one, _ in suite.check(replace(case, broken=broken)).wrong]
