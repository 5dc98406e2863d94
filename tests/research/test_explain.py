"""Explanations: each number is the decision's own, each counterfactual the decision made again without a stage."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from plimsoll import backtest
from plimsoll.engine.cli.main import main
from plimsoll.engine.errors import DataError
from plimsoll.engine.portfolio.book_decide import SKIPPABLE
from plimsoll.engine.research.explain import Explanation
from plimsoll.engine.runtime.assemble import build
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.runtime.load import load_run
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.verbs.explain import explain

ROOT = Path(__file__).resolve().parents[2]
SESSION = "2009-01-30"


@pytest.fixture(scope="module")
def book_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book of three sleeves on the sample, to mid-2009."""
    folder = tmp_path_factory.mktemp("explain") / "run"
    backtest(three_sleeves(), end="2009-06-30").save(folder)
    return folder


def three_sleeves() -> dict[str, object]:
    names = ("sixty_forty", "inverse_vol", "equal_weight")
    sleeves = [{"name": name, "strategy": name} for name in names]
    run = {"name": "three", "start": "2007-06-01", "cash": 250_000.0}
    return {"run": run, "sleeve": sleeves, "integrator": {"preset": "book"}, "data": {"indicators": ["VIX"]}}


def test_the_steps_lead_from_the_raw_to_the_final_weight(book_run: Path) -> None:
    found = explain(book_run, SESSION)
    assert len(found) >= 8
    for one in found:
        assert one.steps[0].stage == "raw"
        assert one.steps[0].weight + sum(step.change for step in one.steps) == pytest.approx(one.final, abs=1e-12)
        assert all(step.why for step in one.steps if step.change and step.stage != "s7_turnover")


def test_the_orders_are_those_of_the_run(book_run: Path) -> None:
    result = backtest(three_sleeves(), end="2009-06-30")
    sent = result.orders[result.orders["session"] == SESSION].groupby("symbol")["qty"].sum()
    told = {one.symbol: one.order for one in explain(book_run, SESSION) if one.order}
    assert told == pytest.approx(dict(sent))
    assert told


def test_the_trace_is_that_of_the_run(book_run: Path) -> None:
    trace = backtest(three_sleeves(), end="2009-06-30").trace
    rows = trace[trace["session"] == SESSION].set_index("symbol")
    for one in explain(book_run, SESSION):
        if one.symbol in rows.index:
            told = [step.weight for step in one.steps]
            assert told == rows.loc[one.symbol].iloc[1 : 1 + len(told)].tolist()


def test_without_the_volatility_target_the_orders_differ_and_without_nothing_they_do_not(book_run: Path) -> None:
    found = explain(book_run, SESSION)
    assert all(set(one.without) == set(SKIPPABLE) for one in found)
    assert any(one.without["s3_vol_target"] != one.order for one in found)
    untouched = [one for one in found if one.steps[2].change == 0.0]  # no wrappers in this book
    assert untouched
    assert all(one.without["s2_net"] == one.order for one in untouched)


def test_without_the_band_every_gap_is_traded(book_run: Path) -> None:
    held_back = [one for one in explain(book_run, SESSION) if "inside the no-trade band" in one.steps[-1].why]
    assert held_back
    for one in held_back:
        assert one.order == 0.0
        assert one.final == one.held
        gap = one.steps[-2].weight - one.held
        assert np.sign(one.without["s7_turnover"]) in (0.0, np.sign(gap))


def test_a_direct_run_is_explained_by_its_two_stages(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    backtest(
        "config/demo.toml" if Path("config/demo.toml").exists() else ROOT / "config/demo.toml", end="2008-12-31"
    ).save(folder)
    found = explain(folder, "2008-10-31", "TLT")
    assert [step.stage for step in found[0].steps] == ["raw", "s7_turnover"]
    assert set(found[0].without) == {"s7_turnover"}


@pytest.fixture(scope="module")
def legacy_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same sleeves through the old path."""
    folder = tmp_path_factory.mktemp("explain") / "legacy"
    backtest({**three_sleeves(), "integrator": {"preset": "legacy"}}, end="2009-02-27").save(folder)
    return folder


def test_the_old_path_says_what_it_can_and_cannot_pass_over(
    legacy_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = explain(legacy_run, SESSION)
    stages = ["min_variance", "first_vol_target", "second_vol_target", "kill_tier"]
    assert all(list(one.without) == stages for one in found)
    assert all(one.kept.keys() == {"raw", "drawdown"} for one in found)
    assert all(step.why for one in found for step in one.steps if step.change)
    with pytest.raises(SystemExit) as ended:
        main(["explain", str(legacy_run), "--date", SESSION, "--symbol", found[0].symbol])
    assert ended.value.code in (None, 0)
    out = capsys.readouterr().out
    assert "without min_variance" in out
    assert "raw cannot be passed over: the mean of the sleeves' weights" in out
    assert "drawdown cannot be passed over: the stepped multiplier scales the mean signal" in out


def test_a_stage_of_the_old_path_that_is_passed_over_leaves_what_was_before_it() -> None:
    config, panel, _ = load_run({**three_sleeves(), "integrator": {"preset": "legacy"}}, end=SESSION)
    setup = build(config, panel, make_strategies(config))
    run_loop(setup)
    system, account = setup.system, setup.broker.account()
    whole = system.decide(account, adopt=False).target.trace
    for stage in system.integrator.skippable:
        trace = system.decide(account, adopt=False, skip=frozenset({stage})).target.trace
        at = system.integrator.stages.index(stage)
        assert trace[:, at].tolist() == trace[:, at - 1].tolist()
        assert trace[:, :at].tolist() == whole[:, :at].tolist()
        assert (trace[:, at] != whole[:, at]).any() or stage == "kill_tier"  # which waits for a drawdown


def test_the_last_decision_is_explained_when_no_session_is_given(book_run: Path) -> None:
    assert {one.session for one in explain(book_run)} == {"2009-06-30"}


def test_a_run_whose_data_have_changed_is_refused(book_run: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(book_run, changed)
    env = json.loads((changed / "env.json").read_text())
    (changed / "env.json").write_text(json.dumps({**env, "data_hash": "0" * 64}))
    with pytest.raises(DataError, match="the data have changed since this run"):
        explain(changed, SESSION)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--date", "2009-04-04"], "2009-04-04 is not a session of this run"),
        (["--date", "yesterday"], "'yesterday' is not a date"),
        (["--date", SESSION, "--symbol", "SPYY"], "symbol 'SPYY' is not in this run; did you mean 'SPY'?"),
        (["--date", "2006-02-01"], "no decision at the close of 2006-02-01"),
    ],
    ids=["weekend", "no date", "symbol", "warm-up"],
)
def test_a_wrong_question_is_one_line_and_exit_code_2(
    book_run: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["explain", str(book_run), *words])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a run folder"):
        explain(tmp_path)


def test_json_holds_the_same_as_the_function(book_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["explain", str(book_run), "--date", SESSION, "--symbol", "SPY", "--json"])
    assert ended.value.code in (0, None)
    told = json.loads(capsys.readouterr().out)
    want = explain(book_run, SESSION, "SPY")[0]
    assert isinstance(want, Explanation)
    assert told[0]["order"] == want.order
    assert told[0]["without"] == want.without
