"""`plimsoll data`: the command from its words to the store, and every other command on a catalog."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.catalogs import catalog_of
from support.chart import refusal, reply
from support.data_folder import SYMBOLS
from support.histories import NOW, changed, history
from support.yahoo_stand import Asked, Reply, YahooStand

import plimsoll
from plimsoll.engine.cli import data as command
from plimsoll.engine.errors import ConfigError, InputError
from plimsoll.engine.market.catalog.store import Catalog
from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.verbs.host import Host

Cli = Callable[..., Any]


@pytest.fixture
def stand(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[YahooStand]:
    """A Yahoo that the environment's proxy leads to, an evening in March 2024, and no keys."""
    for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "ALPACA_API_KEY", "ALPACA_SECRET_KEY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(command, "_now", lambda: NOW)
    monkeypatch.setenv("PLIMSOLL_CATALOG", str(here / "catalog"))
    (here / "tls").mkdir()

    def chart(asked: Asked) -> Reply:
        if asked.symbol == "^VIX":
            return reply(history("^VIX"), instrumentType="INDEX", exchangeTimezoneName="America/Chicago")
        return reply(history(asked.symbol))

    with YahooStand(here / "tls", chart) as running:
        monkeypatch.setenv("HTTPS_PROXY", running.proxy)
        monkeypatch.setenv("SSL_CERT_FILE", str(running.ca))
        yield running


def test_pull_then_check_then_show(cli: Cli, stand: YahooStand) -> None:
    pulled = cli("data", "pull", "SPY", "vix")
    assert pulled.code == 0
    assert pulled.out.splitlines()[1].split() == ["SPY", "stored", "yahoo", "42", "0", "2024-03-01"]
    checked = cli("data", "check")
    assert checked.code == 0
    assert checked.out.splitlines()[1].split() == [
        "SPY",
        "yahoo",
        "2024-01-02",
        "2024-03-01",
        "42",
        "0",
        "0",
        "0",
        "ok",
    ]
    shown = json.loads(cli("data", "show", "SPY", "--rows", "1", "--json").out)
    assert [(row["session"], row["source"], row["known_at"]) for row in shown] == [
        ("2024-03-01", "yahoo", "2024-03-01T22:00:00Z")
    ]
    assert shown[0]["close"] == history("SPY").close[-1]


def test_everything_a_configuration_needs_is_pulled(cli: Cli, here: Path, stand: YahooStand) -> None:
    config = (here / "run.toml").read_text().replace('path = "data"', 'path = "data"\nindicators = ["VIX"]')
    (here / "run.toml").write_text(config)
    ran = cli("data", "pull", "--for", "run.toml", "--json")
    assert [(one["symbol"], one["state"]) for one in json.loads(ran.out)] == [
        ("SPY", "stored"),
        ("TLT", "stored"),
        ("VIX", "stored"),
    ]
    assert Catalog(here / "catalog").symbols() == ("SPY", "TLT", "VIX")


def test_what_is_refused_is_exit_1_and_says_what_to_do(cli: Cli, stand: YahooStand) -> None:
    stand.chart = lambda asked: reply(changed(history(asked.symbol), "2024-02-01", high=1.0))
    pulled = cli("data", "pull", "SPY")
    assert pulled.code == 1
    assert "SPY, 2024-02-01: high_below_low: " in pulled.out
    assert "it stays out until the source corrects it" in pulled.out
    assert "--confirm" not in pulled.out  # no word of anybody's makes a high of 1.0 out of it
    checked = cli("data", "check", "--json")
    assert checked.code == 1
    (row,) = json.loads(checked.out)["symbols"]
    assert (row["state"], row["rows"], row["holes"]) == ("quarantined", 41, 1)


def test_what_may_be_right_all_the_same_passes_with_the_command_that_is_printed(cli: Cli, stand: YahooStand) -> None:
    stand.chart = lambda asked: reply(changed(history(asked.symbol), "2024-02-01", high=5000.0))
    pulled = cli("data", "pull", "SPY")
    assert pulled.code == 1
    (line,) = (line for line in pulled.out.splitlines() if "if it is right: " in line)
    assert line.startswith("SPY, 2024-02-01: wild_range: ")
    command_line = line.partition("if it is right: plimsoll ")[2].split()
    assert cli(*command_line).code == 0
    assert cli("data", "check").code == 0


def test_what_ends_before_the_last_completed_session_is_said(
    cli: Cli, stand: YahooStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("data", "pull", "SPY").code == 0
    assert "end before" not in cli("data", "check").out
    monkeypatch.setattr(command, "_now", lambda: NOW + timedelta(days=12))
    checked = cli("data", "check")
    assert checked.code == 0
    assert checked.out.splitlines()[1].split()[-2:] == ["8", "ok"]
    assert "1 of 1 end before the last completed session, 2024-03-13; `plimsoll data pull` brings" in checked.out


def test_what_is_not_known_is_shown_as_such_and_numbers_end_below_each_other(cli: Cli, stand: YahooStand) -> None:
    assert cli("data", "pull", "^VIX").code == 0
    head, *rows = cli("data", "show", "VIX", "--rows", "3").out.splitlines()[-4:]  # below the chart
    assert "None" not in "".join(rows)
    assert [row.split()[5] for row in rows] == ["-", "-", "-"]
    assert len({row.index("yahoo") for row in rows}) == 1
    assert head.index("close") + len("close") == rows[0].index(rows[0].split()[4]) + len(rows[0].split()[4])


def test_the_package_pulls_checks_and_shows_what_the_command_does(cli: Cli, here: Path, stand: YahooStand) -> None:
    host = Host(dict(os.environ), clock=lambda: NOW)
    told = json.loads(cli("data", "pull", "SPY", "vix", "--json").out)
    pulled = plimsoll.pull_data(["SPY", "vix"], catalog="other", host=host)
    assert [json.loads(json.dumps(asdict(one))) for one in pulled.outcomes] == told
    assert (pulled.complete, pulled.stopped) == (True, None)
    checked = plimsoll.check_data(catalog="other", host=host)
    assert json.loads(json.dumps(asdict(checked))) == json.loads(cli("data", "check", "--json").out)
    assert checked.ok
    assert plimsoll.show_data("SPY", 3, catalog=here / "other", host=host) == json.loads(
        cli("data", "show", "SPY", "--rows", "3", "--json").out
    )
    for name in ("SPY", "VIX"):
        assert (here / "other/bars" / f"{name}.parquet").read_bytes() == (
            here / "catalog/bars" / f"{name}.parquet"
        ).read_bytes()


def test_the_package_pulls_what_a_configuration_needs_and_refuses_as_the_command_does(
    here: Path, stand: YahooStand
) -> None:
    host = Host(dict(os.environ), clock=lambda: NOW)
    pulled = plimsoll.pull_data(config=here / "run.toml", start=date(2024, 2, 1), host=host)
    assert [(one.symbol, one.state, one.added) for one in pulled.outcomes] == [
        ("SPY", "stored", 21), ("TLT", "stored", 21),
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="no source 'stooq'; one of yahoo, alpaca"):
        plimsoll.pull_data(["SPY"], source="stooq", host=host)
    with pytest.raises(InputError, match="check the network"):
        plimsoll.pull_data(["QQQ"], host=Host({**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9"}, clock=lambda: NOW))


def test_a_symbol_yahoo_does_not_know_is_exit_1_and_the_others_are_stored(
    cli: Cli, here: Path, stand: YahooStand
) -> None:
    unknown = refusal("Not Found", "No data found, symbol may be delisted", 404)
    stand.chart = lambda asked: unknown if asked.symbol == "SYP" else reply(history(asked.symbol))
    ran = cli("data", "pull", "SYP", "TLT")
    assert ran.code == 1
    assert "yahoo, SYP: unknown to Yahoo" in ran.out
    assert Catalog(here / "catalog").symbols() == ("TLT",)


def test_without_a_network_one_line_says_so(
    refused: Callable[..., str], stand: YahooStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    line = refused("data", "pull", "SPY", "TLT")
    assert "yahoo, SPY: " in line
    assert "there is no way to the source from here: check the network" in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("pull",), "nothing to pull; name symbols, or pass --for CONFIG"),
        (("pull", "S P Y"), "is not a symbol this catalog can hold; write SPY, BRK.B or VIX"),
        (("pull", "../SPY"), "is not a symbol"),
        (("pull", "^FTSE"), "indices known: DJI"),
        (("pull", "SPY", "--from", "yesterday"), "--from: 'yesterday' is not a date; write YYYY-MM-DD"),
        (("pull", "SPY", "--confirm", "2024"), "--confirm: '2024' is not a date"),
        (("pull", "SPY", "TLT", "--confirm", "2024-02-01"), "--confirm: it would speak of 2 symbols; pull one symbol"),
        (("pull", "--for", "none.toml"), "none.toml"),
        (("pull", "SPY", "--source", "alpaca"), "Alpaca needs keys; set APCA_API_KEY_ID and APCA_API_SECRET_KEY"),
        (("check",), "the catalog is empty; run `plimsoll data pull SYMBOL` first"),
        (("check", "SPY"), "no bars of 'SPY'; pull them first"),
        (("show", "SPY"), "no bars of 'SPY'; pull them first"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_bad_input_is_one_line(
    refused: Callable[..., str], stand: YahooStand, arguments: tuple[str, ...], words: str
) -> None:
    assert words in refused("data", *arguments)
    assert stand.asked == []


def test_files_are_checked_as_an_import_would_and_nothing_is_written(cli: Cli, refused: Callable[..., str]) -> None:
    head = "date,open,high,low,close,adj_close,volume\n2024-01-02,10,11,9,10.5,10.5,1000\n"
    Path("files").mkdir()
    Path("files/AAA.csv").write_text(head + "2024-01-03,10,11,9,10.4,10.4,2\n")
    sound = cli("data", "check", "files")
    assert sound.code == 0
    assert "AAA, 2024-01-03: volume_below_prices: 1 of 2 sessions has fewer shares than prices" in sound.out
    Path("files/AAA.csv").write_text(head + "2024-01-03,10,8,9,10.4,10.4,1000\n")
    wrong = cli("data", "check", "files/AAA.csv")
    assert wrong.code == 1
    assert "AAA, 2024-01-03: high_below_low" in wrong.out
    assert "written" not in sound.out + wrong.out
    assert "'SPY' is no file, 'files' is one" in refused("data", "check", "SPY", "files")


def test_a_command_without_the_flag_that_a_file_asks_for_names_the_one_that_has_it(refused: Callable[..., str]) -> None:
    Path("files").mkdir()
    Path("files/AAA.csv").write_text("Date,Open,High,Low,Close,Volume\n01/02/2024,1,2,1,2,9\n02/02/2024,1,2,1,2,9\n")
    elsewhere = "`plimsoll data import` takes --date-order dmy or mdy, and without --out it only checks"
    assert elsewhere in refused("data", "check", "files")
    assert elsewhere in refused("data", "show", "AAA", "--data", "files")
    assert refused("data", "import", "files").endswith("; say --date-order dmy or mdy")


def test_what_may_be_right_is_imported_with_the_command_that_is_printed_and_all_that_was_said(cli: Cli) -> None:
    rows = "".join(f"{day:02d}/02/2024,10,11,9,{10 + day / 100},{1000 + day}\n" for day in (5, 6, 7, 8, 9, 12, 13))
    Path("my files").mkdir()
    for name in ("AAA", "BBB"):
        text = f"Date,Open,High,Low,Close,Volume\n{rows}14/02/2024,10,{5000 if name == 'AAA' else 11},9,10,99\n"
        Path(f"my files/{name}.csv").write_text(text)
    flags = ("--date-order", "dmy", "--adjustment", "raw", "--no-dividends", "--out", "out dir")
    found = cli("data", "import", "my files", *flags)
    assert found.code == 1
    (line,) = (line for line in found.out.splitlines() if "if it is right: " in line)
    words = shlex.split(line.partition("if it is right: plimsoll ")[2])
    assert words == [
        *("data", "import", "my files/AAA.csv", "--only", "AAA", "--out", "out dir", "--date-order", "dmy"),
        *("--adjustment", "raw", "--no-dividends", "--force", "--confirm", "2024-02-14"),
    ]
    assert cli(*words).code == 0
    assert Path("out dir/AAA.csv").is_file()


_PULL = "import sys; from plimsoll.engine.cli.main import main; main(['data', 'pull', *sys.argv[1:]])"


def test_killed_in_the_middle_of_a_pull_the_same_command_goes_on(cli: Cli, here: Path, stand: YahooStand) -> None:
    names = ["AAA", "BBB", "CCC"]
    processes: list[subprocess.Popen[bytes]] = []

    def chart(asked: Asked) -> Reply:
        if asked.symbol == "CCC" and processes:
            processes.pop().send_signal(signal.SIGKILL)
            return Reply(hang=True)
        return reply(history(asked.symbol))

    stand.chart = chart
    with subprocess.Popen([sys.executable, "-c", _PULL, *names], env=dict(os.environ)) as running:
        processes.append(running)
    assert running.returncode == -signal.SIGKILL
    catalog = Catalog(here / "catalog")
    assert catalog.symbols() == ("AAA", "BBB")
    stand.asked.clear()
    stand.chart = lambda asked: reply(history(asked.symbol))
    assert cli("data", "pull", *names).code in (0, 1)
    for name in names:
        assert catalog.read(name).current().close.tolist() == history(name).close.tolist()


def _on_catalog(here: Path) -> None:
    catalog_of(load_csv(here / "data", SYMBOLS), here / "catalog")
    config = (here / "run.toml").read_text().replace('source = "csv"\npath = "data"', 'source = "catalog"')
    (here / "catalog.toml").write_text(config.replace("[data]", '[data]\npath = "catalog"'))


def test_a_backtest_on_a_catalog_is_the_backtest_on_the_same_rows_in_files(cli: Cli, here: Path) -> None:
    _on_catalog(here)
    assert cli("backtest", "run.toml", "--out", "files", "-q").code == 0
    assert cli("backtest", "catalog.toml", "--out", "stored", "-q").code == 0
    for name in ("equity.csv", "weights.csv"):
        assert (here / "stored" / name).read_bytes() == (here / "files" / name).read_bytes(), name
    hashes = [json.loads((here / out / "env.json").read_text())["data_hash"] for out in ("files", "stored")]
    assert hashes[0] == hashes[1]


def test_the_users_catalog_is_read_where_no_path_is_given(
    cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _on_catalog(here)
    monkeypatch.setenv("PLIMSOLL_CATALOG", str(here / "catalog"))
    config = (here / "catalog.toml").read_text().replace('path = "catalog"\n', "")
    (here / "catalog.toml").write_text(config)
    assert cli("backtest", "catalog.toml", "--out", "stored", "-q").code == 0


def test_the_audit_cuts_a_catalog_as_it_cuts_files(cli: Cli, here: Path) -> None:
    _on_catalog(here)
    ran = cli("audit", "catalog.toml", "--reloads", "2", "--out", "out", "--json")
    assert ran.code == 0, ran


def test_a_catalog_without_what_a_run_needs_is_one_line(refused: Callable[..., str], here: Path) -> None:
    _on_catalog(here)
    (here / "catalog/bars/TLT.parquet").unlink()
    assert "no bars of 'TLT'; pull them first" in refused("backtest", "catalog.toml")
    assert "daily bars only" in refused("backtest", "catalog.toml", "--set", "data.interval=5min")


def test_a_run_to_an_earlier_day_reads_nothing_of_later_ones(cli: Cli, here: Path) -> None:
    _on_catalog(here)
    assert cli("backtest", "catalog.toml", "--to", "2015-04-01", "--out", "before", "-q").code == 0
    catalog = Catalog(here / "catalog")
    whole = catalog.read("SPY").current()
    late = whole.session > np.datetime64("2015-04-01")
    catalog.store(replace(whole, close=np.where(late, whole.close * 1.01, whole.close)).take(late), (), NOW)
    assert cli("backtest", "catalog.toml", "--to", "2015-04-01", "--out", "after", "-q").code == 0
    assert (here / "before/equity.csv").read_bytes() == (here / "after/equity.csv").read_bytes()
