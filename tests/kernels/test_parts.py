"""A kernel linked into its callers does what one does that numba compiles its own way."""

import gc
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import Any

import numba
import numpy as np
import pytest
from numba import njit, objmode, types
from numba.core.runtime import _nrt_python, rtsys

from plimsoll.engine.garbage import SELDOM
from plimsoll.engine.kernels import jit, parts, release
from plimsoll.engine.kernels.allocate import waterfill
from plimsoll.engine.kernels.linalg import cholesky


def test_the_installed_numba_is_one_that_parts_were_tried_with() -> None:
    assert release.fits()
    assert isinstance(cholesky, parts.Kernel)


def test_a_kernel_is_called_from_python_and_from_compiled_code_alike() -> None:
    @njit
    def lowest(cov: np.ndarray) -> float:
        code = cholesky(cov)
        return cov[-1, -1] if code == 0 else np.nan

    cov = np.array([[4.0, 2.0], [2.0, 5.0]])
    by_python, by_kernel = cov.copy(), cov.copy()
    assert cholesky(by_python) == 0
    assert lowest(by_kernel) == by_python[1, 1] == 2.0  # by hand: 5 - (2 / 2)^2, its root
    np.testing.assert_array_equal(by_kernel, by_python)


def test_default_arguments_and_other_types_are_compiled_as_numba_does() -> None:
    @jit.kernel
    def inner(x: float, by: float = 3.0) -> float:
        return x * by

    @jit.kernel
    def outer(x: float) -> float:
        return inner(x) + inner(x, 2.0) + inner(x, by=1.0)

    assert outer(2.0) == 12.0
    assert outer(2) == 12.0
    assert inner(2.0) == 6.0
    assert inner(2, by=5) == 10
    assert len(outer.signatures) == 2


def test_a_call_that_cannot_be_typed_is_told_as_numba_tells_it() -> None:
    @jit.kernel
    def inner(x: float) -> float:
        return x.nothing

    @jit.kernel
    def outer(x: float) -> float:
        return inner(x)

    for _ in range(2):
        with pytest.raises(Exception, match="nothing"):
            outer(1.0)


def test_a_kernel_can_be_sent_to_another_process() -> None:
    again = pickle.loads(pickle.dumps(waterfill.cap_project))
    weights = np.array([0.7, 0.2, 0.1])
    assert again(0.5, weights) == 0
    np.testing.assert_allclose(weights, [0.5, 1.0 / 3.0, 1.0 / 6.0], rtol=1e-15)


def test_what_a_kernel_returns_is_pythons_and_is_freed_with_it() -> None:
    @jit.kernel
    def filled(n: int, value: float) -> np.ndarray:
        out = np.empty(n)
        for i in range(n):
            out[i] = value
        return out

    @jit.kernel
    def parts_of(x: np.ndarray, n: int) -> tuple[np.ndarray, int, bool]:
        more = filled(n, x[0])
        return more[1:], n, x[0] > 0.0

    @jit.kernel
    def last(x: np.ndarray, n: int) -> np.ndarray:
        return x[x.shape[0] - n :]

    own = np.arange(5.0)
    view = last(own, 2)
    np.testing.assert_array_equal(view, [3.0, 4.0])
    view[0] = -1.0
    assert own[3] == -1.0  # a view, as in Python
    _nrt_python.memsys_enable_stats()
    before = rtsys.get_allocation_stats()
    for _ in range(100):
        rest, n, positive = parts_of(np.array([2.5]), 4)
        np.testing.assert_array_equal(rest, [2.5, 2.5, 2.5])
        assert (n, positive) == (4, True)
    del rest
    after = rtsys.get_allocation_stats()
    _nrt_python.memsys_disable_stats()
    assert after.alloc - before.alloc == after.free - before.free >= 100


def at_the_prompt(source: str, **names: Any) -> dict[str, Any]:
    """Define kernels that no file holds: nothing of them is on disk."""
    known = {"kernel": jit.kernel, "njit": njit, "objmode": objmode, "np": np, "__name__": "__main__", **names}
    exec(compile(source, "<prompt>", "exec"), known)
    return known


REFUSING = """
@kernel
def refuses(x):
    if x > 5:
        raise ValueError("too much", x)
    return x
@kernel
def middle(x): return refuses(x)
@njit
def theirs(x): return middle(x)
"""


@pytest.mark.parametrize("without", [{}, {"__name__": None}])
def test_an_error_with_a_value_comes_through_whoever_calls(without: dict[str, None]) -> None:
    kernels = at_the_prompt(REFUSING)
    if without:
        globals_of = dict(kernels)
        del globals_of["__name__"]
        exec(compile(REFUSING, "<prompt>", "exec"), globals_of)
        kernels = globals_of
    for name in ("theirs", "middle", "refuses"):
        assert kernels[name](2) == 2
        with pytest.raises(ValueError, match="too much") as caught:
            kernels[name](7)
        assert caught.value.args == ("too much", 7)


def test_a_kernel_defined_again_leaves_its_callers_as_they_were_compiled() -> None:
    known = at_the_prompt(REFUSING)
    assert known["theirs"](1) == 1
    exec("@kernel\ndef refuses(x): return x + 100", known)
    gc.collect()
    assert known["middle"](1) == known["theirs"](1) == 1
    assert known["middle"](1.0) == 101.0  # compiled now
    with pytest.raises(ValueError, match="too much"):
        known["middle"](7)


def test_a_kernel_calls_itself_and_two_that_call_each_other_are_refused() -> None:
    known = at_the_prompt("""
@kernel
def late(n):
    if n > 1: return n * late(n - 1)
    return 1.5
@njit
def theirs(n): return late(n)
@kernel
def even(n): return True if n == 0 else odd(n - 1)
@kernel
def odd(n): return False if n == 0 else even(n - 1)
@kernel
def above(n): return even(n)
""")
    assert known["theirs"](4) == known["late"](4) == 36.0  # by hand: 4 * 3 * 2 * 1.5
    for name in ("above", "even", "odd"):
        with pytest.raises(Exception, match="calls a kernel that calls it"):
            known[name](3)


@pytest.mark.filterwarnings("ignore:Code running in object mode")
def test_a_generator_and_a_block_of_python_are_compiled_as_numba_does() -> None:
    known = at_the_prompt("""
@kernel
def steps(n):
    for i in range(n): yield np.full(2, i * 0.5)
@kernel
def added(n):
    s = 0.0
    for x in steps(n): s += x.sum()
    return s
@kernel
def by_python(x):
    with objmode(y="float64"): y = float(sum(x.tolist()))
    return y
@kernel
def above(x): return by_python(x) + 1.0
""")
    assert known["added"](3) == 3.0
    assert [list(x) for x in known["steps"](3)] == [[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]]
    assert known["above"](np.arange(4.0)) == 7.0
    assert known["by_python"](np.arange(4.0)) == 6.0


def test_a_kernel_is_compiled_anew_when_told_and_to_the_type_that_is_asked_for() -> None:
    known = at_the_prompt("@kernel\ndef scaled(x): return x * K\n@kernel\ndef twice(x): return x * 2", K=2)
    assert known["scaled"](3) == 6
    known["K"] = 5
    assert known["scaled"](3) == 6  # a global value is a constant
    known["scaled"].recompile()
    assert known["scaled"](3) == 15
    known["twice"].compile(types.float64(types.int64))
    assert type(known["twice"](2)) is float


def test_a_part_has_no_entry_and_an_entry_lets_other_threads_run() -> None:
    known = at_the_prompt("@kernel\ndef low(x): return x + 1\n@kernel\ndef high(x): return low(x)")
    assert known["high"](1) == 2
    (entry,), (part,) = known["high"].overloads.values(), known["high"].part.overloads.values()
    assert not known["low"].signatures
    assert "cfunc." not in part.library.get_llvm_str() + entry.library.get_llvm_str()
    for said in ("PyEval_SaveThread", "PyArg_UnpackTuple"):
        assert said not in part.library.get_llvm_str()
        assert said in entry.library.get_llvm_str()


def test_a_kernel_is_an_argument_and_an_answer() -> None:
    known = at_the_prompt("@kernel\ndef applied(f, x): return f(x)\n@kernel\ndef given(f): return f")
    twice = at_the_prompt("@kernel\ndef twice(x): return x * 2")["twice"]
    assert known["applied"](twice, 4) == 8
    assert known["given"](twice) is twice


def test_kernels_are_compiled_by_many_threads_at_once() -> None:
    text = "@kernel\ndef low(x): return x + 1\n"
    known = at_the_prompt(text + "".join(f"@kernel\ndef high{i}(x): return low(x) + {i}\n" for i in range(4)))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: known[f"high{i % 4}"](i), range(16)))
    assert answers == [i + 1 + i % 4 for i in range(16)]


@pytest.fixture
def threshold() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    yield before
    gc.set_threshold(*before)


@pytest.mark.parametrize("first", [0, 700, 90_000])
def test_garbage_is_looked_for_as_before_and_as_a_user_wants_it(
    threshold: tuple[int, int, int], first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    compiled = parts.Part.compile

    def watched(part: parts.Part, sig: Any) -> Any:
        seen.append(gc.get_threshold())
        return compiled(part, sig)

    monkeypatch.setattr(parts.Part, "compile", watched)
    known = at_the_prompt("@kernel\ndef fine(x): return x\n@kernel\ndef wrong(x): return x.no")
    gc.set_threshold(first, 7, 7)
    assert known["fine"](1) == 1
    with pytest.raises(Exception, match="no"):
        known["wrong"](1)
    assert seen == [SELDOM if first == 700 else (first, 7, 7)] * 2
    assert gc.get_threshold() == (first, 7, 7)


def test_threads_that_import_kernels_find_each_their_own_folder(tmp_path: Path) -> None:
    config: Any = numba.config
    before = config.CACHE_DIR

    def another() -> None:
        with release.caches_in(tmp_path / "b"):
            pass

    with release.caches_in(tmp_path / "a"):
        waiting = Thread(target=another)
        waiting.start()
        waiting.join(0.1)
        assert waiting.is_alive()
        assert str(tmp_path / "a") == config.CACHE_DIR
    waiting.join()
    assert before == config.CACHE_DIR


def test_a_division_by_nothing_is_numpys_in_an_entry_and_in_a_part() -> None:
    known = at_the_prompt("@kernel\ndef low(x): return 1.0 / x\n@kernel\ndef high(x): return low(x)")
    assert known["low"](0.0) == known["high"](0.0) == np.inf


def test_with_another_numba_kernels_are_compiled_the_plain_way(monkeypatch: pytest.MonkeyPatch) -> None:
    before = jit.flags()
    monkeypatch.setattr(release, "KNOWN", ("0.0.",))
    assert not release.fits()
    assert jit.flags() != before  # and kept elsewhere
    known = at_the_prompt("@kernel\ndef low(x): return x + 1\n@kernel\ndef high(x): return low(x)")
    assert known["high"](1) == known["low"](1) == 2
    assert not isinstance(known["low"], parts.Kernel)
