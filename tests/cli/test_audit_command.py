"""`plimsoll audit`: what it prints, writes and returns."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]

CHEAT = """
from plimsoll import Strategy
class Cheat(Strategy):
    universe = ("SPY", "TLT")
    def on_bar(self, ctx):
        whole = ctx.past.close(1).base
        later = whole[min(ctx.bar_index + 1, len(whole) - 1), 0]
        return ctx.weights({"SPY": float(later > whole[ctx.bar_index, 0])}, unlisted="cash")
"""


def _cheating(here: Path) -> str:
    (here / "cheating.py").write_text(CHEAT)
    text = (here / "run.toml").read_text().partition("[sleeve.params]")[0]
    (here / "cheat.toml").write_text(text.replace('"equal_weight"', '"cheating:Cheat"'))
    return "cheat.toml"


def test_a_pass_prints_every_pass_writes_a_whole_run_and_returns_0(here: Path, cli: Cli) -> None:
    ran = cli("audit", "run.toml", "--out", "out", "--reloads", "1")
    assert ran.code == 0
    assert ran.out.splitlines()[-2] == "PASS"
    for name in ("second run", "future unknown", "future noise", "fills", "reloads"):
        assert any(line.startswith(name) and " PASS " in line for line in ran.out.splitlines()), name
    plain = cli("backtest", "run.toml", "--out", "plain")
    assert plain.code == 0
    names = {path.name for path in (here / "plain").iterdir()}
    assert {path.name for path in (here / "out").iterdir()} == names | {"certificate.json"}
    for name in names - {"env.json", "log.jsonl", "report.html"}:
        assert (here / "out" / name).read_bytes() == (here / "plain" / name).read_bytes(), name
    certificate = json.loads((here / "out/certificate.json").read_text())
    assert certificate["verdict"] == "PASS"
    assert certificate["created"] == json.loads((here / "out/env.json").read_text())["created"]
    page = (here / "out/report.html").read_text()
    assert 'id="certificate"' in page
    assert certificate["engine_hash"] in page
    assert 'id="certificate"' not in (here / "plain/report.html").read_text()


def test_a_failure_names_session_symbol_and_stage_and_returns_1(here: Path, cli: Cli) -> None:
    ran = cli("audit", _cheating(here), "--out", "out", "--reloads", "0")
    assert ran.code == 1
    last = ran.out.splitlines()[-2]
    assert last.startswith("FAIL  future unknown: 2015-")
    assert last.endswith(", SPY, s answer")
    page = (here / "out/report.html").read_text()
    assert '<p class="banner red" role="alert">LOOK-AHEAD AUDIT FAILED (future unknown): s answer on ' in page


def test_json_is_the_certificate_and_quiet_is_the_folder(here: Path, cli: Cli) -> None:
    ran = cli("audit", _cheating(here), "--out", "out", "--reloads", "0", "--json")
    assert ran.code == 1
    told = json.loads(ran.out)
    stored = json.loads((here / "out/certificate.json").read_text())
    stored.pop("created")
    assert told == stored
    quiet = cli("audit", "run.toml", "--reloads", "0", "-q")
    assert quiet.code == 0
    assert quiet.out.startswith("runs/")
    assert "-tried-audit-" in quiet.out
    assert (here / quiet.out.strip() / "certificate.json").is_file()


def test_a_run_folder_gets_its_certificate_and_keeps_every_other_file(here: Path, cli: Cli) -> None:
    assert cli("backtest", "run.toml", "--out", "run").code == 0
    before = {path.name: path.read_bytes() for path in (here / "run").iterdir()}
    ran = cli("audit", "run", "--reloads", "0")
    assert ran.code == 0
    after = {path.name: path.read_bytes() for path in (here / "run").iterdir()}
    assert after.keys() == before.keys() | {"certificate.json"}
    assert {name for name in before if before[name] != after[name]} == {"report.html"}
    assert b'id="certificate"' in after["report.html"]


def test_a_run_whose_data_have_changed_is_refused(here: Path, cli: Cli, refused: Callable[..., str]) -> None:
    assert cli("backtest", "run.toml", "--out", "run").code == 0
    file = here / "data/SPY.csv"
    lines = file.read_text().splitlines()
    file.write_text("\n".join(lines[:-1]) + "\n")
    assert "run: the data have changed since this run" in refused("audit", "run", "--reloads", "0")


def test_a_run_that_is_no_longer_made_is_refused(here: Path, cli: Cli, refused: Callable[..., str]) -> None:
    assert cli("backtest", "run.toml", "--out", "run").code == 0
    metrics = here / "run/metrics.json"
    metrics.write_text(metrics.read_text().replace('"cagr": ', '"cagr": 1'))
    assert "no longer makes the figures in the folder" in refused("audit", "run", "--reloads", "0")


@pytest.mark.parametrize("option", [["--from", "2015-02-02"], ["--set", "run.cash=5"], ["--out", "elsewhere"]])
def test_a_run_folder_is_audited_as_it_is(option: list[str], cli: Cli, refused: Callable[..., str]) -> None:
    assert cli("backtest", "run.toml", "--out", "run").code == 0
    assert "a run folder is audited as it is" in refused("audit", "run", *option)


def test_what_is_neither_configuration_nor_run_is_refused(here: Path, refused: Callable[..., str]) -> None:
    (here / "empty").mkdir()
    assert "not a run folder" in refused("audit", "empty")
    assert "no such config file" in refused("audit", "none.toml")
    (here / "full").mkdir()
    (here / "full/file").write_text("")
    assert "the folder is not empty" in refused("audit", "run.toml", "--out", "full")


def test_data_elsewhere_than_below_the_working_folder_are_cut_for_reloads_too(
    here: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (here / "run.toml").read_text().replace('path = "data"', 'path = "../data"')
    flows = '[account]\nflows = "flows.csv"\n'
    (here / "work").mkdir()
    (here / "work/run.toml").write_text(text + flows)
    (here / "work/flows.csv").write_text("date,amount\n2015-02-03,1000\n2015-05-11,-500\n")
    monkeypatch.chdir(here / "work")
    ran = cli("audit", "run.toml", "--reloads", "2", "--out", "out")
    assert (ran.code, ran.out.splitlines()[-2]) == (0, "PASS")
    assert sorted(path.name for path in here.iterdir()) == ["data", "run.toml", "work"]
