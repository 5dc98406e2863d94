"""Trading costs by sleeve: each fill's by how much each sleeve's weight changed since the decision before."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.engine.runtime.sleeve_pnl import _costs


@given(st.integers(0, 2**32 - 1), st.integers(0, 4), st.integers(0, 12))
def test_costs_go_to_the_sleeves_whose_weights_changed(seed: int, n_decisions: int, n_fills: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [rng.choice([0.0, 0.1, -0.2, 0.3], (3, 4)) for _ in range(n_decisions)]
    at = np.sort(rng.choice(20, n_decisions, replace=False))
    bar = np.sort(rng.integers(0, 22, n_fills))
    held: Any = SimpleNamespace(
        symbols=("B", "D"), bar=bar, column=rng.integers(0, 2, n_fills), costs=rng.uniform(0.0, 5.0, n_fills)
    )
    told: Any = SimpleNamespace(sleeves=("x", "y", "z"), at=at, parts=parts)
    wanted, rest = np.zeros(3), 0.0
    for row in range(n_fills if n_decisions else 0):
        of = max(sum(1 for one in at if one < bar[row]) - 1, 0)  # the last decision before the fill's bar
        column = (1, 3)[held.column[row]]
        before = parts[of - 1][:, column] if of > 0 else np.zeros(3)
        change = np.abs(parts[of][:, column] - before)
        if change.sum() > 0.0:
            wanted += held.costs[row] * change / change.sum()
        else:
            rest += held.costs[row]
    found, unplaced = _costs(told, held, ("A", "B", "C", "D"))
    assert found == pytest.approx(wanted)
    assert unplaced == pytest.approx(rest)
