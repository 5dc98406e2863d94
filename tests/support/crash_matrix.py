"""Which runs there are: places x faults x fills, a second death on the way back, HALT at every place, and caps."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Final

from support.crash_child import AFTER, BEFORE
from support.crash_fork import Launcher
from support.crash_run import FAULTS, FILLS, WEATHERS, WRONGS, Case, Verdict, run

from plimsoll.engine.live.clock import POINTS

REQUESTS: Final = 33  # of a slot without trouble
CAP: Final = 3  # orders a day: one fewer than the plan has
# How often a place is passed in the first slot; where more than once, cases die at each passing in turn.
PASSES: Final = {
    "wave begun": 2, "sending locked": 4, "sending committed": 4, "answered": 4, "outcome committed": 4,
    "all sent": 2, "fill committed": 2, "wave over": 2,
}  # fmt: skip
_ALWAYS: Final = ("opened", "fenced", "reconciled")
_ONCE: Final = ("decided", "planned")
_LAST: Final = ("slot done", "reconciled after")
_COUNTS: Final = ("runs", "processes", "killed", "posts", "orders", "faults", "halted", "denied")


def case_at(place: str, turn: int, fault: str, fill: str) -> Case:
    """Return the case that dies at a place; `turn` says at which passing."""
    return Case(fault, fill, ((place, 1 + turn % PASSES.get(place, 1)),), stuck=_needs_stuck(fill, place))


def _needs_stuck(fill: str, *places: str) -> bool:
    """Return whether places are passed only while an order works for longer than the others do."""
    return (fill == "fast" and "fill committed" in places) or (fill != "partial" and "cancel asked" in places)


def every_place(faults: Iterable[str] = FAULTS, *, whole: bool) -> Iterator[Case]:
    """Yield a death at every place under each fault: with all ways to fill if `whole`, else with one, in turn."""
    fills = list(FILLS)
    for turn, (fault, (at, place)) in enumerate(product(faults, enumerate(POINTS))):
        chosen = fills if whole else [fills[(at + list(FAULTS).index(fault)) % len(fills)]]
        for number, fill in enumerate(chosen):
            yield case_at(place, turn + at + number, fault, fill)


def twice(*, whole: bool) -> Iterator[Case]:
    """Yield deaths at every place, and on the way back at every place that is passed there, or at three of them."""
    for at, place in enumerate(POINTS):
        seconds = [second for second in POINTS if _passed_again(place, second)]
        for turn, second in enumerate(seconds if whole else [seconds[(at + 5 * n) % len(seconds)] for n in range(3)]):
            fault = list(FAULTS)[(at + turn) % len(FAULTS)]
            fill = list(FILLS)[(at // 2 + turn) % len(FILLS)]
            if second == "fill committed" and fill == "fast":
                fill = "slow"  # what was found again after a fault has filled, and is not asked for
            yield Case(fault, fill, ((place, 1), (second, 1)), stuck=_needs_stuck(fill, place, second))


def _passed_again(place: str, second: str) -> bool:
    """Return whether who starts again after dying at the first passing of a place comes past the second one."""
    if second in _ALWAYS or POINTS.index(place) < POINTS.index("decided"):
        return True
    if place in _LAST:
        return False
    if second == "cancel asked":  # whatever was to be cancelled was so before these
        return place not in ("cancel asked", "wave over", "resized")
    return second not in _ONCE or place == "decided"


def halts(*, whole: bool) -> Iterator[Case]:
    """Yield HALT written at every place; the process goes on, or dies right there."""
    fills = list(FILLS)
    for at, place in enumerate(POINTS):
        for number, fill in enumerate(fills if whole else [fills[at % len(fills)]]):
            there = (place, 1 + (at + number) % PASSES.get(place, 1))
            fault = list(FAULTS)[(at + number) % len(FAULTS)]
            for kills in ((), (there,)):
                yield Case(fault, fill, kills, there, stuck=_needs_stuck(fill, place))


def suspended(*, whole: bool) -> Iterator[Case]:
    """Yield HALT at every place while the process is suspended there."""
    for case in halts(whole=whole):
        if not case.kills:
            yield replace(case, suspended=True)


def caps(*, whole: bool) -> Iterator[Case]:
    """Yield deaths at every place while fewer orders a day are allowed than the plan has."""
    for at, place in enumerate(POINTS):
        for fault in FAULTS if whole else [list(FAULTS)[at % len(FAULTS)]]:
            n = 1 + at % min(PASSES.get(place, 1), CAP)
            yield Case(fault, "fast", ((place, n),), stuck=_needs_stuck("fast", place), cap=CAP)


class Suite:
    """Runs cases against the run that nothing happened to."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._undisturbed: dict[Case, dict[str, Decimal]] = {}

    def check(self, case: Case, launcher: Launcher | None = None) -> Verdict:
        """Run a case; what it ends with must be what the undisturbed run ends with."""
        verdict = run(case, launcher or self._launcher)
        plain = replace(case, fault="none", kills=(), halt=None, broken="", weather="fair", suspended=False)
        if plain not in self._undisturbed:
            reference = run(plain, self._launcher)
            assert reference.wrong == [], (plain.name, reference.wrong)
            self._undisturbed[plain] = reference.final
        if verdict.final != self._undisturbed[plain]:
            verdict.wrong.append(("lost", f"{verdict.final}, undisturbed {self._undisturbed[plain]}"))
        if verdict.killed != len(case.kills):
            verdict.wrong.append(("other", f"died {verdict.killed} times of {len(case.kills)}"))
        if verdict.halted != (case.halt is not None):
            verdict.wrong.append(("other", "HALT was not written"))
        return verdict


def any_request(*, whole: bool) -> Iterator[Case]:
    """Yield deaths before and after each of the requests of a slot, or a few of them."""
    for turn, (n, place) in enumerate(product(range(1, REQUESTS + 1), (BEFORE, AFTER))):
        if whole or turn % 5 == 0:
            for number, fill in enumerate(FILLS if whole else [list(FILLS)[turn % len(FILLS)]]):
                yield Case(list(FAULTS)[(turn + number) % len(FAULTS)], fill, ((place, n),))


def weathers(*, whole: bool) -> Iterator[Case]:
    """Yield deaths at every place under what else may be, with every fault of orders if `whole`, else one in turn."""
    for weather, (at, place) in product(list(WEATHERS)[1:], enumerate(POINTS)):
        for turn, fault in enumerate(FAULTS if whole else [list(FAULTS)[(at + len(weather)) % len(FAULTS)]]):
            case = case_at(place, at + turn, fault, list(FILLS)[(at + turn + len(weather)) % len(FILLS)])
            yield replace(case, weather=weather)


def fresh() -> Iterator[Case]:
    """Yield ten deaths at ten places, for processes that share nothing."""
    for turn, place in enumerate(POINTS[3:13]):
        yield case_at(place, turn, list(FAULTS)[turn % len(FAULTS)], list(FILLS)[turn % len(FILLS)])


def whole() -> list[tuple[str, Case]]:
    """Return every run there is, with the name of its row."""
    groups = (
        *((f"killed, {fault}", every_place([fault], whole=True)) for fault in FAULTS),
        ("killed twice", twice(whole=True)),
        ("HALT", halts(whole=True)),
        ("HALT while suspended", suspended(whole=True)),
        ("capped", caps(whole=True)),
        ("any request", any_request(whole=True)),
        *((f"{case.weather} venue", [case]) for case in weathers(whole=True)),
        ("fresh processes", fresh()),
    )
    return [(name, case) for name, cases in groups for case in cases]


def counts(verdict: Verdict) -> Counter[str]:
    """Return a run as counts."""
    found = Counter({name: getattr(verdict, name) for name in _COUNTS if name != "runs"})
    found["runs"] = 1
    found.update(kind for kind, _ in verdict.wrong)
    return found


def table(rows: Mapping[str, Counter[str]]) -> str:
    """Return counts by name, and their sum, as lines of text."""
    columns = (*_COUNTS, *WRONGS)
    width = max(map(len, (*rows, "all")), default=3)
    total: Counter[str] = Counter()
    for row in rows.values():
        total.update(row)
    lines = [" ".join([" " * width, *columns])]
    for name, row in {**rows, "all": total}.items():
        lines.append(" ".join([name.ljust(width), *(str(row[column]).rjust(len(column)) for column in columns)]))
    return "\n".join(lines)
