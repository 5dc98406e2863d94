"""`--as-of` and `plimsoll data diff`: what they print, what they refuse and how they end."""

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.histories import at, changed, history

import plimsoll
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.catalog.store import Catalog

Cli = Callable[..., Any]

FIRST = datetime(2024, 3, 1, 22, 0, tzinfo=UTC)
SECOND = datetime(2024, 3, 4, 22, 0, tzinfo=UTC)
RUN = ("backtest", "run.toml", "-q")


@pytest.fixture
def catalog(here: Path) -> Catalog:
    """SPY and TLT as pulled on a Friday, and on the Monday after: one more session, a bar and a dividend told anew."""
    found = Catalog(here / "catalog")
    for symbol in ("SPY", "TLT"):
        whole = history(symbol, last=date(2024, 3, 4))
        found.store(whole.take(slice(0, 42)), (), FIRST)
        if symbol == "SPY":
            close = whole.close[at(whole, "2024-02-20")] + 0.2
            whole = changed(changed(whole, "2024-02-20", close=close), "2024-02-21", dividend=0.6)
        found.store(whole, (), SECOND)
    text = (here / "run.toml").read_text()
    (here / "run.toml").write_text(text.replace('source = "csv"', 'source = "catalog"').replace('"data"', '"catalog"'))
    return found


def _equity(run: Path) -> bytes:
    return (run / "equity.csv").read_bytes()


def test_a_run_names_the_moment_and_is_the_run_of_that_moment(cli: Cli, here: Path, catalog: Catalog) -> None:
    assert cli(*RUN, "--as-of", "2024-03-03", "--out", "then").code == 0
    assert cli(*RUN, "--out", "now", "--to", "2024-03-01").code == 0
    assert cli(*RUN, "--set", "data.as_of=2024-03-01T17:00:00-05:00", "--out", "exact").code == 0
    assert _equity(here / "then") == _equity(here / "exact") != _equity(here / "now")
    env = json.loads((here / "then" / "env.json").read_text())
    assert (env["as_of"], env["known_at"]) == ("2024-03-03", "2024-03-01T22:00:00.000000Z")
    assert tomllib.loads((here / "then" / "config.toml").read_text())["data"]["as_of"] == "2024-03-03"
    assert tomllib.loads((here / "exact" / "config.toml").read_text())["data"]["as_of"] == "2024-03-01T22:00:00Z"
    assert "2024-03-03" in (here / "then" / "report.html").read_text()
    again = plimsoll.backtest("run.toml", as_of=date(2024, 3, 3), sets=["run.name=tried"])
    assert again.equity["equity"].tolist() == pd.read_csv(here / "then" / "equity.csv")["equity"].tolist()
    assert again.config_hash == env["config_hash"]


@pytest.mark.parametrize(
    ("sets", "when", "said"),
    [
        ((), "2024-02-29", "nothing of SPY was known as of 2024-03-01T04:59:59Z (first pulled at 2024-03-01T22:00"),
        ((), "2024-03-01T16:30", "data.as_of: 2024-03-01T16:30 says no zone: write 2026-07-01, the end of that day"),
        ((), "yesterday", "data.as_of: not a date or a timestamp"),
        ((), "2999-01-01", "2999-01-01 has not come yet (a date is the end of its day in New York); leave it out"),
        (("data.source=csv", "data.path=data"), "2024-03-01", "source 'csv' keeps no versions"),
        (("data.source=sample",), "2024-03-01", "source 'sample' keeps no versions"),
    ],
)
def test_what_cannot_be_known_is_one_line_and_exit_2(
    cli: Cli, here: Path, catalog: Catalog, sets: tuple[str, ...], when: str, said: str
) -> None:
    ran = cli(*RUN, *(word for one in sets for word in ("--set", one)), "--as-of", when, "--out", "run")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert said in ran.err
    assert not (here / "run").exists()


def test_a_panel_as_an_object_keeps_no_versions(catalog: Catalog, make_panel: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=r"data\.as_of: a panel keeps no versions"):
        plimsoll.backtest("run.toml", data=make_panel(np.ones((30, 2))), as_of="2024-03-01")


def test_plan_as_of_is_the_plan_of_that_evening(cli: Cli, here: Path, catalog: Catalog) -> None:
    (here / "mine.csv").write_text("symbol,qty\nCASH,100000\n")
    planned = plimsoll.plan(
        "run.toml", positions="mine.csv", as_of="2024-03-03"
    )  # a Sunday: Friday was the last session
    assert (str(planned.decided), planned.refusal) == ("2024-03-01", "")
    alone = plimsoll.plan("run.toml", positions="mine.csv", end="2024-03-01", as_of="2024-03-01")
    assert [planned.wishes, planned.plain()["orders"]] == [alone.wishes, alone.plain()["orders"]]
    assert planned.wishes
    stale = cli("plan", "run.toml", "--positions", "mine.csv", "--as-of", "2024-03-10")
    assert stale.code == 1
    assert "the last completed session is 2024-03-08" in stale.out + stale.err


def test_live_decides_on_what_is_known_now(here: Path, catalog: Catalog) -> None:
    text = (here / "run.toml").read_text() + '\n[live]\nstate = "state"\nslots = ["09:35"]\n'
    (here / "run.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"data\.as_of: live decides on what is known now"):
        plimsoll.emit("run.toml", "09:35", positions="none.csv", out="orders", sets=["data.as_of=2024-03-01"])


def test_diff_ends_by_what_was_told_anew(cli: Cli, here: Path, catalog: Catalog) -> None:
    found = cli("data", "diff", "catalog")
    assert found.code == 1
    lines = [line.split() for line in found.out.splitlines()]
    assert lines[2][:6] == ["corrected_bar", "1", "1", "1", "2024-02-20", "2024-02-20"]
    assert lines[3] == ["late_dividend", "1", "1", "1", "2024-02-21", "2024-02-21", "+0.6000", "USD"]
    assert lines[4] == ["new_rows", "2", "2", "2", "2024-03-04", "2024-03-04", "-"]
    assert cli("data", "diff", "catalog", "--symbol", "tlt").code == 0
    assert cli("data", "diff", "catalog", "--since", "2024-03-04").code == 0
    assert cli("data", "diff", "catalog", "--until", "2024-03-03").code == 0
    told = json.loads(cli("data", "diff", "catalog", "--since", "2024-03-01", "--json").out)
    assert (told["same"], told["since"], told["run"]) == (False, "2024-03-02T04:59:59.999999Z", None)
    assert [
        (one["kind"], one["symbol"], one["after"]) for one in told["rewrites"] if one["kind"] == "late_dividend"
    ] == [("late_dividend", "SPY", 0.6)]
    for wrong in (
        ("--since", "2024-03-04", "--until", "2024-03-01"),
        ("--since", "soon"),
        ("--symbol", "SPX"),
        ("--run", "."),
    ):
        assert cli("data", "diff", "catalog", *wrong).code == 2
    assert cli("data", "diff", "nowhere").code == 2


def test_diff_of_a_run_and_an_audit_of_it_after_the_source_was_rewritten(
    cli: Cli, here: Path, catalog: Catalog
) -> None:
    assert cli(*RUN, "--as-of", "2024-03-01", "--out", "old").code == 0
    assert cli(*RUN, "--out", "new").code == 0
    found = cli("data", "diff", "--run", "old")
    assert found.code == 1
    assert (
        "0 of 9 decisions differ, first -" in found.out
    )  # equal weights look at no price; the shares bought with them do
    assert "orders differ, first 2024-02-2" in found.out
    shown = [line.split() for line in found.out.partition("\nsession ")[2].splitlines()[1:] if line.startswith("2024")]
    assert shown
    assert all(then != now for _, _, then, now in shown)  # all the decimals an order has, so that what differs looks so
    assert "the engine or a strategy has changed" not in found.out
    assert cli("data", "diff", "--run", "new").code == 0
    whole = catalog.known("SPY").history
    catalog.store(
        replace(whole, close=whole.close + 0.01, high=whole.high + 0.01, source=np.full(len(whole), "yahoo")),
        (), SECOND + timedelta(days=1),
    )  # fmt: skip
    assert cli("data", "diff", "--run", "new").code == 1
    (here / "catalog").rename(here / "elsewhere")
    assert cli("data", "diff", "elsewhere", "--run", "new").code == 1
    (here / "elsewhere").rename(here / "catalog")
    assert cli("audit", "new", "--reloads", "0", "-q").code == 0  # on what it knew
    assert cli("data", "diff", "--run", "old", "--set").code == 2
