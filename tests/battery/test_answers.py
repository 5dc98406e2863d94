"""What an answer means: None keeps, zeros are cash on purpose, the first None is cash."""

import numpy as np
import pytest
from support.panels import make_panel
from support.scripted import run_script

CLOSE = np.array([[100.0, 50.0]] * 3 + [[110.0, 50.0], [121.0, 45.0], [121.0, 45.0], [130.0, 60.0], [125.0, 61.0]])
HALF = {"S000": 0.5, "S001": 0.25}


def test_before_the_first_answer_all_is_cash() -> None:
    ran = run_script(make_panel(CLOSE), {}, first=1)
    assert len(ran.result.orders) == 0
    assert (ran.equity["equity"] == 100_000.0).all()
    assert (ran.result.sleeves["s.equity"] == 1.0).all()


def test_none_keeps_what_is_held_while_it_drifts() -> None:
    ran = run_script(make_panel(CLOSE), {2: HALF}, first=1)
    assert len(ran.result.fills) == 2
    drifted = np.array([0.5, 0.25]) * CLOSE[-1] / CLOSE[2]
    equity = 0.25 + drifted.sum()
    assert ran.setup.system.sleeves[0].tracker.weights == pytest.approx(drifted / equity, rel=1e-12)
    assert ran.result.sleeves["s.equity"].iloc[-1] == pytest.approx(equity, rel=1e-12)


def test_an_answer_given_again_is_a_new_answer() -> None:
    ran = run_script(make_panel(CLOSE), {2: HALF, 5: HALF}, first=1)
    assert len(ran.result.fills) == 4
    assert ran.result.targets.iloc[-2:].to_numpy().tolist() == [[0.5, 0.25], [0.5, 0.25]]


def test_zeros_sell_everything_and_none_then_keeps_cash() -> None:
    ran = run_script(make_panel(CLOSE), {2: HALF, 4: {}}, first=1)
    fills = ran.result.fills
    assert len(fills) == 4
    assert fills.groupby("symbol")["qty"].sum().abs().max() < 1e-9
    assert (ran.result.weights.iloc[-3:] == 0.0).all(axis=None)
    assert ran.setup.system.sleeves[0].tracker.weights.tolist() == [0.0, 0.0]


def test_the_first_decision_adopts_what_the_sleeve_holds_by_then() -> None:
    ran = run_script(make_panel(CLOSE), {1: HALF}, first=4)
    adopted = np.array([0.5, 0.25]) * CLOSE[3] / CLOSE[1]
    adopted /= 0.25 + adopted.sum()
    assert ran.result.targets.iloc[0].to_numpy() == pytest.approx(adopted, rel=1e-12)
    assert len(ran.result.targets) == 1
