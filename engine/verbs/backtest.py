"""Run a backtest."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Final

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import InputError
from plimsoll.engine.market.jumps import refuse_jumps
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.report.folder import check_target
from plimsoll.engine.report.result import Result, result_of
from plimsoll.engine.research.validate.verdict import known_verdict, require_verdict
from plimsoll.engine.runtime.assemble import Setup, assemble
from plimsoll.engine.runtime.backtest import Progress
from plimsoll.engine.runtime.by_default import with_defaults
from plimsoll.engine.runtime.collect import collect
from plimsoll.engine.runtime.compiled.engines import compile_notice, runner
from plimsoll.engine.runtime.load import AsOf, Runnable, load_run
from plimsoll.engine.runtime.prepare import Market, make_strategies, prepare
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.runtime.rung import METHODS
from plimsoll.engine.sleeve.strategy import Strategy
from plimsoll.engine.trials.ledger import record_backtest
from plimsoll.engine.types import EngineName
from plimsoll.engine.verbs.host import PROGRAM, Host
from plimsoll.engine.verbs.log import RunLog

# What a rung counts for on a progress bar: this part of the run's bars.
BARS_OF_A_RUNG: Final = 5


def backtest(
    what: Runnable,
    *,
    data: Panel | Path | str | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    cash: float | None = None,
    benchmark: str | None = None,
    costs: str | float | None = None,
    sets: Iterable[str] = (),
    as_of: AsOf = None,
    progress: Progress | None = None,
    trials: Path | str | None = None,
    engine: EngineName = "python",
    out: Path | str | None = None,
    force: bool = False,
    strict: bool = False,
    host: Host = PROGRAM,
) -> Result:
    """Run a backtest, record it in the trial ledger and return its result.

    Parameters
    ----------
    what : Config, path, mapping, Strategy or type of Strategy
        A configuration, or a strategy to run alone with default settings.
    data : Panel or path, optional
        A panel from `load_data`, or a folder of CSV files; by default what the configuration names.
    start, end : date or ISO text, optional
        First and last session traded; override the configuration, as the three below do.
    cash, benchmark : float, str, optional
        Dollars at the start; the symbol the run is held against, "none" for none; by default SPY if the data have it.
    costs : str or float, optional
        A preset, "none", "us_etf", or basis points of what is traded.
    sets : iterable of str
        ``section.key=value`` overrides.
    as_of : date, datetime or ISO text, optional
        The data as the catalog knew them then: a date is its end in New York, a timestamp says its zone; default now.
    progress : callable, optional
        Called now and then with (bars done, bars in all).
    trials : path or "off", optional
        Folder of the trial ledger; by default what the environment's ``PLIMSOLL_TRIALS`` names, or the user's data
        folder. A ledger that cannot be written is a warning of `host`.
    engine : {"python", "compiled"}
        The loop: bar by bar, or compiled, which pays from the second run on; the result is the same to the bit.
    out : path, optional
        The run folder to write, the log included; by default nothing is written, and `Result.save` can do it.
    force : bool
        Write into an `out` that is not empty.
    strict : bool
        Refuse data with a price jump that no split explains and the configuration does not confirm.
    host : Host
        The process this runs in: its environment and clock, and who is told of notices and warnings.

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
    began = host.clock()
    if out is not None:
        check_target(Path(out), force=force)
    log = RunLog(host.clock)
    config, panel, objects = load_run(
        what, data=data, start=start, end=end, sets=(*_asked(cash, benchmark, costs), *sets), as_of=as_of, now=began
    )
    log.loaded(panel)
    ran, market = _ran(config, panel, _admitted(config, panel, objects, strict=strict), engine, progress, host)
    record = with_defaults(ran, config, market.feed, from_source=not isinstance(data, Panel))
    result = result_of(record)
    log.finished(result)
    _keep(result, out, force=force, began=began, log=log)
    _remember(record, trials, host)
    return result


def _keep(result: Result, out: Path | str | None, *, force: bool, began: datetime, log: RunLog) -> None:
    if out is not None:
        created = began.isoformat(timespec="seconds")
        result.save(Path(out), force=force, created=created, extras={"log.jsonl": log.content()})


def _ran(
    config: Config, panel: Panel, strategies: dict[str, Strategy], engine: EngineName, progress: Progress | None,
    host: Host,
) -> tuple[Record, Market]:  # fmt: skip
    market = prepare(config, panel, strategies)
    setup = assemble(config, market)
    beside = config.report.ladder or config.report.regime_off
    if notice := compile_notice("compiled" if beside else engine, setup):
        host.notice(notice)
    record = (_with_others if beside else _alone)(setup, market, engine, progress)
    return replace(record, verdict=known_verdict(config, strategies.values(), panel)), market


def _asked(cash: float | None, benchmark: str | None, costs: str | float | None) -> list[str]:
    """Return the overrides that these keywords are."""
    asked = [] if cash is None else [f"run.cash={float(cash)!r}"]
    if benchmark is not None:
        asked.append(f"run.benchmark={json.dumps(benchmark)}")
    if isinstance(costs, str):
        asked.append(f"costs.preset={json.dumps(costs)}")
    elif costs is not None:
        asked += ['costs.preset="flat"', f"costs.flat_bps={float(costs)!r}"]
    return asked


def _admitted(
    config: Config, panel: Panel, objects: Mapping[str, Strategy], *, strict: bool
) -> dict[str, Strategy]:  # fmt: skip
    """Return the strategies by sleeve, once the promotion gate lets them, and the data, pass."""
    if strict:
        refuse_jumps(panel)
    strategies = make_strategies(config, objects)
    require_verdict(config, strategies.values(), panel)
    return strategies


def _alone(setup: Setup, _: Market, engine: EngineName, progress: Progress | None) -> Record:
    return collect(setup, runner(engine)(setup, progress))


def _with_others(setup: Setup, market: Market, engine: EngineName, progress: Progress | None) -> Record:
    """Return the record of a run with what the report shows beside it: the same signals through the compiled loop."""
    from plimsoll.engine.runtime.compiled.kept import run_kept
    from plimsoll.engine.runtime.compiled.ladder import climb
    from plimsoll.engine.runtime.compiled.without_regime import without_regime

    asked, n_bars = setup.config.report, setup.panel.n_bars
    each = n_bars // BARS_OF_A_RUNG
    total = n_bars + each * (asked.regime_off + len(METHODS) * asked.ladder)

    def told(done: int, _: int) -> None:
        if progress is not None:
            progress(done, total)

    def of_ladder(done: int, rungs: int) -> None:
        told(total - (rungs - done) * each, total)

    track, signals = run_kept(engine, setup, told if progress is not None else None)
    record = collect(setup, track)
    if asked.regime_off:
        record = replace(record, regime_off=without_regime(setup, market, track, signals))
        told(n_bars + each, total)
    if asked.ladder:
        record = replace(record, ladder=climb(setup, market, track, signals, of_ladder))
    return record


def _remember(record: Record, trials: Path | str | None, host: Host) -> None:
    """Record the run in the trial ledger; where that fails the run is as good as before."""
    try:
        record_backtest(record, trials, env=host.env, recorded_at=host.clock())
    except InputError as error:
        host.warning(f"the run is not in the trial ledger: {error}")
