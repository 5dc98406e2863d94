"""State as arrays by name: what every `save` returns, and the rule by which it is put back, all of it or nothing."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plimsoll.engine.errors import EngineError, did_you_mean

Saved: TypeAlias = dict[str, NDArray[Any]]


def check_saved(
    saved: Mapping[str, Any], own: Mapping[str, NDArray[Any]], where: str, texts: Collection[str] = ()
) -> None:
    """Refuse saved state unless it holds the names of `own`, each an array of the same shape and type.

    texts names arrays of UTF-8 bytes, of any length.

    Raises
    ------
    EngineError
        Naming the first array that is unknown, missing, or of another shape or type.
    """
    for name in saved:
        if name not in own:
            raise EngineError(f"{where}: the saved state has an unknown {name!r}; {did_you_mean(name, own)}")
    for name, array in own.items():
        wanted = f"{name!r} of shape {array.shape} and type {array.dtype}"
        found = saved.get(name)
        if not isinstance(found, np.ndarray):
            raise EngineError(f"{where}: the saved state has no {wanted}")
        alike = _is_text(found) if name in texts else found.shape == array.shape
        if not alike or found.dtype != array.dtype:
            raise EngineError(f"{where}: the saved state has no {wanted}, but one of {found.shape} and {found.dtype}")


def put_back(saved: Mapping[str, Any], own: Mapping[str, NDArray[Any]], where: str) -> None:
    """Copy saved arrays into those of `own`, once `check_saved` has found them all to fit."""
    check_saved(saved, own, where)
    for name, array in own.items():
        np.copyto(array, saved[name])


def whole_number(saved: Mapping[str, Any], name: str, low: int, high: int, where: str) -> int:
    """Return the number in a saved array (1,).

    Raises
    ------
    EngineError
        If it is not within [low, high].
    """
    value = int(saved[name][0])
    if not low <= value <= high:
        raise EngineError(f"{where}: the saved {name!r} is {value}, not one of {low} to {high}")
    return value


def parts_of(saved: Mapping[str, Any], prefixes: Sequence[str]) -> list[Saved]:
    """Return for every prefix what is saved under it, the prefix taken off the names."""
    return [{k.removeprefix(p): value for k, value in saved.items() if k.startswith(p)} for p in prefixes]


def _is_text(array: NDArray[Any]) -> bool:
    try:
        array.tobytes().decode()
    except UnicodeDecodeError:
        return False
    return array.ndim == 1
