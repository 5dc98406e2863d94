"""Arrays that are lent to a kernel are not counted.

numba counts who holds an array, by atomic operations, whenever a kernel hands one on: half of the time of code that
does little with it. But what Python or another kernel calls a kernel with lives until the call ends. Where nothing of
it can get out of the call, as its answer is numbers, the arrays go in as if nobody owned them, the way numba's own
constants do; and as nobody calls the kernels within one library from elsewhere, the optimiser knows that too.

Who makes memory counts it as before, and lets go of it after the calls it is lent to. No operation on numbers is
touched, so the bits stay.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

from llvmlite import ir
from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.datamodel import models

_NUMBERS: Final = (types.Number, types.Boolean, types.NoneType)
_LENT: Final = (*_NUMBERS, types.Array, types.Omitted)
# How many arguments numba puts before a kernel's own: where to write its answer, and its error.
_TOLD: Final = 2
# What compiled code calls to hand an array to Python, as `objmode` does: it may be kept there.
_HANDS_OUT: Final = "NRT_adapt_ndarray_to_python"


def can_be_lent(library: Any, arguments: Sequence[Any], answer: Any) -> bool:
    """Return whether nothing that a kernel is called with can outlive the call.

    library : of its part. arguments, answer : numba's types.
    """
    if not _is_made_of(_NUMBERS, answer) or not all(_is_made_of(_LENT, one) for one in arguments):
        return False
    return not any(each.name.startswith(_HANDS_OUT) for each in library._final_module.functions)


def _is_made_of(kinds: tuple[Any, ...], kind: Any) -> bool:
    """Return whether a type is one of some kinds, or a tuple of such, named or not, tuples included."""
    inner: Any = kind
    return isinstance(kind, kinds) or (isinstance(kind, types.BaseTuple) and all(_is_made_of(kinds, k) for k in inner))


Lent: TypeAlias = tuple[str, frozenset[int]]


def lent_to(context: Any, callee: str, arguments: Sequence[Any]) -> Lent:
    """Return a kernel's name in intermediate code and which of the values it takes say who owns an array."""
    flat = [one for kind in arguments for one in _owners(context.data_model_manager.lookup(kind))]
    return callee, frozenset(at for at, owner in enumerate(flat) if owner)


def as_nobodys(ir_module: Any, lent: Lent) -> None:
    """Have the calls of a kernel in a module hand arrays on as nobody's."""
    callee, owners = lent
    for call in _calls(ir_module, callee):
        first = len(call.operands) - len(call.args) + _TOLD
        call.operands = [
            ir.Constant(each.type, None) if at - first in owners else each for at, each in enumerate(call.operands)
        ]


class EntryLibrary(JITCodeLibrary):
    """A kernel as Python calls it, with its parts in it.

    wrapper : name of the function that Python calls, the only one that anybody outside looks for. lent : what that
    function lends to the kernel itself.
    """

    wrapper: str = ""
    lent: Lent | None = None

    def add_ir_module(self, ir_module: Any) -> None:
        """Take in the function that Python calls."""
        if self.lent is not None:
            as_nobodys(ir_module, self.lent)
        taken_in: Any = super().add_ir_module
        taken_in(ir_module)

    def _optimize_final_module(self) -> None:
        """Optimise as numba does, knowing that nobody calls what is within from elsewhere.

        What is within takes other arguments then than what another library has by the same name, and the engine goes
        by names: each gets one of its own.
        """
        codegen: Any = self._codegen
        module = self._final_module
        passes, told = codegen._module_pass_manager(
            loop_vectorize=codegen._loopvect, slp_vectorize=False, opt=codegen._opt_level, cost="cheap"
        )
        passes.run(module, told)
        for function in self._within():
            function.linkage = "internal"
        passes, told = codegen._module_pass_manager()
        passes.run(module, told)
        own = hashlib.sha256(self.wrapper.encode()).hexdigest()[:16]
        for function in self._within():
            function.name = f"{function.name}.{own}"

    def _within(self) -> list[Any]:
        """Return the functions that nobody outside looks for."""
        found = self._final_module.functions
        return [each for each in found if not each.is_declaration and each.name != self.wrapper]


def _calls(module: Any, callee: str) -> Iterator[Any]:
    """Yield the calls of a function by its name."""
    for function in module.functions:
        for block in function.blocks:
            for each in block.instructions:
                if isinstance(each, ir.CallInstr) and each.callee.name == callee:
                    yield each


def _owners(model: Any) -> Iterator[bool]:
    """Yield, for each value that an argument is taken apart into, whether it says who owns an array."""
    if isinstance(model, models.ArrayModel):
        for name, inner in zip(model._fields, model._models, strict=True):
            yield from [True] if name == "meminfo" else _owners(inner)
    elif isinstance(model, models.StructModel):
        for inner in model._models:
            yield from _owners(inner)
    elif isinstance(model, models.UniTupleModel):
        for _ in range(model._count):
            yield from _owners(model._elem_model)
    else:
        yield False
