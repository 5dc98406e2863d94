"""A kernel that kernels call is a part of theirs; machine code is made once, for what Python calls.

numba makes every function machine code of its own, with all it calls in it and an entry for Python before it, and
then once more within each of its callers: a kernel six calls below a loop is optimised six times over, and the loop
of a book is two minutes of compiling. Here a call from a kernel links the callee's intermediate code, its part, and
the whole is optimised and turned into machine code at the one kernel that Python calls. The operations and their
order are the same, and so are the bits.

It is done with numba's own pieces (its pipeline, its caches, its wrapper for Python), but with some that it does
not publish: only where `release.fits` knows the installed numba is this file imported.
"""

import copy
import gc
import itertools
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import llvmlite.binding as llvm
from numba.core import compiler, types
from numba.core.bytecode import FunctionIdentity
from numba.core.caching import CompileResultCacheImpl, FunctionCache, NullCache
from numba.core.codegen import JITCodeLibrary, RuntimeLinker
from numba.core.environment import Environment
from numba.core.errors import UnsupportedError
from numba.core.registry import CPUDispatcher
from numba.core.runtime.nrt import rtsys

from plimsoll.engine.garbage import seldom
from plimsoll.engine.kernels.counted import PartCompiler, owners_alone
from plimsoll.engine.kernels.lent import EntryLibrary, Lent, as_nobodys, can_be_lent, lent_to
from plimsoll.engine.kernels.release import PART_FILES, caches_in
from plimsoll.engine.kernels.sources import keep_keys

# How the names begin under which machine code finds what it needs of Python: numba's environments.
ENVIRONMENTS: Final = "_ZN08NumbaEnv"


def _number_anew() -> None:
    """Have numba number functions from where no other process does.

    It counts them from one and names machine code by function and number: two functions of one name, made within a
    function and kept on disk by two processes, would bear one name in a third, which runs the first's code for both.
    """
    FunctionIdentity._unique_ids = itertools.count(secrets.randbits(60))


_number_anew()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_number_anew)


@contextmanager
def _few_collections() -> Iterator[None]:
    """Look for garbage less often: a sixth of what compiling costs, for a twentieth more memory."""
    before = gc.get_threshold()
    seldom()
    try:
        yield
    finally:
        gc.set_threshold(*before)


class PartLibrary(JITCodeLibrary):
    """The intermediate code of a kernel and of all it calls, to be linked into its callers: no machine code.

    lent : what its callers lend to it; None where they hand over what they own.
    """

    lent: Lent | None = None
    _linking_libraries: list[Any]

    def add_ir_module(self, ir_module: Any) -> None:
        """Take in a module, its calls of other parts as they are to be."""
        for library in self._linking_libraries:
            if isinstance(library, PartLibrary) and library.lent is not None:
                as_nobodys(ir_module, library.lent)
        taken_in: Any = super().add_ir_module
        taken_in(ir_module)

    def _optimize_final_module(self) -> None:
        """Do nothing: the kernel that Python calls is optimised with its parts in it."""

    def _finalize_final_module(self) -> None:
        """Give the engine a place for each environment, which numba fills in: machine code of any caller reads it."""
        names = [each.name for each in self._final_module.global_variables]
        if any(name.startswith(RuntimeLinker.PREFIX) for name in names):  # on disk, nobody would know where to
            raise UnsupportedError(f"{self.name} calls a kernel that calls it: only calls of itself are compiled")
        self._finalize_dynamic_globals()
        engine = self._codegen._engine
        new = [name for name in names if name.startswith(ENVIRONMENTS) and not engine.is_symbol_defined(name)]
        if new:
            places = "\n".join(f'@"{name}" = common global ptr null' for name in new)
            self._codegen._add_module(llvm.parse_assembly(f'target triple = "{llvm.get_process_triple()}"\n{places}'))
            engine.finalize_object()
        self._finalized = True

    def get_pointer_to_function(self, _: str) -> int:
        """Return no address: Python does not call a part."""
        self._ensure_finalized()
        return 0


class _Cache(FunctionCache):
    """Keeps what it can: a full disk or a damaged file costs compiling again, and no more.

    numba fills its registries before it looks on disk. Only who compiles needs them, and has them filled anew; a
    process that finds its machine code does without.
    """

    _impl_class: Any
    _load_overload: Callable[[Any, Any], Any]

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        with suppress(Exception):  # what damage does to a pickle nobody can say
            return self._load_overload(sig, target_context)
        try:
            self.flush()
        except OSError:
            self.disable()
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        with suppress(OSError):
            super().save_overload(sig, data)


class _PartCacheImpl(CompileResultCacheImpl):
    """Keeps a part as bitcode, in files of a name of their own beside the machine code."""

    def get_filename_base(self, fullname: str, abiflags: str) -> Any:
        return PART_FILES + super().get_filename_base(fullname, abiflags)

    def check_cachable(self, cres: Any) -> bool:
        """Return whether a part can be kept: a generator's next step is known to this process alone."""
        return not isinstance(cres.signature.return_type, types.Generator) and super().check_cachable(cres)

    def reduce(self, cres: Any) -> Any:
        fndesc = cres.fndesc
        fndesc.typemap = fndesc.calltypes = None  # of no use to a caller, and they cannot be written
        bitcode = cres.library._final_module.as_bitcode()
        inner = tuple(cres._find_referenced_environments())
        return cres.library.name, bitcode, fndesc, cres.environment, cres.signature, cres.reload_init, inner

    def rebuild(self, target_context: Any, payload: Any) -> Any:
        name, bitcode, fndesc, environment, signature, reload_init, inner = payload
        for function in reload_init:
            function()
        library = PartLibrary(target_context.codegen(), name)
        library._final_module = llvm.parse_bitcode(bitcode)
        library._reload_init.update(reload_init)
        library._finalize_final_module()
        library.lent = _lent(target_context, library, fndesc)
        entry = target_context.get_executable(library, fndesc, environment)
        for each in inner:
            library.codegen.set_env(each.env_name, each)
        return compiler.compile_result(
            target_context=target_context,
            typing_context=target_context.typing_context,
            library=library,
            entry_point=entry,
            environment=environment,
            fndesc=fndesc,
            signature=signature,
            objectmode=False,
            lifted=(),
            reload_init=reload_init,
            referenced_envs=inner,
        )


class _PartCache(_Cache):
    """Keeps and finds parts."""

    _impl_class = _PartCacheImpl


def _opened(kind: type[_Cache], py_func: Callable[..., Any], folder: Path) -> Any:
    """Return the cache of a function in `folder`; one that keeps nothing where that cannot be written to."""
    keep_keys()
    with caches_in(folder):
        try:
            return kind(py_func)
        except (OSError, RuntimeError):  # the file of the source is gone, or no locator
            return NullCache()


class Part(CPUDispatcher):
    """What kernels see of a kernel: never called from Python."""

    _compiler: Any
    targetctx: Any

    def __init__(
        self, py_func: Callable[..., Any], of_locals: Any = None, targetoptions: dict[str, Any] | None = None
    ) -> None:  # as in `Kernel`: numba writes the types of a call to disk, and a kernel may be an argument
        super().__init__(py_func, of_locals, (targetoptions or {}) | {"no_cpython_wrapper": True})
        self._compiler._compile_core = self._made

    def keep_in(self, folder: Path) -> None:
        """Keep parts in `folder`."""
        self._cache = _opened(_PartCache, self.py_func, folder)

    def _made(self, args: Any, return_type: Any) -> Any:
        """Compile up to the intermediate code."""
        flags: Any = compiler.Flags()
        self.targetdescr.options.parse_as_flags(flags, self.targetoptions)
        made = compiler.compile_extra(
            self.typingctx,
            self.targetctx,
            self.py_func,
            args=args,
            return_type=return_type,
            flags=flags,
            locals=self.locals,
            library=PartLibrary(self.targetctx.codegen(), self.py_func.__qualname__),
            pipeline_class=PartCompiler,
        )
        if isinstance(made.library, PartLibrary):  # a block of Python in it makes numba take one of its own
            made.library.lent = _lent(self.targetctx, made.library, made.fndesc)
        return made


def _lent(context: Any, library: Any, fndesc: Any) -> Lent | None:
    """Return what the callers of a part in `library` may lend to it."""
    if not can_be_lent(library, fndesc.argtypes, fndesc.restype):
        return None
    return lent_to(context, fndesc.llvm_func_name, fndesc.argtypes)


class _EntryCacheImpl(CompileResultCacheImpl):
    """Keeps the machine code, without the intermediate code: callers link the part, which is kept as such."""

    def reduce(self, cres: Any) -> Any:
        (name, kind, (machine_code, _)), *rest = cres._reduce()
        stub = f'define void @"{cres.fndesc.llvm_cpython_wrapper_name}"() {{ ret void }}'  # a name to look up
        return _outside(cres), (name, kind, (machine_code, llvm.parse_assembly(stub).as_bitcode())), *rest

    def rebuild(self, target_context: Any, payload: Any) -> Any:
        outside, *rest = payload
        rtsys.initialize(target_context)  # what holds the memory of arrays
        engine = target_context.codegen()._engine
        if not all(engine.is_symbol_defined(name) or llvm.address_of_symbol(name) for name in outside):
            target_context.refresh()  # or the process ends when it is linked
        return super().rebuild(target_context, rest)


def _outside(cres: Any) -> tuple[str, ...]:
    """Return the names that machine code takes from the process: of C, of Python, and of what numba brings to both."""
    module: Any = cres.library._final_module
    names = (each.name for each in (*module.functions, *module.global_variables) if each.is_declaration)
    return tuple(sorted(name for name in names if not name.startswith("llvm.")))


class _EntryCache(_Cache):
    """Keeps and finds entries."""

    _impl_class = _EntryCacheImpl


class Kernel(CPUDispatcher):
    """A kernel as Python sees it; kernels that call it are given its part."""

    _compiler: Any
    targetctx: Any
    folder: Path | None = None  # of what is kept on disk

    def __init__(
        self, py_func: Callable[..., Any], of_locals: Any = None, targetoptions: dict[str, Any] | None = None
    ) -> None:  # the arguments are those that numba rebuilds a pickled dispatcher with
        options = (targetoptions or {}) | {"nopython": True, "no_cfunc_wrapper": True}
        super().__init__(py_func, of_locals, options)
        self._compiler._compile_core = self._made

    @cached_property
    def part(self) -> Any:
        """The part; made when it is asked for, as a process that finds its machine code on disk needs none."""
        part = Part(self.py_func, targetoptions=self.targetoptions)
        if self.folder is not None:
            part.keep_in(self.folder)
        return part

    def keep_in(self, folder: Path) -> None:
        """Keep machine code, and the part, in `folder`; who looks there is the first call from Python, and few come."""
        self.folder = folder
        del self.__dict__["_cache"]  # of numba's own making, which keeps nothing

    @cached_property
    def _cache(self) -> Any:
        return NullCache() if self.folder is None else _opened(_EntryCache, self.py_func, self.folder)

    @property
    def _numba_type_(self) -> Any:
        """What compiled code sees of it."""
        return types.Dispatcher(self.part)

    def recompile(self) -> None:
        """Compile everything anew, as after a change of a global value."""
        self.part.recompile()
        super().recompile()

    def _made(self, args: Any, return_type: Any) -> Any:
        """Make machine code of the part and put the entry for Python before it."""
        self.targetctx.refresh()  # nobody has, where the part and all before came from disk
        with _few_collections():
            self.part.compile(args if return_type is None else return_type(*args))
        inner: Any = self.part.overloads[args]
        context = owners_alone(self.targetctx.subtarget(enable_nrt=True))  # or nobody owns an array that is returned
        library = EntryLibrary(context.codegen(), inner.library.name)
        library.enable_object_caching()
        library.add_linking_library(inner.library)
        fndesc = copy.copy(inner.fndesc)
        library.wrapper = fndesc.llvm_cpython_wrapper_name
        library.lent = _lent(context, inner.library, fndesc)
        fndesc.env_name += ".entry"  # its constants are its own: the part's may be on disk already, without them
        environment = Environment.from_fndesc(fndesc)
        with context.push_code_library(library):
            if isinstance(fndesc.restype, types.Generator):
                steps = copy.copy(context.get_generator_desc(fndesc.restype))
                steps.env_name = fndesc.env_name
                context.create_cpython_wrapper(library, steps, environment, None, release_gil=True)
            context.create_cpython_wrapper(library, fndesc, environment, None, release_gil=True)
        entry = context.get_executable(library, fndesc, environment)
        return inner._replace(library=library, entry_point=entry, environment=environment, fndesc=fndesc, metadata={})
