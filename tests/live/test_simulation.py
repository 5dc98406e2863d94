"""Five sessions under faults, crashes, jumps of time and halts, by number: no order lost, none twice, none after halt.

`scripts/chaos sim` runs as many as one likes; a seed that fails is run again by its number.
"""

from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest
from support.live_sim import Tally, simulate

SEEDS = 1000
BLOCK = 50


def place() -> str | None:
    """Return a folder in memory if there is one: what is tried here is the order of things, not the disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_nothing_is_lost_sent_twice_or_sent_after_halt(first: int) -> None:
    wrong: dict[int, list[str]] = {}
    done: Counter[str] = Counter()
    for seed in range(first, first + BLOCK):
        found = asdict(simulate(seed, place()))
        if found["wrong"]:
            wrong[seed] = found["wrong"]
        done.update({name: count for name, count in found.items() if name != "wrong"})
    assert wrong == {}
    # the block saw what it is there for
    assert min(done["crashes"], done["halts"], done["suspended"], done["overtaken"], done["faults"]) > 5
    assert done["orders"] > 10 * BLOCK


def test_a_seed_is_the_same_every_time() -> None:
    assert simulate(7, place()) == simulate(7, place()) != Tally()
