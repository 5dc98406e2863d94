"""What a backtest returns: tables, figures, pages, and how they look at a prompt."""

import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pandas as pd

from plimsoll.engine.config.schema import validate_config
from plimsoll.engine.errors import DataError
from plimsoll.engine.report.elsewhere import PyfolioFrames, pyfolio_frames, quantstats_returns
from plimsoll.engine.report.folder import json_bytes, write_folder
from plimsoll.engine.report.metrics.labels import shown
from plimsoll.engine.report.metrics.notices import span_text
from plimsoll.engine.report.metrics.table import metrics_of
from plimsoll.engine.report.notebook import notebook_figure, notebook_html
from plimsoll.engine.report.read_back import read_back
from plimsoll.engine.report.summary import print_summary
from plimsoll.engine.runtime.lots import Method
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.runtime.run_facts import RunFacts

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Result(RunFacts):
    """A finished run. The tables are pandas objects that drop straight into other libraries; see `RunFacts`."""

    _record: Record

    def __post_init__(self) -> None:
        """Keep one truth: what `dataclasses.replace` changed of a result is changed in what figures are made of."""
        own = {field.name: getattr(self, field.name) for field in fields(RunFacts)}
        if any(value is not getattr(self._record, name) for name, value in own.items()):
            object.__setattr__(self, "_record", replace(self._record, **own))

    @classmethod
    def load(cls, folder: str | Path) -> "Result":
        """Return a finished run from its folder: the tables to the last bit, `metrics` as they were written.

        Prices are not in a folder: a page made anew has no fills on prices.

        Raises
        ------
        DataError
            If the folder is not a whole run.
        """
        path = Path(folder)
        try:
            config = validate_config(tomllib.loads((path / "config.toml").read_text(encoding="utf-8")), str(path))
        except (OSError, ValueError):
            fix = "name a folder that `plimsoll backtest` wrote"
            raise DataError(
                "not a run folder: it has no config.toml that can be read", where=str(path), fix=fix
            ) from None
        record, metrics = read_back(path, config)
        result = result_of(record)
        result.__dict__["metrics"] = metrics  # where `cached_property` keeps it
        return result

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """Every figure in plain values, as in `metrics.json`: the account's own on top, groups nested below.

        Raises
        ------
        DataError
            If the benchmark or the bill series does not cover the run.
        """
        return metrics_of(self._record)

    @property
    def returns(self) -> pd.Series:
        """Net return per session, indexed by date: drops straight into other libraries."""
        return self._record.returns

    @property
    def returns_gross(self) -> pd.Series:
        """Return per session before trading costs (financing and borrow stay in)."""
        return self._record.returns_gross

    @property
    def trades(self) -> pd.DataFrame:
        """Round trips, first in, first out, a row each; `round_trips` describes the columns."""
        return self._record.trades

    def round_trips(self, method: Method = "fifo") -> pd.DataFrame:
        """Return the round trips: a row per part of a position that was bought and sold, or is still held.

        method : "fifo", a sale closes the oldest purchases first; "average", it closes a share of all of them at their
        average cost, and the entry is the one from flat. What the rows make sums to the same either way: the account's
        profit less interest on cash. Columns: see `plimsoll.engine.runtime.round_trip.round_trips`.

        Raises
        ------
        InputError
            If there is no such method.
        DataError
            If the run was read back from its folder, which has its trades "fifo" and not the prices for others.
        """
        return self._record.round_trips(method)

    @property
    def pnl_by_symbol(self) -> pd.DataFrame:
        """Dollars made and paid, a row per symbol and one for cash; they sum to what the account made."""
        return self._record.pnl_by_symbol

    @property
    def pnl_by_sleeve(self) -> pd.DataFrame:
        """Dollars made and paid, a row per sleeve, per stage, for execution and for cash; they sum to the same.

        Columns: see `plimsoll.engine.runtime.sleeve_pnl.sleeve_pnl`. Without a row where the decisions are not known.
        """
        return self._record.pnl_by_sleeve

    def plot(self) -> "Figure":
        """Return an interactive Plotly figure: growth of 1 over drawdown, against the benchmark."""
        return notebook_figure(self._record, self.metrics)

    def to_quantstats(self) -> pd.Series:
        """Return net returns per session as quantstats takes them; see `plimsoll.engine.report.elsewhere`."""
        return quantstats_returns(self._record)

    def to_pyfolio(self) -> PyfolioFrames:
        """Return returns, positions and transactions as pyfolio takes them, stamped in UTC."""
        return pyfolio_frames(self._record)

    def save(
        self,
        folder: str | Path,
        force: bool = False,
        *,
        created: str | None = None,
        extras: Mapping[str, bytes] | None = None,
    ) -> Path:
        """Write the run folder and return its path.

        force : allow a folder that is not empty. created : a time stamp for `env.json`. extras : further files.

        Raises
        ------
        OutputError
            If the folder is not empty and `force` is not given, or cannot be written.
        """
        return write_folder(self._record, self.metrics, Path(folder), force=force, created=created, extras=extras)

    def summary(
        self,
        *,
        folder: Path | None = None,
        as_json: bool = False,
        file: IO[str] | None = None,
        luck: Sequence[str] = (),
    ) -> None:
        """Print the run to `file` (standard output): a table of figures, or `metrics.json` with `as_json`.

        folder : where its files are. luck : sentences on how much else was tried, which a run itself does not know.
        """
        target = file if file is not None else sys.stdout
        if as_json:
            target.write(json_bytes(self.metrics).decode())
            return
        from rich.console import Console

        print_summary(
            self._record, self.metrics, console=Console(file=target, highlight=False), folder=folder, luck=luck
        )

    def __repr__(self) -> str:
        """Return the run in one line."""
        m = self.metrics
        marks = (" SYNTHETIC" if self.synthetic else "") + (" RUINED" if self.ruined else "")
        return (
            f"<Result {self.run_id}{marks}: {span_text(m['run'])}; CAGR {shown(m['cagr'], 'percent')}, "
            f"volatility {shown(m['vol_ann'], 'percent')}, Sharpe {shown(m['sharpe'], 'ratio')}, "
            f"max drawdown {shown(m['max_drawdown'], 'percent')}>"
        )

    def _repr_html_(self) -> str:
        """Return the run as a small table beside its equity curve."""
        return notebook_html(self._record, self.metrics)


def result_of(record: Record) -> Result:
    """Return what a user gets of a finished run."""
    return Result(**{field.name: getattr(record, field.name) for field in fields(RunFacts)}, _record=record)


def record_of(result: Result) -> Record:
    """Return the record that a result was made of."""
    return result._record
