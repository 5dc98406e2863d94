"""What a person should know gets there once, not too often, and never at the cost of whoever tells it."""

import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from support.hook import TOKEN, Hook, hook
from support.scripted import plain_config

from plimsoll.engine.config.live import AlertsSection
from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.live.alerts import MAX_KNOWN, AlertFile, Alerts, open_alerts
from plimsoll.engine.live.redact import Secrets, known_secrets
from plimsoll.engine.live.webhook import Patience, webhook_url

START = datetime(2026, 3, 2, 14, 35, tzinfo=UTC)
QUICK = Patience(timeout_s=(0.2, 0.2), tries=3, pause_s=0.01)


class Now:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def move(self, minutes: float) -> None:
        self.at += timedelta(minutes=minutes)


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def there() -> Iterator[Hook]:
    with hook() as one:
        yield one


def opened(folder: Path, now: Now, url: str | None = None, patience: Patience = QUICK, **section: Any) -> Alerts:
    """Open the alerts of a book."""
    secret = None if url is None else SecretStr(url)
    secrets = known_secrets({}, None, secret)
    return open_alerts("week", folder, now, AlertsSection(**section), secrets, url=secret, patience=patience)


def lines(folder: Path) -> list[dict[str, Any]]:
    """Return what stands in the file of alerts."""
    return [json.loads(line) for line in (folder / "alerts.jsonl").read_text().splitlines()]


def texts(folder: Path, state: str = "told") -> list[str]:
    return [one["text"] for one in lines(folder) if one["state"] == state]


def refused_port() -> int:
    """Return a port at which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


# ---- once, and not too often


def test_the_same_alert_is_counted_and_the_count_told_with_the_next(tmp_path: Path, now: Now) -> None:
    alerts = opened(tmp_path, now, every_minutes=60)
    for _ in range(5):
        alerts.tell("watch", "no answer")
        now.move(10)
    assert texts(tmp_path) == ["no answer"]
    now.move(11)
    alerts.tell("watch", "no answer")
    assert texts(tmp_path) == ["no answer", "no answer (5 times since 2026-03-02 14:35 UTC)"]
    assert [one["times"] for one in lines(tmp_path)] == [1, 5]


def test_a_count_is_told_when_its_period_is_over_or_the_process_ends(tmp_path: Path, now: Now) -> None:
    alerts = opened(tmp_path, now, every_minutes=60)
    for kind in ("a", "a", "a", "b"):
        alerts.tell(kind, "x")
    alerts.settle()
    assert len(lines(tmp_path)) == 2
    now.move(61)
    alerts.settle()
    alerts.settle()
    assert [one["times"] for one in lines(tmp_path)] == [1, 1, 2]
    alerts.tell("a", "x")  # within the period that began with the count
    assert len(lines(tmp_path)) == 3
    alerts.close()
    assert [one["times"] for one in lines(tmp_path)] == [1, 1, 2, 1]


def test_another_kind_another_text_and_what_became_urgent_are_other_alerts(tmp_path: Path, now: Now) -> None:
    alerts = opened(tmp_path, now)
    for kind, text, urgent in (("a", "x", False), ("b", "x", False), ("a", "y", False), ("a", "x", True)):
        alerts.tell(kind, text, urgent=urgent)
    assert len(lines(tmp_path)) == 4


@pytest.mark.parametrize("back", [-30.0, -60.0 * 24 * 365])
def test_a_clock_that_goes_back_tells_rather_than_keeps_quiet(tmp_path: Path, now: Now, back: float) -> None:
    alerts = opened(tmp_path, now, every_minutes=60)
    alerts.tell("a", "x")
    now.move(back)
    alerts.tell("a", "x")
    assert len(lines(tmp_path)) == 2


def test_so_many_an_hour_go_out_and_one_line_says_how_many_did_not(tmp_path: Path, now: Now, there: Hook) -> None:
    alerts = opened(tmp_path, now, there.url, per_hour=3)
    for k in range(10):
        alerts.tell("slot", f"number {k}")
    now.move(61)
    alerts.settle()
    alerts.settle()
    alerts.tell("slot", "the next hour")
    alerts.close()
    assert there.texts() == [
        "week: slot: number 0", "week: slot: number 1", "week: slot: number 2",
        "week: suppressed: suppressed 7: they are in alerts.jsonl", "week: slot: the next hour",
    ]  # fmt: skip
    assert texts(tmp_path, "suppressed") == [f"number {k}" for k in range(3, 10)]


def test_what_is_suppressed_is_told_at_the_end_at_the_latest(tmp_path: Path, now: Now, there: Hook) -> None:
    alerts = opened(tmp_path, now, there.url, per_hour=1)
    for k in range(4):
        alerts.tell("slot", f"number {k}")
    alerts.close()
    assert there.texts()[1:] == ["week: suppressed: suppressed 3: they are in alerts.jsonl"]


def test_urgent_ones_have_an_hour_of_their_own(tmp_path: Path, now: Now, there: Hook) -> None:
    alerts = opened(tmp_path, now, there.url, per_hour=2)
    for k in range(5):
        alerts.tell("slot", f"number {k}")
    alerts.tell("halted", "a loss", urgent=True)
    alerts.close()
    assert "week: halted: a loss" in there.texts()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.booleans(), st.floats(0, 90)), max_size=40),
    st.booleans(),
)
def test_every_alert_is_in_the_file_as_itself_or_in_a_count(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, str, bool, float]], settled: bool
) -> None:
    folder, now = tmp_path_factory.mktemp("alerts"), Now()
    alerts = opened(folder, now, every_minutes=45)
    for kind, text, urgent, minutes in told:
        alerts.tell(kind, text, urgent=urgent)
        now.move(minutes)
        if settled:
            alerts.settle()
    alerts.close()
    assert alerts.failed == 0
    found = lines(folder) if told else []
    for kind in "ab":
        assert sum(one["times"] for one in found if one["kind"] == kind) == sum(one[0] == kind for one in told)


def test_memory_is_bounded_whatever_is_told_and_nothing_is_lost_by_it(tmp_path: Path, now: Now) -> None:
    alerts = opened(tmp_path, now)
    alerts.tell("slot", "number 0")
    for k in range(2 * MAX_KNOWN):
        alerts.tell("slot", f"number {k}")
    assert len(alerts._known) <= MAX_KNOWN
    alerts.close()
    assert sum(one["times"] for one in lines(tmp_path)) == 2 * MAX_KNOWN + 1


def test_the_file_is_nobody_elses_and_stays_bounded(tmp_path: Path) -> None:
    file = AlertFile(tmp_path, max_bytes=200)
    before = os.umask(0)
    try:
        for k in range(100):
            file.add({"text": f"number {k:03d}"})
    finally:
        os.umask(before)
    files = sorted(tmp_path.iterdir())
    assert [one.name for one in files] == ["alerts.jsonl", *(f"alerts.jsonl.{n}" for n in (1, 2, 3))]
    assert {one.stat().st_mode & 0o777 for one in files} == {0o600}
    kept = [json.loads(line)["text"] for one in reversed(files) for line in one.read_text().splitlines()]
    assert kept == [f"number {k:03d}" for k in range(100 - len(kept), 100)]


# ---- the webhook


def test_a_webhook_gets_json(tmp_path: Path, now: Now, there: Hook) -> None:
    alerts = opened(tmp_path, now, there.url)
    alerts.tell("halted", "the account\nfell", urgent=True)
    alerts.close()
    body = there.got[0]
    assert there.paths == [f"/services/{TOKEN}"]
    assert there.headers[0]["Content-Type"] == "application/json"
    assert (body["book"], body["kind"], body["urgent"], body["times"]) == ("week", "halted", True, 1)
    assert body["text"] == "week: halted: the account fell"
    assert body["at"] == "2026-03-02T14:35:00+00:00"
    assert texts(tmp_path, "undelivered") == []


@pytest.mark.parametrize(
    ("answers", "tries", "why"),
    [
        ([500, 429, 200], 3, None),
        ([503], 3, "HTTP 503"),
        ([404], 1, "HTTP 404"),
        (["hang"], 3, "ReadTimeout"),
        (["redirect"], 1, "HTTP 302"),
    ],
    ids=str,
)
def test_what_does_not_get_through_is_tried_and_written_down(
    tmp_path: Path, now: Now, there: Hook, answers: list[int | str], tries: int, why: str | None
) -> None:
    there.answers = answers
    with hook() as other:
        there.elsewhere = other.url
        alerts = opened(tmp_path, now, there.url)
        began = time.monotonic()
        alerts.tell("halted", "a loss")
        assert time.monotonic() - began < 0.15
        alerts.close(10)
        assert other.got == []
    assert len(there.got) == tries
    assert len({one["id"] for one in there.got}) == 1
    missed = [one["why"] for one in lines(tmp_path) if one["state"] == "undelivered"]
    assert missed == ([] if why is None else [why])
    assert texts(tmp_path) == ["a loss"]


def test_a_webhook_that_is_not_there_costs_nothing_and_is_written_down(tmp_path: Path, now: Now) -> None:
    alerts = opened(tmp_path, now, f"http://127.0.0.1:{refused_port()}/services/{TOKEN}")
    alerts.tell("halted", "a loss")
    alerts.close()
    assert [(one["state"], one.get("why")) for one in lines(tmp_path)] == [
        ("told", None), ("undelivered", "ConnectionError"),
    ]  # fmt: skip


def test_one_that_hangs_holds_up_neither_the_caller_nor_the_end(tmp_path: Path, now: Now, there: Hook) -> None:
    there.answers = ["hang"]
    alerts = opened(tmp_path, now, there.url, Patience((5.0, 5.0), 3, 5.0))
    alerts.tell("slot", "first")
    assert there.reached.wait(5)
    began = time.monotonic()
    for k in range(50):
        alerts.tell("slot", f"number {k}")
    alerts.close(0.05)
    assert time.monotonic() - began < 1.0
    missed = [one for one in lines(tmp_path) if one["state"] == "undelivered"]
    assert missed[0]["why"] == "no answer by the end of the process; it may have arrived"
    assert len(missed) == 20 + 1  # what an hour admits, and the line about the rest
    assert alerts._webhook is not None
    assert alerts._webhook._thread is not None
    there.release.set()  # what was given up is not told a second time when its answer comes after all
    alerts._webhook._thread.join(5)
    assert sum(one["state"] == "undelivered" for one in lines(tmp_path)) == len(missed)
    alerts.tell("slot", "after the end")
    assert lines(tmp_path)[-1]["state"] == "suppressed"


def test_a_queue_that_is_full_gives_way_to_what_is_urgent(tmp_path: Path, now: Now, there: Hook) -> None:
    there.answers = ["hang", 200]
    alerts = opened(tmp_path, now, there.url, Patience((5.0, 5.0), 1, 0.01, room=2), per_hour=100)
    alerts.tell("slot", "under way")
    assert there.reached.wait(5)
    for text in ("one", "two", "three"):
        alerts.tell("slot", text)
    alerts.tell("halted", "a loss", urgent=True)
    missed = {one["text"].split(": ")[-1]: one["why"] for one in lines(tmp_path) if one["state"] == "undelivered"}
    assert missed == {"three": "too many are waiting", "one": "an urgent one took its place"}
    there.release.set()
    alerts.close()
    assert [one.split(": ")[-1] for one in there.texts()] == ["under way", "a loss", "two"]


def test_a_proxy_of_the_environment_never_sees_it(
    tmp_path: Path, now: Now, there: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{refused_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    alerts = opened(tmp_path, now, there.url)
    alerts.tell("halted", "a loss")
    alerts.close()
    assert len(there.got) == 1


@pytest.mark.parametrize("answer", [200, 500, "hang", "refused"])
def test_the_address_is_shown_nowhere(
    tmp_path: Path, now: Now, there: Hook, caplog: pytest.LogCaptureFixture, answer: int | str
) -> None:
    url = f"http://127.0.0.1:{refused_port()}/services/{TOKEN}" if answer == "refused" else there.url
    there.answers = [200 if answer == "refused" else answer]
    with caplog.at_level(logging.INFO):
        alerts = opened(tmp_path, now, url)
        alerts.tell("error", f"cannot reach {url}")
        alerts.close()
    assert b"canarytoken" not in b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert "canarytoken" not in caplog.text + f"{vars(alerts)} {vars(alerts._webhook)}" + json.dumps(there.got)


# ---- nobody fails by it


class Broken:
    """A log, a file and a clock that raise."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def warning(self, event: str | None = None, *args: Any, **facts: Any) -> Any:
        raise self.error

    def __call__(self) -> datetime:
        raise self.error


def test_whatever_breaks_the_others_are_told(tmp_path: Path, there: Hook) -> None:
    broken = Broken(RuntimeError("no"))
    secrets, url = Secrets(), SecretStr(there.url)
    alerts = open_alerts("week", tmp_path / "gone", broken, AlertsSection(), secrets, log=broken, url=url)
    alerts.tell("halted", "a loss", urgent=True)
    alerts.settle()
    alerts.close()
    assert there.texts() == ["week: halted: a loss"]
    assert alerts.failed >= 3  # the clock, the file, the log


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, now: Now, monkeypatch: pytest.MonkeyPatch) -> None:
    alerts = opened(tmp_path, now)
    alerts.tell("slot", "before")
    real = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda handle, data: real(handle, data[:10]))
        alerts.tell("slot", "while")
    alerts.tell("slot", "after")
    assert texts(tmp_path) == ["before", "after"]
    assert alerts.failed == 1


# ---- where it may go


@pytest.mark.parametrize(
    "url",
    ["http://hooks.example/canary", "ftp://127.0.0.1/canary", "canary", "https:///canary", "http://[canary", "",
     "http://127.0.0.1.evil.example/canary", "file:///canary"],
)  # fmt: skip
def test_only_https_and_this_machine_may_be_told_and_the_address_is_not_shown(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        webhook_url(AlertsSection(webhook_env="HOOK"), {"HOOK": url})
    assert "HOOK" in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://hooks.example/canary", "http://localhost:8/canary", "http://[::1]:8/canary"])
def test_a_webhook_is_a_secret(url: str) -> None:
    found = webhook_url(AlertsSection(webhook_env="HOOK"), {"HOOK": f" {url}\n"})
    assert found is not None
    assert found.get_secret_value() == url
    assert "canary" not in repr(found)
    assert webhook_url(AlertsSection(), {"HOOK": url}) is None


def test_an_address_in_the_configuration_is_refused_and_not_repeated() -> None:
    url = "https://hooks.example/services/canary"
    values = plain_config("support.restless:Restless", {}, live={"alerts": {"webhook_env": url}})
    with pytest.raises(ConfigError, match=r"live\.alerts\.webhook_env") as caught:
        load_config(values)
    assert "canary" not in str(caught.value)
