"""The examples for systemd and cron say what they should, and every command in them is one that there is."""

import re
import shlex
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from plimsoll.engine.cli.main import app
from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.config.schema import load_config

CONFIG = Path(__file__).resolve().parents[2] / "config"
UNITS = sorted((CONFIG / "systemd").iterdir())
SERVICES = [one for one in UNITS if one.suffix == ".service"]
CRON = CONFIG / "cron.example"
SLOTS = LiveSection().slots


class Many(dict[str, Any]):
    """Keeps every value of a key that stands there twice, as systemd does."""

    def __setitem__(self, key: str, value: Any) -> None:
        if isinstance(value, list) and key in self:
            self[key].extend(value)
        else:
            super().__setitem__(key, value)


def unit(path: Path) -> dict[str, dict[str, list[str]]]:
    """Parse a unit."""
    parser = RawConfigParser(
        dict_type=Many, strict=False, delimiters=("=",), comment_prefixes=("#", ";"), interpolation=None
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text())
    return {name: {key: str(value).split("\n") for key, value in parser[name].items()} for name in parser.sections()}


def cron_lines() -> list[str]:
    """Return the lines of the crontab that run something."""
    lines = [line.strip() for line in CRON.read_text().splitlines()]
    return [line for line in lines if line and not line.startswith("#") and not re.match(r"\w+=", line)]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Yield (where, words) of every command of the program in the examples."""
    for path in SERVICES:
        for line in unit(path)["Service"]["ExecStart"]:
            words = shlex.split(line.replace("%i", "paper").replace("%I", "09:35"))
            assert words[0] == "/opt/plimsoll/bin/plimsoll"
            yield path.name, words[1:]
    for line in cron_lines():
        for found in re.findall(r"plimsoll ([^|;)>]+)", line.split(None, 5)[5]):
            yield CRON.name, shlex.split(found)


def test_units_are_there() -> None:
    names = ["plimsoll-rebalance@.service", "plimsoll-rebalance@.timer", "plimsoll@.service"]
    assert [one.name for one in UNITS] == names


@pytest.mark.parametrize(("where", "words"), list(commands()), ids=lambda value: " ".join(value)[:60])
def test_every_command_is_one_with_real_options(where: str, words: list[str]) -> None:
    program = get_command(app)
    assert isinstance(program, typer.core.TyperGroup)
    command = program.commands.get(words[0])
    assert command is not None, f"{where}: {words[0]}"
    context = command.make_context(words[0], list(words[1:]))
    assert context.params["config"] == Path(words[1])
    assert context.params.get("slot", SLOTS[0]) in SLOTS


def test_a_path_of_the_command_line_is_a_path_of_the_configuration() -> None:
    sets = [words[words.index("--set") + 1] for where, words in commands() if "--set" in words]
    assert len(sets) == len(SERVICES)
    for one in sets:
        expanded = one.replace("${CREDENTIALS_DIRECTORY}", "/run/credentials/plimsoll@paper.service")
        broker = load_config(CONFIG / "paper.toml", sets=[expanded], env={}).broker
        assert broker is not None
        assert broker.keys == Path("/run/credentials/plimsoll@paper.service/keys")


@pytest.mark.parametrize("path", SERVICES, ids=lambda one: one.name)
def test_a_service_may_do_little(path: Path) -> None:
    service = unit(path)["Service"]
    wanted = {
        "NoNewPrivileges": "yes", "ProtectSystem": "strict", "PrivateTmp": "yes", "ProtectHome": "yes",
        "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX", "UMask": "0077", "LimitCORE": "0",
        "CapabilityBoundingSet": "", "User": "plimsoll",
    }  # fmt: skip
    assert {key: service[key] for key in wanted} == {key: [value] for key, value in wanted.items()}
    assert {"MemoryMax", "TasksMax", "ReadWritePaths"} <= set(service)
    assert "MemoryDenyWriteExecute" not in service  # kernels are compiled in the process
    places = service["ReadWritePaths"][0].split()
    env = dict(line.split("=", 1) for line in service["Environment"])
    assert f"{env['XDG_STATE_HOME']}/plimsoll" in places  # where journals lie
    assert env["PLIMSOLL_CACHE_DIR"] in places


@pytest.mark.parametrize("path", SERVICES, ids=lambda one: one.name)
def test_keys_reach_a_service_as_a_credential_and_stand_nowhere(path: Path) -> None:
    service = unit(path)["Service"]
    name, _, source = service["LoadCredential"][0].partition(":")
    assert f"broker.keys=${{CREDENTIALS_DIRECTORY}}/{name}" in service["ExecStart"][0]
    assert source.startswith("/etc/plimsoll/")
    told = " ".join(service["Environment"])
    assert not re.search(r"KEY|SECRET|TOKEN|https?:", told)


def test_the_daemon_is_watched_and_not_started_for_ever() -> None:
    made = unit(CONFIG / "systemd" / "plimsoll@.service")
    service, head = made["Service"], made["Unit"]
    assert (service["Type"], service["Restart"]) == (["notify"], ["on-failure"])
    assert int(service["WatchdogSec"][0]) >= 180  # longer than the longest step without a sign of life
    assert int(head["StartLimitBurst"][0]) * int(service["RestartSec"][0]) < 600
    assert head["StartLimitIntervalSec"] == ["10min"]
    assert made["Install"]["WantedBy"] == ["multi-user.target"]


def test_a_missed_slot_is_never_made_up_for() -> None:
    made = unit(CONFIG / "systemd" / "plimsoll-rebalance@.timer")
    assert "Persistent" not in made["Timer"]
    assert made["Timer"]["OnCalendar"] == ["Mon..Fri *-*-* %I:00 America/New_York"]
    assert "RandomizedDelaySec" not in made["Timer"]
    assert unit(CONFIG / "systemd" / "plimsoll-rebalance@.service")["Service"]["Restart"] == ["no"]


def test_cron_begins_each_slot_at_its_minute_in_new_york() -> None:
    assert "CRON_TZ=America/New_York" in CRON.read_text().splitlines()
    begun = {}
    for line in cron_lines():
        minute, hour, *days, what = line.split(None, 5)
        assert days == ["*", "*", "1-5"]
        assert "%" not in what  # cron takes it for the end of the line
        found = re.search(r"--slot (\S+)", what)
        if found:
            begun[found[1]] = f"{int(hour):02d}:{int(minute):02d}"
    assert begun == {slot: slot for slot in SLOTS}
