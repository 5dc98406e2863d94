"""Tables of parameter sweeps to draw, and the packed columns of a page read back."""

import itertools
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

METRICS = ("sharpe", "cagr", "vol_ann", "max_drawdown", "turnover", "final_equity")
DIMENSIONS: Mapping[str, Sequence[Any]] = {
    "sleeve.a.params.slow": [40, 10, 100],
    "sleeve.a.params.fast": [0.5, 2.0, 1.0, 4.0],
    "sleeve.b.params.mode": ["mean", "last", "all"],
    "execution.sized": [True, False],
}
FACTS = {"Base configuration": "9f3ab12c", "Data": "c0ffee", "synthetic": ""}


def sweep_table(dimensions: Mapping[str, Sequence[Any]] = DIMENSIONS, seed: int = 5) -> pd.DataFrame:
    """Return a full grid, in shuffled order, with a Sharpe ratio that falls off in the first key."""
    rng = np.random.default_rng(seed)
    rows = list(itertools.product(*dimensions.values()))
    table = pd.DataFrame([rows[k] for k in rng.permutation(len(rows))], columns=list(dimensions))
    table.insert(0, "setting", np.arange(len(table)))
    first = pd.factorize(table[next(iter(dimensions))], sort=True)[0]
    table["sharpe"] = 0.5 - 0.3 * first + rng.normal(0.0, 0.2, len(table))
    for name in METRICS[1:]:
        table[name] = rng.normal(0.1, 0.05, len(table))
    return table.assign(status="ok", reason="")


def with_failures(table: pd.DataFrame, rows: Sequence[int], reason: str = "it broke") -> pd.DataFrame:
    """Return the table with the rows at these positions failed."""
    out = table.copy()
    names = [name for name in METRICS if name in out.columns]
    out.loc[list(rows), names] = np.nan
    out.loc[list(rows), "status"] = "failed"
    out.loc[list(rows), "reason"] = reason
    return out


def unpacked(packed: Mapping[str, Any]) -> pd.DataFrame:
    """Return the map's columns: a step label per key, by its name, and a float32 per metric."""
    columns: dict[str, Any] = {}
    for key in packed["keys"]:
        codes = np.frombuffer(b64decode(key["codes"]), dtype=np.uint8)
        columns[key["name"]] = [key["labels"][code] for code in codes]
    for metric in packed["metrics"]:
        columns[metric["key"]] = np.frombuffer(b64decode(metric["values"]), dtype="<f4")
    return pd.DataFrame(columns)
