"""Find ``package.module:Name``: among what is importable, then in the folder of the configuration that names it.

A folder is never left on `sys.path`, and what was loaded from one is kept apart from what was loaded from another:
two folders may each hold a `my_strategy.py`.
"""

import importlib
import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any, Final

from plimsoll.engine.errors import ConfigError, did_you_mean

# What was loaded from folders so far: folder -> module name -> module.
_LOADED: Final[dict[Path, dict[str, ModuleType]]] = {}
_LOCK: Final = RLock()


def find_object(spec: str, folder: Path | None, where: str) -> Any:
    """Return what ``package.module:Name`` names.

    Importable modules go first; `folder` is asked where they have none of that name. While a module of the folder
    loads, its neighbours in there can be imported by it.

    Raises
    ------
    ConfigError
        If there is no such module or name, or the module raises while it is imported.
    """
    module_name, _, name = spec.partition(":")
    with _LOCK:
        found = _importable(module_name, where)
        if folder is not None and not (name and hasattr(found, name)):
            found = _from_folder(module_name, folder.resolve(), where) or found
    if found is None:
        there = "" if folder is None else f", nor is it in {str(folder)!r}"
        raise ConfigError(
            f"cannot import {module_name!r}: No module named {module_name!r}{there}",
            where=where,
            fix="put it beside the configuration file, name its folder in run.modules, or install it",
        )
    if not name or not hasattr(found, name):
        names = [key for key, value in vars(found).items() if isinstance(value, type)]
        raise ConfigError(f"{module_name!r} has no {name!r}", where=where, fix=did_you_mean(name, names))
    return getattr(found, name)


def _spec_in(folder: Path, root: str) -> ModuleSpec | None:
    importlib.invalidate_caches()  # the folder may have been written a moment ago
    return PathFinder.find_spec(root, [str(folder)]) if root else None


def _importable(module_name: str, where: str) -> ModuleType | None:
    """Return an importable module, None if there is none; what came from folders does not count."""
    aside = {name: sys.modules.pop(name) for name in _names_of(_LOADED)}
    try:
        return _imported(module_name, where)
    finally:
        for name, module in aside.items():
            sys.modules.setdefault(name, module)


def _from_folder(module_name: str, folder: Path, where: str) -> ModuleType | None:
    """Return a module of the folder, None if there is none."""
    root = module_name.partition(".")[0]
    spec = _spec_in(folder, root)
    if spec is None:
        return None
    others = {name: sys.modules.pop(name) for name in _names_of(_LOADED.keys() - {folder})}
    own = _LOADED.setdefault(folder, {})
    same = [name for name, module in sys.modules.items() if _root(name) == root and module is not own.get(name)]
    shadowed = {name: sys.modules.pop(name) for name in same}
    sys.modules.update(own)
    before = set(sys.modules)
    sys.path.append(str(folder))
    try:
        if root not in own:
            _execute(spec, where)
        return _imported(module_name, where)
    finally:
        sys.path.reverse()
        sys.path.remove(str(folder))  # the entry made here, the last one
        sys.path.reverse()
        fresh = sys.modules.keys() - before
        roots = {name for name in {_root(name) for name in fresh} if _lies_in(sys.modules.get(name), folder)}
        own |= {name: sys.modules[name] for name in fresh if _root(name) in roots}
        if shadowed:  # the name is the other one's again, with all that is below it
            for name in [name for name in sys.modules if _root(name) == root]:
                del sys.modules[name]
            sys.modules.update(shadowed)
        for name, module in others.items():
            sys.modules.setdefault(name, module)


def _execute(spec: ModuleSpec, where: str) -> None:
    """Run a folder's top module or package, whatever else of that name is importable."""
    module = module_from_spec(spec)
    if spec.submodule_search_locations is not None:
        module.__path__ = list(spec.submodule_search_locations)  # a namespace would be looked for on sys.path again
    sys.modules[spec.name] = module
    try:
        if spec.loader is not None:
            spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[spec.name]
        raise _refusal(spec.name, error, where) from error


def _imported(module_name: str, where: str) -> ModuleType | None:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(error.name + ".")):
            return None
        raise _refusal(module_name, error, where) from error
    except Exception as error:
        raise _refusal(module_name, error, where) from error


def _refusal(module_name: str, error: Exception, where: str) -> ConfigError:
    if isinstance(error, ModuleNotFoundError):
        return ConfigError(f"cannot import {module_name!r}: {error}", where=where, fix="install what it imports")
    return ConfigError(f"importing {module_name!r} raised {type(error).__name__}: {error}", where=where)


def _names_of(folders: Iterable[Path]) -> list[str]:
    """Return under which names modules of these folders are in `sys.modules` now."""
    return [name for folder in folders for name, module in _LOADED[folder].items() if sys.modules.get(name) is module]


def _lies_in(module: ModuleType | None, folder: Path) -> bool:
    """Return whether a top-level module or package lies right in a folder, not somewhere below it."""
    spec = getattr(module, "__spec__", None)
    if spec is None:
        return False
    places = [spec.origin] if spec.submodule_search_locations is None else list(spec.submodule_search_locations)
    return any(place is not None and Path(place).resolve().parent == folder for place in places)


def _root(name: str) -> str:
    return name.partition(".")[0]
