"""Note what code under audit reads from outside: files, sockets, other programs."""

import os
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from plimsoll.engine.kept import facts_folder
from plimsoll.engine.kernels.jit import cache_root

# Where Python and numba keep what they made of code.
_CACHES: Final = os.sep + "__pycache__" + os.sep
# Files that hold code.
CODE: Final = (".py", ".pyc", ".pyo", ".pyi", ".so", ".pyd", ".dll", ".dylib")
# What describes an installed package wherever it lies.
_METADATA: Final = (".dist-info", ".egg-info")
# Facts of the machine, not of a market.
_MACHINE: Final = ("/proc", "/sys", "/etc", "/usr/share", "/usr/lib")
_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/tty")
_ACCESS: Final = os.O_RDONLY | os.O_WRONLY | os.O_RDWR
_CONNECTS: Final = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
_STARTS: Final = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty")


class FileWatch:
    """Notes, while it listens, every file that is opened for reading, every connection and every program started.

    Left out: code wherever it lies, whatever belongs to this Python and its packages, compiled kernels and facts in
    the user's cache folder, facts of the machine, and the folders named. A file opened by compiled code that does not
    tell Python goes unnoticed.

    noted : what was noticed, each once, in words, in order.
    """

    def __init__(self, allowed: Sequence[Path]) -> None:
        self.noted: list[str] = []
        self._listening = False
        # the standard library as one file, which an import looks for first, there or not
        zipped = f"python{sys.version_info.major}{sys.version_info.minor}.zip"
        self._zipped = os.path.realpath(Path(sys.base_prefix) / sys.platlibdir / zipped)
        paths = sysconfig.get_paths()
        # not the whole of sys.prefix: with `python -m venv .` that is the project, data included
        roots = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
        named = [*roots, str(cache_root()), str(facts_folder()), *(str(folder) for folder in allowed)]
        self._roots = tuple({os.path.realpath(root).rstrip(os.sep) + os.sep for root in (*named, *_MACHINE)} - {os.sep})

    def install(self) -> None:
        """Begin to hear what happens in this process; that cannot be taken back."""
        sys.addaudithook(self._hear)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen within this block."""
        self._listening = True
        try:
            yield
        finally:
            self._listening = False

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if not self._listening:
            return
        if event == "open":
            flags = args[2] if isinstance(args[2], int) else 0
            if flags & _ACCESS != os.O_WRONLY:
                self._opened(args[0])
        elif event == "sqlite3.connect":
            self._opened(args[0])
        elif event in _CONNECTS:
            self._note(f"connects to {args[-1] if event == 'socket.connect' else args[0]}")
        elif event in _STARTS:
            self._note(f"starts {args[0] if args else 'a process'}")

    def _opened(self, path: object) -> None:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return  # a number: opened before, under its name
        name = os.path.realpath(os.fsdecode(path))
        if name.endswith((*CODE, "pyvenv.cfg")) or name in _DEVICES or name == self._zipped or _CACHES in name:
            return
        if name.startswith(self._roots) or any(mark + os.sep in name for mark in _METADATA):
            return
        self._note(f"reads {name}")

    def _note(self, what: str) -> None:
        if what not in self.noted:
            self.noted.append(what)
