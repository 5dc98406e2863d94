"""`scripts/chaos` counts, ends with 1 where something was wrong, and says how to see it again."""

import json
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from support import live_sim
from support.crash_matrix import Suite, whole

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "chaos.py"


def chaos(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def script() -> Any:
    spec = spec_from_file_location("chaos", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_sim_counts_the_seeds_it_was_asked_for_whoever_runs_them():
    done = chaos("sim", "--seeds", "14", "--from", "7", "--workers", "2")  # a block for each of them
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert (row["work"], row["seeds"], row["failed"]) == ("sim", 14, [])
    assert min(row["crashes"], row["halts"], row["orders"], row["seeds_per_cpu_s"]) > 0


def test_crash_runs_a_case_by_its_number_and_prints_a_table():
    number = next(at for at, (_, case) in enumerate(whole()) if case.kills == (("answered", 2),))
    done = chaos("crash", "--case", str(number))
    assert done.returncode == 0, done.stderr
    *lines, last = done.stdout.splitlines()
    assert lines[0].split()[:3] == ["runs", "processes", "killed"]
    assert lines[-1].split()[:4] == ["all", "1", "3", "1"]
    assert json.loads(last)["failed"] == []


def test_a_failing_seed_is_named_with_the_command_that_runs_it_again(
    script: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def simulate(seed: int, _: str | None) -> live_sim.Tally:
        if seed == 4:
            raise RuntimeError("gone")
        return live_sim.Tally(wrong=["an order after halt"] if seed == 3 else [])

    monkeypatch.setattr(live_sim, "simulate", simulate)
    with pytest.raises(SystemExit) as ended:
        script.main(["sim", "--seeds", "5"])
    assert ended.value.code == 1
    out = capsys.readouterr().out
    assert "seed 3: an order after halt\n  again: scripts/chaos sim --from 3 --seeds 1\n" in out
    assert "seed 4: RuntimeError: gone\n  again: scripts/chaos sim --from 4 --seeds 1\n" in out
    assert json.loads(out.splitlines()[-1])["failed"] == [3, 4]


def test_a_failing_case_is_named_with_the_command_that_runs_it_again(
    script: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def check(*_: Any) -> None:
        raise RuntimeError("gone")

    monkeypatch.setattr(Suite, "check", check)
    monkeypatch.setattr(script, "_server", lambda: None)
    monkeypatch.setattr(script, "_cpu", lambda: 0.0)
    with pytest.raises(SystemExit) as ended:
        script.main(["crash", "--case", "2"])
    assert ended.value.code == 1
    out = capsys.readouterr().out
    assert "case 2, killed at " in out
    assert "RuntimeError: gone\n  again: scripts/chaos crash --case 2\n" in out
    assert json.loads(out.splitlines()[-1])["failed"] == [2]


@pytest.mark.parametrize(("work", "option"), [("sim", "--seeds"), ("crash", "--case")])
def test_each_explains_itself(work: str, option: str):
    done = chaos(work, "-h")
    assert done.returncode == 0
    assert option in done.stdout
    assert "--workers" in done.stdout


@pytest.mark.parametrize(
    "arguments", [("sim", "--seeds", "0"), ("crash", "--case", "99999"), ("sim", "--workers", "0"), ()]
)
def test_what_makes_no_sense_is_refused(arguments: tuple[str, ...]):
    done = chaos(*arguments)
    assert done.returncode == 2
    assert "error" in done.stderr
