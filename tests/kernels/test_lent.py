"""Arrays that Python calls a kernel with are not counted where nothing of them can get out; all else is as before."""

import gc
import re
import sys
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from numba import objmode, typed, types
from numba.core.registry import cpu_target
from numba.core.runtime import _nrt_python, rtsys

from plimsoll import backtest
from plimsoll.engine.kernels import lent, parts
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.runtime.compiled.book_loop import book_loop
from plimsoll.engine.runtime.compiled.direct_loop import direct_loop
from plimsoll.engine.types import Floats

KEPT: list[Any] = []


class Inner(NamedTuple):
    """Arrays within a tuple."""

    a: Floats
    flag: bool
    b: Floats


class Outer(NamedTuple):
    """Tuples of tuples, of one kind and of several."""

    inner: Inner
    pair: tuple[Floats, Floats]
    scale: float


@kernel
def summed(x: Floats) -> float:
    return x.sum() + x.size - x.size * x.itemsize / 8.0


@kernel
def of_all(first: int, outer: Outer, nothing: None, more: tuple[Floats, int, Floats], by: float = 2.0) -> float:
    inner = outer.inner
    total = summed(inner.a) + summed(inner.b[1:]) if inner.flag else 0.0
    for one in outer.pair:
        total += summed(one) * outer.scale
    return (total + summed(more[0]) + more[1] + summed(more[2][::2])) * by + first


def arguments() -> tuple[Any, ...]:
    a = [np.arange(4.0) + k for k in range(6)]
    return 3, Outer(Inner(a[0], True, a[1]), (a[2], a[3]), 0.5), None, (a[4], 7, a[5])


def by_hand(first: int, outer: Outer, _: None, more: tuple[Any, ...]) -> float:
    total = outer.inner.a.sum() + outer.inner.b[1:].sum() + 0.5 * (outer.pair[0].sum() + outer.pair[1].sum())
    return float((total + more[0].sum() + more[1] + more[2][::2].sum()) * 2.0 + first)


def is_lent(one: Any) -> bool:
    """Return whether a kernel's only version is called with arrays that nobody owns."""
    assert isinstance(one, parts.Kernel)
    (called_with,) = one.overloads
    one.part.compile(called_with)  # or it may have come from disk, and have no part
    (found,) = one.part.overloads.values()
    return lent.can_be_lent(found.library, found.signature.args, found.signature.return_type)


def test_arrays_in_tuples_in_whatever_order_are_read_and_left_with_their_owner() -> None:
    given = arguments()
    outer, more = given[1], given[3]
    held = [outer.inner.a, outer.inner.b, *outer.pair, more[0], more[2]]
    before = [sys.getrefcount(one) for one in held]
    for _ in range(3):
        assert of_all(*given) == by_hand(*given)
    assert [sys.getrefcount(one) for one in held] == before
    assert is_lent(of_all)
    seen = [weakref.ref(one) for one in held]
    del given, outer, more, held
    gc.collect()
    assert [one() for one in seen] == [None] * 6


def test_what_a_kernel_writes_to_a_lent_array_is_there_and_what_it_makes_is_freed() -> None:
    @kernel
    def scaled(x: Floats, out: Floats, n: int) -> int:
        made = 0
        for k in range(n):
            part = np.empty(x.shape[0])
            part[:] = x * k
            whole = np.concatenate((part, x[1:]))
            out[k] = summed(whole)
            made += whole.shape[0]
        return made

    x, out = np.arange(1.0, 5.0), np.zeros(3)
    scaled(x, out, 1)
    _nrt_python.memsys_enable_stats()
    before = rtsys.get_allocation_stats()
    assert scaled(x, out, 3) == 21
    after = rtsys.get_allocation_stats()
    _nrt_python.memsys_disable_stats()
    assert out.tolist() == [9.0, 19.0, 29.0]
    assert is_lent(scaled)
    assert after.mi_alloc - before.mi_alloc == after.mi_free - before.mi_free > 0


def test_a_view_that_a_kernel_answers_with_keeps_what_it_is_a_view_of() -> None:
    @kernel
    def rest(x: Floats) -> Floats:
        return x[1:]

    x = np.arange(5.0)
    seen, answer = weakref.ref(x), rest(x)
    del x
    gc.collect()
    assert seen() is not None
    assert answer.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert not is_lent(rest)


@pytest.mark.filterwarnings("ignore:Code running in object mode")
def test_what_is_handed_to_python_in_the_middle_may_be_kept_there() -> None:
    def told(x: Floats) -> float:
        with objmode():
            KEPT.append(x)
        return 1.0

    inner = kernel(told)

    @kernel
    def outer(x: Floats) -> float:
        return inner(x[1:]) + 1.0

    x = np.arange(4.0)
    assert outer(x) == 2.0
    del x
    gc.collect()
    (kept,) = KEPT
    assert kept.tolist() == [1.0, 2.0, 3.0]
    assert not is_lent(outer)
    KEPT.clear()


def test_what_a_kernel_puts_into_a_list_of_pythons_lives_with_the_list() -> None:
    @kernel
    def put(found: Any, x: Floats) -> int:
        found.append(x[1:])
        return len(found)

    found = typed.List.empty_list(types.float64[::1])
    assert put(found, np.arange(1_000.0)) == 1
    gc.collect()
    other = np.full(1_000, -1.0)  # in the place of the other, had that been freed
    assert found[0].sum() == 499_500.0
    assert other.sum() == -1_000.0
    assert not is_lent(put)


@pytest.mark.parametrize("answer", [lambda x: None, lambda x: x[0], lambda x: (x[0], 1), lambda x: x[0] > 1.0])
def test_an_answer_in_numbers_lets_nothing_out(answer: Callable[[Any], Any]) -> None:
    one = kernel(answer)
    assert one(np.array([2.0])) == answer(np.array([2.0]))
    assert is_lent(one)


def test_a_kernel_that_raises_leaves_the_arrays_with_their_owner() -> None:
    @kernel
    def checked(x: Floats) -> float:
        made = x + 1.0
        if made[0] > 1.0:
            raise ValueError("too much")
        return made[0]

    x = np.ones(3)
    before = sys.getrefcount(x)
    for _ in range(3):
        with pytest.raises(ValueError, match="too much"):
            checked(x)
    assert sys.getrefcount(x) == before
    assert is_lent(checked)


def test_of_an_array_only_its_owner_is_left_out() -> None:
    one = types.float64[::1]
    known = cpu_target.target_context.data_model_manager
    owners = list(lent._owners(known.lookup(types.Tuple((types.int64, one, types.UniTuple(one, 2))))))
    assert owners == [False, *3 * [True, *6 * [False]]]  # parent, items, item size, data, shape, strides


@kernel
def rest_of(x: Floats) -> Floats:
    return x[1:]


def test_memory_that_a_kernel_makes_and_lends_on_is_freed_after_the_last_call_and_not_before() -> None:
    @kernel
    def two_below(x: Floats, y: Floats) -> float:
        return summed(x) + summed(y[::-1][1:])

    @kernel
    def lender(x: Floats, n: int) -> float:
        total = 0.0
        for k in range(n):
            total += two_below(x * k, np.full(3, 1.0 + k))  # held by nothing but the call
            view = rest_of(x + k)  # is answered with: what it is a view of lives on
            other = np.full(x.shape[0], -1.0)
            total += two_below(view, other)
        return total

    x = np.arange(1.0, 5.0)
    lender(x, 1)
    _nrt_python.memsys_enable_stats()
    before = rtsys.get_allocation_stats()
    found = lender(x, 4)
    after = rtsys.get_allocation_stats()
    _nrt_python.memsys_disable_stats()
    assert found == sum((x * k).sum() + 2.0 * (1.0 + k) + (x[1:] + k).sum() - 3.0 for k in range(4))
    assert after.mi_alloc - before.mi_alloc == after.mi_free - before.mi_free >= 16
    assert is_lent(lender)


def test_a_kernel_is_lent_what_another_one_has_made() -> None:
    known: dict[str, Any] = {"kernel": kernel, "np": np}  # not of a file, so it cannot have come from disk
    low = "@kernel\ndef low(x, y): return x[0] + y[-1]\n"
    exec(f"{low}@kernel\ndef high(n): return low(np.ones(n), np.full(2, 2.0))", known)
    exec(f"{low}@kernel\ndef out(n): return low(np.ones(n), np.full(2, 2.0)), np.ones(n)", given := dict(known))
    assert known["high"](3) == 3.0
    assert given["out"](3)[0] == 3.0
    for caller in (known["high"], given["out"]):
        text = str(next(iter(caller.part.overloads.values())).library._final_module)
        (call,) = re.findall(r"call i32 @[^ ]*low[^\n]*", text)
        arrays = re.findall(r"ptr ([^,)]*), ptr ([^,)]*), i64", call)  # who owns it, and Python's own object
        assert [owner for owner, _ in arrays] == ["null", "null"]


def test_who_answers_with_what_it_is_given_is_given_the_owner_too() -> None:
    known: dict[str, Any] = {"kernel": kernel, "np": np}
    exec("@kernel\ndef low(x): return x[1:]\n@kernel\ndef high(n): return low(np.ones(n)).sum()", known)
    assert known["high"](3) == 2.0
    text = str(next(iter(known["high"].part.overloads.values())).library._final_module)
    (call,) = re.findall(r"call i32 @[^ ]*low[^\n]*", text)
    assert re.search(r"ptr %[^,)]*, ptr [^,)]*, i64", call)


def test_nobody_finds_a_kernel_within_another_one_s_library() -> None:
    known: dict[str, Any] = {"kernel": kernel}  # not of a file, so it cannot have come from disk
    exec("@kernel\ndef low(x): return x[0]\n@kernel\ndef high(x): return low(x) + low(x[1:])", known)
    assert known["high"](np.arange(3.0)) == 1.0
    (found,) = known["high"].overloads.values()
    outside = {each.name for each in found.library.get_defined_functions() if each.linkage.name != "internal"}
    assert outside == {found.fndesc.llvm_cpython_wrapper_name}


@pytest.mark.parametrize("loop", [direct_loop, book_loop], ids=["direct", "book"])
def test_the_loops_over_a_market_are_lent_its_arrays(loop: Any) -> None:
    preset = "book" if loop is book_loop else "direct"
    config = {"run": {"name": "t", "end": "2011-12-30"}, "sleeve": [{"name": "t", "strategy": "trend"}]}
    backtest({**config, "integrator": {"preset": preset}}, engine="compiled")
    for called_with in loop.overloads:
        loop.part.compile(called_with)
    for found in loop.part.overloads.values():
        assert lent.can_be_lent(found.library, found.signature.args, found.signature.return_type)
    assert loop.overloads
