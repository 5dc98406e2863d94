"""The generated market against the figures it is calibrated to, and those against the funds they were measured on."""

import csv
from pathlib import Path

import numpy as np
import pytest
from support.sampled import OTHER_SEEDS, drawdowns, returns

from plimsoll.engine.market.calendar import sessions
from plimsoll.engine.market.sample.calibration import CALIBRATIONS, Calibration
from plimsoll.engine.market.sample.source import FIRST, LAST
from plimsoll.engine.types import Floats


def figure(one: Calibration, series: list[Floats]) -> float:
    both = np.column_stack(series)
    both = both[~np.isnan(both).any(axis=1)]
    ret = both[:, 0]
    match one.figure:
        case "return":
            return float(np.prod(1.0 + ret) ** (252.0 / len(ret)) - 1.0)
        case "volatility":
            return float(ret.std() * 252**0.5)
        case "drawdown":
            return float(drawdowns(ret).min())
        case "correlation":
            return float(np.corrcoef(ret, both[:, 1])[0, 1])
        case "beta":
            centred = both - both.mean(axis=0)
            return float((centred[:, 0] * centred[:, 1]).sum() / (centred[:, 1] ** 2).sum())


@pytest.mark.parametrize("one", CALIBRATIONS, ids=lambda t: f"{t.figure}-{'-'.join(t.symbols)}")
def test_the_default_market_is_near_every_target(one: Calibration) -> None:
    found = figure(one, [returns(42, symbol) for symbol in one.symbols])
    assert found == pytest.approx(one.value, abs=one.near)


@pytest.mark.parametrize("seed", OTHER_SEEDS)
def test_any_other_market_stays_within_the_wide_bands(seed: int) -> None:
    for one in CALIBRATIONS:
        found = figure(one, [returns(seed, symbol) for symbol in one.symbols])
        assert found == pytest.approx(one.value, abs=one.wide), one


@pytest.mark.realdata
@pytest.mark.parametrize("one", CALIBRATIONS, ids=lambda t: f"{t.figure}-{'-'.join(t.symbols)}")
def test_the_targets_are_what_the_real_funds_did(one: Calibration, real_daily: Path) -> None:
    days = sessions(FIRST, LAST).astype(str).tolist()
    series = []
    for symbol in one.symbols:
        with (real_daily / f"{symbol}.csv").open() as lines:
            close = {row["date"]: row["adj_close"] for row in csv.DictReader(lines)}
        level = np.array([float(close.get(day) or "nan") for day in days])
        series.append(np.append(np.nan, level[1:] / level[:-1] - 1.0))
    assert figure(one, series) == pytest.approx(one.value, abs=0.011)
