"""The other libraries of `scripts/bench --peers` trade as our engine does: the same final equity, or the bench is void.

Each runs as in the bench, in a process of its own that knows nothing of the engine; what is not installed is skipped.
"""

import importlib.util
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.market.panel import Panel

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"


def run(arguments: list[str], **env: str) -> subprocess.CompletedProcess[str]:
    """Run a Python script of the bench."""
    command = [sys.executable, "-W", "ignore", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=os.environ | env)


def rows(peer: str, job: Path) -> list[dict[str, Any]]:
    """What a peer prints for a job."""
    done = run([str(SCRIPTS / "peers" / "run.py"), peer, str(job), "--repeat", "1"])
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def ours(workloads: Any, panel: Panel, work: str) -> np.ndarray:
    """Our engine's equity at every close."""
    if work == "W2":
        cls, config = workloads.KalmanLongFlat, workloads.configured("w2", "workloads:KalmanLongFlat", {}, None)
    else:
        params = {"symbols": list(panel.symbols), "lookback_bars": 60, "rebalance": "21"}
        cls, start = workloads.InverseVol, str(panel.clock.session[64])
        config = workloads.configured("w3", "plimsoll.strategies.inverse_vol:InverseVol", params, start)
    equity: np.ndarray = workloads.run_on_bar(config, panel, cls).broker.rec[:, 0]
    return equity


@pytest.mark.parametrize("work", ["W2", "W3"])
@pytest.mark.parametrize(
    "peer",
    [
        "backtrader", "vectorbt", "bt", "backtesting", "phasor", "raptorbt", "nanobook", "akquant", "nautilus_trader",
    ],
)  # fmt: skip
def test_a_peer_ends_with_the_equity_of_the_engine(
    peer: str, work: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if importlib.util.find_spec(peer) is None:
        pytest.skip(f"{peer} is not installed")
    monkeypatch.syspath_prepend(str(SCRIPTS))
    workloads = importlib.import_module("workloads")
    clock = build_clock(date(2020, 1, 2), date(2021, 3, 31), "1d")
    panel = workloads.random_panel(clock, 1 if work == "W2" else 3, 9, 0.02)
    equity = ours(workloads, panel, work)
    rule = {} if work == "W2" else {"due": panel.clock.session_index % 21 == 0, "lookback": 60}
    np.savez(tmp_path / "job.npz", open=panel.open, close=panel.close, ts=panel.clock.stamp, reference=equity, **rule)
    found = rows(peer, tmp_path / "job.npz")
    assert np.ptp(equity[64:]) > 100_000.0
    if peer == "backtesting" and work == "W3":
        assert [row["note"] for row in found] == ["cannot run this: one asset at a time"]
        return
    exact = [row for row in found if "same semantics" in row["note"]]
    assert exact
    for row in exact:
        assert row["equity"] == pytest.approx(equity[-1], rel=1e-9)
        assert row["equity_gap"] < 1e-9
        assert (row["bars"], row["scaled"]) == (panel.n_bars, False)


@pytest.mark.parametrize("settings", [1, 12], ids=["path", "grid"])
def test_a_job_cut_short_is_compared_where_it_ends(
    settings: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS / "peers"))
    job = importlib.import_module("job")
    price = np.linspace(100.0, 110.0, 500)
    grid = np.column_stack((np.arange(1.0, settings + 1.0), np.ones(settings), np.ones(settings)))
    reference = np.arange(1.0, 501.0) if settings == 1 else np.arange(1.0, settings + 1.0)
    np.savez(tmp_path / "job.npz", open=price, close=price, grid=grid, reference=reference)
    whole = job.read(tmp_path / "job.npz")
    part = whole.part(200 if settings == 1 else 2000)
    assert part.n_bars / whole.n_bars == pytest.approx(0.4 if settings == 1 else 1 / 3)
    if settings == 1:
        assert part.gap(np.array([200.0])) == 0.0
        assert part.gap(np.array([500.0])) == pytest.approx(1.5)
    else:
        np.testing.assert_array_equal(part.grid[:, 0], [1.0, 4.0, 7.0, 10.0])
        assert part.gap(np.array([1.0, 4.0, 7.0, 11.0])) == pytest.approx(0.1)


FAKE = """
import numpy as np
from job import Way

DISTRIBUTION = "numpy"
WAYS = (
    Way(lambda job: len(job.close) // 2, lambda job: lambda: job.close[-1], lambda job: "half"),
    Way(None, lambda job: None, lambda job: "no"),
)
"""


def test_a_way_may_ask_the_job_how_much_of_it_to_run_and_its_package_may_have_another_name(tmp_path: Path) -> None:
    (tmp_path / "fake.py").touch()
    (tmp_path / "peer_fake.py").write_text(FAKE)
    np.savez(tmp_path / "job.npz", open=np.ones(400), close=np.ones(400))
    done = run([str(SCRIPTS / "peers" / "run.py"), "fake", str(tmp_path / "job.npz")], PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    half, none = map(json.loads, done.stdout.splitlines())
    assert (half["bars"], half["scaled"], half["version"], half["note"]) == (200, True, np.__version__, "half")
    assert (none["version"], none["note"]) == (np.__version__, "no")


def test_each_peer_has_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    names = importlib.import_module("peer_rows").PEERS
    assert {f"peer_{name}.py" for name in names} == {file.name for file in (SCRIPTS / "peers").glob("peer_*.py")}


def test_a_library_that_is_not_installed_gives_a_row_that_says_so(tmp_path: Path) -> None:
    np.savez(tmp_path / "job.npz", open=np.ones(9), close=np.ones(9))
    assert rows("no_such_library", tmp_path / "job.npz") == [
        {"work": "job", "peer": "no_such_library", "note": "not installed"}
    ]


def test_an_unknown_peer_is_refused_before_anything_runs() -> None:
    done = run([str(SCRIPTS / "bench.py"), "W1", "--peers", "vectorbt,backtradr"])
    assert (done.returncode, done.stdout) == (2, "")
    assert "no peer 'backtradr'" in done.stderr


def test_a_peer_that_fails_gives_a_row_and_a_bad_exit_code(tmp_path: Path) -> None:
    np.savez(tmp_path / "bad.npz", open=np.ones(9))  # no closes
    done = run([str(SCRIPTS / "bench.py"), str(tmp_path / "bad.npz"), "--peers", "backtrader"])
    row = json.loads(done.stdout)
    assert done.returncode == 1
    assert (row["work"], row["peer"], row["failed"]) == ("bad", "backtrader", True)
    assert "close" in row["note"]
