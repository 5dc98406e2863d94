"""The map's arithmetic, run as it runs in a browser, against a pivot table."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sweep_maker import DIMENSIONS, sweep_table, with_failures

import plimsoll.engine.report.page.frame
from plimsoll.engine.report.sweep.effect import effects
from plimsoll.engine.report.sweep.map import map_payload
from plimsoll.engine.report.sweep.table import read_sweep

NODE = shutil.which("node")
KEYS = list(DIMENSIONS)
SLOW, FAST, MODE, SIZED = range(4)
PANDAS = {"median": "median", "mean": "mean", "best": "max", "worst": "min"}

pytestmark = pytest.mark.skipif(NODE is None, reason="needs node to run the page's script")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    out = with_failures(sweep_table(), [0, 7, 20])
    out.loc[11, "sharpe"] = np.nan
    return out


def cells(table: pd.DataFrame, metric: str = "sharpe", **choice: Any) -> list[list[dict[str, float] | None]]:
    sweep = read_sweep("demo", table, KEYS, metric)
    chosen = {"x": SLOW, "y": FAST, "metric": 0, "how": "median", "fixed": {}, **choice}
    script = (Path(plimsoll.engine.report.page.frame.__file__).parents[1] / "sweep" / "map.js").read_text(
        encoding="utf-8"
    )
    packed = json.dumps(map_payload(sweep, effects(sweep)))
    run = f"{script}\nconst m = globalThis.sweepMap;\n"
    run += f"console.log(JSON.stringify(m.cells(m.unpack({packed}), {json.dumps(chosen)})));"
    done = subprocess.run([str(NODE), "-"], input=run, capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout))


def values(grid: list[list[dict[str, float] | None]], name: str) -> list[list[float]]:
    return [[np.nan if cell is None else cell[name] for cell in row] for row in grid]


@pytest.mark.parametrize("how", PANDAS)
def test_cells_are_those_of_a_pivot_table(table: pd.DataFrame, how: str) -> None:
    grid = cells(table, how=how)
    frame = table.pivot_table(index=KEYS[FAST], columns=KEYS[SLOW], values="sharpe", aggfunc=PANDAS[how])
    np.testing.assert_allclose(values(grid, "value"), frame.to_numpy(), rtol=1e-6, atol=1e-7)
    counts = table.pivot_table(index=KEYS[FAST], columns=KEYS[SLOW], values="sharpe", aggfunc="count")
    np.testing.assert_array_equal(values(grid, "count"), counts.to_numpy())


def test_best_is_the_lowest_where_lower_is_better(table: pd.DataFrame) -> None:
    grid = cells(table, metric="vol_ann", how="best")
    frame = table.pivot_table(index=KEYS[FAST], columns=KEYS[SLOW], values="vol_ann", aggfunc="min")
    np.testing.assert_allclose(values(grid, "value"), frame.to_numpy(), rtol=1e-6)


def test_a_fixed_value_keeps_only_its_settings(table: pd.DataFrame) -> None:
    modes = list(dict.fromkeys(table[KEYS[MODE]]))
    grid = cells(table, y=SIZED, fixed={MODE: 1, FAST: None})
    kept = table[table[KEYS[MODE]] == modes[1]]
    frame = kept.pivot_table(index=KEYS[SIZED], columns=KEYS[SLOW], values="sharpe", aggfunc="median")
    np.testing.assert_allclose(values(grid, "value"), frame.to_numpy(), rtol=1e-6, atol=1e-7)


def test_fixing_a_key_that_is_on_an_axis_changes_nothing(table: pd.DataFrame) -> None:
    assert cells(table, fixed={SLOW: 1}) == cells(table)


def test_a_cell_without_a_finished_setting_is_blank(table: pd.DataFrame) -> None:
    gone = (table[KEYS[SLOW]] == 10) & (table[KEYS[FAST]] == 4.0)
    grid = cells(with_failures(table, table.index[gone].tolist()))
    assert grid[3][0] is None
    assert sum(cell is None for row in grid for cell in row) == 1


def test_one_key_is_one_row(table: pd.DataFrame) -> None:
    grid = cells(table, y=None)
    expected = table.groupby(KEYS[SLOW])["sharpe"].median()
    np.testing.assert_allclose(values(grid, "value"), [expected.to_numpy()], rtol=1e-6)
