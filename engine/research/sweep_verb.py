"""`sweep` as a function."""

import os
import warnings
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from engine.config import Config
from engine.market.panel import Panel
from engine.research.grid import axes_of
from engine.research.sweep import Ranking, SweepResult, Workers, run_sweep
from engine.research.sweep_plan import check_ranking, plan_sweep
from engine.research.trial_sweep import sweep_recorder
from engine.runtime.needs import Needs
from engine.runtime.run import Runnable, configured, load_panel


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
    >>> from engine import sweep
    >>> found = sweep("config/demo.toml", {"sleeve.level61.params.lookback_bars": [40, 60]})  # doctest: +SKIP
    >>> found.table[["setting", "sharpe"]]  # doctest: +SKIP
    """
    by = by or Ranking()
    check_ranking(by.metric, by.top)
    base, _ = configured(what, data=data, start=start, end=end, sets=sets)

    def load(config: Config, needs: Needs) -> Panel:
        return data if isinstance(data, Panel) else load_panel(config, needs)

    plan = plan_sweep(
        base, axes_of(grid, random=random is not None), count=random, skip_invalid=skip_invalid, load=load
    )
    record = sweep_recorder(trials, os.environ, lambda: datetime.now(UTC), _warn)
    return run_sweep(plan, None if out is None else Path(out), workers or Workers(), by, record=record)


def _warn(why: str) -> None:
    warnings.warn(f"the settings are not in the trial ledger: {why}", RuntimeWarning, stacklevel=3)
