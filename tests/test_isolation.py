"""Tests stand alone, whoever starts them and whichever of them fails; what all of them need is compiled once."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent
FAILS_AND_LEAVES_OPEN = """
import gc, signal, subprocess, sys
from pathlib import Path

class Holder:
    pass

def test_that_fails_with_a_file_and_a_process_left_open():
    holder = Holder()
    holder.self = holder  # only the collector can let go of it
    holder.file = Path(__file__).open()
    holder.process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert False

def test_that_is_innocent():
    gc.collect()

def test_that_can_be_interrupted_and_so_can_what_it_starts():
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    code = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\\n"
"""


# As a shell starts a job in the background, or nohup starts anything.
IGNORES = """
import os, signal, sys
for one in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    signal.signal(one, signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def test_a_test_that_fails_takes_no_other_with_it_although_signals_were_ignored_by_who_started_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "test_few.py").write_text(FAILS_AND_LEAVES_OPEN)
    options = ["-q", "-W", "error", "-p", "support.isolation", "-p", "no:cacheprovider"]
    env = {**os.environ, "PYTHONPATH": str(TESTS), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-c", IGNORES, "-m", "pytest", *options, "test_few.py"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1].startswith("1 failed, 2 passed"), done.stdout + done.stderr


COUNTED = """
from plimsoll.engine.kernels.jit import kernel

@kernel
def counted(x):
    return x + 1.0
"""
COUNTS = """
from pathlib import Path
import pytest
from counted import counted

@pytest.mark.parametrize("worker", ["first", "second"])
def test_that_needs_the_kernel(worker):
    assert counted(1.0) == 2.0
    Path(worker).write_text(str(sum(counted.stats.cache_misses.values())))
"""


def test_of_two_workers_that_need_a_kernel_one_compiles_it(tmp_path: Path) -> None:
    (tmp_path / "counted.py").write_text(COUNTED)
    (tmp_path / "test_few.py").write_text(COUNTS)
    paths = os.pathsep.join((str(TESTS), str(tmp_path)))
    env = {**os.environ, "PYTHONPATH": paths, "PLIMSOLL_CACHE_DIR": str(tmp_path / "cache")}
    options = ["-q", "-p", "support.compile_once", "-p", "no:cacheprovider", "-n", "2", "--dist", "load"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "test_few.py"],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted((tmp_path / worker).read_text() for worker in ("first", "second")) == ["0", "1"]
