"""Reloads run beside the other passes: begun at once, waited for at the end, none begun after an interruption."""

import sys
from pathlib import Path

import pytest
from audit import cheats
from audit.market import case_of

from plimsoll.engine.research.audit import fresh_runs
from plimsoll.engine.research.audit.fresh_runs import reloads


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file that gets a line for each process that begins; one core, and the processes do nothing else."""
    lines, python = tmp_path / "begun", tmp_path / "python"
    lines.touch()
    python.write_text(f"#!/bin/sh\necho begun >> '{lines}'\nsleep 0.2\necho nothing was run >&2\nexit 3\n")
    python.chmod(0o755)
    monkeypatch.setattr(fresh_runs, "cores", lambda: 1)
    monkeypatch.setattr(sys, "executable", str(python))
    return lines


def test_all_are_begun_without_being_asked_for_and_what_became_of_them_is_told(begun: Path) -> None:
    case, told = case_of(cheats.Weekly), []
    with reloads(case, case.run(), 4, 0) as reloaded:
        found = reloaded(lambda done, total: told.append((done, total)))
    assert begun.read_text().count("begun") == 4
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert found.passed is False
    assert found.evidence.endswith("died: nothing was run (4 of 4 reloads failed)")


def test_whoever_is_interrupted_begins_no_further_one(begun: Path) -> None:
    case = case_of(cheats.Weekly)
    reference = case.run()
    with pytest.raises(KeyboardInterrupt), reloads(case, reference, 6, 0):
        raise KeyboardInterrupt
    assert begun.read_text().count("begun") <= 1


def test_none_is_begun_where_none_is_asked_for(begun: Path) -> None:
    case = case_of(cheats.Weekly)
    with reloads(case, case.run(), 0, 0) as reloaded:
        found = reloaded(None)
    assert (found.passed, found.what, begun.read_text()) == (None, "no reload was asked for", "")
