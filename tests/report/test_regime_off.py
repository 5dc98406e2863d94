"""The book with stage 6 off, shown beside the book."""

from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.report.metrics.regime_off import COMPARED, regime_off_text
from plimsoll.engine.report.result import Result
from plimsoll.engine.verbs.backtest import backtest


@lru_cache(maxsize=4)
def ran(engine: Any = "compiled", *sets: str) -> Result:
    """A small book on the sample, which has a storm in it."""
    config = {
        "run": {"name": "t", "start": "2019-06-03", "end": "2020-12-31", "cash": 250_000.0, "benchmark": "SPY"},
        "data": {"indicators": ["VIX"]},
        "sleeve": [{"name": "mix", "strategy": "sixty_forty"}, {"name": "trend", "strategy": "trend"}],
        "integrator": {"preset": "book", "regime": {"crisis": 0.02, "transition": 0.03, "band": [0.02, 0.12]}},
    }
    return backtest(config, trials="off", engine=engine, sets=sets)


def test_its_figures_are_those_of_a_run_of_its_own() -> None:
    block = ran("compiled", "report.regime_off=true").metrics["regime_off"]
    plain, off = ran().metrics, ran("python", "integrator.regime.enabled=false").metrics
    for side, own in (("on", plain), ("off", off)):
        for key in ("sharpe_excess", "cagr", "vol_ann", "max_drawdown"):
            assert block[side][key] == own[key]
        assert block[side]["turnover"] == pytest.approx(own["turnover"]["two_sided_per_year"], rel=1e-12)
        assert block[side]["cost_bps"] == pytest.approx(own["costs"]["drag_bps_per_year"], rel=1e-12)
    assert block["on"]["vol_ann"] != block["off"]["vol_ann"]


def test_the_run_itself_is_the_same_whether_it_is_asked_for_or_not() -> None:
    asked, plain = ran("compiled", "report.regime_off=true"), ran()
    assert asked.config_hash == plain.config_hash
    assert asked.equity.to_numpy().tobytes() == plain.equity.to_numpy().tobytes()
    assert plain.metrics["regime_off"] is None


def test_both_sides_stand_in_the_words_and_where_there_is_nothing_to_compare_they_say_why() -> None:
    block = ran("compiled", "report.regime_off=true").metrics["regime_off"]
    words = regime_off_text(block)
    assert all(label in words for _, label, _ in COMPARED)
    assert f"{block['off']['sharpe_excess']:.2f} ({block['on']['sharpe_excess']:.2f})".replace("-", "−") in words
    none = ran("compiled", "report.regime_off=true", "integrator.regime.enabled=false").metrics["regime_off"]
    assert regime_off_text(none) == "with it off: stage 6 is off in the run itself"


def test_a_preset_without_stage_6_is_refused() -> None:
    direct = {"sleeve": [{"name": "s", "strategy": "sixty_forty"}], "report": {"regime_off": True}}
    with pytest.raises(ConfigError, match=r"'report\.regime_off' has no effect under preset 'direct'"):
        load_config(direct)


def test_a_book_that_has_no_compiled_form_says_so_in_place_of_figures() -> None:
    result = ran("python", "report.regime_off=true", "integrator.vol_target.covariance=factor")
    assert "factor" in result.metrics["regime_off"]["why"]
    assert np.isfinite(result.metrics["vol_ann"])
