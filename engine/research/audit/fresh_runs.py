"""Reloads: the run again in fresh processes, each on data that end at another session."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.span import first_bars
from plimsoll.engine.research.audit.case import Case, Ran, StandIn
from plimsoll.engine.research.audit.cut_files import cut_config, working_folder, write_panel
from plimsoll.engine.research.audit.finding import Finding
from plimsoll.engine.research.audit.fresh_job import Job, ProcessOutcome, read_outcome
from plimsoll.engine.research.proof.trail import Trail, first_difference
from plimsoll.engine.runtime.backtest import Progress
from plimsoll.engine.runtime.cores import cores
from plimsoll.engine.runtime.needs import needs_of
from plimsoll.engine.types import Ints

NAME: Final = "reloads"
# Reloads under way at a time, at most: each holds the market and a run.
MOST_AT_ONCE: Final = 4
# What of the environment a reload keeps: where things are, and how many threads arithmetic may use.
_KEPT: Final = ("PATH", "HOME", "USERPROFILE", "LANG", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH",
                "LOCALAPPDATA", "XDG_CACHE_HOME", "VIRTUAL_ENV")  # fmt: skip
_KEPT_KINDS: Final = ("LC_", "NUMBA_", "PLIMSOLL_CACHE")
# By how many days the clock of a reload is off.
_DAYS: Final = (30, 3000)


@contextmanager
def reloads(case: Case, reference: Ran, n: int, seed: int) -> Iterator[Callable[[Progress | None], Finding]]:
    """Begin `n` reloads in processes of their own; what is given waits for them and says what was found.

    Each is compared with the reference through its last session. A reload that reads a file which is not cut off,
    connects somewhere or starts a program fails for that alone: what it is told there could hold the future. Whoever
    leaves the block early waits for those under way and begins no further one.

    Raises
    ------
    ConfigError
        If a fresh process could not import a strategy.
    """
    cuts = cut_bars(case, reference, n, seed)
    if not len(cuts):
        why = "no reload was asked for" if n == 0 else "the run is too short to cut"
        yield lambda _: Finding(NAME, None, why)
        return
    importable(case)
    with tempfile.TemporaryDirectory(prefix="plimsoll-audit-") as scratch, pool_of(len(cuts)) as pool:
        jobs = [
            pool.submit(_reload, case, reference, int(t), Path(scratch) / str(k), seed + k) for k, t in enumerate(cuts)
        ]
        try:
            yield lambda progress: _found(jobs, progress)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _found(jobs: Sequence[Future[Finding]], progress: Progress | None) -> Finding:
    """Wait for reloads and return the first that failed, or that none did."""
    what = f"{len(jobs)} fresh processes, data cut off at as many sessions, other clock, hash seed, environment"
    found: list[Finding] = []
    for done, job in enumerate(jobs, start=1):
        found.append(job.result())
        if progress is not None:
            progress(done, len(jobs))
    failed = [one for one in found if one.passed is False]
    if not failed:
        return Finding(NAME, True, what)
    worst = failed[0]
    share = f" ({len(failed)} of {len(found)} reloads failed)"
    return Finding(NAME, False, what, worst.evidence + share, worst.session, worst.stage, worst.symbol)


def pool_of(n: int) -> ThreadPoolExecutor:
    """Return the threads that wait for `n` reloads: one for each core there is, within bounds."""
    return ThreadPoolExecutor(max(min(cores(), MOST_AT_ONCE, n), 1))


def cut_bars(case: Case, reference: Ran, n: int, seed: int) -> Ints:
    """Return at most `n` bars, drawn at random, that end a session with rows; half of them saw an answer.

    Drawn from the first bar traded to the one before the last. Bars before the first real row of a fund with a
    modelled history are left out: the model starts from that row.
    """
    clock, close = reference.setup.panel.clock, case.panel.close
    rows = np.zeros(int(clock.session_index[-1]) + 1, dtype=np.bool_)
    rows[clock.session_index[~np.isnan(close).all(axis=1)]] = True
    eligible = clock.last_bar & rows[clock.session_index]
    real = [np.flatnonzero(~np.isnan(close[:, case.panel.column(s)])) for s in case.config.data.extend_leveraged]
    first = max([reference.setup.first, *(int(at[0]) for at in real if len(at))])
    eligible[:first] = eligible[reference.track.last :] = False
    bars = np.flatnonzero(eligible)
    rng = np.random.default_rng([seed, n])
    answered = np.intersect1d(bars, reference.trail.answered())
    some = rng.choice(answered, min(len(answered), (n + 1) // 2), replace=False)
    others = np.setdiff1d(bars, some)
    rest = rng.choice(others, min(len(others), n - len(some)), replace=False)
    drawn: Ints = np.sort(np.concatenate((some, rest))).astype(np.int64)
    return drawn


def importable(case: Case) -> None:
    """Refuse what a fresh process could not import.

    Raises
    ------
    ConfigError
        Naming the class or function and what to do.
    """
    things: list[object] = [type(strategy) for strategy in case.given.values()]
    for thing in (*things, *([case.stand_in] if case.stand_in is not None else [])):
        module, name = getattr(thing, "__module__", "__main__"), getattr(thing, "__qualname__", "")
        if module == "__main__" or not name.isidentifier() or not hasattr(sys.modules.get(module), name):
            raise ConfigError(
                f"{name or thing!r} cannot be imported by a fresh process",
                where="audit",
                cause=f"it is defined in {module}, not at the top of a module",
                fix="move it to the top of a module of its own, or pass reloads=0 and do without that pass",
            )


def _reload(case: Case, reference: Ran, t: int, root: Path, seed: int) -> Finding:
    """Run one reload through bar t and compare."""
    session = str(reference.setup.panel.clock.session[t])
    outcome = _outcome(case, t, session, root, seed)
    if told := _unfit(case, reference, t, session, outcome):
        return Finding(NAME, False, "", told, session)
    assert isinstance(outcome, ProcessOutcome)
    found = first_difference(reference.trail, Trail(reference.setup, outcome.rows), t)
    if found is None:
        return Finding(NAME, True, "")
    told = f"with data through {session}, {found.text}"
    return Finding(NAME, False, "", told, found.session, found.stage, found.symbol)


def _unfit(case: Case, reference: Ran, t: int, session: str, outcome: ProcessOutcome | str) -> str:
    """Return why a reload cannot be compared with the reference, which is a failure, or ""."""
    if isinstance(outcome, str):
        return f"the reload through {session} died: {outcome}"
    if outcome.noted:
        return f"the strategy {outcome.noted[0]}: what that holds cannot be cut off"
    if outcome.raised:
        return f"with data through {session}, raised {outcome.raised}"
    if outcome.data_hash != first_bars(case.panel, t + 1).data_hash:
        return f"with data through {session}, what is loaded of the past is not the same: later rows restate it"
    lacking = sorted(reference.trail.rows.keys() ^ outcome.rows.keys())
    return f"with data through {session}, only one of the runs has: {lacking[0]}" if lacking else ""


def _outcome(case: Case, t: int, session: str, root: Path, seed: int) -> ProcessOutcome | str:
    """Return how a reload ended, or the last line of one that died."""
    root = root.resolve()
    here = working_folder(root)
    days = int(np.random.default_rng([seed, t]).integers(*_DAYS)) * (1 if seed % 2 else -1)
    needs = needs_of(case.config, case.strategies()) if case.named else None
    job = Job(
        config=cut_config(case.config, session, root, here, needs),
        path=tuple(entry or str(Path.cwd()) for entry in sys.path),
        folder=str(root),
        panel="" if case.named else write_panel(case.panel, t + 1, here),
        stand_in=_spec(case.stand_in),
        days=days,
    )
    job.write(here / "job.json")
    command = [sys.executable, "-m", "plimsoll.engine.research.audit.fresh_process", str(here / "job.json")]
    done = subprocess.run(
        command, cwd=here, env=_environment(seed), capture_output=True, text=True, errors="replace", check=False
    )
    try:
        return read_outcome(root)
    except OSError:
        lines = done.stderr.strip().splitlines()
        return lines[-1] if lines else f"exit code {done.returncode}"


def _environment(seed: int) -> dict[str, str]:
    """Return the little a reload is told by its environment, and where to find the engine."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or name.startswith(_KEPT_KINDS) or name.endswith("_NUM_THREADS")
    }
    home = str(Path(__file__).parents[4])  # the folder that holds `plimsoll`
    return {**kept, "PYTHONPATH": home, "PYTHONHASHSEED": str(1 + seed % 4_000_000_000), "PYTHONDONTWRITEBYTECODE": "1"}


def _spec(stand_in: StandIn | None) -> str:
    return "" if stand_in is None else f"{stand_in.__module__}:{getattr(stand_in, '__qualname__', '')}"
