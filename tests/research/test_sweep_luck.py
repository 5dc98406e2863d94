"""What a sweep says is left of its settings' Sharpe ratios after all of them, from its returns alone."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kurtosis, norm, skew
from support.sweeping import EVERY, SHARE, gated_plan, gated_values, same_bytes

from plimsoll import sweep
from plimsoll.engine.kernels.overfit.effective import effective_trials
from plimsoll.engine.research.sweep.sweep import Ranking, SweepResult, Workers, run_sweep
from plimsoll.engine.trials.ledger import TrialLedger

ALONE = Workers("threads", 1)
GRID = {EVERY: [1, 3, 7, 11, 15], SHARE: [0.3, 0.8]}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> SweepResult:
    base = gated_values(tmp_path_factory.mktemp("market"))
    return sweep(base, GRID, workers=ALONE, windows="own", out=tmp_path_factory.mktemp("sweep") / "out", trials="off")


def plain_deflated(result: SweepResult, trials: float) -> list[float]:
    """Return the deflated ratios of all settings by pandas, scipy and the paper's formulas."""
    assert result.returns is not None
    returns = result.returns
    ratios = returns.mean() / returns.std()
    hurdle = ratios.std() * (
        (1.0 - np.euler_gamma) * norm.ppf(1.0 - 1.0 / trials) + np.euler_gamma * norm.ppf(1.0 - 1.0 / (trials * np.e))
    )
    out = []
    for name, ratio in ratios.items():
        own = returns[name].dropna()
        spread = 1.0 - skew(own) * ratio + (kurtosis(own, fisher=False) - 1.0) / 4.0 * ratio**2
        out.append(float(norm.cdf((ratio - hurdle) * np.sqrt(len(own) - 1) / np.sqrt(spread))))
    return out


def test_each_setting_is_deflated_by_all_of_them(found: SweepResult) -> None:
    np.testing.assert_allclose(found.table["deflated_sharpe"], plain_deflated(found, 10), rtol=1e-9)
    assert (found.table["deflated_sharpe"] < found.table["probabilistic_sharpe"]).all()
    columns = list(found.table.columns)
    assert columns.index("deflated_sharpe") == columns.index("probabilistic_sharpe") + 1


def test_the_summary_says_what_is_left_of_the_best_and_what_they_are_worth(found: SweepResult) -> None:
    assert found.returns is not None
    luck, best = found.summary["luck"], found.summary["top"][0]
    assert (luck["setting"], luck["tries"]) == (best["setting"], 10)
    worth = effective_trials(found.returns.to_numpy()).number
    assert luck["effective_tries"] == worth < 10  # two shares of the same bets are one bet
    assert luck["probabilistic_sharpe"] == best["probabilistic_sharpe"]
    assert luck["deflated_sharpe"] == best["deflated_sharpe"]
    assert luck["deflated_sharpe_effective"] == pytest.approx(plain_deflated(found, worth)[best["setting"]], rel=1e-9)
    assert luck["text"].startswith(
        f"Probability that the true Sharpe of setting {best['setting']}, the best, is above "
    )
    assert " after 10 settings of this sweep, " in luck["text"]
    assert found.folder is not None
    assert luck["text"] in (found.folder / "report.html").read_text(encoding="utf-8")
    assert json.loads((found.folder / "summary.json").read_text())["luck"] == luck


def test_a_failed_setting_is_no_try(tmp_path: Path) -> None:
    broken = run_sweep(gated_plan(tmp_path, every=(1, 2, 3, 4), broken=3), None, ALONE, Ranking())
    whole = run_sweep(gated_plan(tmp_path, every=(1, 2, 4), broken=3), None, ALONE, Ranking())
    assert broken.summary["luck"]["tries"] == whole.summary["luck"]["tries"] == 3
    assert np.isnan(broken.table["deflated_sharpe"][2])
    assert broken.table["deflated_sharpe"].drop(2).to_list() == whole.table["deflated_sharpe"].to_list()


def test_one_setting_and_equal_ones_have_no_deflated_ratio(tmp_path: Path) -> None:
    one = sweep(gated_values(tmp_path), {EVERY: [2]}, workers=ALONE, trials="off")
    assert one.table["deflated_sharpe"].isna().all()
    assert one.summary["luck"]["deflated_sharpe"] is None
    assert "there are no other settings of this sweep to deflate by" in one.summary["luck"]["text"]
    same = sweep(gated_values(tmp_path), {"run.seed": [1, 2, 3]}, workers=ALONE, trials="off")
    assert same.table["deflated_sharpe"].isna().all()
    assert "of the 3 settings of this sweep all have the same Sharpe" in same.summary["luck"]["text"]


def test_the_folder_does_not_depend_on_what_else_was_tried(tmp_path: Path) -> None:
    base = gated_values(tmp_path)
    ledger = tmp_path / "ledger"
    sweep(base, {EVERY: [5, 6]}, workers=ALONE, trials=ledger)
    for name, trials in (("known", ledger), ("off", "off")):
        sweep(base, {EVERY: [1, 4, 9]}, workers=ALONE, out=tmp_path / name, trials=trials)
    assert len(TrialLedger(ledger / "trials.sqlite").rows()) == 5
    assert same_bytes(tmp_path / "known") == same_bytes(tmp_path / "off")
