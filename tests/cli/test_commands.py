"""What each command prints, writes and returns when all is well, and how it refuses its own arguments."""

import csv
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plimsoll.engine.cli.main import EXIT_BUG, guarded
from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import EngineError
from plimsoll.engine.runtime.resolve import make_strategy, registered

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "metrics.json", "equity.csv", "weights.csv", "targets.csv", "orders.csv", "fills.csv", "sleeves.csv",
    "trades.csv", "pnl_by_symbol.csv", "pnl_by_sleeve.csv",
    "diagnostics.parquet", "trace.parquet", "config.toml", "env.json", "report.html", "log.jsonl",
}  # fmt: skip
HEAVY = ("pandas", "numba", "plotly", "pyarrow", "exchange_calendars", "rich", "jinja2", "sqlite3")


def _python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this interpreter in `folder` with the project importable."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


def test_a_backtest_prints_its_figures_and_writes_the_whole_folder(here: Path, cli: Callable[..., Any]) -> None:
    ran = cli("backtest", "run.toml", "--out", "out")
    assert ran.code == 0
    assert "tried 2015-01-05 to 2015-05-12, 89 sessions" in ran.out
    assert "Traceback" not in ran.err
    # the folder of data holds SPY, and no benchmark is named: it stands beside the run by default
    assert {path.name for path in (here / "out").iterdir()} == FILES | {"beside.csv"}
    assert "by default" in ran.out
    with (here / "out/equity.csv").open() as file:
        rows = list(csv.DictReader(file))
    metrics = json.loads((here / "out/metrics.json").read_text())
    assert len(rows) == 89
    assert float(rows[-1]["equity"]) == pytest.approx(100_000.0 * (1.0 + metrics["total_return"]), rel=1e-12)


def test_the_demo_runs_as_it_is(here: Path, cli: Callable[..., Any]) -> None:
    ran = cli("backtest", ROOT / "config/demo.toml", "--to", "2008-06-30", "--out", "out")
    assert ran.code == 0
    assert "SYNTHETIC" in ran.out
    assert {path.name for path in (here / "out").iterdir()} == FILES | {"beside.csv"}


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.toml")), ids=lambda path: path.stem)
def test_the_configurations_that_ship_are_valid_and_survive_being_written(path: Path) -> None:
    config = load_config(path)
    assert load_config(tomllib.loads(config.toml())).digest == config.digest
    for sleeve in config.sleeve:
        assert make_strategy(sleeve.strategy, sleeve.params, where=sleeve.name).universe


def test_json_is_the_metrics_and_nothing_else(here: Path, cli: Callable[..., Any]) -> None:
    ran = cli("backtest", "run.toml", "--out", "out", "--json")
    assert ran.code == 0
    assert json.loads(ran.out) == json.loads((here / "out/metrics.json").read_text())


def test_quiet_prints_the_folder_alone(cli: Callable[..., Any]) -> None:
    ran = cli("backtest", "run.toml", "--out", "some/where", "-q")
    assert (ran.code, ran.out, ran.err) == (0, "some/where\n", "")


def test_without_out_the_folder_is_named_for_time_run_and_configuration(here: Path, cli: Callable[..., Any]) -> None:
    folders = {cli("backtest", "run.toml", "-q").out.strip() for _ in range(2)}
    assert len(folders) == 2
    digest = load_config(here / "run.toml").digest[:8]
    for folder in folders:
        assert folder.startswith("runs/")
        assert f"-tried-{digest}" in folder
        assert (here / folder / "metrics.json").exists()


def test_the_folder_holds_the_configuration_that_was_in_force(here: Path, cli: Callable[..., Any]) -> None:
    cli("backtest", "run.toml", "--out", "out", "--from", "2015-02-02", "--to", "2015-03-31", "--set", "run.cash=5e5")
    written = (here / "out/config.toml").read_text()
    run = tomllib.loads(written)["run"]
    assert (str(run["start"]), str(run["end"]), run["cash"]) == ("2015-02-02", "2015-03-31", 5e5)
    (here / "again.toml").write_text(written)
    cli("backtest", "again.toml", "--out", "again")
    for name in ("equity.csv", "fills.csv", "metrics.json", "config.toml", "report.html"):
        assert (here / "again" / name).read_bytes() == (here / "out" / name).read_bytes()
    facts = [json.loads((here / folder / "env.json").read_text()) for folder in ("out", "again")]
    assert facts[0]["config_hash"] == facts[1]["config_hash"] == load_config(here / "again.toml").digest
    assert facts[0]["data_hash"] == facts[1]["data_hash"]


def test_the_environment_overrides_the_file(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLIMSOLL__RUN__NAME", "surroundings")
    assert "surroundings 2015-01-05" in cli("backtest", "run.toml", "--out", "out").out


def test_a_folder_with_something_in_it_is_left_alone_without_force(
    here: Path, cli: Callable[..., Any], refused: Callable[..., str]
) -> None:
    (here / "out").mkdir()
    (here / "out/mine.txt").write_text("mine")
    line = refused("backtest", "run.toml", "--out", "out")
    assert line.startswith("out: the folder is not empty")
    assert "--force" in line
    assert cli("backtest", "run.toml", "--out", "out", "--force", "-q").code == 0
    assert (here / "out/mine.txt").read_text() == "mine"
    assert {path.name for path in (here / "out").iterdir()} == FILES | {"beside.csv", "mine.txt"}


def test_a_file_in_the_way_is_told_before_anything_runs(here: Path, refused: Callable[..., str]) -> None:
    assert refused("backtest", "run.toml", "--out", "run.toml").startswith("run.toml: is a file, not a folder")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["backtest", "rnu.toml"], "rnu.toml: no such config file; did you mean 'run.toml'?"),
        (["backtest", "data"], "data: cannot be read: Is a directory"),
        (["backtest", "run.toml", "--set", "run.cash"], "--set 'run.cash' is not of the form a.b=value"),
        (["backtest", "run.toml", "--set", "run.csh=1"], "run.toml: unknown key 'run.csh'; did you mean 'cash'?"),
        (
            ["backtest", "run.toml", "--set", "run.cash=-1"],
            "run.toml: run.cash: input should be greater than 0, got -1",
        ),
        (
            ["backtest", "run.toml", "--set", "excution.fill=x"],
            "run.toml: unknown key 'excution'; did you mean 'execution'?",
        ),
        (
            ["backtest", "run.toml", "--set", "sleeve.s.params.symbls=['SPY']"],
            "sleeve 's' params: unknown key 'symbls'; did you mean 'symbols'?",
        ),
        (["backtest", "bad.toml"], "bad.toml: not valid TOML: "),
        (["strategies", "sixty_fourty"], "strategy: unknown strategy 'sixty_fourty'; did you mean 'sixty_forty'?"),
        (["strategies", "no.such:Thing"], "strategy: cannot import 'no.such'"),
    ],
)
def test_bad_arguments_are_told_in_one_line(
    arguments: list[str], says: str, here: Path, refused: Callable[..., str]
) -> None:
    (here / "bad.toml").write_text("[run\nname = 'x'\n")
    assert refused(*arguments).startswith(says)


@pytest.mark.parametrize(
    "arguments", [["bactest"], ["backtest"], ["backtest", "run.toml", "--frce"], ["init", "a", "b"]]
)
def test_a_command_line_that_makes_no_sense_exits_with_2(arguments: list[str], cli: Callable[..., Any]) -> None:
    ran = cli(*arguments)
    assert ran.code == 2
    assert ran.err.splitlines()[-1].startswith("Error: ")


def test_strategies_are_listed_with_what_they_do(cli: Callable[..., Any]) -> None:
    ran = cli("strategies")
    assert ran.code == 0
    for name in registered():
        assert name in ran.out


def test_one_strategy_is_shown_with_parameters_and_source(cli: Callable[..., Any]) -> None:
    ran = cli("strategies", "regime_risk_parity")
    assert ran.code == 0
    for word in ("Source:", "lookback_bars", "60", ">= 4", "SPY QQQ IWM EFA EEM TLT LQD GLD", "31 bars", "risk_off"):
        assert word in ran.out


def test_a_strategy_is_shown_with_what_it_watches_and_what_it_sizes_itself_to(cli: Callable[..., Any]) -> None:
    lines = cli("strategies", "vol_barbell").out.splitlines()
    assert "watched      QQQ TLT" in lines
    assert "full vol     0.15 a year" in lines
    assert not [
        line for line in cli("strategies", "sixty_forty").out.splitlines() if line.startswith(("watched", "full vol"))
    ]


@pytest.mark.parametrize("name", [None, *registered()])
def test_strategies_as_json_are_json(name: str | None, cli: Callable[..., Any]) -> None:
    facts = json.loads(cli("strategies", *([] if name is None else [name]), "--json").out)
    for one in facts if name is None else [facts]:
        assert make_strategy(one["name"], {}, where="s").universe == tuple(one["universe"])
        assert set(one["parameters"]) == set(make_strategy(one["name"], {}, where="s").params.model_dump())


def test_doctor_finds_everything_in_place(cli: Callable[..., Any]) -> None:
    ran = cli("doctor", "--data", "data")
    assert ran.code == 0, ran.out
    assert "FAIL" not in ran.out
    assert "3 symbols: GLD SPY TLT" in ran.out
    checks = json.loads(cli("doctor", "--json").out)
    assert all(check["ok"] for check in checks)
    assert {"python", "packages", "calendar", "strategies"} <= {check["name"] for check in checks}


def test_doctor_says_what_is_wrong_and_exits_with_1(cli: Callable[..., Any]) -> None:
    ran = cli("doctor", "--data", "nowhere")
    assert ran.code == 1
    assert "FAIL  data folder          nowhere: not a folder of CSV files" in ran.out


def test_doctor_never_prints_a_credential(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APCA_API_KEY_ID", "PKABCDEFGHIJKLMNOPQR")
    monkeypatch.setenv("APCA_API_SECRET_KEY", "s3cr3ts3cr3ts3cr3t")
    out = cli("doctor").out
    assert "ABCDEFGHIJ" not in out
    assert "s3cr3t" not in out


def test_init_writes_a_project_whose_backtests_and_tests_run(here: Path, cli: Callable[..., Any]) -> None:
    ran = cli("init", "first")
    assert ran.code == 0
    assert "cd first && plimsoll backtest my_strategy.toml" in ran.out
    project = here / "first"
    for config in ("my_strategy.toml", "my_kernel_strategy.toml"):
        command = (
            f"from plimsoll.engine.cli.main import main; main(['backtest', '{config}', '--out', '{config}.run', '-q'])"
        )
        done = _python(project, "-c", command)
        assert (done.returncode, done.stdout) == (0, f"{config}.run\n"), done.stderr
        metrics = json.loads((project / f"{config}.run/metrics.json").read_text())
        assert metrics["total_return"] != 0.0
    tested = _python(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_strategy.py")
    assert tested.returncode == 0, tested.stdout
    assert "3 passed" in tested.stdout


def test_init_touches_nothing_that_exists(here: Path, cli: Callable[..., Any], refused: Callable[..., str]) -> None:
    (here / "taken").mkdir()
    (here / "taken/my_strategy.toml").write_text("mine")
    assert refused("init", "taken").startswith("taken/my_strategy.toml: exists already")
    assert [path.name for path in (here / "taken").iterdir()] == ["my_strategy.toml"]
    assert cli("init").code == 0
    assert (here / "my_strategy.py").exists()


def test_the_version_is_that_of_the_package(cli: Callable[..., Any]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert cli("--version").out == f"plimsoll {version}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["backtest", "--help"], ["trials", "--help"], []])
def test_help_imports_nothing_heavy(arguments: list[str], here: Path) -> None:
    code = (
        "import sys\nfrom plimsoll.engine.cli.main import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = _python(here, "-c", code)
    assert "Usage:" in done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "HEAVY []"


@pytest.mark.parametrize("error", [EngineError("books do not balance"), KeyError("x")])
def test_an_error_of_ours_shows_its_traceback_and_exits_with_70(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    def run() -> None:
        raise error

    assert guarded(run, verbose=False) == EXIT_BUG == 70
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith(f"error: {type(error).__name__} inside plimsoll")


def test_a_closed_pipe_is_no_check_that_said_no(here: Path) -> None:
    command = [sys.executable, "-c", "from plimsoll.engine.cli.main import main; main()", "config"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(command, cwd=here, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline().startswith(b"run.name")
        running.stdout.close()
        said = running.stderr.read()
    assert (running.returncode, said) == (141, b"")
