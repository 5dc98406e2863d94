"""A finished run read back from its folder."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import DataError
from plimsoll.engine.market.panel import DataWarning
from plimsoll.engine.report.beside_file import BESIDE, series_of
from plimsoll.engine.report.folder import MARKER, REWORKED, TABLES
from plimsoll.engine.report.metrics.returns import Figures
from plimsoll.engine.runtime.beside import Span
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.runtime.rung import Ladder, Rung

_BY_SESSION: Final = ("equity", "weights", "targets", "sleeves")  # the others have a column "session" among others


def read_back(folder: Path, config: Config) -> tuple[Record, Figures]:
    """Return the record of a run folder and its figures, numbers as they were to the bit.

    config : the run's own. Prices are not in a folder, nor are the rungs' own costs: what is made of them is in the
    second value. A folder from before there was `beside.csv` has no benchmark and no bill series.

    Raises
    ------
    DataError
        If a table or `metrics.json` is missing or is not what a run writes.
    """
    try:
        metrics: Figures = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        env = json.loads((folder / "env.json").read_text(encoding="utf-8"))
        tables: dict[str, Any] = {name: _table(folder, name) for name in TABLES}
        beside = _table(folder, BESIDE) if _has(folder, BESIDE) else None
        run, days = metrics["run"], tables["equity"].index.to_numpy(dtype="datetime64[D]")
        record = Record(
            **tables,
            name=run["name"],
            run_id=run["run_id"],
            cash=run["starting_cash"],
            session_last=np.append(days[1:] != days[:-1], True)[: len(days)],
            benchmark=series_of(beside, "benchmark"),
            bill=series_of(beside, "bill"),
            config=config.plain(),
            config_toml=config.toml(),
            config_hash=run["config_hash"],
            data_hash=run["data_hash"],
            synthetic=run["synthetic"],
            source=run["source"],
            interval=run["interval"],
            warnings=tuple(DataWarning(**warning) for warning in metrics["warnings"]),
            spans=tuple(Span(**span) for span in metrics["spans"]),
            counts=metrics["counts"],
            env=env,
            ruined=run["ruined"],
            certificate=_certificate(folder),
            ladder=_ladder(folder, metrics["ladder"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        fix = "name a folder that `plimsoll backtest` wrote, or run the backtest again"
        raise DataError(
            f"not a whole run folder: it needs {MARKER} and the tables {', '.join(TABLES)}", where=str(folder), fix=fix
        ) from None
    record.__dict__.update(_reworked(folder))  # where `cached_property` keeps them
    return record, metrics


def _reworked(folder: Path) -> dict[str, pd.DataFrame]:
    """Return round trips and profits as they were written, as far as a folder has them: they need the prices."""
    out = {}
    for name in REWORKED:
        if _has(folder, name):
            table = _table(folder, name)
            index = {"pnl_by_symbol": "symbol", "pnl_by_sleeve": "part"}.get(name)
            out[name] = table.set_index(index) if index else table.rename_axis(index="trade")
    return out


def _has(folder: Path, name: str) -> bool:
    return any((folder / f"{name}{suffix}").exists() for suffix in (".csv", ".parquet"))


def _certificate(folder: Path) -> dict[str, Any] | None:
    path = folder / "certificate.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def _ladder(folder: Path, block: Figures | None) -> Ladder | None:
    """Return the rungs with their session returns, as far as a folder has them."""
    if block is None:
        return None
    table = _table(folder, "ladder") if _has(folder, "ladder") else pd.DataFrame()
    rungs = tuple(
        Rung(
            rung["name"],
            table[rung["name"]].to_numpy(np.float64) if rung["name"] in table else np.empty(0),
            *(0.0, 0.0),
            rung.get("decided", {}),
            rung["config_hash"],
            "",
            rung.get("why", ""),
        )
        for rung in block["rungs"]
    )
    return Ladder(rungs, block["own"], block["seed"], block["why"])


def _table(folder: Path, name: str) -> pd.DataFrame:
    """Return one table, by the reader of the package that wrote it: every number is the one that was written."""
    from pyarrow import csv

    packed, text = folder / f"{name}.parquet", folder / f"{name}.csv"
    table: pd.DataFrame = (
        pd.read_parquet(packed) if packed.exists() else csv.read_csv(text).to_pandas(date_as_object=False)
    )
    if "session" in table:
        table["session"] = pd.to_datetime(table["session"])
    return table.set_index("session") if name in _BY_SESSION else table
