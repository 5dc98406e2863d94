"""The list of LIVE 6 as far as it concerns what there is without a dashboard and a daemon; what is tested elsewhere:

5  no secret told              test_secrets_live.py; brokers/alpaca/test_alpaca_faults.py::test_no_key_is_in_any_log...
6  strict configuration        config/test_config.py::test_a_file_that_cannot_be_read_is_named_with_the_reason
8  no pickle                   test_architecture.py (HOMES), and here
9  changed source refused      test_reconcile.py::test_strategies_whose_source_changed_under_one_configuration...
10 live keys, live hosts       brokers/alpaca/test_alpaca_faults.py::test_keys_and_addresses_of_live_accounts...
11 proxies, redirects          brokers/alpaca/test_alpaca_faults.py::test_no_redirect_is_followed_and_no_proxy...
12 exact versions              here (without hashes: the same lock installs on every platform)
13 least privilege             test_service_files.py
14 hostile JSON                brokers/alpaca/test_alpaca_garbled.py, and here; hostile text: test_journal.py
15 chain, backup               test_journal.py::test_an_event_that_was_altered_removed_or_moved..., and here
16 test servers                brokers/exchange/test_exchange_server.py::test_no_other_address_is_served,
                               ::test_a_key_of_a_real_account_is_refused
"""

import ast
import os
import re
import stat
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from support.live_case import make_case

import plimsoll
from plimsoll.brokers.alpaca.parse import number
from plimsoll.brokers.alpaca.reply import MAX_BYTES, read_reply
from plimsoll.engine.config.live import BrokerSection
from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.live.fence import alone, on_account
from plimsoll.engine.live.halt_file import sending, write_halt

SOURCES = [
    path
    for root in map(Path, plimsoll.__path__)
    for folder in ("engine", "brokers", "strategies")
    for path in (root / folder).rglob("*.py")
]


ROOT = Path(__file__).resolve().parents[2]
# All five are used in ways that a new version may change without a word.
TOUCHY = ("alpaca-py", "websockets", "yfinance", "curl_cffi", "pandas")


def test_every_package_is_installed_in_one_exact_version() -> None:
    pins: dict[str, str] = {}
    for name in ("requirements.lock", "requirements-dev.lock"):
        lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]
        found = [re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.+!]+)", line) for line in lines]
        assert None not in found, [line for line, one in zip(lines, found, strict=True) if one is None]
        pins |= {one[1]: one[2] for one in found if one is not None}
    for package in TOUCHY:
        assert version(package) == pins[package], package


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Make files as readable as a careless machine does."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_what_is_written_beside_the_journal_is_for_its_owner_alone(place: Path) -> None:
    case = make_case(place)
    case.decide(AAA=10)
    with alone(case.folder, "the book"), on_account(place / "accounts", "PA1", "book", case.folder):
        modes = {}

        def look(_: str) -> None:
            modes.update({one.name: stat.S_IMODE(one.stat().st_mode) for one in case.folder.iterdir()})

        case.slot("09:35", point=look)
        write_halt(case.folder, "all", "stop", case.clock.now())
        with sending(case.folder):
            look("")
    look("")
    assert stat.S_IMODE(case.folder.stat().st_mode) == 0o700
    assert {"journal.sqlite", "journal.sqlite-wal", "journal.sqlite.backup", "HALT", "send.lock", "lock"} <= set(modes)
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}
    kept = [place / "accounts", *(place / "accounts").rglob("*")]
    assert {str(one): oct(one.stat().st_mode) for one in kept if one.stat().st_mode & 0o077} == {}


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_nothing_that_is_read_can_run() -> None:
    bad = {"eval", "exec", "compile", "yaml.load", "pd.read_pickle", "pickle.load", "pickle.loads", "joblib.load",
           "torch.load", "marshal.loads", "os.system"}  # fmt: skip
    found = []
    for path in SOURCES:
        tree = ast.parse(path.read_bytes())
        for name, call in calls(tree):
            if name in bad or any(
                (key.arg, ast.unparse(key.value)) in (("allow_pickle", "True"), ("shell", "True"))
                for key in call.keywords
            ):
                found.append(f"{path.name}:{call.lineno} {name}")
    assert len(SOURCES) > 200
    assert found == []


def test_no_statement_of_sql_is_made_of_values() -> None:
    """Only names of our own columns and tables, never what comes from outside, stand in the text of a statement."""
    allowed = {"', '.join", "tests", "where", "only", "_ENDS", "name", "number", "pragma", "upsert", "table", "columns"}
    found = []
    for path in SOURCES:
        if "journal" not in path.parts:
            continue
        for name, call in calls(ast.parse(path.read_bytes())):
            if name.endswith((".execute", ".executemany")) and isinstance(call.args[0], ast.JoinedStr):
                used = {
                    inner.id for part in call.args[0].values if isinstance(part, ast.FormattedValue)
                    for inner in ast.walk(part) if isinstance(inner, ast.Name)
                }  # fmt: skip
                found += [f"{path.name}:{call.lineno} {one}" for one in used - allowed]
    assert found == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLIMSOLL__BROKER__URL", "http://127.0.0.1:9"),
        ("plimsoll__broker__url".upper(), "'https://paper-api.alpaca.markets'"),
        ("PLIMSOLL__BROKER", "{url = 'http://127.0.0.1:9'}"),
    ],
)
def test_the_address_is_never_taken_from_the_environment(name: str, value: str) -> None:
    book = {
        "run": {"name": "r", "start": "2020-01-02", "end": "2020-12-31"},
        "sleeve": [{"strategy": "buy_and_hold", "symbols": ["SPY"]}],
    }
    with pytest.raises(ConfigError, match="not taken from here"):
        load_config(book, env={name: value})
    assert BrokerSection().url == "https://paper-api.alpaca.markets"


@pytest.mark.parametrize(
    "raw",
    [b"[" * 200_000, b'{"a": NaN}', b'{"a": Infinity}', b'{"a": -Infinity}', b"x" * 10, b"\xff\xfe", b"9" * 5000],
    ids=["deep", "NaN", "Infinity", "-Infinity", "no JSON", "no text", "a number of 5000 digits"],
)
def test_foreign_json_that_is_too_deep_or_holds_no_numbers_counts_as_no_answer(raw: bytes) -> None:
    assert read_reply(200, raw, None).body is None


def test_foreign_json_that_is_too_large_counts_as_no_answer() -> None:
    assert read_reply(200, b'"' + b"a" * MAX_BYTES + b'"', None).body is None


@pytest.mark.parametrize("told", ["NaN", "Infinity", "1e999999", "--1", "", None, True, [], {}, "0x10"])
def test_a_foreign_number_is_finite_or_none(told: object) -> None:
    assert number(told) is None
