"""Every registered strategy and the shipped book pass the audit."""

from pathlib import Path

import pytest
from battery.witness import Witness, witness_book, witness_panel

from plimsoll.engine.research.audit.audit import examine
from plimsoll.engine.research.audit.case import Case
from plimsoll.engine.runtime.resolve import make_strategy, registered
from plimsoll.engine.verbs.audit import audit

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", registered())
def test_a_registered_strategy_passes_on_the_sample(name: str) -> None:
    strategy = make_strategy(name, {}, where="s")
    certificate = audit(strategy, end="2010-12-31" if strategy.warmup_bars < 1200 else "2014-06-30", reloads=0)
    assert certificate.failure is None
    assert certificate.decisions > 0


@pytest.mark.parametrize("preset", ["book", "legacy"])
def test_a_book_of_witnesses_that_see_everything_passes(preset: str) -> None:
    config, strategies = witness_book(preset)
    certificate = examine(Case(config, witness_panel(), False, strategies), n_reloads=0).certificate
    assert certificate.failure is None
    assert certificate.decisions > 60


@pytest.mark.parametrize("fill", ["next_open", "next_close"])
def test_a_witness_of_everything_passes_in_other_processes_too(fill: str) -> None:
    sets = (f"execution.fill={fill}", "execution.unfilled=carry", "execution.max_participation=1e-5")
    certificate = audit(Witness(), data=witness_panel(), reloads=2, sets=sets)
    assert certificate.failure is None


@pytest.mark.slow
def test_the_shipped_book_passes_with_every_sleeve_reloaded() -> None:
    certificate = audit(ROOT / "config/book.toml", start="2013-01-02", end="2013-03-28", reloads=1)
    assert certificate.failure is None
    assert len(certificate.strategies) >= 10
    assert certificate.decisions > 50
