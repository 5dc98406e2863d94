"""Say of a configuration whether its result is skill, luck or overfitting."""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from plimsoll.engine.config.schema import Config
from plimsoll.engine.live.compare import Comparison
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.stress.scenario import read_scenarios
from plimsoll.engine.research.sweep.folder import check_folder
from plimsoll.engine.research.sweep.sweep import Workers
from plimsoll.engine.research.sweep.tried import sweep_recorder
from plimsoll.engine.research.validate.trials import ValidationPlan, plan_validation
from plimsoll.engine.research.validate.validate import VALIDATION, Asked, Validation, run_validation
from plimsoll.engine.runtime.backtest import Progress
from plimsoll.engine.runtime.compiled.engines import loop_notice
from plimsoll.engine.runtime.load import AsOf, Runnable, configured, load_panel, refuse_to_come
from plimsoll.engine.runtime.needs import Needs
from plimsoll.engine.trials.row import family_of
from plimsoll.engine.verbs.host import PROGRAM, Host
from plimsoll.engine.verbs.twin import twin


def validate(
    what: Runnable,
    *,
    data: Panel | Path | str | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    sets: Iterable[str] = (),
    as_of: AsOf = None,
    runs: tuple[Path | str, Path | str] | None = None,
    files: Sequence[Path | str] = (),
    workers: Workers | None = None,
    out: Path | str | None = None,
    force: bool = False,
    progress: Progress | None = None,
    trials: Path | str | None = None,
    host: Host = PROGRAM,
) -> Validation:
    """Run a configuration, its family and its perturbations; walk forward, deflate, judge by `[gate]`.

    Parameters
    ----------
    what : Config, path, mapping, Strategy or type of Strategy
        As for `backtest`; a strategy must be importable by its module's name.
    data, start, end, sets
        As for `backtest`; a panel is used for every configuration as it is.
    runs : two paths, optional
        Run folders to set side by side on the page, such as a book and its shadow.
    files : paths
        TOML files of scenarios of one's own, for the stress test, after the package's.
    workers : Workers, optional
        Who runs it; by default one thread of this process.
    out : path, optional
        A folder to write to and to go on from after an interruption; by default nothing is kept on disk.
    force : bool
        Overwrite another or a finished validation in `out`.
    progress : callable, optional
        Called with (configurations done, configurations in all).
    trials : path or "off", optional
        Folder of the trial ledger, as for `backtest`: every configuration that ran is recorded there, and the Sharpe
        ratio is deflated by all that it has of the family.
    host : Host
        As for `backtest`.

    Raises
    ------
    InputError
        If anything about the input is wrong, or the history is too short for one window of the walk.

    Examples
    --------
    >>> from plimsoll import validate
    >>> validate("config/book.toml", data="DIR").passed  # doctest: +SKIP
    False
    """
    config, _ = configured(what, data=data, start=start, end=end, sets=sets, as_of=as_of)
    plan = validation_plan(config, data)
    return validated(
        plan, out, runs=runs, files=files, workers=workers, force=force, progress=progress, trials=trials, host=host
    )


def validation_plan(config: Config, data: Panel | Path | str | None = None) -> ValidationPlan:
    """Return what a validation will run, checked and with its data loaded; see `plan_validation`.

    data : a panel to use for every configuration as it is; anything else = what the configuration names.
    """

    def load(one: Config, needs: Needs) -> Panel:
        return data if isinstance(data, Panel) else load_panel(one, needs)

    return plan_validation(config, load)


def validated(
    plan: ValidationPlan,
    out: Path | str | None = None,
    *,
    runs: tuple[Path | str, Path | str] | None = None,
    files: Sequence[Path | str] = (),
    workers: Workers | None = None,
    force: bool = False,
    progress: Progress | None = None,
    trials: Path | str | None = None,
    host: Host = PROGRAM,
) -> Validation:
    """Run a planned validation, or what is left of it; the parameters are those of `validate`.

    Raises
    ------
    InputError
        As `validate`.
    """
    refuse_to_come(plan.config, host.clock())
    own = tuple(scenario for path in files for scenario in read_scenarios(Path(path)))
    folder = None if out is None else Path(out)
    if folder is not None and check_folder(folder, plan.definition(), force=force, kind=VALIDATION):
        host.notice(f"going on with the validation in {folder}")
    if notice := loop_notice(plan.config.integrator.preset):
        host.notice(notice)

    def not_recorded(why: str) -> None:
        host.warning(f"the configurations are not in the trial ledger: {why}")

    asked = Asked(
        ledger=(trials, host.env),
        family=family_of(plan.config),
        record=sweep_recorder(trials, host.env, host.clock, not_recorded),
        workers=workers or Workers("auto", 1),
        beside=None if runs is None else _side_by_side(*runs),
        scenarios=own,
        progress=progress,
        force=force,
    )
    return run_validation(plan, folder, asked)


def _side_by_side(one: Path | str, two: Path | str) -> dict[str, Any] | None:
    """Return the comparison of two run folders, and where they are."""
    found = twin(Path(one), Path(two))
    return {**found.plain(), "folders": [str(one), str(two)]} if isinstance(found, Comparison) else None
