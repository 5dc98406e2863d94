"""The one place that compiles: `@kernel`, and the cache it is kept in.

numba decides from the decorated file alone whether its cached machine code is still good. It sees neither an edit
in an inner kernel of another file nor a changed flag, and silently runs the old code. So the cache folder of each
file is named by a hash of that file, of every kernel file it imports, and of the flags that change the code.
"""

import ast
import hashlib
import importlib.util
import re
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar, cast

import numba
from numba import njit

from plimsoll.engine.kept import cache_folder
from plimsoll.engine.kernels.release import PART_FILES, caches_in, fits

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


# From the beginning of its line to the end of it, or of what it has in parentheses, comments in there included.
_IMPORTS: Final = re.compile(rb"^[ \t]*((?:from|import)\b(?:[^\n(#]*\((?:[^)#]|#[^\n]*)*\))?[^\n]*)$", re.MULTILINE)


class _Import(NamedTuple):
    """One import: the module after `from`, "" in `import a, b`; the names after `import`; how many dots."""

    module: str
    names: tuple[str, ...]
    level: int


def _spec_of(module: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None


def _is_package(name: str) -> bool:
    """Return whether modules may lie in it; of a module's own names nobody asks, as that would import the module."""
    loaded = sys.modules.get(name)
    if not name or loaded is not None:
        return not name or hasattr(loaded, "__path__")
    spec = _spec_of(name)
    return spec is not None and spec.submodule_search_locations is not None


def _source_of(module: str) -> Path | None:
    loaded = sys.modules.get(module)
    name = getattr(loaded, "__file__", None)
    if name is None and loaded is None:
        spec = _spec_of(module) if _is_package(module.rpartition(".")[0]) else None
        name = spec.origin if spec else None
    if name is None:
        return None
    path = Path(name)
    return path.resolve() if path.suffix == ".py" and path.exists() else None


def _package_root(path: Path) -> Path:
    """Return the folder of the topmost package a file belongs to, or its own folder outside any package."""
    folder = path.parent
    while (folder.parent / "__init__.py").exists():
        folder = folder.parent
    return folder


def _relative_sources(path: Path, one: _Import) -> Iterator[Path]:
    folder = path.parents[one.level - 1]
    base = folder.joinpath(*one.module.split(".")) if one.module else folder
    for stem in (base, *(base / name for name in one.names)):
        for source in (stem.with_suffix(".py"), stem / "__init__.py"):
            if source.exists():
                yield source.resolve()


@cache
def _libraries() -> tuple[Path, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return tuple({Path(sysconfig.get_paths()[name]).resolve() for name in names})


@cache
def _compiles(source: Path) -> bool:
    """Return whether a file of the engine's other floors may hold what gets compiled in: kernels, or their tuples.

    Whatever kernels share imports from `plimsoll.engine.kernels` or declares NamedTuples or constants of final value.
    """
    text = source.read_bytes()
    return any(mark in text for mark in (b"plimsoll.engine.kernels.jit", b"(NamedTuple)", b": Final"))


def _may_hold_kernels(module: str, source: Path, root: Path) -> bool:
    if module.startswith("plimsoll.engine."):
        return module.startswith("plimsoll.engine.kernels.") or _compiles(source)
    installed = [library for library in _libraries() if source.is_relative_to(library)]
    if installed and any(library.is_relative_to(root) for library in installed):
        return False  # of an environment within the user's own folder
    return source.is_relative_to(root) or not installed


def import_tree(content: bytes) -> ast.Module:
    """Parse a file as far as its imports go: those alone if what is left says nothing of any, else the whole of it.

    Most of a file is no import, and every process that loads kernels reads a hundred files.
    """
    if not re.search(rb"\bimport\b", _IMPORTS.sub(b"", content)):
        with suppress(SyntaxError):  # of a line of text that begins like one, or of one that goes on in the next
            return ast.parse(b"\n".join(_IMPORTS.findall(content)))
    return ast.parse(content)


@cache
def _imports(content: bytes) -> tuple[_Import, ...]:
    """Return the imports in a file's content."""
    found = []
    for node in ast.walk(import_tree(content)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            origin = (node.module or "", node.level) if isinstance(node, ast.ImportFrom) else ("", 0)
            found.append(_Import(origin[0], names, origin[1]))
    return tuple(found)


def _imported_sources(path: Path, root: Path) -> Iterator[Path]:
    """Yield the source files that a file imports and that may hold kernels."""
    for one in _imports(path.read_bytes()):
        if one.level:
            yield from _relative_sources(path, one)
            continue
        names = (one.module, *(f"{one.module}.{name}" for name in one.names)) if one.module else one.names
        for name in names:
            source = _source_of(name) if name.split(".")[0] not in sys.stdlib_module_names else None
            if source is not None and _may_hold_kernels(name, source, root):
                yield source


def import_closure(path: Path, known: dict[tuple[Path, Path], tuple[Path, ...]] | None = None) -> tuple[Path, ...]:
    """Return `path` and every source file with kernels that it imports, directly or not, sorted.

    Followed are `engine.kernels.*` and the engine's other files that compile, the file's own top-level package, and
    whatever else lies outside the standard library and the installed packages (which change with their version, not
    by editing). known : what each file imports, by file and package; filled in, for whoever asks again while no file
    changes.
    """
    start = path.resolve()
    root = _package_root(start)
    seen: set[Path] = set()
    queue = [start]
    known = {} if known is None else known
    while queue:
        current = queue.pop()
        if current not in seen:
            seen.add(current)
            if (current, root) not in known:
                known[current, root] = tuple(_imported_sources(current, root))
            queue.extend(known[current, root])
    return tuple(sorted(seen))


# What this process has found: a hundred files of kernels stand on the same few, and were imported as they were.
_KNOWN: Final[dict[tuple[Path, Path], tuple[Path, ...]]] = {}


@cache
def _fingerprint(source: Path) -> bytes:
    return source.name.encode() + b"\0" + hashlib.sha256(source.read_bytes()).digest()


@cache
def cache_key(filename: str, flag_text: str) -> str:
    """Return the name of the cache folder for kernels defined in `filename`."""
    digest = hashlib.sha256(flag_text.encode())
    for source in import_closure(Path(filename), _KNOWN):
        digest.update(_fingerprint(source))
    return digest.hexdigest()[:20]


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
    if not source.exists() or not hasattr(dispatcher, "enable_caching"):
        return cast(F, dispatcher)  # defined at a prompt or in a notebook cell: nothing to key a cache by
    folder = cache_root() / cache_key(str(source), flags())
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return cast(F, dispatcher)
    with caches_in(folder):
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


def is_compiled(fn: Callable[..., Any]) -> bool:
    """Return whether a kernel is compiled: in this process, or on disk by an earlier one; true without a compiler."""
    dispatcher: Any = fn
    if not hasattr(dispatcher, "signatures") or dispatcher.signatures:
        return True
    source = Path(dispatcher.py_func.__code__.co_filename)
    folder = cache_root() / cache_key(str(source), flags())
    files = folder.rglob(f"*{dispatcher.py_func.__name__}-*.nbi")
    return any(not file.name.startswith(PART_FILES) for file in files)
