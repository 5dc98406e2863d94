"""A kernel that kernels call is a part of theirs; machine code is made once, for what Python calls.

numba makes every function machine code of its own, with all it calls in it and an entry for Python before it, and
then once more within each of its callers: a kernel six calls below a loop is optimised six times over, and the loop
of a book is two minutes of compiling. Here a call from a kernel links the callee's intermediate code, its part, and
the whole is optimised and turned into machine code at the one kernel that Python calls. The operations and their
order are the same, and so are the bits.

It is done with numba's own pieces (its pipeline, its caches, its wrapper for Python), but with some that it does
not publish: `fits` says which numba they were tried with, and with another one compiles the plain way, slower.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import llvmlite.binding as llvm
import numba
from numba.core import compiler
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.codegen import JITCodeLibrary
from numba.core.registry import CPUDispatcher

# The releases of numba whose inner pieces these are.
KNOWN: Final = ("0.68.",)

# How the names of the files of parts begin, beside those of machine code.
PART_FILES: Final = "part-"

# How often Python looks for cycles of garbage while it compiles: numba makes millions of small objects that live.
COLLECTIONS: Final = (50_000, 20, 50)


def fits() -> bool:
    """Return whether the installed numba is one that parts were tried with."""
    return any(numba.__version__.startswith(release) for release in KNOWN)


@contextmanager
def caches_in(folder: Path) -> Iterator[None]:
    """Have the caches that numba makes meanwhile write to `folder`."""
    config: Any = numba.config
    previous = config.CACHE_DIR
    config.CACHE_DIR = str(folder)  # read once, when a cache is made
    try:
        yield
    finally:
        config.CACHE_DIR = previous


@contextmanager
def _few_collections() -> Iterator[None]:
    """Look for garbage less often: a sixth of what compiling costs, for a twentieth more memory."""
    before = gc.get_threshold()
    gc.set_threshold(*COLLECTIONS)
    try:
        yield
    finally:
        gc.set_threshold(*before)


class PartLibrary(JITCodeLibrary):
    """The intermediate code of a kernel and of all it calls, to be linked into its callers: no machine code."""

    def _optimize_functions(self, ll_module: Any) -> None:
        super()._optimize_functions(ll_module)
        with llvm.create_pass_builder(self._codegen._tm, llvm.create_pipeline_tuning_options(0)) as builder:
            passes = llvm.create_new_module_pass_manager()
            passes.add_global_dead_code_eliminate_pass()  # addresses of this process that nothing reads
            passes.run(ll_module, builder)

    def _optimize_final_module(self) -> None:
        """Do nothing: the kernel that Python calls is optimised with its parts in it."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


class _PartCacheImpl(CompileResultCacheImpl):
    """Keeps a part as bitcode, in files of a name of their own beside the machine code."""

    def get_filename_base(self, fullname: str, abiflags: str) -> Any:
        return PART_FILES + super().get_filename_base(fullname, abiflags)

    def reduce(self, cres: Any) -> Any:
        cres.library._ensure_finalized()
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
        return compiler.compile_result(
            target_context=target_context,
            typing_context=target_context.typing_context,
            library=library,
            environment=environment,
            fndesc=fndesc,
            signature=signature,
            objectmode=False,
            lifted=(),
            reload_init=reload_init,
            referenced_envs=inner,
        )


class _PartCache(FunctionCache):
    """Keeps and finds parts."""

    _impl_class = _PartCacheImpl


class Part(CPUDispatcher):
    """What kernels see of a kernel: never called from Python."""

    _compiler: Any
    targetctx: Any

    def __init__(self, py_func: Callable[..., Any], targetoptions: dict[str, Any]) -> None:
        super().__init__(py_func, targetoptions=targetoptions | {"no_cpython_wrapper": True})
        self._compiler._compile_core = self._made

    def enable_caching(self) -> None:
        """Keep parts on disk."""
        self._cache = _PartCache(self.py_func)

    def add_overload(self, cres: Any) -> None:
        """Take in what was compiled for one signature."""
        key = object()  # stands for the function where numba looks up what a call is lowered to
        self.targetctx.insert_user_function(key, cres.fndesc, [cres.library])
        self.overloads[tuple(cres.signature.args)] = cres._replace(entry_point=key)

    def _made(self, args: Any, return_type: Any) -> Any:
        """Compile up to the intermediate code."""
        flags: Any = compiler.Flags()
        self.targetdescr.options.parse_as_flags(flags, self.targetoptions)
        flags.no_compile = True
        return compiler.compile_extra(
            self.typingctx,
            self.targetctx,
            self.py_func,
            args=args,
            return_type=return_type,
            flags=flags,
            locals=self.locals,
            library=PartLibrary(self.targetctx.codegen(), self.py_func.__qualname__),
        )


class _EntryCacheImpl(CompileResultCacheImpl):
    """Keeps the machine code, without the intermediate code: callers link the part, which is kept as such."""

    def reduce(self, cres: Any) -> Any:
        (name, kind, (machine_code, _)), *rest = cres._reduce()
        stub = f'define void @"{cres.fndesc.llvm_cpython_wrapper_name}"() {{ ret void }}'  # a name to look up
        return (name, kind, (machine_code, llvm.parse_assembly(stub).as_bitcode())), *rest


class _EntryCache(FunctionCache):
    """Keeps and finds entries."""

    _impl_class = _EntryCacheImpl


class Kernel(CPUDispatcher):
    """A kernel as Python sees it; kernels that call it are given its part."""

    _compiler: Any
    targetctx: Any
    folder: Path | None = None  # of what is kept on disk

    def __init__(
        self, py_func: Callable[..., Any], types: Any = None, targetoptions: dict[str, Any] | None = None
    ) -> None:  # the arguments are those that numba rebuilds a pickled dispatcher with
        options = (targetoptions or {}) | {"nopython": True, "no_cfunc_wrapper": True}
        super().__init__(py_func, types, options)
        self._compiler._compile_core = self._made

    @cached_property
    def part(self) -> Any:
        """The part; made when it is asked for, as a process that finds its machine code on disk needs none."""
        part = Part(self.py_func, self.targetoptions)
        if self.folder is not None:
            with caches_in(self.folder):
                part.enable_caching()
        return part

    def enable_caching(self) -> None:
        """Keep machine code, and the part, on disk where numba keeps things now."""
        config: Any = numba.config
        self.folder = Path(config.CACHE_DIR)
        self._cache = _EntryCache(self.py_func)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Return numba's template of a call from compiled code."""
        return self.part.get_call_template(args, kws)

    def get_overload(self, sig: Any) -> Any:
        """Return what numba lowers a call from compiled code to."""
        return self.part.get_overload(sig)

    def _made(self, args: Any, _: Any) -> Any:
        """Make machine code of the part and put the entry for Python before it."""
        with _few_collections():
            self.part.compile(args)
        inner: Any = self.part.overloads[args]
        context = self.targetctx.subtarget(enable_nrt=True)  # or an array that is returned is owned by nobody
        library = context.codegen().create_library(inner.library.name)
        library.enable_object_caching()
        library.add_linking_library(inner.library)
        with context.push_code_library(library):
            context.create_cpython_wrapper(library, inner.fndesc, inner.environment, None, release_gil=True)
        entry = context.get_executable(library, inner.fndesc, inner.environment)
        cres = inner._replace(library=library, entry_point=entry, metadata={})
        for environment in cres._find_referenced_environments():
            library.codegen.set_env(environment.env_name, environment)
        return cres
