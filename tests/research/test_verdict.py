"""What a verdict is of, and who may lean on it: backtest, plan and the live verbs refuse it in one line alike."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.validating import leaning, leaning_values, two_assets

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.span import first_bars
from plimsoll.engine.research.sweep.maker import Maker
from plimsoll.engine.research.validate.checksum import Checksum, checksum_of, configuration_hash, last_session
from plimsoll.engine.research.validate.verdict import asks_for_verdict, require_verdict
from plimsoll.engine.verbs.backtest import backtest
from plimsoll.engine.verbs.gate import pass_gate
from plimsoll.engine.verbs.plan import plan

PANEL = two_assets((0.001, 0.0), n=120)


def sum_of(config: Config, panel: Panel = PANEL) -> Checksum:
    return checksum_of(config, Maker().all(config).values(), panel, last_session(PANEL))


def gated(verdict: Path, **changes: Any) -> Config:
    return leaning(gate={"required": True, "verdict": str(verdict)}, **changes)


def written(folder: Path, config: Config, **changes: Any) -> Path:
    """Write a verdict of a configuration on PANEL."""
    last, sums = str(last_session(PANEL)), sum_of(config).plain()
    found: dict[str, Any] = {"passed": True, "reasons": [], "last_session": last, "checksum": sums}
    path = folder / "verdict.json"
    path.write_text(json.dumps(found | changes))
    return path


@pytest.fixture
def verdict(tmp_path: Path) -> Path:
    return written(tmp_path, leaning())


# -------------------------------------------------------------------------------------------------------- the checksum
def test_the_checksum_moves_with_a_key_that_a_run_depends_on_and_with_no_other() -> None:
    own = configuration_hash(leaning())
    for changed in (
        leaning(run={"cash": 5e4}),
        leaning(costs={"stress": 2.0}),
        load_config(leaning_values(), sets=["sleeve.s.params.size=0.6"]),
        load_config(leaning_values(), sets=["sleeve.s.status=incubating"]),
    ):
        assert configuration_hash(changed) != own
    for same in (
        leaning(gate={"max_pbo": 0.1}),
        leaning(validate={"purge_sessions": 3}),
        leaning(run={"name": "other", "end": "2019-05-01"}),
        leaning(data={"source": "csv", "path": "elsewhere"}),
    ):
        assert configuration_hash(same) == own


def test_the_checksum_moves_with_a_price_and_not_with_what_came_later() -> None:
    own = sum_of(leaning())
    longer = two_assets((0.001, 0.0), n=140)
    np.testing.assert_array_equal(longer.close[:120], PANEL.close)
    assert checksum_of(leaning(), Maker().all(leaning()).values(), longer, last_session(PANEL)) == own
    block = PANEL.block.copy()
    block[1, 60, 0] *= 1.0 + 1e-12
    other = Panel(PANEL.clock, PANEL.symbols, block, PANEL.high, PANEL.low)
    assert sum_of(leaning(), other).data != own.data
    assert sum_of(leaning(), other).configuration == own.configuration


def test_the_checksum_moves_with_the_source_of_a_strategy(tmp_path: Path) -> None:
    source = (Path(__file__).parents[1] / "support" / "validating.py").read_text()
    sums = []
    for number, text in enumerate((source, source.replace("21", "22"), source)):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / f"own_{number}.py").write_text(text)
        values = leaning_values()
        values["sleeve"][0]["strategy"] = f"own_{number}:Leaning"
        config = load_config({**values, "run": {"modules": str(folder)}})
        sums.append(sum_of(config).strategies)
    assert len(set(sums)) == 3  # the file's name counts, too
    assert sum_of(leaning()).strategies == sum_of(leaning()).strategies


# ------------------------------------------------------------------------------------------------------ what is refused
def refusal(config: Config, panel: Panel = PANEL) -> str:
    with pytest.raises(ConfigError) as caught:
        require_verdict(config, Maker().all(config).values(), panel)
    line = str(caught.value)
    assert "\n" not in line
    assert "gate.verdict" in line
    return line


def test_a_verdict_that_passed_and_fits_lets_run(verdict: Path) -> None:
    config = gated(verdict)
    require_verdict(config, Maker().all(config).values(), PANEL)
    assert backtest(config, data=PANEL, trials="off").metrics["total_return"] is not None


def test_a_missing_one_is_refused(tmp_path: Path) -> None:
    assert "no verdict" in refusal(gated(tmp_path / "none.json"))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"passed": 1, "last_session": "2019-01-02", "checksum": {}}', '{"passed": true}']
)
def test_what_is_no_verdict_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    path.write_text(text)
    line = refusal(gated(path))
    assert "cannot be read" in line or "is no verdict" in line


def test_a_failed_one_is_refused_with_its_reasons(tmp_path: Path) -> None:
    path = written(tmp_path, leaning(), passed=False, reasons=["probability of overfitting 62.00%"])
    assert "says FAIL: probability of overfitting 62.00%" in refusal(gated(path))


def test_a_stale_one_is_refused_and_the_line_says_what_changed(verdict: Path, tmp_path: Path) -> None:
    assert "of other configuration than now" in refusal(gated(verdict, run={"cash": 5e4}))
    other = two_assets((0.001, 0.0), seed=5, n=120)
    assert "of other data than now" in refusal(gated(verdict), other)
    sums = sum_of(leaning()).plain() | {"strategies": "0"}
    path = written(tmp_path, leaning(), checksum=sums)
    assert "of other strategy source than now" in refusal(gated(path))


def test_prices_that_end_before_the_verdict_cannot_be_compared(verdict: Path) -> None:
    assert "these end on" in refusal(gated(verdict), first_bars(PANEL, 90))


def test_later_sessions_do_not_age_it(verdict: Path) -> None:
    config = gated(verdict)
    require_verdict(config, Maker().all(config).values(), two_assets((0.001, 0.0), n=140))


def test_nobody_who_does_not_ask_needs_one(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.json")
    for config in (
        leaning(),
        leaning(gate={"verdict": missing}),
        load_config(leaning_values(gate={"required": True, "verdict": missing}), sets=["sleeve.s.status=incubating"]),
    ):
        assert not asks_for_verdict(config)
        require_verdict(config, Maker().all(config).values(), PANEL)
    with pytest.raises(ConfigError, match="required without a verdict"):
        leaning(gate={"required": True})


@pytest.mark.parametrize("verb", ["backtest", "plan", "live"])
def test_every_verb_that_runs_a_promoted_sleeve_asks(verb: str, tmp_path: Path) -> None:
    config = gated(tmp_path / "none.json")
    held = tmp_path / "held.csv"
    held.write_text("symbol,qty\nCASH,1000\n")
    verbs: dict[str, Callable[[], object]] = {
        "backtest": lambda: backtest(config, data=PANEL, trials="off"),
        "plan": lambda: plan(config, data=PANEL, positions=held, end=str(last_session(PANEL))),
        "live": lambda: pass_gate(config, {}, PANEL),
    }
    with pytest.raises(ConfigError, match="no verdict"):
        verbs[verb]()
