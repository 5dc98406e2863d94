"""Run a configuration with every combination of some values."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from plimsoll.engine.config.schema import Config
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.sweep.folder import check_folder
from plimsoll.engine.research.sweep.grid import Axis, axes_of
from plimsoll.engine.research.sweep.plan import MAX_SETTINGS, SweepPlan, check_ranking, plan_sweep
from plimsoll.engine.research.sweep.sweep import Ranking, SweepResult, Workers, run_sweep
from plimsoll.engine.research.sweep.tried import sweep_recorder
from plimsoll.engine.research.sweep.window import Windows
from plimsoll.engine.runtime.backtest import Progress
from plimsoll.engine.runtime.compiled.engines import loop_notice
from plimsoll.engine.runtime.load import AsOf, Runnable, configured, load_panel, refuse_to_come
from plimsoll.engine.runtime.needs import Needs
from plimsoll.engine.verbs.host import PROGRAM, Host


def sweep(
    what: Runnable,
    grid: Mapping[str, Any],
    *,
    random: int | None = None,
    data: Panel | Path | str | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    sets: Iterable[str] = (),
    as_of: AsOf = None,
    skip_invalid: bool = False,
    windows: Windows = "common",
    max_settings: int = MAX_SETTINGS,
    workers: Workers | None = None,
    by: Ranking | None = None,
    out: Path | str | None = None,
    force: bool = False,
    progress: Progress | None = None,
    trials: Path | str | None = None,
    host: Host = PROGRAM,
) -> SweepResult:
    """Run a configuration with every combination of some values and return one table.

    Parameters
    ----------
    what : Config, path, mapping, Strategy or type of Strategy
        As for `backtest`; a strategy must be importable by its module's name.
    grid : mapping
        ``section.key`` to a list of values, or to text as on the command line ("40:80:3").
    random : int, optional
        Draw so many settings instead of running all; ranges may then be "lo:hi".
    data, start, end, sets, as_of
        As for `backtest`; a panel is used for every setting as it is.
    skip_invalid : bool
        Leave out combinations that are not valid.
    windows : {"common", "accept", "own"}
        Measure all settings over one window and refuse those that would cost the others more than a fifth of their
        sessions; accept what it costs; or measure each over its own.
    max_settings : int
        More are refused.
    workers : Workers, optional
        Who runs it; processes need the calling script to guard its start with ``if __name__ == "__main__"``.
    by : Ranking, optional
        What the best are chosen by.
    out : path, optional
        A folder to write to and to go on from after an interruption; by default nothing is kept on disk.
    force : bool
        Overwrite another or a finished sweep in `out`.
    progress : callable, optional
        Called with (settings done, settings in all).
    trials : path or "off", optional
        Folder of the trial ledger, as for `backtest`.
    host : Host
        As for `backtest`.

    Raises
    ------
    InputError
        If anything about the input is wrong; settings that fail are rows of the table instead.

    Examples
    --------
    >>> from plimsoll import sweep
    >>> found = sweep("config/demo.toml", {"sleeve.level61.params.lookback_bars": [40, 60]})  # doctest: +SKIP
    >>> found.table[["setting", "sharpe"]]  # doctest: +SKIP
    """
    by = by or Ranking()
    check_ranking(by.metric, by.top)
    base, _ = configured(what, data=data, start=start, end=end, sets=sets, as_of=as_of)
    axes = axes_of(grid, random=random is not None)
    plan = sweep_plan(
        base, axes, data, count=random, max_settings=max_settings, skip_invalid=skip_invalid, windows=windows
    )
    return swept(plan, out, workers, by, force=force, progress=progress, trials=trials, host=host)


def sweep_plan(
    base: Config,
    axes: Sequence[Axis],
    data: Panel | Path | str | None = None,
    *,
    count: int | None = None,
    max_settings: int = MAX_SETTINGS,
    skip_invalid: bool = False,
    windows: Windows = "common",
) -> SweepPlan:
    """Return what a sweep will do, checked and with its data loaded; see `plan_sweep`.

    data : a panel to use for every setting as it is; anything else = what each configuration names.
    """

    def load(config: Config, needs: Needs) -> Panel:
        return data if isinstance(data, Panel) else load_panel(config, needs)

    return plan_sweep(
        base,
        axes,
        count=count,
        max_settings=max_settings,
        skip_invalid=skip_invalid,
        load=load,
        windows=windows,
    )


def swept(
    plan: SweepPlan,
    out: Path | str | None = None,
    workers: Workers | None = None,
    by: Ranking | None = None,
    *,
    force: bool = False,
    progress: Progress | None = None,
    trials: Path | str | None = None,
    created: str | None = None,
    host: Host = PROGRAM,
) -> SweepResult:
    """Run a planned sweep, or what is left of it, and record its settings in the trial ledger.

    created : time stamp for `env.json`; the other parameters are those of `sweep`.

    Raises
    ------
    OutputError
        If the folder holds something else, or cannot be written.
    WorkerError
        If workers are lost twice at the same settings, or the cluster cannot be reached.
    StrategyError
        If the first setting, run again after the others, does not come to the same.
    """
    refuse_to_come(plan.base, host.clock())
    folder = None if out is None else Path(out)
    if folder is not None and check_folder(folder, plan.definition(), force=force):
        host.notice(f"going on with the sweep in {folder}")
    if notice := loop_notice(plan.base.integrator.preset):
        host.notice(notice)

    def not_recorded(why: str) -> None:
        host.warning(f"the settings are not in the trial ledger: {why}")

    record = sweep_recorder(trials, host.env, host.clock, not_recorded)
    return run_sweep(
        plan, folder, workers or Workers(), by or Ranking(),
        force=force, progress=progress, created=created, record=record,
    )  # fmt: skip
