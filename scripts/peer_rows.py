"""Run other libraries beside ours in scripts/bench: a fresh process each, inputs handed over in files.

The processes use the interpreter of `PLIMSOLL_PEERS_PYTHON`, else this one. A peer needs numpy, numba and itself there.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench_peers import PEERS as KERNEL_PEERS

HERE = Path(__file__).resolve().parent
PEERS = (
    "vectorbt", "bt", "backtrader", "backtesting", "phasor", "raptorbt", "nanobook", "akquant", "nautilus_trader",
)  # fmt: skip
WORKS = ("W1", "W2", "W3", "W4")
WITHOUT = ("book", "W3-folder", "help", "level61", "kernels")  # nobody else has them, or they bring their own peers


def chosen(names: str) -> list[str]:
    """Return the libraries named in a comma-separated list, all of them for "all".

    Raises
    ------
    ValueError
        One of them is unknown.
    """
    known = [*PEERS, *KERNEL_PEERS]
    if names == "all":
        return known
    for name in (found := names.split(",")):
        if name not in known:
            raise ValueError(f"no peer {name!r}: name some of {','.join(known)}, and workloads before --peers")
    return found


def rows(work: str, names: Sequence[str], repeat: int, full: bool) -> Iterator[dict[str, Any]]:
    """Yield the rows of the chosen libraries for a workload or for an .npz file with open and close.

    Raises
    ------
    ValueError
        There is no such workload or file.
    """
    wanted = [name for name in PEERS if name in names]
    if work in WITHOUT or not wanted:
        return
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(work)
        if path.suffix != ".npz":
            import peer_inputs

            path = Path(scratch) / f"{work}.npz"
            peer_inputs.write(work, path)
        elif not path.is_file():
            raise ValueError(f"no file {work}")
        for name in wanted:
            command = [str(HERE / "peers" / "run.py"), name, str(path), "--repeat", str(repeat)]
            yield from launch(command + ["--full"] * full, work=path.stem, peer=name)


def kernel_rows(work: str, names: Sequence[str], data: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of the chosen libraries for a kernel's input (an array)."""
    import numpy as np

    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "data.npy"
        np.save(path, data)
        for name, jobs in KERNEL_PEERS.items():
            if name in names and work in jobs:
                yield from launch([str(HERE / "bench_peers.py"), name, work, str(path)], work=work, peer=name)


def launch(command: Sequence[str], work: str, peer: str) -> Iterator[dict[str, Any]]:
    """Yield the rows that a peer's process prints; a process that fails gives a row with `failed` true.

    Raises
    ------
    ValueError
        `PLIMSOLL_PEERS_PYTHON` is not an interpreter.
    """
    python = os.environ.get("PLIMSOLL_PEERS_PYTHON", sys.executable)
    try:
        done = subprocess.run([python, "-W", "ignore", *command], check=False, capture_output=True, text=True)
    except OSError as error:
        raise ValueError(f"PLIMSOLL_PEERS_PYTHON = {python} cannot be run: {error.strerror}") from error
    yield from map(json.loads, done.stdout.splitlines())
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        yield {"work": work, "peer": peer, "failed": True, "note": f"exit code {done.returncode}: {last}"}
