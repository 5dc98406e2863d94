"""The installed command in a folder whose own modules have the names of the engine's packages."""

import json
import subprocess
import sysconfig
from pathlib import Path

import pytest
from support.data_folder import write_data

COMMAND = Path(sysconfig.get_path("scripts")) / "plimsoll"
MINE = """\
from strategies.days import EVERY
from plimsoll import Strategy


class Mine(Strategy):
    universe = ("SPY", "TLT")

    def on_bar(self, ctx):
        return ctx.weights({"SPY": 0.5, "TLT": 0.3}) if ctx.bar_index % EVERY == 0 else None
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a package `strategies` of its own, modules named like the engine's, and a configuration."""
    folder = tmp_path / "project"
    for package in ("strategies", "brokers", "config"):
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").write_text("")
    for module in ("engine", "plimsoll", "types", "errors", "rich"):
        (folder / f"{module}.py").write_text(f"raise RuntimeError('{module} of the user')\n")
    (folder / "strategies/mine.py").write_text(MINE)
    (folder / "strategies/days.py").write_text("EVERY = 5\n")
    (folder / "mine.toml").write_text(
        '[run]\nname = "mine"\n[data]\nsource = "csv"\npath = "data"\n'
        '[[sleeve]]\nname = "s"\nstrategy = "strategies.mine:Mine"\n'
    )
    write_data(folder / "data")
    return folder


def command(folder: Path, *arguments: str | Path) -> str:
    """Run the installed command in a folder and return what it prints."""
    done = subprocess.run([str(COMMAND), *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_strategies_of_the_engine_are_found_there(project: Path) -> None:
    assert json.loads(command(project, "strategies", "trend", "--json"))["class"] == "plimsoll.strategies.trend:Trend"
    assert "plimsoll.strategies.trend:Trend" in command(project, "strategies", "trend")


def test_a_package_of_the_working_folder_is_not_taken_for_one_beside_the_configuration(
    project: Path, tmp_path: Path
) -> None:
    beside = tmp_path / "elsewhere"
    beside.mkdir()
    (beside / "mine.toml").write_text((project / "mine.toml").read_text())
    arguments = ("backtest", beside / "mine.toml", "--data", project / "data", "--out", "run")
    done = subprocess.run(
        [str(COMMAND), *map(str, arguments)], cwd=project, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "strategies.mine" in done.stderr
    assert not (project / "run").exists()


def test_one_s_own_package_is_found_from_any_folder_by_fresh_processes_and_from_the_run_folder(
    project: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    config, data = project / "mine.toml", ("--data", project / "data")
    grid = ("--grid", "costs.stress=1,2", "--executor", "processes", "--workers", "2")
    swept = json.loads(command(elsewhere, "sweep", config, *data, *grid, "--out", "sweep", "--json"))
    assert swept["failures"] == []
    command(elsewhere, "audit", config, *data, "--reloads", "1", "--out", "run", "-q")
    assert json.loads((elsewhere / "run/certificate.json").read_text())["verdict"] == "PASS"
    assert "SPY" in command(tmp_path, "explain", "elsewhere/run")
