"""The one place that compiles: `@kernel`, and where what it makes is kept."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import njit

from plimsoll.engine.kept import cache_folder
from plimsoll.engine.kernels.release import PART_FILES, caches_in, fits
from plimsoll.engine.kernels.sources import cache_key

F = TypeVar("F", bound=Callable[..., Any])

# Settings of numba that change the machine code but that its own cache ignores.
CODE_FLAGS = ("BOUNDSCHECK", "DISABLE_JIT", "OPT", "CPU_NAME", "CPU_FEATURES")


def cache_root() -> Path:
    """Return the folder of compiled kernels in the user's cache folder."""
    return cache_folder() / "kernels"


def flags() -> str:
    """Return numba's version, the settings that change the machine code but that its own cache ignores, and the way."""
    config: Any = numba.config
    return "|".join(
        [numba.__version__, "parts" if fits() else "plain", *(str(getattr(config, name)) for name in CODE_FLAGS)]
    )


def _dispatcher(fn: Callable[..., Any], inline: str) -> Any:
    settings: dict[str, Any] = {"nogil": True, "error_model": "numpy", "inline": inline}
    config: Any = numba.config
    if config.DISABLE_JIT or not fits():
        settings["no_cfunc_wrapper"] = True  # an entry for C that nobody calls is a tenth of what compiling costs
        return njit(**settings)(fn)
    from plimsoll.engine.kernels.parts import Kernel  # of what another numba may not have

    return Kernel(fn, targetoptions=settings)


def _compile(fn: F, inline: str) -> F:
    dispatcher = _dispatcher(fn, inline)
    source = Path(fn.__code__.co_filename)
    if source.exists():  # else defined at a prompt or in a notebook cell: nothing to key a cache by
        folder = cache_root() / cache_key(str(source), flags())
        if hasattr(dispatcher, "keep_in"):
            dispatcher.keep_in(folder)
        elif hasattr(dispatcher, "enable_caching"):
            with caches_in(folder), suppress(RuntimeError):  # the folder cannot be written to
                dispatcher.enable_caching()
    return cast(F, dispatcher)


def kernel(fn: F) -> F:
    """Compile `fn` with the project's settings: nogil, numpy error model, cached on disk, never fastmath.

    Kernels never raise: they return a code or NaN and their owner raises. A kernel must not be passed to
    another kernel as an argument, because numba never caches such a call on disk.
    """
    return _compile(fn, "never")


def inline_kernel(fn: F) -> F:
    """Compile a part of a step that is pasted into its callers instead of being called.

    A call takes a reference on each array it is given, an atomic operation that costs more than a filter's whole
    arithmetic. Pasting changes no operation and no order, so the bits stay the same.
    """
    return _compile(fn, "always")


def entry_for(fn: F, *given: Any) -> F:
    """Return `fn` for arguments of the types of those given, which may be called without looking at them.

    numba asks at each call what each argument is, an array of a tuple at a time: for a hundred arrays that takes
    longer than a step over them. Whoever calls an entry answers for it: the same kind of number, as many dimensions
    in the same order of memory, tuples of the same make. Where nothing is compiled it is the function itself.
    """
    compile_for: Any = getattr(fn, "compile", None)
    if compile_for is None:
        return fn
    kind_of: Any = numba.typeof
    return cast(F, compile_for(tuple(kind_of(each) for each in given)))


def is_compiled(fn: Callable[..., Any]) -> bool:
    """Return whether a kernel is compiled: in this process, or on disk by an earlier one; true without a compiler."""
    dispatcher: Any = fn
    if not hasattr(dispatcher, "signatures") or dispatcher.signatures:
        return True
    source = Path(dispatcher.py_func.__code__.co_filename)
    folder = cache_root() / cache_key(str(source), flags())
    files = folder.rglob(f"*{dispatcher.py_func.__name__}-*.nbi")
    return any(not file.name.startswith(PART_FILES) for file in files)
