"""Seeded inputs for every registered kernel, and a runner whose answers can be compared across processes.

Run as a program it writes every answer to an .npz file: once compiled and once interpreted, they must be the same.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from plimsoll.engine.kernels.registry import Recursion, Solver, recursions, solvers

N_BARS = 150


def price_path(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return 100.0 * np.exp(np.cumsum(rng.normal(0.0003, 0.01, shape), axis=0))


def inputs_of(family: Recursion, n_bars: int = N_BARS, gaps: bool = True) -> list[np.ndarray]:
    """Return one array per input of a family: prices, ranges, volumes, returns, with some values missing."""
    rng = np.random.default_rng(20240607)
    price = price_path(rng, (n_bars,))
    made = {
        "high": price * (1.0 + rng.uniform(0.0, 0.01, n_bars)),
        "low": price * (1.0 - rng.uniform(0.0, 0.01, n_bars)),
        "volume": np.round(rng.lognormal(12.0, 0.5, n_bars)),
    }
    first = True
    arrays = []
    for kind, columns in family.inputs:
        shape = (n_bars, columns) if columns else (n_bars,)
        if kind == "price":
            array = price.copy() if first and not columns else price_path(rng, shape)
            first = False
        elif kind == "return":
            array = rng.normal(0.0, 0.01, shape)
        else:
            array = made[kind].copy()
        if gaps:
            array[rng.random(shape) < 0.06] = np.nan
            if kind == "volume":
                array[rng.random(shape) < 0.05] = 0.0
        arrays.append(np.ascontiguousarray(array))
    return arrays


def run_scan(family: Recursion, arrays: list[np.ndarray], state: Any = None) -> tuple[Any, np.ndarray]:
    """Scan all bars; return the final state and the outputs (empty where a family has none)."""
    state = family.init() if state is None else state
    n_bars = arrays[0].shape[0]
    if family.out is None:
        family.scan(state, *family.params, *arrays)
        return state, np.empty(0)
    out = np.full((n_bars, *family.out), -7.0)
    family.scan(state, *family.params, *arrays, out)
    return state, out


def run_steps(family: Recursion, arrays: list[np.ndarray], state: Any = None) -> tuple[Any, np.ndarray]:
    """Do the same bar by bar."""
    state = family.init() if state is None else state
    n_bars = arrays[0].shape[0]
    out = np.full((n_bars, *(family.out or (0,))), -7.0)
    for t in range(n_bars):
        bar = [float(array[t]) if array.ndim == 1 else array[t] for array in arrays]
        shown = () if family.out is None else (out[t],)
        family.step(state, *family.params, *bar, *shown)
    return state, out if family.out is not None else np.empty(0)


def covariance(n_assets: int = 8, seed: int = 11) -> np.ndarray:
    rng = np.random.default_rng(seed)
    loading = rng.normal(size=(n_assets, 3))
    cov = loading @ loading.T + np.diag(rng.uniform(0.2, 1.0, n_assets))
    return np.ascontiguousarray(0.5 * (cov + cov.T)) * 0.01


def arrays_in(value: Any) -> Iterator[np.ndarray]:
    """Yield every array in nested tuples, in order."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from arrays_in(item)


def run_solver(solver: Solver, cov: np.ndarray) -> tuple[Any, list[np.ndarray]]:
    """Return a solver's answer and all of its arrays as they are afterwards."""
    arguments = solver.arguments(cov)
    return solver.kernel(*arguments), list(arrays_in(arguments))


def same_bytes(left: Any, right: Any) -> bool:
    pairs = zip(arrays_in(left), arrays_in(right), strict=True)
    return all(a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in pairs)


def answers() -> dict[str, np.ndarray]:
    """Return everything the registered kernels say about the seeded inputs."""
    found: dict[str, np.ndarray] = {}
    for family in recursions():
        state, out = run_scan(family, inputs_of(family))
        found[f"{family.name}/out"] = out
        for k, array in enumerate(arrays_in(state)):
            found[f"{family.name}/state{k}"] = array
    for solver in solvers():
        answer, arrays = run_solver(solver, covariance())
        found[f"{solver.name}/answer"] = np.array(float("nan") if answer is None else float(answer))
        for k, array in enumerate(arrays):
            found[f"{solver.name}/array{k}"] = array
    return found


if __name__ == "__main__":
    print("compiled" if hasattr(recursions()[0].step, "py_func") else "interpreted")
    with np.errstate(all="ignore"):  # interpreted, numpy warns where compiled code silently makes NaN
        np.savez(Path(sys.argv[1]), **answers())
