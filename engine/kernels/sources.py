"""Which source files a file of kernels is compiled from, and the name of the cache they make.

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
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Final, NamedTuple

from plimsoll.engine.kept import keep, recall, stamp_of

# Where this package's own kernels lie.
_ENGINE: Final = Path(__file__).resolve().parents[1]
_STRATEGIES: Final = _ENGINE.parent / "strategies"

# A file changed later than this may change again and bear the same time: what is found out of it is not kept.
_SETTLED_NS: Final = 2_000_000_000

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


# Keys that are still to be kept: name, under what, what.
_FOUND: Final[list[tuple[str, str, bytes]]] = []


@cache
def _fingerprint(source: Path) -> bytes:
    return source.name.encode() + b"\0" + hashlib.sha256(source.read_bytes()).digest()


@cache
def cache_key(filename: str, flag_text: str) -> str:
    """Return the name of the cache folder for kernels defined in `filename`.

    For a file of this package it is kept, by path, size and time of change of every file it follows from, once
    `keep_keys` is called. For a user's own it is found out anew: what an import means there depends on where modules
    are looked for.
    """
    source = Path(filename).resolve()
    if not source.is_relative_to(_ENGINE) and not source.is_relative_to(_STRATEGIES):
        return _key_of(import_closure(source, _KNOWN), flag_text)
    name = f"kernel-key-{hashlib.sha256(str(source).encode()).hexdigest()[:16]}"
    under = "\n".join((flag_text, sys.version, str(source)))
    found = recall(name, under)
    with suppress(OSError, ValueError):
        if found is not None:
            key, stamp, *files = found.decode().split("\n")
            if stamp_of(map(Path, files)) == stamp:
                return key
    closure = import_closure(source, _KNOWN)
    before = stamp_of(closure)
    key = _key_of(closure, flag_text)
    newest = max(file.stat().st_mtime_ns for file in closure)
    if time.time_ns() - newest > _SETTLED_NS and stamp_of(closure) == before:
        _FOUND.append((name, under, "\n".join((key, before, *map(str, closure))).encode()))
    return key


def keep_keys() -> None:
    """Keep the keys that were found out: not when kernels are imported, which writes nothing, but when one is used."""
    with suppress(IndexError):  # another thread has kept the last one
        while _FOUND:
            keep(*_FOUND.pop())


def _key_of(closure: Iterable[Path], flag_text: str) -> str:
    digest = hashlib.sha256(flag_text.encode())
    for source in closure:
        digest.update(_fingerprint(source))
    return digest.hexdigest()[:20]
