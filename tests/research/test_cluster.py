"""A sweep on a real Dask cluster: a scheduler and two workers, each a process of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.gated import PATIENCE_SECONDS, until
from support.sweeping import environment, gated_plan, same_bytes

from plimsoll.engine.errors import WorkerError
from plimsoll.engine.research.sweep.sweep import Ranking, Workers, run_sweep


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """The address of a scheduler with two workers that read no folder of the sweep."""
    pytest.importorskip("distributed")
    facts = tmp_path / "scheduler.json"
    started = [_dask(tmp_path, "scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(facts))]
    try:
        until(lambda: facts.exists() and facts.read_text().endswith("}"))
        address = str(json.loads(facts.read_text())["address"])
        for name in ("first", "second"):
            place = ["--local-directory", str(tmp_path / name)]
            started.append(_dask(tmp_path, "worker", address, "--nthreads", "1", "--no-nanny", "--name", name, *place))
        yield address
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.wait()


def _dask(folder: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments, "--no-dashboard"],
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _both_are_there(address: str) -> None:
    from distributed import Client

    with Client(address, timeout=PATIENCE_SECONDS, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=PATIENCE_SECONDS)


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_loses_nothing_and_repeats_nothing(
    tmp_path: Path, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plimsoll.engine.research.sweep.cluster.CONNECT_SECONDS", PATIENCE_SECONDS)
    _both_are_there(cluster)
    gate = tmp_path / "gate"
    gate.mkdir()
    plan = gated_plan(tmp_path, gate=str(gate), held=5, broken=4)
    killed: list[int] = []

    def kill_one() -> None:
        try:
            until(lambda: len(list(gate.glob("came-*"))) == 2)
            until(lambda: len(list((tmp_path / "out/parts").glob("0*"))) == len(list(gate.glob("ran-*"))))
            killed.append(int(min(path.name for path in gate.glob("came-*")).partition("-")[2]))
            os.kill(killed[0], signal.SIGKILL)
        finally:
            (gate / "open").touch()

    killer = threading.Thread(target=kill_one)
    killer.start()
    steps: list[int] = []
    run_sweep(plan, tmp_path / "out", Workers(cluster=cluster), Ranking(), progress=lambda done, _: steps.append(done))
    killer.join()
    assert steps == list(range(13))  # every block was kept once
    ran = [path.name.split("-") for path in gate.glob("ran-*")]
    assert {int(every) for _, every, _ in ran} == set(range(1, 13))
    # what the lost worker had done the cluster may do again, until it hears that its results were taken over
    by_the_other = [int(every) for _, every, pid in ran if int(pid) not in killed]
    assert len(set(by_the_other)) == len(by_the_other)
    assert set(range(5, 13)) <= set(by_the_other)
    run_sweep(plan, tmp_path / "whole", Workers("threads", 1), Ranking())
    assert same_bytes(tmp_path / "out") == same_bytes(tmp_path / "whole")
    left = [path for name in ("first", "second") for path in (tmp_path / name).rglob("block.npy")]
    assert len(left) == 2  # each worker was sent the data once, and kept its own copy


def test_a_cluster_that_does_not_answer_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("plimsoll.engine.research.sweep.cluster.CONNECT_SECONDS", 1)
    with pytest.raises(WorkerError, match=r"tcp://127\.0\.0\.1:9: no Dask scheduler answers"):
        run_sweep(gated_plan(tmp_path), tmp_path / "out", Workers(cluster="tcp://127.0.0.1:9"), Ranking())
    assert not (tmp_path / "out").exists()


def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(WorkerError, match=r"'distributed' is not installed; pip install 'plimsoll\[cluster\]'"):
        run_sweep(gated_plan(tmp_path), tmp_path / "out", Workers(cluster="tcp://127.0.0.1:9"), Ranking())
