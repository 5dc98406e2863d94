"""A process that is killed at any place, under any fault, loses no order, sends none twice and none after HALT.

The processes are real, as are HTTP and the journal; the exchange's own word is what they are judged by. All of the
places, faults and fills together are `scripts/chaos crash`; here each place meets each fault.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import pytest
from support.crash_fork import ForkServer, Fresh
from support.crash_matrix import Suite, caps, counts, every_place, fresh, halts, table, twice
from support.crash_run import FAULTS, Case
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


def test_killed_anywhere_the_day_has_no_more_orders_than_its_cap(check: Check) -> None:
    done = check("capped", caps(whole=False))
    assert done["killed"] == done["runs"] == len(POINTS)


@pytest.mark.parametrize("case", list(fresh()), ids=lambda case: case.kills[0][0].replace(" ", "-"))
def test_a_fresh_process_goes_on_where_a_killed_one_stopped(check: Check, case: Case) -> None:
    assert check("fresh processes", [case], launcher=Fresh())["killed"] == 1
