"""One record of all that overfitting statistics say: its parts are the kernels', and what it says follows."""

import json
import math

import numpy as np
import pytest

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels.overfit.cscv import cscv
from plimsoll.engine.kernels.overfit.null import null_pbo
from plimsoll.engine.kernels.overfit.sharpe import dsr, min_backtest_years, min_track_record, psr
from plimsoll.engine.report.metrics.luck import Tries
from plimsoll.engine.research.validate.overfit import overfit
from plimsoll.engine.types import Floats


def labels(n: int) -> list[str]:
    return [f"setting {k}" for k in range(n)]


def noise(n: int = 24, sessions: int = 643, seed: int = 0) -> Floats:
    out: Floats = np.random.default_rng(seed).normal(0.0, 0.01, (sessions, n))
    return out


def test_its_parts_are_the_kernels_on_the_same_matrix() -> None:
    returns = noise()
    found = overfit(returns, labels(24), seed=3, blocks=8)
    ratios = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    best = int(np.argmax(ratios))
    assert (found.labels[found.best], found.sessions) == (f"setting {best}", 643)
    np.testing.assert_allclose(found.sharpe_ann, ratios * math.sqrt(252.0), rtol=1e-12)
    variance = float(np.var(ratios, ddof=1))
    assert found.luck.alone == psr(*found.record)
    assert found.luck.after_all == pytest.approx(dsr(*found.record, variance, 24), rel=1e-12)
    assert found.luck.after_effective == pytest.approx(dsr(*found.record, variance, found.effective.number), rel=1e-12)
    assert found.needed.record == min_track_record(found.record.ratio, found.record.g3, found.record.g4)
    assert found.needed.years == min_backtest_years(24)
    assert found.splits.logit.tobytes() == cscv(returns, 8).logit.tobytes()
    assert found.null.pbo.tobytes() == null_pbo(643, 24, 8, 3).pbo.tobytes()
    assert found.figures()["pbo_rows_dropped"] == 643 % 8


def test_noise_is_luck_and_a_planted_edge_is_not() -> None:
    lucky = overfit(noise(40, 1000), labels(40), seed=1, blocks=10)
    returns = noise(40, 1000)
    returns[:, 7] += 0.0025
    found = overfit(returns, labels(40), seed=1, blocks=10)
    assert found.labels[found.best] == "setting 7"
    assert found.luck.after_all > 0.99
    assert lucky.luck.after_all < 0.9
    assert found.pbo < 0.02
    assert lucky.pbo > 0.2
    assert found.null.sds_below(found.pbo) > 2.0 > abs(lucky.null.sds_below(lucky.pbo))
    assert found.splits.loss < 0.02 < lucky.splits.loss
    assert "the true Sharpe of setting 7, the best, is above zero: more than 99%" in found.sentences()[0]


def test_the_ledgers_count_is_what_it_is_deflated_by_where_it_is_larger() -> None:
    returns = noise()
    alone = overfit(returns, labels(24), seed=1, blocks=4, noise=2)
    more = Tries(1000, 400.0, clustered=False, variance=alone.tries.variance, measured=1000)
    found = overfit(returns, labels(24), seed=1, blocks=4, noise=2, tries=more)
    assert (found.tries.counted, found.figures()["tries"], found.effective.counted) == (1000, 1000, 24)
    assert found.luck.after_all < alone.luck.after_all
    assert found.needed.years == min_backtest_years(1000)
    fewer = Tries(3, 3.0, clustered=False, variance=1.0, measured=3)
    assert overfit(returns, labels(24), seed=1, blocks=4, noise=2, tries=fewer).tries.counted == 24


def test_settings_that_are_one_bet_are_said_to_be() -> None:
    rng = np.random.default_rng(5)
    for share, said in ((0.05, True), (1.0, False)):
        returns = rng.normal(0.0005, 0.01, (400, 1)) + share * rng.normal(0.0, 0.01, (400, 6))
        lines = overfit(returns, labels(6), seed=1, blocks=4, noise=2).sentences()
        assert any("they are one bet" in line for line in lines) == said


def test_the_same_seed_gives_the_same_bytes_and_figures_are_json() -> None:
    texts = [json.dumps(overfit(noise(), labels(24), seed=9, blocks=6).figures(), allow_nan=False) for _ in range(2)]
    assert texts[0] == texts[1]
    other = overfit(noise(), labels(24), seed=10, blocks=6).figures()
    changed = {key for key, value in json.loads(texts[0]).items() if other[key] != value}
    assert changed
    assert all(key.startswith("null_") for key in changed)


def test_copies_of_one_setting_have_nothing_to_deflate_by() -> None:
    returns = np.repeat(noise(1), 3, axis=1)
    found = overfit(returns, labels(3), seed=1, blocks=4, noise=2)
    assert found.figures()["deflated_sharpe"] is found.figures()["lucky_sharpe_ann"] is None
    assert "all have the same Sharpe: there is nothing to deflate by" in found.sentences()[0]
    assert found.pbo == 1.0  # at the middle, all three


@pytest.mark.parametrize(
    ("returns", "names", "says"),
    [
        (noise(3), ["a", "b"], "2 different labels for 3 columns; name each column"),
        (noise(3), ["a", "b", "a"], "2 different labels for 3 columns"),
        (np.zeros((50, 3)), ["a", "b", "c"], "no setting moves (nothing was traded)"),
        (noise(1), ["a"], "one column of returns (nothing to choose from)"),
        (np.full((50, 2), np.nan), ["a", "b"], "return [0, 0] is nan"),
        (noise(3, 5), ["a", "b", "c"], "5 returns for 16 blocks"),
    ],
)
def test_what_cannot_be_judged_is_refused_in_one_line(returns: Floats, names: list[str], says: str) -> None:
    with pytest.raises(InputError) as caught:
        overfit(returns, names, seed=0)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
