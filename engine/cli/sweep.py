"""`plimsoll sweep`."""

import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from plimsoll.engine.cli.options import RunOptions, command_host, default_folder, effective_config
from plimsoll.engine.cli.progress import progress_bar
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.report.metrics.labels import DASH, shown
from plimsoll.engine.research.sweep.folder import MARKER, FinishedError
from plimsoll.engine.research.sweep.grid import parse_axes
from plimsoll.engine.research.sweep.plan import check_ranking
from plimsoll.engine.research.sweep.sweep import Ranking, SweepResult, Workers
from plimsoll.engine.research.sweep.window import Windows
from plimsoll.engine.trials.row import family_of
from plimsoll.engine.trials.tries import luck_in_ledger
from plimsoll.engine.verbs.sweep import sweep_plan, swept

if TYPE_CHECKING:
    from rich.console import Console

    from plimsoll.engine.report.metrics.labels import Kind

# Figures shown beside the keys: name, title, how to print it.
_COLUMNS: Final[tuple[tuple[str, str, "Kind"], ...]] = (
    ("sharpe", "Sharpe", "ratio"),
    ("probabilistic_sharpe", "P(>0)", "percent"),
    ("deflated_sharpe", "after all", "percent"),
    ("cagr", "CAGR", "percent"),
    ("vol_ann", "vol", "percent"),
    ("max_drawdown", "max DD", "percent"),
    ("calmar", "Calmar", "ratio"),
    ("turnover", "turnover", "ratio"),
    ("cost_bps", "cost bps", "bps"),
)

NAMED: Final = 5
# What the table takes beside its keys; narrower, rich would cut titles short.
FIGURES_WIDTH: Final = 116


@dataclass(frozen=True, slots=True)
class Asked:
    """What is varied: the options of the command that make the sweep what it is."""

    grid: tuple[str, ...]
    random: int | None
    max_settings: int
    skip_invalid: bool
    windows: Windows


@dataclass(frozen=True, slots=True)
class SweepOutput:
    """Where to, and how to tell about it."""

    out: Path | None
    force: bool
    trials: str | None
    as_json: bool
    quiet: bool


def run_sweep_command(
    config: Path, options: RunOptions, asked: Asked, workers: Workers, by: Ranking, told: SweepOutput
) -> int:
    """Plan, run and print a sweep; return how many settings failed."""
    check_ranking(by.metric, by.top)
    base = effective_config(config, options)
    axes = parse_axes(asked.grid, random=asked.random is not None)
    plan = sweep_plan(
        base,
        axes,
        count=asked.random,
        max_settings=asked.max_settings,
        skip_invalid=asked.skip_invalid,
        windows=asked.windows,
    )
    host = command_host(quiet=told.quiet)
    began, done = host.clock(), [0]
    folder = told.out or default_folder(began, base.run.name, "sweep", plan.digest[:8])
    try:
        with progress_bar(base.run.name, shown=not (told.quiet or told.as_json), unit="settings") as bar:

            def progress(count: int, total: int) -> None:
                done[0] = count
                if bar is not None:
                    bar(count, total)

            created = began.isoformat(timespec="seconds")
            result = swept(
                plan, folder, workers, by,
                force=told.force, progress=progress, trials=told.trials, created=created, host=host,
            )  # fmt: skip
    except FinishedError:
        return _tell_finished(folder, told)
    except KeyboardInterrupt:
        sys.stderr.write(
            f"{done[0]:,} of {len(plan.settings):,} settings are kept; to go on, run the same command with "
            f"--out {shlex.quote(str(folder))}{' and without --force' if told.force else ''}\n"
        )
        raise
    _tell(result, folder, told)
    return result.failed


def _tell_finished(folder: Path, told: SweepOutput) -> int:
    """Say where a sweep is that was asked for once more; return how many settings of it failed."""
    summary = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    if told.as_json:
        sys.stdout.write(json.dumps({**summary, "folder": str(folder)}, indent=2, allow_nan=False) + "\n")
    elif told.quiet:
        sys.stdout.write(f"{folder}\n")
    else:
        sys.stdout.write(f"this sweep is finished: {folder / 'report.html'}; --force runs it anew\n")
    return len(summary["failures"])


def windows_of(*, own: bool, accept: bool) -> Windows:
    """Return what the options say the settings are measured over.

    Raises
    ------
    ConfigError
        If they contradict each other.
    """
    if own and accept:
        raise ConfigError("either one window or each its own", where="--own-window, --common-window", fix="name one")
    return "own" if own else "accept" if accept else "common"


def _tell(result: SweepResult, folder: Path, told: SweepOutput) -> None:
    if told.as_json:
        sys.stdout.write(json.dumps({**result.summary, "folder": str(folder)}, indent=2, allow_nan=False) + "\n")
    elif told.quiet:
        sys.stdout.write(f"{folder}\n")
    else:
        from rich.console import Console

        _print(Console(file=sys.stdout, highlight=False), result, folder, _luck(result, told.trials))


def _luck(result: SweepResult, setting: str | None) -> list[str]:
    """Return what is left of the best setting after this sweep, and after all that the ledger has of its family."""
    luck = result.summary["luck"]
    if luck is None:
        return []
    if result.returns is None or not result.best:  # --top 0 asks for none
        return [luck["text"]]
    config, returns = result.best[0], result.returns[str(luck["setting"])].dropna().to_numpy()
    more = luck_in_ledger(family_of(config), returns, None, setting, os.environ, told=luck["tries"])
    return [luck["text"], *more]


def _print(console: "Console", result: SweepResult, folder: Path, luck: Sequence[str]) -> None:
    summary = result.summary
    names = [key.rpartition(".")[2] for key in result.keys]
    console.width = max(console.width, FIGURES_WIDTH + sum(len(name) + 2 for name in names))
    synthetic = " on SYNTHETIC data" if result.synthetic else ""
    skipped = f", {summary['skipped']:,} combinations left out as not valid" if summary["skipped"] else ""
    console.print(f"\n{result.name}: {len(result.table):,} settings{synthetic}, {result.failed:,} failed{skipped}\n")
    if summary["top"]:
        _print_table(console, result.keys, result.metric, summary)
    for group in summary["equal"][:NAMED]:
        others = ", ".join(str(number) for number in group[:NAMED]) + (", ..." if len(group) > NAMED else "")
        console.print(f"settings {others} are equal in {result.metric} to 1e-9; they stand in the grid's order")
    if summary["window"]["own"]:
        console.print("each setting has sessions of its own: figures of different spans are not alike", soft_wrap=True)
    if summary["over_bills"].startswith("a rate of 0"):
        console.print(f"Sharpe over bills is over {summary['over_bills']}", soft_wrap=True)
    if summary["median"] is not None:
        console.print(
            f"\nThe best of {len(result.table):,} settings looks better than it is: part of its lead is luck that "
            "comes with choosing. Judge by the median, by its neighbours, and on data it has not seen.",
            soft_wrap=True,
        )
        for line in luck:
            console.print(f"\n{line}", soft_wrap=True)
    for failure in summary["failures"][:3]:
        console.print(f"failed: setting {failure['setting']}: {failure['reason']}", markup=False, soft_wrap=True)
    if result.failed > 3:
        console.print(f"... and {result.failed - 3:,} more, see sweep.csv")
    console.print(f"\n{folder / 'report.html'}", soft_wrap=True)


def _print_table(console: "Console", keys: Sequence[str], metric: str, summary: Mapping[str, Any]) -> None:
    from rich.table import Table

    columns = [column for column in _COLUMNS if column[0] == metric] + [c for c in _COLUMNS if c[0] != metric]
    if metric not in {name for name, _, _ in _COLUMNS}:
        columns.insert(0, (metric, metric, "ratio"))
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True, min_width=len("median"))
    spans = ("from", "sessions")
    for title in (*(key.rpartition(".")[2] for key in keys), *spans, *(title for _, title, _ in columns)):
        table.add_column(title, justify="right", no_wrap=True)
    rows = [(str(place), row) for place, row in enumerate(summary["top"], start=1)]
    rows += [("median", summary["median"]), ("worst", summary["worst"])]
    for place, row in rows:
        figures = [DASH if row[name] is None else shown(row[name], kind) for name, _, kind in columns]
        table.add_row(place, *(_value(row[key]) for key in (*keys, *spans)), *figures)
    console.print(table)


def _value(value: Any) -> str:
    return f"{value:z.6g}" if isinstance(value, float) else str(value)
