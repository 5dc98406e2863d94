"""Whom numba counts in a value is found without taking the rest of it apart: the same owners, in the same order."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from llvmlite import ir
from numba import typeof, types
from numba.core.registry import cpu_target
from numba.core.runtime.context import NRTContext

from plimsoll.engine.kernels.counted import OwnersAlone
from plimsoll.engine.kernels.jit import kernel


class Two(NamedTuple):
    """A record of two kinds."""

    first: Any
    second: Any


PLAIN = types.Array(types.float64, 1, "C")
SQUARE = types.Array(types.int64, 2, "A")
RECORD = types.NamedTuple((PLAIN, types.float64), Two)
KINDS = {
    "number": types.float64,
    "nothing": types.none,
    "array": PLAIN,
    "array of two dimensions": SQUARE,
    "arrays alike": types.UniTuple(PLAIN, 3),
    "arrays of a record alike": types.NamedUniTuple(SQUARE, 2, Two),
    "arrays among numbers": types.Tuple((types.int64, PLAIN, types.boolean, SQUARE)),
    "record": RECORD,
    "records in records": types.NamedTuple((types.UniTuple(RECORD, 2), types.NamedTuple((SQUARE, RECORD), Two)), Two),
    "no array at all": types.NamedTuple((types.int64, types.UniTuple(types.float64, 2)), Two),
    "array or nothing": types.Optional(PLAIN),
    "array or nothing in a record": types.NamedTuple((types.Optional(PLAIN), SQUARE), Two),
    "list": types.List(types.float64),
    "list in a record": types.NamedTuple((types.List(types.float64), PLAIN), Two),
    "typeof": typeof((Two(1, 2.0), (1, 2))),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_the_same_owners_as_numba_in_the_same_order(kind: Any) -> None:
    context = cpu_target.target_context.subtarget(enable_nrt=True)
    value_type = context.get_value_type(kind)

    def found(counter: Any) -> list[tuple[Any, str]]:
        function = ir.Function(ir.Module(), ir.FunctionType(ir.VoidType(), [value_type]), "f")
        builder = ir.IRBuilder(function.append_basic_block())
        return [(each, way_of(owner)) for each, owner in counter.get_meminfos(builder, kind, function.args[0])]

    assert found(OwnersAlone(context, enabled=True)) == found(NRTContext(context, True))


def way_of(owner: Any) -> str:
    """Return the fields that an owner was taken out by, one step or many, and what else was done to it."""
    if isinstance(owner, ir.ExtractValue):
        return way_of(owner.aggregate) + "".join(f".{at}" for at in owner.indices)
    if isinstance(owner, ir.Instruction):
        return f"{owner.opname}({', '.join(way_of(each) for each in owner.operands)})"
    return "value" if isinstance(owner, ir.Argument) else str(owner)


def test_of_a_record_nothing_but_its_owners_is_taken_out() -> None:
    context = cpu_target.target_context.subtarget(enable_nrt=True)
    kind = KINDS["records in records"]
    function = ir.Function(ir.Module(), ir.FunctionType(ir.VoidType(), [context.get_value_type(kind)]), "f")
    block = function.append_basic_block()
    owners = OwnersAlone(context, enabled=True).get_meminfos(ir.IRBuilder(block), kind, function.args[0])
    assert [each for each, _ in owners] == [types.MemInfoPointer(types.float64)] * 2 + [
        types.MemInfoPointer(types.int64), types.MemInfoPointer(types.float64)
    ]  # fmt: skip
    assert block.instructions == [owner for _, owner in owners]


def test_kernels_are_compiled_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLIMSOLL_CACHE_DIR", str(tmp_path))  # nothing comes from disk
    asked = []
    plain = NRTContext.get_meminfos
    monkeypatch.setattr(
        NRTContext, "get_meminfos", lambda self, *given: [asked.append(given[1]), plain(self, *given)][1]
    )

    def inner(x):  # type: ignore[no-untyped-def]
        return x.first.first[0] + x.second.second[0]

    part = kernel(inner)

    def outer(x):  # type: ignore[no-untyped-def]
        return part(x) + part(Two(x.second, x.first))

    one, two = np.ones(2), np.full(2, 2.0)
    assert kernel(outer)(Two(Two(one, two), Two(two, one))) == 1.0 + 1.0 + 2.0 + 2.0
    assert not [kind for kind in asked if isinstance(kind, types.BaseNamedTuple)]  # numpy's own compile as before
