"""Two ways to start the process that is killed: forked from a server that has imported everything, or fresh.

The server is a process of its own with one thread and no connection; what it forks inherits nothing but its modules.
"""

import gc
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from support.crash_child import Job, work

from plimsoll.engine.market.calendar import next_session

TESTS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Ended:
    """How a child ended: by which signal, 0 = by itself; and what it told, nothing if it was killed."""

    signal: int
    told: dict[str, Any]


class Launcher(Protocol):
    """Starts a child and waits for its end."""

    def launch(self, job: Job) -> Ended:
        """Run a job."""
        ...


def environment() -> dict[str, str]:
    """Return the environment of a child: this tree on its path, one thread."""
    path = os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH", ""))))
    single = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    # arrow's allocator starts a thread of its own to give memory back
    return {**os.environ, **single, "JE_ARROW_MALLOC_CONF": "background_thread:false", "PYTHONPATH": path}


class ForkServer:
    """The server as its owner sees it; a context manager. cpu : seconds that it and its children have used."""

    cpu = 0.0

    def __enter__(self) -> Self:
        """Start it, and wait until it has imported everything."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.crash_fork"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(),
        )  # fmt: skip
        ready = json.loads(self._line())
        self.cpu = ready.pop("cpu")
        assert ready == {"threads": 1, "sockets": 0}, ready
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let it end."""
        self._process.communicate()

    def launch(self, job: Job) -> Ended:
        """Fork a child for a job, and wait for its end."""
        assert self._process.stdin is not None
        self._process.stdin.write(job.text() + "\n")
        self._process.stdin.flush()
        ended = json.loads(self._line())
        self.cpu += ended.pop("cpu")
        return Ended(**ended)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


class Fresh:
    """Starts an interpreter for each job."""

    def launch(self, job: Job) -> Ended:
        """Start one, and wait for its end."""
        command = [sys.executable, "-m", "support.crash_child", job.text()]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
        if done.returncode < 0:
            return Ended(-done.returncode, {})
        return Ended(0, json.loads(done.stdout) if done.returncode == 0 else {"ending": "broken", "why": done.stderr})


def serve() -> None:
    """Fork a child for every line that comes in, one at a time, and say how it ended."""
    next_session(date(2024, 1, 2))  # the calendar's own library is loaded when it is first asked
    gc.collect()
    gc.freeze()  # what was imported stays shared with the children
    own = Path("/proc/self")
    open_files = [str(one.readlink()) for one in (own / "fd").iterdir() if one.is_symlink()]
    sockets = sum(one.startswith("socket:") for one in open_files)
    _say({"threads": len(list((own / "task").iterdir())), "sockets": sockets, "cpu": time.process_time()})
    for line in sys.stdin:
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(ours)
            _child(json.loads(line), theirs)
        os.close(theirs)
        with os.fdopen(ours, encoding="utf-8") as told:
            text = told.read()
        _, status, used = os.wait4(child, 0)
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        _say({"signal": number, "told": json.loads(text or "{}"), "cpu": used.ru_utime + used.ru_stime})


def _child(job: dict[str, Any], out: int) -> None:
    try:
        os.write(out, json.dumps(work(Job(**job))).encode())
    finally:
        os._exit(0)


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve()
