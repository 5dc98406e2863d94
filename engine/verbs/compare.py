"""Hold finished runs against each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.errors import InputError
from plimsoll.engine.report.compare.comparison import Comparison, compare_series
from plimsoll.engine.report.compare.line_up import line_up
from plimsoll.engine.report.compare.page import comparison_html
from plimsoll.engine.report.export import check_free, write_files
from plimsoll.engine.report.result import Result, record_of
from plimsoll.engine.verbs.backtest import backtest
from plimsoll.engine.verbs.host import PROGRAM, Host

Comparable = Result | Config | Path | str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Compared:
    """Runs held against each other: the tables, and the page that was written, None without `out`."""

    comparison: Comparison
    page: Path | None

    def __repr__(self) -> str:
        """Return in one line what was held against what."""
        series, sessions = self.comparison.lined.series, self.comparison.lined.sessions
        return f"<Compared {', '.join(series)}: {len(sessions):,} sessions, {sessions[0]} to {sessions[-1]}>"

    def html(self) -> str:
        """Return the page; it loads nothing from anywhere."""
        return comparison_html(self.comparison)


def compare(
    first: Comparable,
    *others: Comparable,
    names: Sequence[str] | None = None,
    focus: Sequence[str] = (),
    data: Path | str | None = None,
    seed: int = 42,
    out: Path | str | None = None,
    force: bool = False,
    host: Host = PROGRAM,
) -> Compared:
    """Return how runs differ: figures, years, crises, tracking, a paired bootstrap, the settings that are not the same.

    Everything is taken over the sessions that all of them have. The benchmark of the first run stands beside them where
    it covers these sessions.

    Parameters
    ----------
    first, others : Result, run folder, or configuration
        What is compared, the first with each other; a configuration is run first, and nothing is written of it.
    names : sequence of str, optional
        What the runs are called; their own names by default.
    focus : sequence of str
        Years or ranges to look at more closely: "2013", "2019-2021".
    data : path, optional
        Folder of CSV files for what has to be run.
    seed : int
        Of the bootstrap.
    out : path, optional
        The page, FILE.html. force : overwrite it.

    Raises
    ------
    InputError
        If there is nothing to compare with, the names are not as many as the runs, or a focus period is none.
    DataError
        If a folder is not a whole run, or the runs have fewer than two sessions in common.
    OutputError
        If the page is there already or cannot be written.
    """
    what = (first, *others)
    if len(what) < 2:
        raise InputError("there is one run only", where="compare", fix="name another one to hold it against")
    if names is not None and len(names) != len(what):
        raise InputError(f"{len(names)} names for {len(what)} runs", where="names", fix="give one name a run")
    page = None if out is None else Path(out)
    if page is not None:
        check_free(page, force=force)
    runs = [result_of(one, data, host) for one in what]
    found = compare_series(line_up([record_of(run) for run in runs], [run.metrics for run in runs], names), focus, seed)
    if page is not None:
        write_files({page: comparison_html(found).encode()})
    return Compared(found, page)


def result_of(what: Comparable, data: Path | str | None = None, host: Host = PROGRAM) -> Result:
    """Return a run: itself, read back from its folder, or made from a configuration.

    Raises
    ------
    InputError
        As `Result.load`, or as a backtest.
    """
    if isinstance(what, Result):
        return what
    if isinstance(what, Config) or Path(what).suffix == ".toml":
        config = what if isinstance(what, Config) else load_config(Path(what))
        # of a run that is compared, neither the ladder nor the twin without its regime is shown
        return backtest(config, data=data, sets=("report.ladder=false", "report.regime_off=false"), host=host)
    return Result.load(what)
