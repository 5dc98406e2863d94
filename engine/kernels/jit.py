"""The one place that compiles: `@kernel`, and the cache it is kept in.

numba decides from the decorated file alone whether its cached machine code is still good. It sees neither an edit
in an inner kernel of another file nor a changed flag, and silently runs the old code. So the cache folder of each
file is named by a hash of that file, of every kernel file it imports, and of the flags that change the code.
"""

import ast
import hashlib
import importlib.util
import os
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def cache_root() -> Path:
    """Return the user's cache folder for compiled kernels (`PLIMSOLL_CACHE_DIR` overrides it)."""
    chosen = os.environ.get("PLIMSOLL_CACHE_DIR")
    if chosen:
        return Path(chosen) / "kernels"
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", str(Path.home())))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "plimsoll" / "kernels"


def flags() -> str:
    """Return the settings that change the machine code but that numba's own cache ignores."""
    config = numba.config
    parts = (numba.__version__, config.BOUNDSCHECK, config.DISABLE_JIT, config.OPT, config.CPU_NAME, config.CPU_FEATURES)
    return "|".join(map(str, parts))


def _source_of(module: str) -> Path | None:
    loaded = sys.modules.get(module)
    name = getattr(loaded, "__file__", None)
    if name is None and loaded is None:
        try:
            spec = importlib.util.find_spec(module)
        except (ImportError, ValueError):
            return None
        name = spec.origin if spec else None
    if name is None:
        return None
    path = Path(name)
    return path if path.suffix == ".py" and path.exists() else None


def _imported_modules(path: Path) -> set[str]:
    """Return the absolute module names that a file imports, its own package's relative imports resolved."""
    package = next((n.rpartition(".")[0] for n, m in sys.modules.items() if getattr(m, "__file__", None) == str(path)), "")
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, base]).strip(".")
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return found


def import_closure(path: Path) -> tuple[Path, ...]:
    """Return `path` and every kernel or sibling source file it imports, directly or not, sorted.

    Followed are `engine.kernels.*`, files below the same folder, and files of the same top-level package
    unless that package is the engine itself (whose other floors hold no kernels).
    """
    root = path.parent
    seen: set[Path] = set()
    queue = [path.resolve()]
    while queue:
        current = queue.pop()
        if current in seen:
            continue
        seen.add(current)
        for module in _imported_modules(current):
            source = _source_of(module)
            if source is None:
                continue
            inside_engine = module.startswith("engine.")
            if module.startswith("engine.kernels.") or (not inside_engine and source.resolve().is_relative_to(root.resolve())):
                queue.append(source.resolve())
    return tuple(sorted(seen))


@lru_cache(maxsize=None)
def cache_key(filename: str, flag_text: str) -> str:
    """Return the name of the cache folder for kernels defined in `filename`."""
    digest = hashlib.sha256(flag_text.encode())
    for source in import_closure(Path(filename)):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:20]


def kernel(fn: F) -> F:
    """Compile `fn` with the project's settings: nogil, numpy error model, cached on disk, never fastmath.

    Kernels never raise: they return a code or NaN and their owner raises. A kernel must not be passed to
    another kernel as an argument, because numba never caches such a call on disk.
    """
    source = Path(fn.__code__.co_filename)
    if not source.exists():  # defined at a prompt or in a notebook cell: nothing to key a cache by
        return cast(F, njit(nogil=True, error_model="numpy")(fn))
    folder = cache_root() / cache_key(str(source), flags())
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return cast(F, njit(nogil=True, error_model="numpy")(fn))
    previous = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder)  # read once, when the dispatcher is made
    try:
        return cast(F, njit(nogil=True, error_model="numpy", cache=True)(fn))
    finally:
        numba.config.CACHE_DIR = previous
