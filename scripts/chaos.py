"""Break the live half on purpose and count what it did wrong: nothing may be lost, sent twice or sent after a halt."""

import argparse
import json
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeVar

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
os.environ["PLIMSOLL_TRIALS"] = "off"

BLOCK = 10  # seeds that a worker does at a time
EVERY_S = 10.0  # between two lines of progress
CRASH = """Kill processes at every named place, by SIGKILL, under every fault of the line and every way to fill; kill
them again on the way back; write HALT at every place; allow fewer orders than the plan has. Processes, HTTP and journal
are real, the exchange runs here, and its own word decides. Prints the counts as a table."""
SIM = """Simulate five sessions for each seed: faults, up to three crashes, clock jumps, halts, overtaking processes,
under a clock that costs no time. Prints one JSON line of counts, and each failing seed with what runs it again."""
WEEKS = """Let the real programs trade, `plimsoll exchange` and `plimsoll daemon`: two weeks with a half day, a split
and a dividend, and two over the end of daylight saving time, the daemon killed at random moments. The account must end
where the backtest does, to the share. Prints a JSON line for each."""
YEARS = """Operate a book of eight sleeves for so many sessions in one process: two slots a day, the evening's replay
from scratch every fiftieth. Prints memory and CPU of the first and the last quarter of them."""
_Task = TypeVar("_Task")
Found = tuple[Counter[str], dict[int, list[str]], float, str]  # counts, what was wrong by number, CPU seconds, group


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what was asked for; exit with 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    works = parser.add_subparsers(dest="work", required=True)
    crash = works.add_parser("crash", help="the whole matrix of killed processes", description=CRASH)
    crash.add_argument("--case", type=int, action="append", metavar="N", help="only the case of this number")
    sim = works.add_parser("sim", help="the deterministic simulation", description=SIM)
    sim.add_argument("--seeds", type=int, default=1000, metavar="N", help="how many [1000]")
    sim.add_argument("--from", type=int, default=0, dest="first", metavar="N", help="the first seed [0]")
    weeks = works.add_parser("weeks", help="the real programs, killed at random", description=WEEKS)
    weeks.add_argument("--kills", type=int, default=20, metavar="N", help="how often the daemon is killed [20]")
    weeks.add_argument("--seed", type=int, default=0, metavar="N", help="of the moments [0]")
    years = works.add_parser("years", help="one book for years, in one process", description=YEARS)
    years.add_argument("--sessions", type=int, default=2500, metavar="N", help="how many [2500]")
    for one in (crash, sim):
        one.add_argument("--workers", type=int, default=1, metavar="K", help="processes beside each other [1]")
    asked = parser.parse_args(arguments)
    if asked.work == "years":
        sys.exit(int(operated(max(asked.sessions, 8))))
    if asked.work == "weeks":
        sys.exit(int(fortnights(asked.kills, asked.seed)))
    if asked.workers < 1 or (asked.work == "sim" and asked.seeds < 1):
        parser.error("there must be at least one")
    if asked.work == "crash" and any(not 0 <= number < len(_cases()) for number in asked.case or ()):
        parser.error(f"cases are numbered from 0 to {len(_cases()) - 1}")
    failed = (
        crashes(asked.case, asked.workers) if asked.work == "crash" else seeds(asked.first, asked.seeds, asked.workers)
    )
    sys.exit(int(failed))


def fortnights(kills: int, seed: int) -> bool:
    """Trade the fortnights; return whether one ended elsewhere than its backtest."""
    import tempfile

    from support.daemon_weeks import CLOCK_CHANGE, HALF_DAY, OfOurOwn, Paper, halts, simulated, trade

    failed, ours, paper = False, OfOurOwn(), Paper()
    table = (
        ("half day", HALF_DAY, ours), ("clock change", CLOCK_CHANGE, ours),
        ("half day, paper.toml", HALF_DAY, paper), ("clock change, paper.toml", CLOCK_CHANGE, paper),
    )  # fmt: skip
    for name, weeks, book in table:
        with tempfile.TemporaryDirectory() as place:
            began = time.monotonic()
            held, killed = trade(Path(place), weeks, book, kills=kills, seed=seed)
            wanted, why = simulated(Path(place), weeks, book), halts(Path(place))
        failed = failed or held != wanted
        told = {"work": "weeks", "what": name, "killed": killed, "same": held == wanted, "halts": why}
        print(
            json.dumps({**told, "held": {s: str(q) for s, q in held.items()}, "s": round(time.monotonic() - began, 1)})
        )
    return failed


YEAR: Final = 252
GROWTH: Final = 1.1  # of the last year over the first


def operated(count: int) -> bool:
    """Operate a book; return whether a session came to cost more memory or CPU, or the replay of one."""
    import tempfile

    from support.years import Day, trade_years

    days: list[Day] = []
    with tempfile.TemporaryDirectory(dir=_memory()) as place:
        for day in trade_years(Path(place), count):
            days.append(day)
            if len(days) % 100 == 0:
                print(f"{len(days)} sessions, {day.memory_mb:.0f} MB, {day.slots_s:.3f} CPU s a session", flush=True)
    settled = days[min(20, count // 4) :]  # what is loaded and compiled once is there by then
    year = min(YEAR, len(settled) // 2)
    parts = settled[:year], settled[-year:]
    replays = [[one.replay_s / one.replayed for one in part if one.replayed] for part in parts]
    figures = {
        "memory_mb": [max(one.memory_mb for one in part) for part in parts],
        "cpu_ms_per_session": [1000.0 * median(one.slots_s for one in part) for part in parts],
        "cpu_ms_per_replayed_session": [1000.0 * median(one) if one else 0.0 for one in replays],
        "cpu_s_per_evening": [max(one.evening_s for one in part) for part in parts],
    }
    grown = [name for name, (first, last) in list(figures.items())[:3] if last > first * GROWTH]
    print(json.dumps({
        "work": "years", "sessions": len(days), "orders": days[-1].orders,
        **{name: [round(one, 3) for one in pair] for name, pair in figures.items()}, "grown": grown,
    }))  # fmt: skip
    return bool(grown)


def seeds(first: int, count: int, workers: int) -> bool:
    """Simulate `count` seeds; return whether one failed."""
    blocks = [(at, min(at + BLOCK, first + count)) for at in range(first, first + count, BLOCK)]
    done, failed, cpu = Counter[str](), list[int](), 0.0
    for counts, wrong, spent, _ in told(shared(simulated, blocks, workers), "seeds", count):
        done.update(counts)
        cpu += spent
        for seed, texts in wrong.items():
            failed.append(seed)
            print(f"seed {seed}: {'; '.join(texts)}\n  again: scripts/chaos sim --from {seed} --seeds 1", flush=True)
    print(json.dumps({
        "work": "sim", "seeds": done.pop("seeds"), "failed": failed, **done, "cpu_s": round(cpu, 1),
        "seeds_per_cpu_s": round(count / cpu, 1),
    }))  # fmt: skip
    return bool(failed)


def simulated(block: tuple[int, int]) -> Found:
    """Simulate a block of seeds."""
    from support.live_sim import simulate

    began, counts, wrong = time.process_time(), Counter[str](), dict[int, list[str]]()
    for seed in range(*block):
        counts["seeds"] += 1
        try:
            tally = asdict(simulate(seed, _memory()))
        except Exception as error:  # noqa: BLE001  (one seed's end is not the end of all)
            wrong[seed] = [f"{type(error).__name__}: {error}"]
            continue
        texts = tally.pop("wrong")
        counts.update(tally)
        if texts:
            wrong[seed] = texts
    return counts, wrong, time.process_time() - began, ""


def crashes(numbers: list[int] | None, workers: int) -> bool:
    """Run the cases of the matrix, or those of some numbers; return whether one failed."""
    from support.crash_matrix import table

    cases = _cases()
    chosen = range(len(cases)) if numbers is None else numbers
    rows, failed, cpu = dict[str, Counter[str]](), list[int](), 0.0
    for counts, wrong, spent, group in told(shared(crashed, chosen, workers), "runs", len(chosen)):
        rows.setdefault(group, Counter()).update(counts)
        cpu += spent
        for number, texts in wrong.items():
            failed.append(number)
            print(f"case {number}, {cases[number][1].name}: {'; '.join(texts)}", flush=True)
            print(f"  again: scripts/chaos crash --case {number}", flush=True)
    print(table(rows))
    print(json.dumps({"work": "crash", "runs": len(chosen), "cpu_s": round(cpu, 1), "failed": failed}))
    return bool(failed)


def crashed(number: int) -> Found:
    """Run one case of the matrix."""
    from support.crash_fork import Fresh
    from support.crash_matrix import counts

    began, (group, case) = _cpu(), _cases()[number]
    try:
        verdict = _suite().check(case, Fresh() if group == "fresh processes" else None)
    except Exception as error:  # noqa: BLE001  (one case's end is not the end of all)
        return Counter({"runs": 1, "other": 1}), {number: [f"{type(error).__name__}: {error}"]}, _cpu() - began, group
    wrong = {number: [f"{kind}: {text}" for kind, text in verdict.wrong]} if verdict.wrong else {}
    return counts(verdict), wrong, _cpu() - began, group


@cache
def _cases() -> list[Any]:
    from support.crash_matrix import whole

    return whole()


@cache
def _server() -> Any:
    """Return this process's own; it ends with the process, when its input does."""
    from support.crash_fork import ForkServer

    return ForkServer().__enter__()


@cache
def _suite() -> Any:
    from support.crash_matrix import Suite

    return Suite(_server())


def shared(what: Callable[[_Task], Found], tasks: Iterable[_Task], workers: int) -> Iterator[Found]:
    """Yield what each task found, in order; with one worker here, else in processes beside each other."""
    if workers <= 1:
        yield from map(what, tasks)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(what, tasks)


def told(found: Iterable[Found], name: str, count: int) -> Iterator[Found]:
    """Pass on what was found, and say now and then how far it is."""
    last, done = time.monotonic(), 0
    for one in found:
        yield one
        done += one[0][name]
        if time.monotonic() - last > EVERY_S:
            last = time.monotonic()
            print(f"{done} of {count} {name}", file=sys.stderr, flush=True)


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def _cpu() -> float:
    """Return the CPU seconds of this process and of those that it and its server started."""
    parts = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    own = sum(one.ru_utime + one.ru_stime for one in parts)
    return own + (float(_server().cpu) if _server.cache_info().currsize else 0.0)


if __name__ == "__main__":
    main()
