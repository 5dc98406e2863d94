"""A finished run read back from its folder."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import DataError
from plimsoll.engine.report.folder import MARKER, TABLES
from plimsoll.engine.report.metrics.returns import Figures
from plimsoll.engine.runtime.record import Record

_BY_SESSION: Final = ("equity", "weights", "targets", "sleeves")  # the others have a column "session" among others


def read_back(folder: Path, config: Config) -> tuple[Record, Figures]:
    """Return the record of a run folder and its figures, numbers as they were to the bit.

    config : the run's own. Benchmark, bill series, their spans and the warnings as objects are not in a folder: they
    are left out, the figures made of them are in the second value.

    Raises
    ------
    DataError
        If a table or `metrics.json` is missing or is not what a run writes.
    """
    try:
        metrics: Figures = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        env = json.loads((folder / "env.json").read_text(encoding="utf-8"))
        tables: dict[str, Any] = {name: _table(folder, name) for name in TABLES}
        run, days = metrics["run"], tables["equity"].index.to_numpy(dtype="datetime64[D]")
        record = Record(
            **tables,
            name=run["name"],
            run_id=run["run_id"],
            cash=run["starting_cash"],
            session_last=np.append(days[1:] != days[:-1], True)[: len(days)],
            benchmark=None,
            bill=None,
            config=config.plain(),
            config_toml=config.toml(),
            config_hash=run["config_hash"],
            data_hash=run["data_hash"],
            synthetic=run["synthetic"],
            source=run["source"],
            interval=run["interval"],
            warnings=(),
            counts=metrics["counts"],
            env=env,
            ruined=run["ruined"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        fix = "name a folder that `plimsoll backtest` wrote, or run the backtest again"
        raise DataError(
            f"not a whole run folder: it needs {MARKER} and the tables {', '.join(TABLES)}", where=str(folder), fix=fix
        ) from None
    return record, metrics


def _table(folder: Path, name: str) -> pd.DataFrame:
    """Return one table, by the reader of the package that wrote it: every number is the one that was written."""
    from pyarrow import csv

    packed, text = folder / f"{name}.parquet", folder / f"{name}.csv"
    table: pd.DataFrame = pd.read_parquet(packed) if packed.exists() else csv.read_csv(text).to_pandas()
    if "session" in table:
        table["session"] = pd.to_datetime(table["session"])
    return table.set_index("session") if name in _BY_SESSION else table
