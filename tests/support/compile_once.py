"""One process compiles a kernel, the others wait for it and load what it has written; a pytest plugin."""

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from numba.core.compiler_lock import global_compiler_lock
from numba.core.dispatcher import Dispatcher

from plimsoll.engine.kernels.jit import cache_root, flags


def pytest_configure(config: pytest.Config) -> None:
    """Compile under a lock where several processes share the tests between them; numba itself has none."""
    alone = os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1") == "1"
    compile_now = Dispatcher.compile
    if alone or sys.platform == "win32" or compile_now.__name__ == "compile_under_lock":
        return

    def compile_under_lock(self: Any, sig: Any) -> Any:
        # the lock of the process first, and callers before what they call: nobody waits in a circle
        what = f"{type(self).__name__} {self.py_func.__code__.co_filename} {self.py_func.__qualname__}"
        with global_compiler_lock, _locked(what):
            return compile_now(self, sig)

    Dispatcher.compile = compile_under_lock


@contextmanager
def _locked(what: str) -> Iterator[None]:
    import fcntl  # not on every system

    folder = Path(tempfile.gettempdir()) / f"plimsoll-compile-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    name = hashlib.sha256(f"{cache_root()} {flags()} {what}".encode()).hexdigest()[:24]
    with (folder / name).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def book_loop() -> None:
    """Have the loop of a book on disk before a test starts several processes that would each compile it."""
    from battery.witness import witness_book, witness_panel

    from plimsoll.engine.runtime.assemble import build
    from plimsoll.engine.runtime.compiled.engine import run_compiled

    config, strategies = witness_book("book")
    run_compiled(build(config, witness_panel(40), strategies))
