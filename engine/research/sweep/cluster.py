"""An existing Dask cluster as the workers of a sweep; the only file that imports `distributed`."""

import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any

from plimsoll.engine.errors import WorkerError
from plimsoll.engine.market.panel_folder import open_panel, pack, unpack
from plimsoll.engine.research.sweep.block import Block, BlockRows, run_block
from plimsoll.engine.research.sweep.compiled_evaluator import evaluator_for
from plimsoll.engine.research.sweep.evaluate import Evaluator

CONNECT_SECONDS = 10


class Cluster:
    """The workers of a Dask scheduler. Each gets the panels once, as bytes, keeps a copy of its own and maps it."""

    def __init__(self, address: str, panels: Sequence[Path], names: Sequence[str]) -> None:
        self._client = _connect(address)
        threads = sum(self._client.nthreads().values())
        if threads == 0:
            self._client.close()
            raise WorkerError("the cluster has no worker", where=address, fix="start some: dask worker ADDRESS")
        from distributed import KilledWorker
        from distributed.comm import CommClosedError

        self.width = 2 * threads
        self.lost: tuple[type[BaseException], ...] = (KilledWorker, CommClosedError, CancelledError)
        self._names = names
        self._pool: Any = self._client.get_executor(pure=False)
        self._content: list[Any] = self._client.scatter([pack(panel) for panel in panels], broadcast=True, hash=False)

    def submit(self, block: Block) -> "Future[BlockRows]":
        """Hand a block over; see `Crew`."""
        future: Future[BlockRows] = self._pool.submit(
            run_received, self._names[block.panel], self._content[block.panel], block
        )
        return future

    def close(self, *, at_once: bool) -> None:
        """Leave the cluster as it was: what is still with it is cancelled, what it was sent is forgotten."""
        self._pool.shutdown(wait=not at_once)
        self._client.close()


# What a worker of the cluster has received, by name: its copy on disk, and the evaluator on it; the latest few.
_RECEIVED: dict[str, tuple[tempfile.TemporaryDirectory[str], Evaluator]] = {}
_RECEIVING = threading.Lock()
_KEPT = 8


def run_received(name: str, content: bytes, block: Block) -> BlockRows:
    """Run a block in a worker of the cluster on the panel sent as `content`; `name` tells panels apart."""
    with _RECEIVING:
        if name not in _RECEIVED:
            from distributed import get_worker

            place = tempfile.TemporaryDirectory(prefix="plimsoll-", dir=get_worker().local_directory)
            _RECEIVED[name] = place, evaluator_for(open_panel(unpack(content, Path(place.name))))
            while len(_RECEIVED) > _KEPT:
                _RECEIVED.pop(next(iter(_RECEIVED)))
        evaluator = _RECEIVED[name][1]
    return run_block(evaluator, block)


def _connect(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise WorkerError(
            "the package 'distributed' is not installed", where="--cluster", fix="pip install 'plimsoll[cluster]'"
        ) from None
    try:
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise WorkerError(
            f"no Dask scheduler answers ({type(error).__name__})",
            where=address,
            fix="start one: dask scheduler, or correct --cluster tcp://HOST:PORT",
        ) from None
