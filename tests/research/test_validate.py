"""A whole validation: skill that was planted passes, noise fails, an interruption changes no byte."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.named_index import unnamed
from support.validating import LEAN, SIZE, Leaning, leaning, leaning_values, two_assets

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import ConfigError, DataError, OutputError
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.span import first_bars
from plimsoll.engine.research.sweep.compiled_evaluator import CompiledEvaluator
from plimsoll.engine.research.sweep.evaluate import SettingOutcome
from plimsoll.engine.research.validate.validate import Validation
from plimsoll.engine.trials.ledger import TrialLedger
from plimsoll.engine.verbs.validate import validate, validation_plan

SKILL = (0.0012, -0.0002)
FILES = ("verdict.json", "validation.json", "report.html", "walk.csv", "config.toml")


@lru_cache(maxsize=1)
def skilled() -> tuple[Panel, Validation]:
    panel = two_assets(SKILL)
    return panel, validate(leaning(), data=panel, trials="off")


def names_failed(found: Validation) -> set[str]:
    return {one.name for one in found.checks if not one.ok}


def test_an_edge_that_was_planted_passes() -> None:
    _, found = skilled()
    assert found.passed, found.line
    assert found.evidence["pbo"]["pbo"] < 0.1
    cpcv = found.evidence["cpcv"]
    assert (cpcv["why"], cpcv["splits"], len(cpcv["sharpe"]), cpcv["embargo"]) == ("", 45, 9, 5)
    assert f"{LEAN}=1.0" in cpcv["chosen"][0]["setting"]
    assert cpcv["worst"] > 0.0
    drift = found.evidence["walks"]["rolling"]["drift"][LEAN]
    assert drift["values"].count(1.0) > len(drift["values"]) / 2  # where the edge was planted
    assert drift["of"] == len(drift["values"]) - 1


@pytest.mark.parametrize("seed", [3, 4])
def test_noise_fails(seed: int) -> None:
    found = validate(leaning(), data=two_assets((0.0, 0.0), seed), trials="off")
    assert not found.passed
    assert "dsr" in names_failed(found)
    assert found.line.startswith("FAIL: ")


def test_a_run_cut_where_a_window_ends_has_the_same_returns_to_the_bit() -> None:
    """What a window chose from is a slice of the whole run: nothing later is in it."""
    panel, found = skilled()
    plan = validation_plan(leaning(), panel)
    evaluator = CompiledEvaluator(panel)
    cut = CompiledEvaluator(first_bars(panel, 1 + 252 + 5 + 126))
    for number in plan.family[:4]:
        config = plan.sweep.settings[number].config
        (whole,), (part,) = evaluator.evaluate([config]), cut.evaluate([config])
        assert isinstance(whole, SettingOutcome)
        assert isinstance(part, SettingOutcome)
        assert len(part.returns) < len(whole.returns)
        assert part.returns.tobytes() == whole.returns[: len(part.returns)].tobytes()
    assert found.evidence["walks"]["rolling"]["windows"][0]["test_from"] == str(panel.clock.session[1 + 252 + 5])


def test_what_is_stitched_is_the_chosen_path_less_what_it_cost_to_get_in() -> None:
    panel, found = skilled()
    steps = found.evidence["walks"]["rolling"]["windows"]
    plan, evaluator = validation_plan(leaning(), panel), CompiledEvaluator(panel)
    walk = found.walk["rolling"].to_numpy()
    assert np.isnan(walk[: 252 + 5]).all()
    for k, step in enumerate(steps):
        position = plan.chosen.index((step["chosen"][LEAN], step["chosen"][SIZE]))
        (own,) = evaluator.evaluate([plan.sweep.settings[plan.family[position]].config])
        assert isinstance(own, SettingOutcome)
        first, last = 257 + 126 * k, min(257 + 126 * (k + 1), len(walk))
        np.testing.assert_array_equal(walk[first + 1 : last], own.returns[first + 1 : last])
        lost = 1.0 - (1.0 + walk[first]) / (1.0 + own.returns[first])
        assert lost * 1e4 == pytest.approx(step["switch_cost_bps"], abs=1e-9)
    assert steps[0]["switch_cost_bps"] > 0.0  # the way in from cash


def test_equal_input_gives_equal_bytes_and_an_interruption_changes_none(tmp_path: Path) -> None:
    panel = two_assets(SKILL, n=700)
    validate(leaning(), data=panel, out=tmp_path / "whole", trials="off")

    def stop(done: int, total: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        validate(leaning(), data=panel, out=tmp_path / "cut", trials="off", progress=stop)
    assert not (tmp_path / "cut" / "verdict.json").exists()
    kept = {path.name for path in (tmp_path / "cut" / "parts").iterdir()}
    assert kept
    counts: list[int] = []
    validate(
        leaning(), data=panel, out=tmp_path / "cut", trials="off", progress=lambda done, total: counts.append(done)
    )
    assert counts[0] == len(kept)
    for name in FILES:
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    with pytest.raises(OutputError, match="this validation is finished"):
        validate(leaning(), data=panel, out=tmp_path / "cut", trials="off")


def test_another_definition_does_not_go_on_in_the_same_folder(tmp_path: Path) -> None:
    panel = two_assets(SKILL, n=700)
    validate(leaning(), data=panel, out=tmp_path / "one", trials="off")
    other = leaning(validate={"embargo_sessions": 6})
    with pytest.raises(OutputError, match=r"another validation \(its validate differs\)"):
        validate(other, data=panel, out=tmp_path / "one", trials="off")


def test_every_configuration_goes_into_the_ledger_once_and_is_counted(tmp_path: Path) -> None:
    panel = two_assets(SKILL, n=700)
    first = validate(leaning(), data=panel, trials=tmp_path)
    plan = validation_plan(leaning(), panel)
    ledger = TrialLedger(tmp_path / "trials.sqlite")
    rows = ledger.rows()
    assert {row.config_hash for row in rows} == {setting.config.digest for setting in plan.sweep.settings}
    assert all("[validate" not in row.config_toml for row in rows)
    assert first.evidence["luck"]["tries"] == len(plan.sweep.settings)
    again = validate(leaning(), data=panel, trials=tmp_path)
    assert again.verdict == first.verdict
    assert len(ledger.rows()) == len(rows)


def test_a_history_too_short_says_how_many_sessions_one_window_takes() -> None:
    with pytest.raises(DataError, match="which takes 383: 252 to train, 5 between, 126 to test"):
        validate(leaning(), data=two_assets(SKILL, n=380), trials="off")


def test_without_a_family_the_walk_is_the_configuration_and_the_gate_fails() -> None:
    values = leaning_values()
    values["validate"] = {"train_sessions": 252, "test_sessions": 126, "sensitivity": [SIZE]}
    panel, whole = skilled()
    found = validate(values, data=panel, trials="off")
    assert unnamed(found) == []
    assert names_failed(found) == {"pbo"}
    over = next(one.why for one in found.checks if one.name == "sharpe")
    assert over.endswith("sessions, over a rate of 0: financing.cash_rate names none")
    assert "names nothing to choose from" in next(one.why for one in found.checks if one.name == "pbo")
    own = whole.walk["configured"].to_numpy()
    np.testing.assert_array_equal(found.walk["rolling"].to_numpy()[258:], own[258:])


def test_keys_without_quotes_mean_the_same(tmp_path: Path) -> None:
    text = (
        '[[sleeve]]\nname = "s"\nstrategy = "support.validating:Leaning"\n'
        "[validate.grid.sleeve.s.params]\nlean = [0.0, 1.0]\n"
    )
    (tmp_path / "run.toml").write_text(text)
    config = load_config(tmp_path / "run.toml")
    assert config.validation is not None
    assert config.validation.grid == {LEAN: [0.0, 1.0]}
    assert load_config(config.plain()).validation == config.validation
    (tmp_path / "again.toml").write_text(config.toml())
    assert load_config(tmp_path / "again.toml").validation == config.validation


@pytest.mark.parametrize(
    ("grid", "line"),
    [
        ({"sleeve.s.params.leen": [0.0, 1.0]}, "did you mean 'lean'"),
        ({LEAN: [0.0, 0.0]}, "twice"),
        ({LEAN: 3}, "a list of values is expected"),
        ({"run.end": ["2020-01-02", "2020-02-03"]}, "other sessions"),
    ],
)
def test_a_grid_that_makes_no_sense_is_one_line_that_names_the_section(grid: dict[str, Any], line: str) -> None:
    values = leaning_values()
    values["validate"]["grid"] = grid
    with pytest.raises(ConfigError) as caught:
        validate(values, data=two_assets(SKILL, n=700), trials="off")
    assert line in str(caught.value)
    assert "--" not in str(caught.value)


def test_the_run_is_the_same_with_and_without_the_two_sections() -> None:
    values = leaning_values(gate={"max_pbo": 0.3})
    bare = {key: section for key, section in values.items() if key not in ("validate", "gate")}
    config = load_config(values)
    assert config.digest == load_config(bare).digest
    assert config.of_run().toml() == load_config(bare).toml()


def test_hostile_names_are_text_on_the_page(tmp_path: Path) -> None:
    from plimsoll.engine.report.validate.page import validation_html

    _, found = skilled()
    evil = "</script><script>alert(1)</script>"
    verdict = {**found.verdict, "name": evil, "reasons": [evil], "passed": False, "luck": [evil]}
    checks = [{**one.plain(), "asked": evil, "said": evil, "title": evil, "why": evil} for one in found.checks]
    page = validation_html(verdict, found.walk, checks)
    assert evil not in page
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in page
    assert page.count("<script") == 3


def test_two_runs_are_set_side_by_side_on_the_page(tmp_path: Path) -> None:
    from plimsoll.engine.verbs.backtest import backtest

    panel = two_assets(SKILL, n=700)
    for name, size in (("one", 0.5), ("two", 0.4)):
        backtest(leaning(run={"name": name}).of_run(), data=panel, sets=[f"{SIZE}={size}"], trials="off").save(
            tmp_path / name
        )
    validate(leaning(), data=panel, runs=(tmp_path / "one", tmp_path / "two"), out=tmp_path / "out", trials="off")
    page = (tmp_path / "out" / "report.html").read_text()
    assert f"plimsoll twin {tmp_path / 'one'} {tmp_path / 'two'}" in page
    assert "Two runs side by side" in page


def test_a_strategy_that_remembers_outside_its_state_is_found_out() -> None:
    values = leaning_values()
    values["sleeve"] = [{"name": "s", "strategy": "test_validate:Forgetful", "params": {"lean": 1.0}}]
    with pytest.raises(Exception, match="does not come to the same returns"):
        validate(values, data=two_assets(SKILL, n=700), trials="off")


class Forgetful(Leaning):
    """Answers by how often it was asked, in all its lives."""

    asked: list[int] = []  # noqa: RUF012  (that it is shared is the fault)

    def on_bar(self, ctx: Any) -> Any:
        self.asked.append(ctx.bar_index)
        return np.array([0.1, 0.1]) if len(self.asked) % 97 == 0 else None
