"""What was disabled or bound is counted, and said why, where machines read it."""

import numpy as np
import pytest
from support.book_run import UNBOUND, UNGOVERNED, Steady, run_book, walk_panel

from plimsoll import backtest
from plimsoll.engine.runtime.counts import unbound_volatility


def test_a_disabled_sleeve_is_named_with_its_reason_in_the_metrics() -> None:
    sleeves = [{"name": "pays", "strategy": "sixty_forty"}, {"name": "fear", "strategy": "vol_premium"}]
    config = {"run": {"start": "2008-01-02", "end": "2008-12-31"}, "sleeve": sleeves, "integrator": {"preset": "book"}}
    from plimsoll.engine.market.sample.source import sample_panel

    panel = sample_panel(("SPY", "IEF", "TLT", "SVOL", "TAIL", "BIL"), ())  # and no VIX
    metrics = backtest(config, data=panel).metrics
    assert metrics["counts"]["sleeves_disabled"] == 1
    said = [w for w in metrics["warnings"] if w["kind"] == "sleeve_disabled"]
    assert [(w["symbol"], w["text"]) for w in said] == [("fear", "indicator VIX is not in the data")]


def test_where_nothing_binds_a_book_has_the_volatility_it_aims_for() -> None:
    names = tuple(f"N{i}" for i in range(12))
    panel = walk_panel(3, names, (0.12,) * 12, 1500, corr=0.2)
    sleeves = {"a": Steady(dict.fromkeys(names[:6], 1 / 6)), "b": Steady(dict.fromkeys(names[6:], 1 / 6))}
    book = run_book(panel, sleeves, first=100, integrator={**UNBOUND, **UNGOVERNED})
    told = unbound_volatility(book.setup.system.integrator.facts, book.decisions, book.setup.broker.rec[:, 5])
    assert told["unbound_share"] > 0.9
    assert 0.8 < told["unbound_vol_ratio"] < 1.2
    bars = np.array([decision.t for decision in book.decisions[3:-2]])
    plain = np.std(book.setup.broker.rec[bars + 2, 5]) * np.sqrt(252.0) / 0.10
    assert told["unbound_vol_ratio"] == pytest.approx(plain, rel=0.05)


def test_a_cap_that_the_ladder_is_narrower_than_is_named_with_what_is_in_force() -> None:
    panel = walk_panel(3, ("AAA", "BBB"), (0.12, 0.12), 160)
    tiers = [{"min_equity": 0.0, "gross": 1.5, "name": 0.12}]
    stages = {"preset": "book", "caps": {"gross": 1.75, "name": 0.12}, "ladder": {"tiers": tiers}}
    book = run_book(panel, {"a": Steady({"AAA": 0.5, "BBB": 0.5})}, first=120, integrator=stages)
    said = [warning.text for warning in book.result.warnings if warning.kind == "cap_overridden"]
    text = "integrator.caps.gross = 1.75 was not in force at 41 of 41 decisions: the ladder allows 1.5"
    assert said == [text]
