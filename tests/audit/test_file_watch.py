"""What the watch on files lets pass, and what not."""

import sys
from pathlib import Path

import pytest

from plimsoll.engine.kept import facts_folder
from plimsoll.engine.kernels.jit import cache_root
from plimsoll.engine.research.audit.file_watch import FileWatch


def noted(path: str) -> list[str]:
    watch = FileWatch(())
    with watch.listening():
        watch._hear("open", (path, "r", 0))
    return watch.noted


@pytest.mark.parametrize(
    "path",
    [
        "/dev/shm/future.npy",
        "/tmp/oracle.nbc",
        "/tmp/oracle.nbi",
        "/tmp/oracle.pth",
        str(Path(sys.prefix) / "data" / "SPY.csv"),
        str(Path(sys.prefix).parent / "data" / "SPY.csv"),
    ],
)
def test_a_file_that_could_hold_the_future_is_noted_wherever_it_lies(path: str) -> None:
    assert noted(path) == [f"reads {path}"]


@pytest.mark.parametrize(
    "path",
    [
        "/dev/null",
        "/dev/urandom",
        "/etc/localtime",
        str(cache_root() / "abc" / "kernel.nbc"),
        str(facts_folder() / "calendar-XNYS"),
        str(Path(pytest.__file__)),
        str(Path(pytest.__file__).with_name("py.typed")),
        "/home/somebody/strategy.py",
        "/home/somebody/__pycache__/strategy.signal-12.py311.nbi",
        next(path for path in sys.path if path.endswith(".zip")),
    ],
)
def test_code_the_packages_and_the_machine_are_left_out(path: str) -> None:
    assert noted(path) == []
