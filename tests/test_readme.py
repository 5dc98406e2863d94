"""README is true: every command and every line of code in it runs."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from plimsoll.engine.cli.main import main

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


# A year of sessions is enough to see that a command does what it says.
A_YEAR = {"PLIMSOLL__RUN__START": "2019-06-03", "PLIMSOLL__RUN__END": "2020-06-30"}


def run(command: list[str], cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **more, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=600)


def shell_lines(*, network: bool = False) -> list[str]:
    """Return the commands; those marked as needing a network only if asked for."""
    found = []
    for line in (line for block in blocks("bash") for line in block.splitlines()):
        command, _, remark = line.partition("#")
        if command.strip() and remark.strip().startswith("network") == network:
            found.append(command.strip())
    return found


def test_every_shell_command_is_of_a_kind_that_is_run_here():
    assert all(re.match(r"(plimsoll |\./scripts/(demo|test)$)", line) for line in shell_lines()), shell_lines()


@pytest.mark.usefixtures("book_loop")
def test_the_plimsoll_commands_run_in_the_order_given(tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "p.csv").write_text("symbol,qty\nCASH,10000\n", encoding="utf-8")  # as the text describes it
    commands = [line for line in shell_lines() if line.startswith("plimsoll ")]
    assert len(commands) >= 7
    for command in commands:
        done = run(command.split(), tmp_path, **A_YEAR)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert done.stdout.strip(), command
    assert (tmp_path / "runs" / "first" / "report.html").stat().st_size > 500_000


def test_a_paper_day_on_this_machine_is_three_commands(tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    exchange, *others = [line for block in blocks("console") for line in block.splitlines()]
    assert [line.split()[:2] for line in others] == [["plimsoll", "doctor"], ["plimsoll", "rebalance"]]
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    command = [*exchange.split(), "--json"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as running:
        try:
            told = json.loads(running.stdout.readline())
            keys = {"APCA_API_KEY_ID": told["key_id"], "APCA_API_SECRET_KEY": told["secret_key"]}
            for line in (*others, others[-1]):
                done = run(line.split(), tmp_path, **keys, XDG_STATE_HOME=str(tmp_path / "state"))
                assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
                assert keys["APCA_API_SECRET_KEY"] not in done.stdout + done.stderr
        finally:
            running.terminate()
    assert "nothing sent now: 2 sent, 2 filled" in done.stdout
    assert not [
        file for file in tmp_path.rglob("*") if file.is_file() and told["secret_key"].encode() in file.read_bytes()
    ]


def test_what_needs_a_network_says_so_in_one_line_where_there_is_none(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    monkeypatch.setenv("PLIMSOLL_CATALOG", str(tmp_path / "catalog"))
    first, *others = shell_lines(network=True)
    assert others, "the path of a new user goes on after the pull"
    done = run(first.split(), tmp_path)
    if done.returncode == 0:
        for command in others:
            assert run(command.split(), tmp_path).returncode == 0, command
    else:
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert "network" in done.stderr


def test_the_commands_named_in_the_text_exist():
    for command in set(re.findall(r"`plimsoll (\w+)", TEXT)):
        with pytest.raises(SystemExit) as left:
            main([command, "--help"])
        assert not left.value.code, command


def test_the_first_strategy_runs_and_prints_a_number(tmp_path):
    (tmp_path / "first.py").write_text(blocks("python")[0], encoding="utf-8")
    done = run([sys.executable, "first.py"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert -3.0 < float(done.stdout) < 3.0


def test_the_demo_ends_with_the_path_of_a_report(tmp_path):
    out = tmp_path / "demo"
    done = run([str(ROOT / "scripts" / "demo"), str(out)], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("report.html")
    assert (out / "report.html").is_file()
    assert "SYNTHETIC" in done.stdout


def test_continuous_integration_runs_the_test_command_of_the_readme():
    assert "./scripts/test" in TEXT
    assert "./scripts/test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_bench_prints_rows_of_both_loops_whose_equity_is_the_floors():
    done = run([sys.executable, "scripts/bench.py", "W1", "--repeat", "1"], ROOT)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["mode"] for row in rows] == ["on_bar", "compiled", "compiled, all rows kept"]
    assert len({row["equity"] for row in rows}) == 1
    for row in rows[:2]:
        assert row["equity_gap"] < 1e-4
        assert {"cpu_s", "wall_s", "rate", "floor_s", "budget_s"} <= set(row)


@pytest.mark.realdata
def test_the_bridge_table_is_what_its_command_prints():
    folder = ROOT.parent / "shared" / "data" / "daily"
    if not folder.is_dir():
        pytest.skip("the private market data are absent")
    done = run([sys.executable, "scripts/level61_bridge.py", str(folder)], ROOT)
    assert done.returncode == 0, done.stderr
    printed = [[float(x) for x in re.findall(r"[-+]?\d+\.\d\d", line)] for line in done.stdout.splitlines()[1:-1]]
    section = TEXT.partition("## Level-61")[2].partition("## Decisions")[0]
    table = [line.split("|")[2:-1] for line in section.splitlines() if re.match(r"\| \S.*\d\.\d\d", line)]
    told = [[float(cell) for cell in row if cell.strip()] for row in table]
    assert len(printed) == len(told) == 8
    for line, row in zip(printed, told, strict=True):
        sharpe_left_out = line[:3] + line[4:]
        assert sharpe_left_out == pytest.approx(row)
    total = printed[-1][0] - printed[0][0]
    assert sum(line[4] for line in printed[1:]) == pytest.approx(total, abs=0.03)


@pytest.mark.realdata
@pytest.mark.usefixtures("book_loop")
def test_rows_of_the_strategy_table_are_what_its_command_prints():
    folder = ROOT.parent / "shared" / "data" / "daily"
    if not folder.is_dir():
        pytest.skip("the private market data are absent")
    done = run(
        [sys.executable, "scripts/strategy_table.py", str(folder), "2026-05-01", "level61", "trend", "book"], ROOT
    )
    assert done.returncode == 0, done.stderr
    rows = done.stdout.splitlines()[2:]
    assert len(rows) == 3
    assert all(row in TEXT for row in rows), rows
