"""The audit catches what it is for, names where, and lets honest look-alikes pass."""

from pathlib import Path
from typing import Any

import pytest
from audit import cheats, stand_ins
from audit.market import N_BARS, case_of, config_on_files, market, write_prices

from plimsoll.engine.research.audit.audit import examine
from plimsoll.engine.research.audit.case import StandIn
from plimsoll.engine.research.audit.certificate import Certificate
from plimsoll.engine.research.audit.finding import Finding
from plimsoll.engine.sleeve.strategy import Strategy
from plimsoll.engine.verbs.audit import audit

SEEN = "future unknown"
SEEN_IN_PROCESS = [
    (cheats.ClosesTomorrow, "future noise", "closes_tomorrow answer"),
    (cheats.HighOfTheFillBar, "future noise", "high_of_the_fill_bar answer"),
    (cheats.NormalisedByAll, SEEN, "normalised_by_all answer"),
    (cheats.CentredWindow, SEEN, "centred_window answer"),
    (cheats.BackAdjusted, "future noise", "back_adjusted answer"),
    (cheats.StillListedAtTheEnd, SEEN, "still_listed_at_the_end answer"),
    (cheats.FittedOnAll, SEEN, "fitted_on_all answer"),
    (cheats.RankedOverAll, SEEN, "ranked_over_all answer"),
    (cheats.FearTomorrow, "future noise", "fear_tomorrow answer"),
    (cheats.KnowsHowLong, SEEN, "knows_how_long answer"),
    (cheats.KnowsTheLastDay, "future noise", "knows_the_last_day answer"),
    (cheats.NextSessionsDate, "future noise", "next_sessions_date answer"),
    (cheats.NotesAhead, SEEN, "notes_ahead note"),
    (cheats.ScansAhead, "compiled loop", "target"),
    (cheats.Dice, "second run", "dice answer"),
    (cheats.CountsInItsClass, "second run", "counts_in_its_class answer"),
    (cheats.RemembersTheLastRun, "second run", "remembers_the_last_run answer"),
]


def _audited(strategy: type[Strategy], *, reloads: int = 0, stand_in: StandIn | None = None) -> Certificate:
    return examine(case_of(strategy, stand_in=stand_in), n_reloads=reloads, seed=3).certificate


def _found(certificate: Certificate, name: str) -> Finding:
    return next(one for one in certificate.findings if one.name == name)


@pytest.mark.parametrize(("cheat", "name", "stage"), SEEN_IN_PROCESS, ids=lambda one: getattr(one, "__name__", ""))
def test_a_strategy_that_cheats_fails_where_it_does(cheat: type[Strategy], name: str, stage: str) -> None:
    certificate = _audited(cheat)
    found = _found(certificate, name)
    assert certificate.verdict == "FAIL"
    assert found.passed is False
    assert found.stage == stage
    assert found.session in found.evidence
    assert found.session in {str(day) for day in market().clock.session}
    if stage.endswith("answer"):
        assert found.symbol in cheat.universe


def test_the_first_difference_is_at_the_first_answer_that_cheated() -> None:
    clock = market().clock
    first = next(t for t in range(10, N_BARS) if clock.week_last[t])
    assert _found(_audited(cheats.FearTomorrow), "future noise").session == str(clock.session[first])


def test_what_raises_only_while_the_future_is_hidden_is_a_failure_that_says_so() -> None:
    found = _found(_audited(cheats.RaisesIfItFalls), SEEN)
    assert found.passed is False
    assert "raised StrategyError: " in found.evidence
    assert "tomorrow is unknown" in found.evidence
    assert found.session in found.evidence


@pytest.mark.parametrize(
    ("stand_in", "name", "stage", "evidence"),
    [
        (stand_ins.fills_at_the_decision, "fills", "fill", "the open of its bar is"),
        (stand_ins.fills_at_the_low, "fills", "fill", "the open of its bar is"),
        (stand_ins.fills_before_the_decision, "fills", "fill", "filled at the bar it was decided at"),
        (stand_ins.looks_ahead_in_a_stage, "future noise", "target", "target on "),
        (stand_ins.sizes_at_tomorrows_open, "fills", "order", "the close decided at is"),
        (stand_ins.sizes_at_tomorrows_open, "future noise", "order", "order on "),
    ],
)
def test_a_stage_a_planner_or_a_broker_that_cheats_fails_where_it_does(
    stand_in: StandIn, name: str, stage: str, evidence: str
) -> None:
    found = _found(_audited(cheats.Weekly, stand_in=stand_in), name)
    assert found.passed is False
    assert found.stage == stage
    assert evidence in found.evidence


def test_a_scan_that_raises_is_told_since_the_compiled_loop_asks_bar_by_bar_then() -> None:
    with pytest.warns(RuntimeWarning, match="its scan raises RuntimeError"):
        found = _found(_audited(cheats.ScanFails), "compiled loop")
    assert found.passed
    assert found.what.endswith(f"its scan raises RuntimeError: {N_BARS} bars are too many")
    assert "(none here)" in found.what


@pytest.mark.parametrize(
    ("cheat", "evidence"),
    [
        (cheats.FindsThePanel, "finds_the_panel answer on "),
        (cheats.WallClock, "wall_clock answer on "),
        (cheats.ProcessNumber, "process_number answer on "),
        (cheats.HashOrder, "hash_order answer on "),
        (cheats.Mood, "mood answer on "),
        (cheats.AsksAnotherProgram, "the strategy starts "),
    ],
)
def test_what_only_another_process_can_see_is_seen_by_reloads(
    cheat: type[Strategy], evidence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_MOOD", "0.7")
    certificate = _audited(cheat, reloads=1)
    assert [one.name for one in certificate.findings if one.passed is False] == ["reloads"]
    assert evidence in _found(certificate, "reloads").evidence


def _on_files(here: Path, strategy: str, monkeypatch: pytest.MonkeyPatch, reloads: int, **sections: Any) -> Certificate:
    monkeypatch.chdir(here)
    write_prices(market(), here / "data")
    return audit(config_on_files(strategy, **sections), reloads=reloads, seed=3)


def test_reading_the_data_where_they_lie_and_looking_ahead_is_seen_by_reloads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = _on_files(tmp_path, "audit.cheats:ReadsTheFiles", monkeypatch, 1)
    assert [one.name for one in certificate.findings if one.passed is False] == ["reloads"]
    assert "s answer on " in _found(certificate, "reloads").evidence


def test_reading_the_data_where_they_lie_up_to_today_is_clumsy_but_honest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _on_files(tmp_path, "audit.cheats:ReadsThePast", monkeypatch, 1).verdict == "PASS"


def test_a_table_read_when_the_module_is_imported_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "best_days.csv"
    table.write_text("2015-02-06,1.0\n")
    source = f"from pathlib import Path\nfrom audit.cheats import Weekly\nTABLE = Path({str(table)!r}).read_text()\n"
    (tmp_path / "reads_at_import.py").write_text(source + "class Reads(Weekly):\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = _found(_on_files(tmp_path, "reads_at_import:Reads", monkeypatch, 1), "reloads")
    assert found.passed is False
    assert f"the strategy reads {table.resolve()}: what that holds cannot be cut off" in found.evidence


@pytest.mark.parametrize(
    "honest",
    [cheats.Weekly, cheats.ExpandingScore, cheats.SeededDice, cheats.MonthEnds],
    ids=lambda one: one.__name__,
)
def test_an_honest_look_alike_passes(honest: type[Strategy]) -> None:
    certificate = _audited(honest)
    assert certificate.verdict == "PASS"
    assert certificate.decisions > 3


def test_an_honest_strategy_passes_in_other_processes_too_with_a_stand_in_of_its_own() -> None:
    certificate = _audited(cheats.SortsASet, reloads=1, stand_in=stand_ins.unchanged)
    assert [one.passed for one in certificate.findings] == [True] * 4 + [None, True]
