"""Who runs the blocks of a sweep: threads, processes, or whatever else hands out futures."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Protocol, TypeAlias

from plimsoll.engine.errors import WorkerError
from plimsoll.engine.garbage import seldom
from plimsoll.engine.market.panel_folder import open_panel
from plimsoll.engine.research.sweep.block import Block, BlockRows, run_block
from plimsoll.engine.research.sweep.compiled_evaluator import evaluator_for
from plimsoll.engine.research.sweep.evaluate import Evaluator

Keep: TypeAlias = Callable[[Block, BlockRows], None]


class Crew(Protocol):
    """Workers that run blocks. `width` : how many blocks to have with them at a time. `lost` : errors of a lost one."""

    width: int
    lost: tuple[type[BaseException], ...]

    def submit(self, block: Block) -> "Future[BlockRows]":
        """Hand a block over; the future's result is its rows."""

    def close(self, *, at_once: bool) -> None:
        """Let the workers go; `at_once` does not wait for what they are at where that can be stopped."""


def run_blocks(
    open_crew: Callable[[], Crew], blocks: Iterable[Block], keep: Keep, last: Callable[[], Block | None] | None = None
) -> None:
    """Run every block once and `keep` its rows as they come, in whatever order; then, by the same workers, `last`.

    When workers are lost, the blocks that were with them are handed out once more.

    Raises
    ------
    WorkerError
        If the same block is lost twice.
    KeyboardInterrupt
        After what was finished by then has been kept.
    """
    left = {block.number: block for block in blocks}
    strikes: dict[int, int] = {}
    final = last
    while left or final is not None:
        crew = open_crew()
        try:
            lost = _drain(crew, left, keep)
            if lost is None and final is not None:
                block, final = final(), None
                left = {} if block is None else {block.number: block}
                lost = _drain(crew, left, keep)
        except BaseException:
            crew.close(at_once=True)
            raise
        crew.close(at_once=lost is not None)
        if lost is None:
            continue
        error, with_them = lost
        for number in with_them or [next(iter(left))]:  # nothing was with them yet: it is the first that kills
            strikes[number] = strikes.get(number, 0) + 1
        if max(strikes.values()) > 1:
            raise WorkerError(
                f"workers were lost twice at the same settings ({type(error).__name__}: {error})",
                where="sweep",
                cause="out of memory, or killed",
                fix="finished settings are kept: run it again with fewer --workers",
            ) from error


def _drain(crew: Crew, left: dict[int, Block], keep: Keep) -> tuple[BaseException, list[int]] | None:
    """Hand out what is left until it is done; return what a loss of workers was and which blocks were with them."""
    waiting = list(left.values())
    running: dict[Future[BlockRows], Block] = {}

    def collect(done: Iterable[Future[BlockRows]]) -> BaseException | None:
        lost = None
        for future in done:
            try:
                rows = future.result()
            except crew.lost as error:
                lost = error
                continue
            block = running.pop(future)
            keep(block, rows)
            del left[block.number]
        return lost

    try:
        while waiting or running:
            lost = None
            while waiting and len(running) < crew.width and lost is None:
                block = waiting.pop(0)
                try:
                    running[crew.submit(block)] = block
                except crew.lost as error:
                    lost = error
            done = wait(running, return_when=FIRST_COMPLETED).done if running else set()
            lost = collect(done) or lost
            if lost is not None:
                collect(future for future in list(running) if future.done())
                return lost, [block.number for block in running.values()]
    except KeyboardInterrupt:
        collect([future for future in running if future.done() and not future.cancelled()])
        raise
    return None


class Threads:
    """Threads of this process: for evaluators that release the interpreter, and for a single worker."""

    lost: tuple[type[BaseException], ...] = ()

    def __init__(self, evaluators: Sequence[Evaluator], workers: int) -> None:
        self.width = 2 * workers
        self._evaluators = evaluators
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="sweep")

    def submit(self, block: Block) -> "Future[BlockRows]":
        """Hand a block over; see `Crew`."""
        return self._pool.submit(run_block, self._evaluators[block.panel], block)

    def close(self, *, at_once: bool) -> None:
        """Let the threads go; a block that is running is always finished."""
        self._pool.shutdown(wait=True, cancel_futures=at_once)


class Processes:
    """Fresh processes of this machine that map the panels from a folder."""

    lost: tuple[type[BaseException], ...] = (BrokenExecutor,)

    def __init__(self, panels: Sequence[Path], workers: int) -> None:
        self.width = 2 * workers
        self._panels = panels
        self._others = set(multiprocessing.active_children())
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)

    def submit(self, block: Block) -> "Future[BlockRows]":
        """Hand a block over; see `Crew`."""
        return self._pool.submit(run_mapped, self._panels[block.panel], block)

    def close(self, *, at_once: bool) -> None:
        """Let the processes go, `at_once` by ending them."""
        if at_once:
            for child in set(multiprocessing.active_children()) - self._others:
                child.terminate()
        self._pool.shutdown(wait=True, cancel_futures=at_once)


# What a worker process has opened so far, by folder: the data are mapped once per process.
_OPENED: dict[Path, Evaluator] = {}


def run_mapped(folder: Path, block: Block) -> BlockRows:
    """Run a block in a worker process on the panel in a folder."""
    if folder not in _OPENED:
        _OPENED[folder] = evaluator_for(open_panel(folder))
    return run_block(_OPENED[folder], block)


def _begin() -> None:
    """Prepare a worker process: an interruption is the parent's to handle, and a worker never outlives it."""
    seldom()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
