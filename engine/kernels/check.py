"""Checks that the Python face of a kernel makes before it hands arrays over; kernels themselves never raise."""

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels.linalg import SYMMETRY_TOLERANCE
from plimsoll.engine.types import Floats


def matrix(values: ArrayLike, where: str) -> Floats:
    """Return values as a C-contiguous float64 (T, N) array; a 1-D series becomes one column.

    Raises
    ------
    InputError
        Not numeric, more than two dimensions, or no column.
    """
    try:
        array = np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError("not an array of numbers", where=where, cause=str(error)) from None
    if np.ndim(values) == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2 or array.shape[1] == 0:
        raise InputError(f"shape {np.shape(values)}", where=where, fix="pass (T,) or (T, N), time first")
    return array


def series(values: ArrayLike, where: str) -> Floats:
    """Return values as a C-contiguous float64 (T,) array.

    Raises
    ------
    InputError
        Not numeric or not one-dimensional.
    """
    try:
        array = np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError("not an array of numbers", where=where, cause=str(error)) from None
    if np.ndim(values) != 1:
        raise InputError(f"shape {np.shape(values)}", where=where, fix="pass a series (T,)")
    return array


def same_length(where: str, **arrays: Floats) -> None:
    """Raise InputError unless all named arrays have the same number of rows."""
    lengths = {name: array.shape[0] for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InputError(f"different lengths: {told}", where=where, fix="align the series first")


def whole(value: int, name: str, least: int, where: str) -> int:
    """Return value if it is a whole number of at least `least`, else raise InputError."""
    if isinstance(value, bool) or int(value) != value or value < least:
        raise InputError(f"{name} = {value!r}", where=where, fix=f"a whole number >= {least} is needed")
    return int(value)


def square(values: ArrayLike, where: str) -> Floats:
    """Return values as a C-contiguous float64 (N, N) array, N >= 1; raises InputError for any other shape."""
    shape = np.shape(values)
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 0:
        raise InputError(f"shape {shape}", where=where, fix="pass a square covariance (N, N), N >= 1")
    return matrix(values, where)


def covariance(values: ArrayLike, where: str) -> Floats:
    """Return a checked, C-contiguous covariance (N, N), N >= 1.

    Raises
    ------
    InputError
        Empty, not square, not finite, not symmetric, or a variance that is not positive; the first offender is named.
    """
    cov = square(values, where)
    bad = np.argwhere(~np.isfinite(cov))
    if bad.size:
        i, j = bad[0]
        raise InputError(
            f"entry [{i}, {j}] is {cov[i, j]}",
            where=where,
            cause="an asset without enough history",
            fix="drop it or estimate pairwise",
        )
    scale = np.sqrt(np.abs(np.diag(cov)))
    bad = np.argwhere(np.abs(cov - cov.T) > SYMMETRY_TOLERANCE * np.outer(scale, scale))
    if bad.size:
        i, j = bad[0]
        raise InputError(f"not symmetric: [{i}, {j}] = {cov[i, j]:.6g}, [{j}, {i}] = {cov[j, i]:.6g}", where=where)
    flat = np.flatnonzero(np.diag(cov) <= 0.0)
    if flat.size:
        i = flat[0]
        raise InputError(
            f"variance of asset {i} is {cov[i, i]:.6g}",
            where=where,
            cause="its price did not move",
            fix="drop it before allocating",
        )
    return cov
