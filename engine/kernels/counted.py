"""Whom numba counts in a tuple: it takes out everything there is, to find those that say who owns an array.

A tuple of a hundred arrays has a thousand numbers and a hundred owners. What is taken out and not looked at costs no
time in machine code and a twelfth of all compiling. Here the ways to the owners are found first, once for each type in
a kernel, and those are taken out alone.
"""

from typing import Any, TypeAlias

from numba.core import compiler
from numba.core.datamodel import models
from numba.core.runtime.context import NRTContext

# The type of what owns an array, and the fields that lead to it.
Way: TypeAlias = tuple[Any, tuple[int, ...]]


class PartCompiler(compiler.Compiler):
    """Compiles as numba does, and takes out of a tuple only whom it counts."""

    state: Any

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        if self.state.targetctx.enable_nrt:
            owners_alone(self.state.targetctx)


def owners_alone(context: Any) -> Any:
    """Have a compilation's own context take out of a tuple only whom it counts; return it."""
    context.nrt = OwnersAlone(context, enabled=True)
    return context


class OwnersAlone(NRTContext):
    """Writes the calls that count, of the owners in a value."""

    _context: Any

    def __init__(self, context: Any, *, enabled: bool) -> None:
        super().__init__(context, enabled)
        self._ways: dict[Any, tuple[Way, ...] | None] = {}

    def get_meminfos(self, builder: Any, ty: Any, val: Any) -> Any:
        """Return the owners in a value of intermediate code, each with its type."""
        if ty not in self._ways:
            self._ways[ty] = _ways(self._context.data_model_manager[ty])
        ways = self._ways[ty]
        if ways is None:
            return super().get_meminfos(builder, ty, val)
        return [(kind, builder.extract_value(val, way) if way else val) for kind, way in ways]


def _ways(model: Any) -> tuple[Way, ...] | None:
    """Return the ways to the owners in the order of the fields; None where a field may be there or not."""
    if type(model) is models.UniTupleModel:
        inner: tuple[Any, ...] = (model._elem_model,) * model._count
    elif type(model) in (models.TupleModel, models.ArrayModel):
        inner = model._models
    elif model.has_nrt_meminfo():
        return ((model._fe_type, ()),)
    else:
        return None if model.contains_nrt_meminfo() else ()
    ways: list[Way] = []
    for at, each in enumerate(inner):
        found = _ways(each)
        if found is None:
            return None
        ways += [(kind, (at, *way)) for kind, way in found]
    return tuple(ways)
