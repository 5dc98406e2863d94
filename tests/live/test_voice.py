"""A daemon tells people: what is routine is logged, the rest is told; its signs of life show in status."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import AbstractContextManager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.hook import TOKEN, hook
from support.live_book import FIRST, Desk, make_desk

from plimsoll.engine.errors import ConfigError, OutputError
from plimsoll.engine.live.daemon import Voice
from plimsoll.engine.live.fence import only_daemon
from plimsoll.engine.live.heartbeat import Beat, read_beat
from plimsoll.engine.live.room import Tenant
from plimsoll.engine.live.voice import LiveVoice, live_voice
from plimsoll.engine.verbs.control import status
from plimsoll.engine.verbs.daemon import daemon
from plimsoll.engine.verbs.live_room import tenant_for

SECRET = "canary-of-the-account"


def tenant_of(desk: Desk) -> Tenant:
    desk.env["APCA_API_SECRET_KEY"] = SECRET
    return tenant_for(desk.values, (), desk.host)


def speaking(tenant: Tenant, desk: Desk, **more: Any) -> AbstractContextManager[LiveVoice]:
    """Open the voice of a desk's book."""
    return live_voice(tenant.config, tenant.folder, desk.env, desk.host.clock, **more)


def alerts(tenant: Tenant) -> list[str]:
    return [json.loads(line)["kind"] for line in (tenant.folder / "alerts.jsonl").read_text().splitlines()]


def events(tenant: Tenant) -> list[str]:
    return [json.loads(line)["event"] for line in (tenant.folder / "log.jsonl").read_text().splitlines()]


def run(desk: Desk, voice: Voice) -> None:
    """Run a daemon for a few turns; time passes at once."""
    turns = 0

    def stop() -> bool:
        nonlocal turns
        turns += 1
        return turns > 300  # a replay alone asks a hundred times

    daemon(desk.values, voice, data=desk.panel, venue=desk.venue, clock=desk.clock, stop=stop, host=desk.host)


def test_a_daemon_logs_what_it_does_alerts_to_nothing_and_ends_by_itself(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    tenant = tenant_of(desk)
    desk.to(FIRST, "09:35")
    lines: list[str] = []
    with speaking(tenant, desk, echo=lines.append) as voice:
        run(desk, voice)
        voice.tell("note", f"with {SECRET}")
        told = status(desk.values, host=desk.host)
        assert told["heartbeat"]["next_slot"] == "2024-11-25T17:00+00:00"
        assert told["healthy"]
    assert events(tenant)[:2] == ["start", "slot"]
    assert lines[0] == "start    slots 09:35, 12:00, 14:00, 15:30"
    assert lines[-1] == "note     with ***"
    assert not (tenant.folder / "alerts.jsonl").exists()
    beat = read_beat(tenant.folder)
    assert isinstance(beat, Beat)
    assert beat.ended
    desk.clock.sleep(timedelta(minutes=5).total_seconds())
    assert status(desk.values, host=desk.host)["healthy"]


def test_a_daemon_that_dies_is_noticed_from_outside_in_two_minutes(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    tenant = tenant_of(desk)
    desk.to(FIRST, "09:36")
    with pytest.raises(ZeroDivisionError), speaking(tenant, desk) as voice:
        die(voice)
    assert status(desk.values, host=desk.host)["healthy"]
    desk.clock.sleep(91)
    told = status(desk.values, host=desk.host)
    assert (told["healthy"], told["heartbeat"]["age_s"], told["heartbeat"]["doing"]) == (False, 91.0, "planned")
    assert (told["heartbeat"]["session"], told["heartbeat"]["slot"]) == ("2024-11-25", "09:35")
    assert alerts(tenant) == ["error"]
    assert "ended by an error" in events(tenant)
    data = b"".join(one.read_bytes() for one in tenant.folder.iterdir() if one.is_file())
    assert SECRET.encode() not in data


def die(voice: Voice) -> None:
    """Die in the middle of a slot, the account's secret on the lips."""
    voice.beat("slot 2024-11-25 09:35", None)
    voice.beat("planned", None)
    raise ZeroDivisionError(SECRET)


def test_a_second_daemon_is_refused_and_does_not_speak_for_the_first(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    tenant = tenant_of(desk)
    with speaking(tenant, desk) as first, only_daemon(tenant.folder, "book 'week'"):
        first.beat("waiting", None)
        before = (tenant.folder / "heartbeat.json").read_bytes()
        with (
            pytest.raises(OutputError, match="a daemon runs for book 'week'"),
            speaking(tenant, desk) as second,
        ):
            run(desk, second)
        assert (tenant.folder / "heartbeat.json").read_bytes() == before


def test_what_is_not_routine_goes_to_the_webhook_and_counts_are_settled_by_the_beat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [0.0]
    monkeypatch.setattr("plimsoll.engine.live.voice.time.monotonic", lambda: seconds[0])
    with hook() as there:
        desk = make_desk(tmp_path, live={"alerts": {"webhook_env": "HOOK", "every_minutes": 10}})
        desk.env["HOOK"] = there.url
        tenant = tenant_of(desk)
        with speaking(tenant, desk) as voice:
            for kind in ("start", "slot", "note", "watch", "watch", "watch"):
                voice.tell(kind, "a text")
            voice.tell("slot", "halted by a loss", urgent=True)
            desk.clock.sleep(601)
            seconds[0] += 31
            voice.beat("waiting", None)
        assert sorted(one["kind"] for one in there.got) == ["slot", "watch", "watch"]
        assert [one["times"] for one in there.got if one["kind"] == "watch"] == [1, 2]


def test_a_webhook_that_may_not_be_told_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    desk = make_desk(tmp_path, live={"alerts": {"webhook_env": "HOOK"}})
    tenant = tenant_of(desk)
    with pytest.raises(ConfigError, match="HOOK: is not set"), speaking(tenant, desk):
        pass
    assert not tenant.folder.exists()


def test_systemd_is_told_by_the_beat(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    tenant = tenant_of(desk)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        env: dict[str, Any] = {**desk.env, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        with live_voice(tenant.config, tenant.folder, env, desk.host.clock) as voice:
            voice.beat("waiting", None)
        told = [systemd.recv(500) for _ in range(5)]
    assert told == [b"READY=1", b"STATUS=waiting", b"WATCHDOG=1", b"STOPPING=1", b"STATUS=ended"]


CONFIG = """\
[run]
name = "emitted"
[data]
source = "sample"
[[sleeve]]
name = "s"
strategy = "buy_and_hold"
[live]
state = "state"
pull = false
[live.alerts]
webhook_env = "HOOK"
"""


def test_the_command_speaks_to_systemd_and_into_its_folder_and_ends_when_told(tmp_path: Path) -> None:
    (tmp_path / "book.toml").write_text(CONFIG)
    (tmp_path / "held.csv").write_text("symbol,qty\nCASH,10000\n")
    program = [sys.executable, "-c", "from plimsoll.engine.cli.main import main; main()"]
    args = [*program, "daemon", "book.toml", "--emit", "out", "--positions", "held.csv"]
    with hook() as there, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(60)
        env = {
            **os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"), "HOOK": there.url, "PLIMSOLL_TRIALS": "off",
            "XDG_STATE_HOME": str(tmp_path / "home"),
        }  # fmt: skip
        with subprocess.Popen(args, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True) as child:
            heard = [systemd.recv(500) for _ in range(3)]
            child.send_signal(signal.SIGTERM)
            out, _ = child.communicate(timeout=60)
        systemd.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                heard.append(systemd.recv(500))
    assert child.returncode == 0
    assert heard[0] == b"READY=1"
    assert heard[2] == b"WATCHDOG=1"
    assert heard[-2:] == [b"STOPPING=1", b"STATUS=ended"]
    assert out.splitlines()[0].startswith("start    slots ")
    assert out.splitlines()[-1] == "stop     told to end"
    beat = read_beat(tmp_path / "state")
    assert isinstance(beat, Beat)
    assert beat.ended
    assert TOKEN not in b"".join(one.read_bytes() for one in (tmp_path / "state").iterdir()).decode("latin-1") + out
