"""Which loop runs a backtest: bar by bar, or compiled; the results are the same to the bit."""

from collections.abc import Callable
from typing import Final, TypeAlias, get_args

from plimsoll.engine.errors import ConfigError, did_you_mean
from plimsoll.engine.runtime.ahead import run_ahead
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.backtest import Progress, Track
from plimsoll.engine.types import EngineName

ENGINES: Final[tuple[EngineName, ...]] = get_args(EngineName)

Runner: TypeAlias = Callable[[Setup, Progress | None], Track]


def runner(name: str) -> Runner:
    """Return the loop of that name.

    Raises
    ------
    ConfigError
        If there is none.
    """
    if name == "python":
        return run_ahead
    if name == "compiled":
        from plimsoll.engine.runtime.compiled.engine import run_compiled

        return run_compiled
    raise ConfigError(f"no engine {name!r}", where="engine", fix=did_you_mean(name, ENGINES))


def compile_notice(name: str, setup: Setup) -> str:
    """Return what to tell a user who will have to wait for the compiler once, or ""."""
    if name != "compiled":
        return ""
    from plimsoll.engine.runtime.compiled.engine import refusal

    return "" if refusal(setup) else loop_notice(setup.config.integrator.preset)


def loop_notice(preset: str) -> str:
    """Return that a preset's compiled loop will be compiled now; "" if it is on disk already, or there is none."""
    from plimsoll.engine.kernels.jit import is_compiled
    from plimsoll.engine.runtime.compiled.book_loop import book_loop
    from plimsoll.engine.runtime.compiled.direct_loop import direct_loop

    loops: dict[str, tuple[Callable[..., int], int]] = {"direct": (direct_loop, 20), "book": (book_loop, 60)}
    if preset not in loops or is_compiled(loops[preset][0]):
        return ""
    return f"compiling the loop once for this machine, about {loops[preset][1]} s; it is kept on disk"
