"""Write a finished run as one wide table and a summary."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plimsoll.engine.errors import OutputError
from plimsoll.engine.report.daily import daily_summary, daily_table
from plimsoll.engine.report.export import check_free, check_suffix, write_files
from plimsoll.engine.report.folder import TABLES, json_bytes
from plimsoll.engine.report.read_back import read_back
from plimsoll.engine.report.table_files import file_bytes
from plimsoll.engine.runtime.prepare import prepare
from plimsoll.engine.verbs.run_folder import load_finished

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Exported:
    """A run's wide table, its summary in plain values, and the files that were written, none without `out`."""

    table: "pd.DataFrame"
    summary: dict[str, Any]
    files: tuple[Path, ...]


def export(
    run: Path | str, out: Path | str | None = None, *, data: Path | str | None = None, force: bool = False
) -> Exported:
    """Return a finished run as one table, a row a session, and its summary; write both where asked.

    The table holds returns and equity before and after trading costs, turnover, cost, the strategies' flags, and price,
    return and weight of every symbol: `plimsoll.engine.report.daily`. `DIR/NAME.csv` goes with
    `DIR/NAME_summary.json`, and `pandas.read_csv("NAME.csv", index_col="session", parse_dates=True)` is the table.

    Parameters
    ----------
    run : path
        A run folder.
    out : path, optional
        The table's file, `.csv` or `.parquet`; by default nothing is written.
    data : path, optional
        Where the data are now, if they have moved.
    force : bool
        Overwrite what is there.

    Raises
    ------
    DataError
        If the folder is not a run, or the data are not those it ran on.
    OutputError
        If a file is there already, is one of the run's own, or cannot be written.
    """
    folder = Path(run)
    targets = () if out is None else _targets(Path(out), folder, force=force)
    config, panel, strategies = load_finished(folder, data)
    record, metrics = read_back(folder, config)
    table = daily_table(record, prepare(config, panel, strategies).feed)
    summary = daily_summary(table, record, metrics)
    if targets:
        content = file_bytes(table, targets[0].suffix.lower())
        write_files(dict(zip(targets, (content, json_bytes(summary)), strict=True)))
    return Exported(table, summary, targets)


def _targets(out: Path, run: Path, *, force: bool) -> tuple[Path, ...]:
    """Return the two files, both free to be written."""
    check_suffix(out)
    if out.stem in TABLES and out.parent.resolve() == run.resolve():
        raise OutputError("is a table of the run itself", where=str(out), fix="choose another name")
    files = (out, out.with_name(f"{out.stem}_summary.json"))
    for file in files:
        check_free(file, force=force)
    return files
