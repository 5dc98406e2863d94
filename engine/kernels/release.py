"""Which numba is installed, how kernels are compiled with it, and where it keeps what it makes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numba

# The releases of numba whose inner pieces `plimsoll.engine.kernels.parts` is made of.
KNOWN: Final = ("0.68.",)

# How the names of the files of parts begin, beside those of machine code.
PART_FILES: Final = "part-"

# numba knows one folder at a time; threads that import kernels must not find each other's.
_ONE_FOLDER: Final = threading.RLock()


def fits() -> bool:
    """Return whether the installed numba is one that parts were tried with; with another kernels compile its own way.

    That takes more than twice the time, and gives the same bits.
    """
    return any(numba.__version__.startswith(release) for release in KNOWN)


@contextmanager
def caches_in(folder: Path) -> Iterator[None]:
    """Have the caches that numba makes meanwhile write to `folder`, and nowhere else.

    Where it cannot write to, numba goes on to the folder of the source, and would find there what it once made of
    that file and of others as they were then. It raises RuntimeError instead.
    """
    config: Any = numba.config
    with _ONE_FOLDER:
        previous = config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES
        config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES = str(folder), "UserProvidedCacheLocator"  # read once
        try:
            yield
        finally:
            config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES = previous
