"""The same input gives the same bytes: twice in a process, in another process, compiled or interpreted."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from battery.leavings import leavings
from battery.witness import Witness, witness_book, witness_panel

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.report.folder import folder_files
from plimsoll.engine.report.result import record_of
from plimsoll.engine.research.proof.trail import difference, run_trail
from plimsoll.engine.types import Floats
from plimsoll.engine.verbs.backtest import backtest

ROOT = Path(__file__).resolve().parents[1]
N_BARS = 70
# Where time of day is allowed to show.
STAMPED = {"env.json": "created", "log.jsonl": "ts"}


def _python(folder: Path, *arguments: str, **env: str) -> None:
    paths = os.pathsep.join((str(ROOT / "src"), str(ROOT / "tests")))
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _unstamped(path: Path) -> Any:
    """Return what a file holds, without its time stamps."""
    if path.name not in STAMPED:
        return path.read_bytes()
    facts = [json.loads(line) for line in path.read_text().splitlines()] if path.suffix == ".jsonl" else [
        json.loads(path.read_text())
    ]  # fmt: skip
    for fact in facts:
        assert fact.pop(STAMPED[path.name])
    return facts


@cache
def our_leavings() -> dict[str, Floats]:
    return leavings(N_BARS)


def test_two_runs_in_one_process_leave_the_same_bytes() -> None:
    panel = witness_panel(90)
    for preset in ("book", "legacy"):
        config, strategies = witness_book(preset)
        assert difference(run_trail(config, panel, strategies), run_trail(config, panel, strategies), 90) == ""
    config = load_config({"sleeve": [{"name": "s", "strategy": "x:X"}]})
    trails = [run_trail(config, panel, {"s": Witness()}) for _ in range(2)]
    assert difference(*trails, 90) == ""


def test_the_result_does_not_depend_on_what_ran_before() -> None:
    def files() -> dict[str, bytes]:
        result = backtest(ROOT / "config/demo.toml", end="2007-12-31")
        return folder_files(record_of(result), result.metrics)

    first = files()
    backtest(ROOT / "config/demo.toml", end="2008-06-30", sets=["run.seed=7", "sleeve.level61.params.lookback_bars=20"])
    assert files() == first


@pytest.mark.usefixtures("book_loop")
@pytest.mark.parametrize(
    ("config", "span", "more"),
    [
        ("config/demo.toml", ("2007-01-03", "2008-12-31"), set()),
        ("config/book.toml", ("2008-06-02", "2008-12-31"), {"ladder.csv"}),
    ],
    ids=["one strategy", "book"],
)
def test_run_folders_of_two_processes_differ_in_time_stamps_alone(
    config: str, span: tuple[str, str], more: set[str], tmp_path: Path
) -> None:
    surroundings = (
        {"PYTHONHASHSEED": "1", "TZ": "UTC", "OMP_NUM_THREADS": "1", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "OMP_NUM_THREADS": "2", "LC_ALL": "C.UTF-8"},
    )
    for number, env in enumerate(surroundings):
        command = ["backtest", str(ROOT / config), "--from", span[0], "--to", span[1], "--out", str(number), "-q"]
        _python(tmp_path, "-c", f"from plimsoll.engine.cli.main import main; main({command!r})", **env)
    first, second = ({path.name: _unstamped(path) for path in (tmp_path / k).iterdir()} for k in "01")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert more <= first.keys()
    assert len(first) == 17 + len(more)


def test_every_strategy_and_book_leaves_the_same_in_another_process(tmp_path: Path) -> None:
    ours = our_leavings()
    _python(tmp_path, "-m", "battery.leavings", "theirs.npz", str(N_BARS), PYTHONHASHSEED="3", TZ="Asia/Tokyo")
    with np.load(tmp_path / "theirs.npz") as theirs:
        assert set(theirs.files) == set(ours)
        assert [name for name in ours if ours[name].tobytes() != theirs[name].tobytes()] == []


@pytest.mark.slow
def test_compiled_and_interpreted_kernels_agree(tmp_path: Path) -> None:
    """To the last bit but for library functions such as exp, where two correct libraries may differ in it."""
    ours = our_leavings()
    _python(tmp_path, "-W", "ignore", "-m", "battery.leavings", "slow.npz", str(N_BARS), NUMBA_DISABLE_JIT="1")
    with np.load(tmp_path / "slow.npz") as slow:
        assert set(slow.files) == set(ours)
        for name, values in ours.items():
            np.testing.assert_allclose(slow[name], values, rtol=1e-11, atol=1e-15, err_msg=name)
        assert sum(slow[name].tobytes() == ours[name].tobytes() for name in ours) > 0.95 * len(ours)
