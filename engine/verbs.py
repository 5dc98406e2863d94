"""What can be done, as plain functions: the command and `import plimsoll` call the same ones."""

import os
import warnings
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import InputError
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.report.result import Result
from plimsoll.engine.research.audit.audit import RELOADS, Told, examine
from plimsoll.engine.research.audit.case import Case, StandIn
from plimsoll.engine.research.audit.certificate import Certificate
from plimsoll.engine.research.sweep.grid import axes_of
from plimsoll.engine.research.sweep.plan import check_ranking, plan_sweep
from plimsoll.engine.research.sweep.sweep import Ranking, SweepResult, Workers, run_sweep
from plimsoll.engine.research.sweep.tried import sweep_recorder
from plimsoll.engine.research.sweep.window import Windows
from plimsoll.engine.runtime.assemble import build, make_strategies
from plimsoll.engine.runtime.backtest import Progress
from plimsoll.engine.runtime.collect import collect
from plimsoll.engine.runtime.compiled.engines import runner
from plimsoll.engine.runtime.load import Runnable, configured, load_panel, load_run
from plimsoll.engine.runtime.needs import Needs
from plimsoll.engine.types import EngineName


def backtest(
    what: Runnable,
    *,
    data: Panel | Path | str | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    sets: Iterable[str] = (),
    progress: Progress | None = None,
    trials: Path | str | None = None,
    engine: EngineName = "python",
) -> Result:
    """Run a backtest, record it in the trial ledger and return its result.

    Parameters
    ----------
    what : Config, path, mapping, Strategy or type of Strategy
        A configuration, or a strategy to run alone with default settings.
    data : Panel or path, optional
        A panel from `load_data`, or a folder of CSV files; by default what the configuration names.
    start, end : date or ISO text, optional
        First and last session traded; override the configuration.
    sets : iterable of str
        ``section.key=value`` overrides.
    progress : callable, optional
        Called now and then with (bars done, bars in all).
    trials : path or "off", optional
        Folder of the trial ledger; by default what the environment's ``PLIMSOLL_TRIALS`` names, or the user's data
        folder. A ledger that cannot be written is a RuntimeWarning.
    engine : {"python", "compiled"}
        The loop: bar by bar, or compiled, which pays from the second run on; the result is the same to the bit.

    Raises
    ------
    InputError
        If anything about the input is wrong; the message is one line that says what to do.

    Examples
    --------
    >>> from plimsoll import backtest
    >>> from plimsoll.strategies.sixty_forty import SixtyForty
    >>> backtest(SixtyForty, start="2015-01-02").metrics["max_drawdown"] < 0
    True
    """
    config, panel, objects = load_run(what, data=data, start=start, end=end, sets=sets)
    setup = build(config, panel, make_strategies(config, objects))
    result = Result.of(collect(setup, runner(engine)(setup, progress)))
    _remember(result, trials)
    return result


def sweep(
    what: Runnable,
    grid: Mapping[str, Any],
    *,
    random: int | None = None,
    data: Panel | Path | str | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    sets: Iterable[str] = (),
    skip_invalid: bool = False,
    windows: Windows = "common",
    workers: Workers | None = None,
    by: Ranking | None = None,
    out: Path | str | None = None,
    trials: Path | str | None = None,
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
    data, start, end, sets
        As for `backtest`; a panel is used for every setting as it is.
    skip_invalid : bool
        Leave out combinations that are not valid.
    windows : {"common", "accept", "own"}
        Measure all settings over one window and refuse those that would cost the others more than a fifth of their
        sessions; accept what it costs; or measure each over its own.
    workers : Workers, optional
        Who runs it; processes need the calling script to guard its start with ``if __name__ == "__main__"``.
    by : Ranking, optional
        What the best are chosen by.
    out : path, optional
        A folder to write to and to go on from after an interruption; by default nothing is kept on disk.
    trials : path or "off", optional
        Folder of the trial ledger, as for `backtest`.

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
    base, _ = configured(what, data=data, start=start, end=end, sets=sets)

    def load(config: Config, needs: Needs) -> Panel:
        return data if isinstance(data, Panel) else load_panel(config, needs)

    plan = plan_sweep(
        base,
        axes_of(grid, random=random is not None),
        count=random,
        skip_invalid=skip_invalid,
        load=load,
        windows=windows,
    )
    record = sweep_recorder(trials, os.environ, lambda: datetime.now(UTC), _warn)
    return run_sweep(plan, None if out is None else Path(out), workers or Workers(), by, record=record)


def _warn(why: str) -> None:
    warnings.warn(f"the settings are not in the trial ledger: {why}", RuntimeWarning, stacklevel=3)


def audit(
    what: Runnable,
    *,
    data: Panel | Path | str | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    sets: Iterable[str] = (),
    reloads: int = RELOADS,
    seed: int = 0,
    stand_in: StandIn | None = None,
    progress: Told | None = None,
) -> Certificate:
    """Audit a run for look-ahead and return the certificate.

    The run is repeated in this process, with a panel that is filled bar by bar while what has not come yet is unknown
    or noise, and in fresh processes on data cut off at random sessions. Every output of every bar, from the answers of
    each strategy through all stages and the planner to orders, fills and the account, must be the same to the bit.

    Parameters
    ----------
    what, data, start, end, sets
        As `backtest` takes them.
    reloads : int
        Fresh processes; 0 leaves them out, and the certificate says so.
    seed : int
        Of what is drawn at random: the noise, and where the data are cut.
    stand_in : callable, optional
        Puts a broker, an integrator or a planner of one's own into the setup of every run; a function of a module.
    progress : callable, optional
        Called now and then with (what is being done, how much of it is done, how much there is).

    Raises
    ------
    InputError
        If the normal run cannot be made, or a fresh process could not import a strategy.

    Examples
    --------
    >>> from plimsoll import audit
    >>> from plimsoll.strategies.sixty_forty import SixtyForty
    >>> audit(SixtyForty, start="2024-01-02", reloads=1).verdict
    'PASS'
    """
    config, panel, given = load_run(what, data=data, start=start, end=end, sets=sets)
    case = Case(config, panel, not isinstance(data, Panel), given, stand_in)
    return examine(case, n_reloads=reloads, seed=seed, progress=progress).certificate


def _remember(result: Result, trials: Path | str | None) -> None:
    from plimsoll.engine.trials.ledger import record_backtest

    try:
        record_backtest(result, trials, env=os.environ, recorded_at=datetime.now(UTC))
    except InputError as error:
        warnings.warn(f"the run is not in the trial ledger: {error}", RuntimeWarning, stacklevel=3)
