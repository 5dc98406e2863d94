"""Trials made from seeds, and what a raw look at a ledger's file finds."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from plimsoll.engine.trials.row import TrialRow
from plimsoll.engine.types import Dates

NOW = "2026-01-05T16:00:00+00:00"


def weekdays(first: str, n: int) -> Dates:
    """Return `n` weekdays from `first` on, datetime64[D]."""
    return np.busday_offset(np.datetime64(first), np.arange(n), roll="forward")


def make_trial(config: int | str = 0, *, n: int = 5, first: str = "2020-01-02", **fields: Any) -> TrialRow:
    """Return a trial whose returns follow from its configuration's name; any field can be given instead."""
    days = fields.get("sessions", weekdays(first, n))
    seed = [ord(letter) for letter in str(config)]
    parts: dict[str, Any] = {
        "family": "trend",
        "name": f"run-{config}",
        "kind": "backtest",
        "config_hash": f"config-{config}",
        "data_hash": "data",
        "config_toml": f'[run]\nname = "run-{config}"\n',
        "sessions": days,
        "returns": np.random.default_rng(seed).normal(0.0003, 0.01, len(days)),
        "recorded_at": NOW,
        "version": "0.1.0",
    }
    return TrialRow(**{**parts, **fields})


def raw(path: Path, *statements: str) -> list[Any]:
    """Run statements on a connection without any of the ledger's care; return the rows of the last one."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return [connection.execute(statement).fetchall() for statement in statements][-1]


def dump(path: Path) -> list[str]:
    """Return everything in a database as SQL text."""
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())
