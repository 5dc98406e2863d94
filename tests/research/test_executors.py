"""Whoever runs a sweep, and whatever happens to them, the tables are the same bytes and nothing is run in vain."""

import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

import pytest
from support.gated import PATIENCE_SECONDS, until
from support.sweeping import EVERY, gated_plan, gated_values, same_bytes, started_command

from plimsoll.engine.config.toml import dump_toml
from plimsoll.engine.errors import OutputError, WorkerError
from plimsoll.engine.research.sweep.block import Block, BlockRows, run_block
from plimsoll.engine.research.sweep.evaluate import PythonEvaluator
from plimsoll.engine.research.sweep.executors import run_blocks
from plimsoll.engine.research.sweep.folder import held_folder
from plimsoll.engine.research.sweep.sweep import Ranking, SettingTrial, Workers, run_sweep

ALONE = Workers("threads", 1)


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    (tmp_path / "gate").mkdir()
    return tmp_path / "gate"


def written(folder: Path) -> dict[str, tuple[int, int]]:
    """Return which file and when for every part."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in (folder / "parts").glob("*.npz")}


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or dead and not yet cleared away by whoever has to."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("how", ["threads", "processes"])
@pytest.mark.parametrize("signal_sent", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_a_sweep_that_is_cut_off_goes_on_where_it_was(
    how: str, signal_sent: signal.Signals, tmp_path: Path, gate: Path
) -> None:
    (tmp_path / "run.toml").write_text(dump_toml(gated_values(tmp_path, gate=str(gate), held=9)))
    arguments = ["sweep", "run.toml", "--grid", f"{EVERY}=1:12:12", "--out", "out", "--executor", how, "--workers", "2"]
    with started_command(tmp_path, *arguments) as process:
        until(lambda: len(written(tmp_path / "out")) == 8 or process.poll() is not None)
        until(lambda: len(list(gate.glob("came-*"))) == (1 if how == "threads" else 2) or process.poll() is not None)
        assert process.poll() is None, process.communicate()[1]
        os.killpg(process.pid, signal_sent) if signal_sent == signal.SIGINT else os.kill(process.pid, signal_sent)
        if how == "threads" and signal_sent == signal.SIGINT:
            _let_finish(process, gate)
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
        _assert_ended(process, err, signal_sent)
        until(lambda: all(has_ended(int(path.name.partition("-")[2])) for path in gate.glob("came-*")))
    kept = written(tmp_path / "out")
    assert 8 <= len(kept) <= 10
    (gate / "open").touch()
    plan = gated_plan(tmp_path, gate=str(gate), held=9)

    def record(trials: Iterator[SettingTrial]) -> None:
        assert len(list(trials)) == 12
        now = written(tmp_path / "out")
        assert len(now) == 12
        assert {name: now[name] for name in kept} == kept

    run_sweep(plan, tmp_path / "out", ALONE, Ranking(), record=record)
    assert len(list(gate.glob(f"ran-*-{os.getpid()}"))) == 12 - len(kept) + 1  # and the first one again
    run_sweep(plan, tmp_path / "whole", ALONE, Ranking())
    assert same_bytes(tmp_path / "out") == same_bytes(tmp_path / "whole")


def _let_finish(process: "subprocess.Popen[str]", gate: Path) -> None:
    """Open the gate for one setting after the other: a thread cannot be stopped, what it is at is finished first.

    One at a time: opened for all, the rest could run before the process has even looked at the signal.
    """
    for every in range(9, 13):
        (gate / f"open-{every}").touch()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=3.0)
            return


def _assert_ended(process: "subprocess.Popen[str]", err: str, signal_sent: signal.Signals) -> None:
    if signal_sent == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
        return
    assert process.returncode == 130
    first, last = err.splitlines()
    assert " of 12 settings are kept; to go on, run the same command with --out out" in first
    assert last == "interrupted"


def test_tables_do_not_depend_on_who_runs_them_and_who_dies_meanwhile(tmp_path: Path, gate: Path) -> None:
    plan = gated_plan(tmp_path, gate=str(gate), broken=4, deadly=7, deaths=1)
    run_sweep(plan, tmp_path / "processes", Workers("processes", 2), Ranking())
    assert len(list(gate.glob("died-*"))) == 1
    run_sweep(plan, tmp_path / "threads", Workers("threads", 3), Ranking())
    run_sweep(plan, tmp_path / "alone", ALONE, Ranking())
    assert same_bytes(tmp_path / "processes") == same_bytes(tmp_path / "alone")
    assert same_bytes(tmp_path / "threads") == same_bytes(tmp_path / "alone")


def test_settings_that_kill_their_worker_twice_end_the_sweep_with_what_is_done_kept(tmp_path: Path, gate: Path) -> None:
    plan = gated_plan(tmp_path, gate=str(gate), deadly=7, deaths=2)
    with pytest.raises(WorkerError, match="lost twice at the same settings"):
        run_sweep(plan, tmp_path / "out", Workers("processes", 1), Ranking())
    assert len(written(tmp_path / "out")) == 6
    run_sweep(plan, tmp_path / "out", ALONE, Ranking())
    run_sweep(plan, tmp_path / "whole", ALONE, Ranking())
    assert same_bytes(tmp_path / "out") == same_bytes(tmp_path / "whole")


def test_nobody_else_writes_into_a_sweeps_folder_meanwhile(tmp_path: Path) -> None:
    plan, folder = gated_plan(tmp_path), tmp_path / "out"
    with held_folder(folder, plan.definition(), force=False):
        with pytest.raises(OutputError, match="another process is sweeping into this folder"):
            run_sweep(plan, folder, ALONE, Ranking())
        with pytest.raises(OutputError, match="another process is sweeping into this folder"):
            run_sweep(plan, folder, ALONE, Ranking(), force=True)
    run_sweep(plan, folder, ALONE, Ranking())


class Impatient:
    """Runs blocks at once; after three of them somebody presses Ctrl-C."""

    width = 2
    lost: tuple[type[BaseException], ...] = ()

    def __init__(self, evaluator: PythonEvaluator) -> None:
        self._evaluator, self._left, self.closed = evaluator, 3, [False]

    def submit(self, block: Block) -> "Future[BlockRows]":
        if self._left == 0:
            raise KeyboardInterrupt
        self._left -= 1
        future: Future[BlockRows] = Future()
        future.set_result(run_block(self._evaluator, block))
        return future

    def close(self, *, at_once: bool) -> None:
        self.closed[0] = at_once


def test_what_was_finished_when_ctrl_c_came_is_kept(tmp_path: Path) -> None:
    plan = gated_plan(tmp_path)
    crew, kept = Impatient(PythonEvaluator(plan.panels[0])), []
    with pytest.raises(KeyboardInterrupt):
        run_blocks(lambda: crew, plan.blocks, lambda block, _: kept.append(block.number))
    assert sorted(kept) == [0, 1, 2]
    assert crew.closed == [True]


def test_workers_that_are_lost_before_they_take_anything_are_reported_the_second_time() -> None:
    class Gone:
        width, lost = 2, (ConnectionError,)

        def submit(self, block: Block) -> "Future[BlockRows]":
            raise ConnectionError("gone")

        def close(self, *, at_once: bool) -> None:
            """Nobody is there."""

    kept: list[object] = []
    with pytest.raises(WorkerError, match="lost twice"):
        run_blocks(Gone, [Block(0, 0, ())], lambda *what: kept.append(what))
    assert kept == []
