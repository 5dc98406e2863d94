"""Reloads read raw files that were cut off: a reader whose later rows restate earlier ones does not pass."""

from pathlib import Path

import pytest
from audit.market import config_on_files, market, write_prices

from plimsoll import audit
from plimsoll.engine.market.csv import source
from plimsoll.engine.research.audit.certificate import Certificate

LAST = 8


def _audited(here: Path, strategy: str, monkeypatch: pytest.MonkeyPatch, adjusted: slice) -> Certificate:
    """Audit on files of which some rows of BBB have an adjusted close alone."""
    monkeypatch.chdir(here)
    monkeypatch.setattr(source, "begins_adjusted", source.begins_adjusted)  # to be restored, whatever the run does
    write_prices(market(), here / "data")
    path = here / "data/BBB.csv"
    header, *rows = path.read_text().splitlines()
    for at in range(*adjusted.indices(len(rows))):
        cells = rows[at].split(",")
        rows[at] = ",".join([cells[0], "", "", "", "", cells[5], "", "", ""])
    path.write_text("\n".join([header, *rows]) + "\n")
    return audit(config_on_files(strategy), reloads=2, seed=3)


def test_a_reader_that_lets_any_row_decide_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = _audited(tmp_path, "audit.old_rule:ReadsByAnyRow", monkeypatch, slice(-LAST, None))
    assert certificate.verdict == "FAIL"
    (failed,) = [one for one in certificate.findings if one.passed is False]
    assert failed.name == "reloads"
    assert "what is loaded of the past is not the same: later rows restate it" in failed.evidence


@pytest.mark.parametrize("adjusted", [slice(-LAST, None), slice(0, 1)], ids=["last rows", "first row"])
def test_the_reader_that_lets_the_first_row_decide_passes_on_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adjusted: slice
) -> None:
    assert _audited(tmp_path, "audit.cheats:Weekly", monkeypatch, adjusted).verdict == "PASS"
