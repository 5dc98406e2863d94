"""The log of the live half: every line is JSON, and a secret is in no byte of it."""

import base64
import json
import logging
import os
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from structlog.stdlib import BoundLogger
from support.hook import TOKEN, hook

from plimsoll.engine.errors import OutputError
from plimsoll.engine.live.live_log import FILE, NOISY, live_log
from plimsoll.engine.live.redact import HIDDEN, Secrets, known_secrets

KEY, SECRET = "PKCANARYCANARYCANARY", 'canary/of+the"secret\\é='
URL = f"https://hooks.example/services/{TOKEN}?key=anothercanarytoken"
AT = datetime(2026, 3, 2, 14, 35, 0, 123456, tzinfo=UTC)
ENV = {"APCA_API_KEY_ID": KEY, "APCA_API_SECRET_KEY": SECRET, "HOME": "/home/somebody", "MY_HOOK": URL}
# Every spelling of a secret of which no trace may be left, made here by hand.
TRACES = [
    KEY, SECRET, json.dumps(SECRET, ensure_ascii=False)[1:-1], json.dumps(SECRET)[1:-1], repr(SECRET)[1:-1],
    urllib.parse.quote(SECRET, safe=""), urllib.parse.quote(SECRET), base64.b64encode(SECRET.encode()).decode(),
    base64.b64encode(KEY.encode()).decode(), "verysecretcanarytoken", "anothercanarytoken", "T0CANARY",
]  # fmt: skip


def secrets() -> Secrets:
    return known_secrets(ENV, None, SecretStr(URL))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[BoundLogger]:
    with live_log(tmp_path, lambda: AT, secrets(), level=logging.DEBUG) as one:
        yield one


def read(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / FILE).read_text().splitlines()]


def clean(folder: Path) -> bool:
    """Return whether no file of a folder holds any of a secret, in its bytes or in what they say."""
    data = b"".join(one.read_bytes() for one in folder.iterdir())
    said = [text for line in data.decode().splitlines() for text in texts(json.loads(line))]
    return bool(said) and not [one for one in TRACES if one.encode() in data or any(one in text for text in said)]


def texts(value: Any) -> Iterator[str]:
    """Yield every text of a value."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from (name, *texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def test_a_line_is_json_with_time_level_logger_event_and_facts(tmp_path: Path, log: BoundLogger) -> None:
    log.bind(book="week").info("slot", session=date(2026, 3, 2), qty=Decimal("1.50"), n=3, ok=True, odd=float("nan"))
    assert read(tmp_path) == [
        {"at": "2026-03-02T14:35:00.123+00:00", "book": "week", "event": "slot", "level": "info",
         "logger": "plimsoll.live", "n": 3, "odd": "nan", "ok": True, "qty": "1.50", "session": "2026-03-02"},
    ]  # fmt: skip
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_lines_that_somebody_forges_stay_one_line(tmp_path: Path, log: BoundLogger) -> None:
    log.info('x\n{"event": "forged"}', text="a\r\nb\u2028c")
    assert len(read(tmp_path)) == 1


@dataclass
class Client:
    """Shows what it holds, as clients do."""

    key: str = KEY
    secret: str = SECRET


class Unshowable:
    def __repr__(self) -> str:
        raise ValueError(SECRET)


def test_a_canary_is_in_no_byte_whatever_way_it_takes(tmp_path: Path) -> None:
    with live_log(tmp_path, lambda: AT, secrets(), level=logging.DEBUG) as log:
        log_canaries(log)
    assert clean(tmp_path)
    told = read(tmp_path)
    assert len(told) == 11 + len(NOISY) + 3
    assert "RuntimeError" in told[-1]["exception"]
    assert told[2]["headers"] == {"Authorization": HIDDEN, "APCA-API-SECRET-KEY": HIDDEN, "token": HIDDEN}
    assert sum(one["event"] == "a record that cannot be shown" for one in told) == 1


def test_a_handler_that_came_later_sees_no_canary_in_what_is_ours(
    log: BoundLogger, caplog: pytest.LogCaptureFixture
) -> None:
    log.info("objects", client=Client(), env=ENV, odd=Unshowable())
    try:
        raise ValueError(SECRET)
    except ValueError:
        log.exception(f"failed with {KEY}")
    assert "failed with" in caplog.text
    assert not [trace for trace in TRACES if trace in caplog.text + repr([one.__dict__ for one in caplog.records])]


def log_canaries(log: BoundLogger) -> None:
    """Log the secrets in every way there is."""
    bound = structlog.contextvars.bind_contextvars(context=f"{KEY}:{SECRET}")
    foreign = logging.getLogger("somebody.else")
    try:
        log.info(f"connecting with {KEY} and {SECRET}")
        log.info("nested", facts={"a": [{"b": (f"<{SECRET}>", {KEY})}], KEY: 1, "data": SECRET.encode()})
        log.info("named", headers={"Authorization": "Basic short", "APCA-API-SECRET-KEY": "short", "token": 12})
        log.info("objects", client=Client(), env=ENV, url=URL, odd=Unshowable(), hidden=SecretStr(SECRET))
        log.info("spelled", a=json.dumps({"s": SECRET}), b=urllib.parse.quote(SECRET, safe=""), c=repr([SECRET]))
        log.info("unescaped", text=json.dumps([SECRET], ensure_ascii=False))
        log.info("basic", header=base64.b64encode(SECRET.encode()).decode())
        foreign.warning("sent %s with %r", URL, {"k": SECRET})
        foreign.debug("debug %s", KEY, stack_info=True)
        foreign.info("%d", SECRET)  # arguments that do not fit
        foreign.info(ENV)
        for noisy in NOISY:
            logging.getLogger(f"{noisy}.connection").warning("gave up on /services/%s", TOKEN)
        try:
            try:
                local = SECRET  # no traceback shows it
                raise ValueError(f"refused: {local}")
            except ValueError as error:
                raise RuntimeError(f"with {KEY}") from error
        except RuntimeError:
            log.error("failed", exc_info=True)
            log.exception("failed")
            foreign.exception("failed with %s", URL)
    finally:
        structlog.contextvars.reset_contextvars(**bound)


def test_tracebacks_hold_no_locals(tmp_path: Path, log: BoundLogger) -> None:
    def fail(argument: str) -> None:
        raise ValueError(len(argument))

    unknown = "not-known-as-a-secret-" + "x" * 3
    try:
        fail(unknown)
    except ValueError:
        log.exception("failed")
    assert unknown not in (tmp_path / FILE).read_text()
    assert "fail(unknown)" in (tmp_path / FILE).read_text()


def test_what_other_packages_show_at_debug_is_never_written(tmp_path: Path) -> None:
    child = logging.getLogger("urllib3.connectionpool")
    before = child.level
    child.setLevel(logging.DEBUG)  # somebody has set it where a parent's level does not reach
    try:
        with hook() as there, live_log(tmp_path, lambda: AT, Secrets(), level=logging.DEBUG) as log:
            with requests.Session() as session:
                session.trust_env = False
                session.post(there.url, json={}, timeout=5).close()
            log.debug("ours")
        assert there.paths == [f"/services/{TOKEN}"]
    finally:
        child.setLevel(before)
    assert [one["event"] for one in read(tmp_path)] == ["ours"]


def test_standard_error_gets_the_same_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with live_log(tmp_path, lambda: AT, secrets(), stderr=True) as log:
        log.info("told", key=KEY, text=SECRET)
        log.debug("not told")
    err = capsys.readouterr().err
    assert err == (tmp_path / FILE).read_text()
    assert json.loads(err)["text"] == HIDDEN


def test_the_file_is_rotated_and_nobody_elses(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        (tmp_path / FILE).touch(0o644)
        with live_log(tmp_path, lambda: AT, secrets(), max_bytes=2000) as log:
            for k in range(200):
                log.info("slot", k=k, text=SECRET)
    finally:
        os.umask(before)
    files = list(tmp_path.iterdir())
    assert len(files) == 6
    assert {one.stat().st_mode & 0o777 for one in files} == {0o600}
    assert all(one.stat().st_size <= 2000 for one in files)
    assert clean(tmp_path)


def test_nothing_global_stays_changed(tmp_path: Path) -> None:
    root, quiet = logging.getLogger(), logging.getLogger("urllib3")
    before = list(root.handlers), root.level, quiet.level
    with live_log(tmp_path, lambda: AT, secrets(), level=logging.DEBUG):
        assert quiet.level == logging.INFO
        assert not set(root.handlers) & set(before[0])  # they would show what is hidden
    assert (list(root.handlers), root.level, quiet.level) == before
    assert not structlog.is_configured()


def test_a_log_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="cannot be written"), live_log(tmp_path, lambda: AT, secrets()):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_full_disk_later_fails_nobody_and_shows_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> bool:
        raise OSError(28, "No space left on device")

    with live_log(tmp_path, lambda: AT, secrets()) as log:
        monkeypatch.setattr("logging.handlers.RotatingFileHandler.shouldRollover", full)
        log.info("lost", text=SECRET)
        logging.getLogger("else").warning("lost %s", SECRET)
    assert capsys.readouterr().err == "warning: the log cannot be written (OSError): lines are missing from here on\n"


# ---- what is known as secret


def test_secrets_come_from_the_environment_the_keys_file_and_the_webhook(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("# paper\nexport ALPACA_API_KEY='PKFROMFILE'\nALPACA_SECRET_KEY = fromthefile\n")
    env = {"X_TOKEN": "tokencanary", "KEY_DIR": "/etc/keys", "PATH": "/usr/bin", "A_KEY": "tiny"}
    found = known_secrets(env, keys, SecretStr(URL))
    told = found.text(f"PKFROMFILE fromthefile tokencanary /etc/keys /usr/bin tiny {URL}")
    assert told == f"{HIDDEN} {HIDDEN} {HIDDEN} /etc/keys /usr/bin tiny {HIDDEN}"
    assert found.text(f"POST /services/{TOKEN} HTTP/1.1") == f"POST /{HIDDEN} HTTP/1.1"
    assert "tokencanary" not in f"{found!r} {found}"
    assert known_secrets({}, tmp_path / "none").text("as it is") == "as it is"


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=20,
)


@given(plain, st.text('abcdef0123456789"\\/é +', min_size=8, max_size=30).filter(lambda one: len(one.strip()) >= 8))
def test_any_value_becomes_json_and_loses_the_secret(value: Any, secret: str) -> None:
    secret = secret.strip()
    found = Secrets([secret])
    made = json.dumps(found.plain({"a": value, "b": [secret, f"x{secret}y", {secret: 1}], "c": repr(secret)}))
    json.loads(made, parse_constant=lambda _: pytest.fail("neither NaN nor infinity"))
    assert json.loads(made)["b"][:2] == [HIDDEN, f"x{HIDDEN}y"]
    assert json.dumps(secret)[1:-1] not in json.dumps(json.loads(made)["b"])


def test_what_never_ends_is_cut() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert len(json.dumps(Secrets().plain({"a": endless, "b": "x" * 100_000}))) < 30_000
