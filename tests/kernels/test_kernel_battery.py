"""The battery that every registered kernel must pass."""

import importlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import kernel_battery as battery
import numpy as np
import pytest

from plimsoll.engine.kernels.estimate import moments
from plimsoll.engine.kernels.registry import Recursion, Solver, recursions, solvers

ROOT = Path(__file__).parents[2]
FAMILIES = [pytest.param(family, id=family.name) for family in recursions()]
SOLVERS = [pytest.param(solver, id=solver.name) for solver in solvers()]


def run_python(script: list[str], **flags: str) -> str:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OPENBLAS_NUM_THREADS": "1", **flags}
    done = subprocess.run([sys.executable, *script], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("family", FAMILIES)
def test_a_scan_equals_its_steps_by_bytes(family: Recursion) -> None:
    arrays = battery.inputs_of(family)
    scanned, stepped = battery.run_scan(family, arrays), battery.run_steps(family, arrays)
    assert battery.same_bytes(scanned, stepped)
    if family.out is not None:
        assert np.isfinite(scanned[1]).any()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_saved_and_restored_state_goes_on_as_if_nothing_had_happened(family: Recursion, tmp_path: Path) -> None:
    arrays = battery.inputs_of(family)
    cut = 71
    whole_state, whole = battery.run_scan(family, arrays)
    state, head = battery.run_scan(family, [np.ascontiguousarray(a[:cut]) for a in arrays])
    np.savez(tmp_path / "state.npz", *state)
    with np.load(tmp_path / "state.npz") as saved:
        restored = type(state)(*(saved[key] for key in saved.files))
    restored, tail = battery.run_scan(family, [np.ascontiguousarray(a[cut:]) for a in arrays], restored)
    assert battery.same_bytes(whole_state, restored)
    assert whole.tobytes() == head.tobytes() + tail.tobytes()


@pytest.mark.parametrize("family", FAMILIES)
def test_what_comes_later_never_changes_what_was_said(family: Recursion) -> None:
    arrays = battery.inputs_of(family)
    cut = 90
    changed = [a.copy() for a in arrays]
    for a in changed:
        a[cut:] = np.random.default_rng(3).uniform(1.0, 2.0, a[cut:].shape)
    assert battery.run_scan(family, arrays)[1][:cut].tobytes() == battery.run_scan(family, changed)[1][:cut].tobytes()


@pytest.mark.parametrize("family", FAMILIES)
def test_one_missing_row_never_poisons_what_follows(family: Recursion) -> None:
    arrays = battery.inputs_of(family, gaps=False)
    for a in arrays:
        a[60] = np.nan
    state, out = battery.run_scan(family, arrays)
    if family.out is None:
        assert all(np.isfinite(a).all() for a in battery.arrays_in(state))
    else:
        assert np.isfinite(out[-1]).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_history_without_a_single_value_gives_no_value(family: Recursion) -> None:
    arrays = [np.full_like(a, np.nan) for a in battery.inputs_of(family)]
    state, out = battery.run_scan(family, arrays)
    if family.name == "regression":  # coefficients start at their prior, the surprise is unknown
        out = out[:, 2:]
    assert np.isnan(out).all()
    if family.out is None:
        assert not any(a[:-1].any() for a in list(battery.arrays_in(state))[:1])


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_solver_gives_the_same_bytes_every_time_and_leaves_its_input_alone(solver: Solver) -> None:
    cov = battery.covariance()
    before = cov.copy()
    first, second = battery.run_solver(solver, cov), battery.run_solver(solver, cov)
    assert first[0] == second[0] or (first[0] is None) or np.isnan(first[0])
    assert battery.same_bytes(tuple(first[1]), tuple(second[1]))
    assert cov.tobytes() == before.tobytes()


def is_room(argument: object) -> bool:
    """Say whether a solver writes to an argument and reads nothing from it: moments are read only."""
    return isinstance(argument, tuple) and not isinstance(argument, moments.State)


@pytest.mark.parametrize("solver", SOLVERS)
def test_used_room_does_not_leak_into_the_next_answer(solver: Solver) -> None:
    fresh, used = solver.arguments(battery.covariance()), solver.arguments(battery.covariance(seed=5))
    answer = solver.kernel(*fresh)
    solver.kernel(*used)
    again = solver.arguments(battery.covariance())
    mixed = tuple(old if is_room(old) else new for old, new in zip(used, again, strict=True))
    assert solver.kernel(*mixed) == answer
    for ours, theirs in zip(mixed, fresh, strict=True):
        if not is_room(theirs):
            for a, b in zip(battery.arrays_in(ours), battery.arrays_in(theirs), strict=True):
                assert a.tobytes() == b.tobytes()
    for ours, before in zip(mixed, solver.arguments(battery.covariance()), strict=True):
        if isinstance(ours, moments.State):
            assert battery.same_bytes(ours, before)


def test_interpreted_kernels_give_the_bytes_of_compiled_ones(tmp_path: Path) -> None:
    script = str(Path(battery.__file__))
    assert run_python([script, str(tmp_path / "slow.npz")], NUMBA_DISABLE_JIT="1") == "interpreted\n"
    compiled = battery.answers()
    with np.load(tmp_path / "slow.npz") as interpreted:
        assert set(interpreted.files) == set(compiled)
        different = [name for name, array in compiled.items() if array.tobytes() != interpreted[name].tobytes()]
        assert different == []


ALLOCATION_PROBE = """
import numpy as np
from numba.core.runtime import rtsys
import kernel_battery as battery
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.registry import recursions, solvers

def count(call):
    before = rtsys.get_allocation_stats()
    call()
    after = rtsys.get_allocation_stats()
    return after.alloc - before.alloc

@kernel
def wasteful(n):
    total = 0.0
    for _ in range(n):
        total += np.ones(4).sum()
    return total

wasteful(1)
print("control", count(lambda: wasteful(600)) - count(lambda: wasteful(0)))
for family in recursions():
    short, long = (battery.inputs_of(family, n) for n in (20, 620))
    battery.run_scan(family, short)
    extra = count(lambda: battery.run_scan(family, long)) - count(lambda: battery.run_scan(family, short))
    print(family.name, extra)
for solver in solvers():
    small, large = (solver.arguments(battery.covariance(n)) for n in (4, 40))
    solver.kernel(*small)
    print(solver.name, count(lambda: solver.kernel(*large)) - count(lambda: solver.kernel(*small)))
"""


def test_no_kernel_allocates_per_bar_or_per_asset(tmp_path: Path) -> None:
    probe = tmp_path / "probe.py"
    probe.write_text(f"import sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n" + ALLOCATION_PROBE)
    control, *lines = run_python([str(probe)], NUMBA_NRT_STATS="1").splitlines()
    assert control == "control 600"  # the count does see what a loop allocates
    assert len(lines) == len(recursions()) + len(solvers())
    assert [line for line in lines if not line.endswith(" 0")] == []


def test_every_family_with_a_scan_is_registered() -> None:
    scans = {family.scan for family in recursions()}
    known = {family.scan.__module__ for family in recursions()}
    forgotten = []
    for path in sorted((ROOT / "engine" / "kernels").rglob("*.py")):
        dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        module = importlib.import_module(f"plimsoll.{dotted}")
        has_state = any(name.endswith("State") for name, _ in inspect.getmembers(module, inspect.isclass))
        for name, found in vars(module).items():
            own = getattr(found, "__module__", "") == module.__name__
            if (
                own
                and (has_state or module.__name__ in known)
                and re.fullmatch(r"(\w+_)?scan", name)
                and found not in scans
            ):
                forgotten.append(f"{path.stem}.{name}")
    assert forgotten == []
