"""The command and the package call the same verbs: what one writes and returns, the other does too."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import plimsoll
from plimsoll.engine.cli.data_app import data_app
from plimsoll.engine.cli.main import app
from plimsoll.engine.errors import InputError
from plimsoll.engine.report.metrics.table import plain
from plimsoll.engine.verbs.host import Host

# The functions of the package behind a command; the exchange is a program of its own.
FUNCTIONS = {
    "strategies": {"describe_strategies", "describe_strategy"},
    "doctor": {"doctor", "doctor_live"},
    "init": {"write_project"},
    "exchange": set(),
    "pull": {"pull_data", "pull_minutes"},
    "report": {"report", "compare"},
    "config": {"describe_config"},
    "check": {"check_data"},
    "show": {"show_data"},
    "diff": {"diff_data"},
    "import": {"import_data"},
    "rebalance": {"rebalance", "emit"},
}
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _files(folder: Path) -> dict[str, bytes]:
    """Return the content of a folder, the log's and the environment's time stamps aside."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    env = {key: value for key, value in json.loads(files["env.json"]).items() if key != "created"}
    log = [{k: v for k, v in json.loads(line).items() if k != "ts"} for line in files["log.jsonl"].splitlines()]
    return {**files, "env.json": json.dumps(env).encode(), "log.jsonl": json.dumps(log).encode()}


def test_every_command_is_a_documented_function_of_the_package() -> None:
    commands = [*app.registered_commands, *data_app.registered_commands]
    names = [one.name or getattr(one.callback, "__name__", "") for one in commands]
    functions = set().union(*(FUNCTIONS.get(name, {name}) for name in names))
    public = {name for name in plimsoll.__all__ if callable(getattr(plimsoll, name)) and name == name.lower()}
    assert functions <= public
    assert public - functions == {"kernel", "load_config", "load_data", "sample_panel"}
    for name in functions:
        assert getattr(plimsoll, name).__module__.startswith("plimsoll.engine.verbs."), name
        assert getattr(plimsoll, name).__doc__, name


def test_what_help_prints_of_a_verb_holds_no_key_of_the_environment() -> None:
    code = (
        "import inspect, plimsoll; "
        "print(*(inspect.signature(getattr(plimsoll, name)) for name in plimsoll.__all__ if name == name.lower()))"
    )
    environment = {**os.environ, "APCA_API_SECRET_KEY": "SEKRET123"}
    printed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "host: " in printed.stdout
    assert "SEKRET123" not in printed.stdout


def test_a_backtest_from_python_writes_the_folder_of_the_command(here: Path, cli: Callable[..., Any]) -> None:
    assert cli("backtest", "run.toml", "--to", "2015-04-30", "--out", "told").code == 0
    host = Host({"PLIMSOLL_TRIALS": "off"}, clock=lambda: MOMENT)
    result = plimsoll.backtest("run.toml", end="2015-04-30", out="called", host=host)
    assert _files(here / "called") == _files(here / "told")
    assert json.loads((here / "called/env.json").read_text())["created"] == "2026-01-02T03:04:05+00:00"
    assert str(result.equity.index[-1].date()) == "2015-04-30"


def test_an_occupied_folder_is_refused_before_anything_is_loaded(here: Path) -> None:
    (here / "full").mkdir()
    (here / "full/file").write_text("")
    for verb in (plimsoll.backtest, plimsoll.audit):
        with pytest.raises(InputError, match="the folder is not empty"):
            verb({"sleeve": [{"name": "s", "strategy": "nobody"}]}, out="full")


def test_a_run_folder_is_explained_and_audited_from_python_too(here: Path, cli: Callable[..., Any]) -> None:
    plimsoll.backtest("run.toml", out="run", trials="off")
    told = json.loads(cli("explain", "run", "--json").out)
    assert [json.loads(json.dumps(asdict(one))) for one in plimsoll.explain("run")] == told
    assert plimsoll.audit("run", reloads=0).verdict == "PASS"
    assert (here / "run/certificate.json").is_file()


def test_what_goes_wrong_beside_the_work_is_told_to_whoever_is_named(here: Path) -> None:
    (here / "file").write_text("")
    told: list[str] = []
    plimsoll.backtest("run.toml", trials=here / "file" / "x", host=Host({}, warning=told.append))
    assert len(told) == 1
    assert told[0].startswith("the run is not in the trial ledger: ")


def test_what_was_tried_is_listed_by_family_and_by_trial(here: Path, cli: Callable[..., Any]) -> None:
    plimsoll.backtest("run.toml", trials=here / "ledger")
    assert [row["family"] for row in plimsoll.trials(folder=here / "ledger")] == ["equal_weight"]
    rows = plimsoll.trials("equal_weight", folder=here / "ledger")
    told = json.loads(cli("trials", "equal_weight", "--trials", "ledger", "--json").out)
    assert plain(rows) == told
    assert told[0]["deflated_sharpe"] is None  # one try: nothing to deflate by; what is not defined is null
    assert plimsoll.trials(folder="off") == []


def test_a_strategy_is_described_alike(cli: Callable[..., Any]) -> None:
    assert plimsoll.describe_strategy("trend") == json.loads(cli("strategies", "trend", "--json").out)
    assert [one["name"] for one in plimsoll.describe_strategies()] == [
        one["name"] for one in json.loads(cli("strategies", "--json").out)
    ]


def test_a_strategy_beside_nothing_installed_is_described_where_its_folder_is_named(
    here: Path, cli: Callable[..., Any]
) -> None:
    (here / "mine").mkdir()
    source = "from plimsoll import Strategy\nclass Mine(Strategy):\n    '''Nothing.'''\n    universe = ('SPY',)\n"
    (here / "mine/beside.py").write_text(source + "    def on_bar(self, ctx):\n        return None\n")
    ran = cli("strategies", "beside:Mine", "--modules", "mine", "--json")
    assert json.loads(ran.out)["universe"] == ["SPY"]
    assert cli("strategies", "beside:Mine").code == 2


def test_the_days_orders_are_planned_alike(here: Path, cli: Callable[..., Any]) -> None:
    (here / "held.csv").write_text("symbol,qty\nCASH,10000\n")
    told = json.loads(cli("plan", "run.toml", "--positions", "held.csv", "--to", "2015-04-30", "--json").out)
    made = plimsoll.plan("run.toml", positions="held.csv", end="2015-04-30")
    assert json.loads(json.dumps(made.plain())).items() <= told.items()
    assert told["orders"]


def test_the_installation_is_checked_alike_in_the_environment_of_the_host(cli: Callable[..., Any]) -> None:
    told = json.loads(cli("doctor", "--json").out)
    called = [asdict(check) for check in plimsoll.doctor()]
    for check in (*told, *called):  # the kernel cache is everybody's, and may grow while the two are asked
        check["detail"] = re.sub(r", [\d.]+ MB$", "", check["detail"])
    assert called == told
    keys = {"ALPACA_API_KEY": "PKAB", "ALPACA_SECRET_KEY": "hidden"}
    found = {check.name: check.detail for check in plimsoll.doctor(host=Host(keys))}
    assert found["credentials"].startswith("ALPACA_API_KEY is set (…AB)")
    assert "hidden" not in str(found)
