"""Run one configuration many times with different values, and rank what comes out."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import pandas as pd

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import OutputError, StrategyError
from plimsoll.engine.market.panel_folder import save_panel
from plimsoll.engine.report.folder import json_bytes
from plimsoll.engine.report.table_files import write_table
from plimsoll.engine.research.sweep.block import AGAIN, Block, BlockRows, read_part, write_part
from plimsoll.engine.research.sweep.compiled_evaluator import evaluator_for, fits_threads
from plimsoll.engine.research.sweep.evaluate import Evaluator
from plimsoll.engine.research.sweep.executors import Crew, Processes, Threads, run_blocks
from plimsoll.engine.research.sweep.folder import DEFINITION, MARKER, files_aside, held_folder, write_file
from plimsoll.engine.research.sweep.luck import sweep_luck, with_luck
from plimsoll.engine.research.sweep.maker import Maker
from plimsoll.engine.research.sweep.outcome import FAILED, best_files, facts_of, ranked, summary_of, sweep_tables
from plimsoll.engine.research.sweep.plan import SweepPlan
from plimsoll.engine.research.sweep.repeat import Repeat
from plimsoll.engine.runtime.backtest import Progress
from plimsoll.engine.runtime.collect import versions
from plimsoll.engine.runtime.cores import cores
from plimsoll.engine.types import Dates, Floats

# Beside the parts: the first setting was run once more and came to the same.
REPEATED: Final = "repeated"

ExecutorName: TypeAlias = Literal["auto", "threads", "processes"]


@dataclass(frozen=True, slots=True)
class SettingTrial:
    """A setting that ran: its configuration, the data it saw, and its return on each session it traded."""

    config: Config
    data_hash: str
    sessions: Dates
    returns: Floats


Recording: TypeAlias = Callable[[Iterator[SettingTrial]], None]


@dataclass(frozen=True, slots=True)
class Workers:
    """Who runs the settings: `cluster` is the address of a Dask scheduler and beats `executor`; None = all cores."""

    executor: ExecutorName = "auto"
    count: int | None = None
    cluster: str | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """What the best are chosen by, and how many are written as configuration files."""

    metric: str = "sharpe"
    top: int = 5


@dataclass(frozen=True, eq=False)
class SweepResult:
    """A finished sweep.

    table : a row per setting: "setting", a column per key, the session it was measured "from" and how many "sessions",
        the figures, "status" ("ok" or "failed"), "reason".
    returns : session returns, a column per setting; None where that table would be too large.
    best : the best settings by `metric`, ready to be run. summary : best, median and worst in plain values.
    folder : where all of it is written; None if it was not kept. synthetic : the prices were generated.
    """

    name: str
    keys: tuple[str, ...]
    metric: str
    table: pd.DataFrame
    returns: pd.DataFrame | None
    best: tuple[Config, ...]
    summary: dict[str, Any]
    folder: Path | None
    synthetic: bool

    @property
    def failed(self) -> int:
        """Settings that could not be run."""
        return int((self.table["status"] == FAILED).sum())

    def __repr__(self) -> str:
        """Return the sweep in one line."""
        return f"<SweepResult {self.name}: {len(self.table)} settings of {', '.join(self.keys)}, {self.failed} failed>"


def run_sweep(
    plan: SweepPlan,
    folder: Path | None,
    workers: Workers,
    by: Ranking,
    *,
    force: bool = False,
    progress: Progress | None = None,
    created: str | None = None,
    record: Recording | None = None,
) -> SweepResult:
    """Run a planned sweep, or what is left of it, and write its folder.

    Finished blocks are kept in `parts/` as they come; the same plan with the same folder goes on from there. The
    tables do not depend on who ran which block, on how many workers there were, or on interruptions.

    Parameters
    ----------
    plan : SweepPlan
        What to run.
    folder : path or None
        Where to; None = nothing is kept beyond the result.
    workers : Workers
        Who runs it.
    by : Ranking
        How the best are chosen.
    force : bool
        Overwrite another or a finished sweep in the folder.
    progress : callable, optional
        Called with (settings done, settings in all).
    created : str, optional
        Time stamp for `env.json`.
    record : callable, optional
        Takes every setting that ran, e.g. into a ledger of trials; called once, when all have run.

    Raises
    ------
    OutputError
        If the folder holds something else, or cannot be written.
    WorkerError
        If workers are lost twice at the same settings, or the cluster cannot be reached.
    StrategyError
        If the first setting, run again after the others, does not come to the same.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="plimsoll-") as scratch:
            kept = run_sweep(plan, Path(scratch) / "sweep", workers, by, progress=progress, record=record)
            return replace(kept, folder=None)
    blocks = plan.blocks
    with held_folder(folder, plan.definition(), force=force) as parts:
        _run_missing(plan, blocks, parts, workers, progress)
        if record is not None:
            record(trials_of(plan, read_parts(blocks, parts)))
        return _write(plan, blocks, parts, by, created)


def _run_missing(
    plan: SweepPlan, blocks: list[Block], parts: Path, workers: Workers, progress: Progress | None
) -> None:
    """Run the blocks that are not kept yet, and the first setting once more.

    Where that was all that was left to do, the last block runs before it again: it is what others leave behind that a
    setting run once more is held against.
    """
    missing = [block for block in blocks if read_part(parts, block) is None]
    repeated = parts / REPEATED
    if not missing and len(blocks) > 1 and not repeated.exists():
        missing = blocks[-1:]
    done = len(plan.settings) - sum(len(block.settings) for block in missing)

    repeat = Repeat(blocks, lambda block: read_part(parts, block))

    def keep(block: Block, rows: BlockRows) -> None:
        nonlocal done
        if block.number == AGAIN:
            repeat.check(rows)
            repeated.touch()
            return
        write_part(parts, block.number, rows)
        done += len(block.settings)
        if progress is not None:
            progress(done, len(plan.settings))

    if progress is not None:
        progress(done, len(plan.settings))
    if missing:
        last = repeat.block if len(plan.settings) > 1 else None
        try:
            run_blocks(crew_for(plan, parts, workers, len(missing)), missing, keep, last)
        except StrategyError:
            for path in parts.glob("*.npz"):  # none of it can be believed, so none of it may be gone on from
                path.unlink()
            raise


def crew_for(
    plan: SweepPlan, scratch: Path, workers: Workers, n_blocks: int, own: Sequence[Evaluator] | None = None
) -> Callable[[], Crew]:
    """Return what opens the workers: a cluster where one is named, else threads or processes of this machine.

    Left to choose, threads run what is compiled for the most part, processes everything else. own : evaluators, one a
    panel, for threads to use; what they keep is there afterwards.
    """
    if workers.cluster is not None:
        from plimsoll.engine.research.sweep.cluster import Cluster

        names = [f"{panel.data_hash}-{at}" for at, panel in enumerate(plan.panels)]
        return partial(Cluster, workers.cluster, _spread(plan, scratch), names)
    count = min(workers.count or cores(), n_blocks)
    evaluators = own or [evaluator_for(panel) for panel in plan.panels]
    chosen = workers.executor
    if chosen == "auto":
        alone = count == 1 or fits_threads((setting.config for setting in plan.settings), Maker())
        chosen = "threads" if alone else "processes"
    if chosen == "threads":
        return partial(Threads, evaluators, count)
    return partial(Processes, _spread(plan, scratch), count)


def _spread(plan: SweepPlan, scratch: Path) -> list[Path]:
    """Write the panels where workers can map them; what an interrupted sweep left of them goes."""
    for left in scratch.glob("panels-*"):
        shutil.rmtree(left)
    place = Path(tempfile.mkdtemp(prefix="panels-", dir=scratch))
    return [save_panel(panel, place / str(at)) for at, panel in enumerate(plan.panels)]


def read_parts(blocks: list[Block], parts: Path) -> Iterator[BlockRows]:
    """Yield the rows of every block, all of which have run.

    Raises
    ------
    OutputError
        If one has gone.
    """
    for block in blocks:
        rows = read_part(parts, block)
        if rows is None:
            raise OutputError(
                f"block {block.number} has gone",
                where=str(parts),
                cause="removed meanwhile",
                fix="run the same command again",
            )
        yield rows


def trials_of(plan: SweepPlan, parts: Iterator[BlockRows]) -> Iterator[SettingTrial]:
    """Yield every setting that ran, for the ledger."""
    days = [np.unique(panel.clock.session) for panel in plan.panels]
    for rows in parts:
        for number, first, own in rows.each():
            panel = plan.panel_of[number]
            sessions = days[panel][first : first + len(own)]
            yield SettingTrial(plan.settings[number].config, plan.panels[panel].data_hash, sessions, own)


def _write(plan: SweepPlan, blocks: list[Block], parts: Path, by: Ranking, created: str | None) -> SweepResult:
    """Write everything made from the parts, the mark of the end last."""
    from plimsoll.engine.report.sweep.page import sweep_html

    folder = parts.parent
    table, returns = sweep_tables(plan, read_parts(blocks, parts))
    luck = sweep_luck(table, returns)
    table = with_luck(table, luck)
    summary = summary_of(plan, table, by.metric, by.top, luck)
    name = plan.base.run.name
    told = [] if summary["luck"] is None else [summary["luck"]["text"]]
    facts = facts_of(plan, table, by.metric)
    files: dict[str, bytes] = {
        "config.toml": f'# config_hash = "{plan.base.digest}"\n{plan.base.toml()}'.encode(),
        "env.json": json_bytes(_environment(plan, created)),
        **{f"best/{file}": content for file, content in best_files(plan, table, by.metric, by.top).items()},
    }
    for path, content in files.items():
        write_file(folder / path, content)
    # the large ones as they are made, so that no two are held
    page = sweep_html(name=name, table=table, keys=plan.keys, metric=by.metric, facts=facts, luck=told)
    write_file(folder / "report.html", page.encode())
    del page
    with files_aside(folder / "sweep.parquet", folder / "sweep.csv") as (parquet, csv):
        write_table(table, {".parquet": parquet, ".csv": csv})
    if returns is not None:
        with files_aside(folder / "returns.parquet") as (parquet,):
            write_table(returns, {".parquet": parquet})
    write_file(folder / MARKER, json_bytes(summary))
    best = tuple(plan.settings[number].config for number in ranked(table, by.metric)[: by.top])
    synthetic = any(panel.synthetic for panel in plan.panels)
    return SweepResult(name, plan.keys, by.metric, table, returns, best, summary, folder, synthetic)


def _environment(plan: SweepPlan, created: str | None) -> Mapping[str, Any]:
    facts = {"versions": versions(), "definition": DEFINITION, **plan.definition()}
    return facts if created is None else {**facts, "created": created}
