"""`plimsoll exchange` as a process: what it prints, serves, writes and refuses, and how it ends."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

COMMAND = (sys.executable, "-c", "from plimsoll.engine.cli.main import main; main()", "exchange")
ROWS = """date,open,high,low,close,volume,dividend,split
2024-01-02,100,102,99,101,1000,0,1
2024-01-03,101,103,100,102,1000,0,1
"""


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bars").mkdir()
    (tmp_path / "bars" / "AAA.csv").write_text(ROWS)
    return tmp_path / "bars"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_a_folder_until_it_is_interrupted(folder: Path, tmp_path: Path, number: signal.Signals) -> None:
    out = tmp_path / "transcript.jsonl"
    options = ("--data", str(folder), "--json", "--cash", "5000", "--transcript", str(out), "--prices", "open")
    with running(*options) as (process, line):
        told = json.loads(line)
        assert told["now"] == "2024-01-03T09:00:00-05:00"
        headers = {"APCA-API-KEY-ID": told["key_id"], "APCA-API-SECRET-KEY": told["secret_key"]}
        body = {"symbol": "AAA", "qty": 1, "side": "buy", "type": "market", "time_in_force": "day"}
        assert requests.post(f"{told['url']}/v2/orders", json=body, headers=headers, timeout=10).ok
        assert requests.post(f"{told['url']}/_control/clock", json={"to": "open"}, headers=headers, timeout=10).ok
        reply = requests.get(f"{told['url']}/v2/account", headers=headers, timeout=10)
        assert (reply.json()["cash"], reply.headers["X-Ratelimit-Limit"]) == ("4899", "200")
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
        assert (process.returncode, err) == (0, "exchange closed after 3 requests\n")
    rows = [json.loads(row) for row in out.read_text().splitlines()]
    assert [row.get("path") or row["event"] for row in rows] == [
        "/v2/orders", "accepted", "/_control/clock", "fill", "filled", "/v2/account",
    ]  # fmt: skip
    assert told["secret_key"] not in out.read_text()


def test_it_says_where_it_is_and_how_to_reach_it() -> None:
    with running("--source", "sample", "--symbols", "SPY,TLT", "--at", "2024-03-04T15:00") as (process, first):
        assert process.stdout is not None
        lines = [first, *(process.stdout.readline() for _ in range(4))]
        assert lines[0].startswith("url     http://127.0.0.1:")
        assert lines[1] == "clock   2024-03-04 15:00 New York, virtual\n"
        assert lines[2].startswith("APCA_API_KEY_ID=EX")
        assert lines[4] == "Ctrl-C ends it\n"


def test_what_cannot_be_served_is_told_in_one_line(cli: Callable[..., Any], folder: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.jsonl"
    there.write_text("mine")
    for told, options in (
        ("this machine only", ("--host", "0.0.0.0")),
        ("not a time", ("--at", "noon")),
        ("lies before the data", ("--at", "2023-12-29")),
        ("amount of dollars", ("--cash", "-5")),
        ("multiplier", ("--multiplier", "3")),
        ("cannot be set", ("--clock", "real", "--at", "2024-01-03")),
        ("is there already", ("--transcript", str(there))),
        ("unknown data source", ("--source", "samples")),
        ("ZZZ", ("--symbols", "ZZZ")),
    ):
        ran = cli("exchange", "--data", str(folder), *options)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("error: ")
        assert ran.err.count("\n") == 1
        assert told in ran.err
    assert there.read_text() == "mine"
