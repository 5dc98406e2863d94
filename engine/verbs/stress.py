"""Stress a configuration: run it once, then let markets of the past and of one's own happen to it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import ConfigError, OutputError, did_you_mean
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.report.folder import check_target
from plimsoll.engine.report.validate.stress_page import stress_html
from plimsoll.engine.research.stress.report import StressReport
from plimsoll.engine.research.stress.scenario import Scenario, built_in, read_scenarios
from plimsoll.engine.research.stress.stress import Told, case_of, run_stress
from plimsoll.engine.runtime.assemble import assemble
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.runtime.compiled.engine import refusal
from plimsoll.engine.runtime.compiled.engines import compile_notice, runner
from plimsoll.engine.runtime.load import AsOf, Runnable, load_panel, load_run
from plimsoll.engine.runtime.needs import needs_of
from plimsoll.engine.runtime.prepare import make_strategies, prepare
from plimsoll.engine.sleeve.strategy import Strategy
from plimsoll.engine.verbs.host import PROGRAM, Host

FILE, PAGE = "stress.json", "stress.html"


def stress(
    what: Runnable,
    *,
    data: Panel | Path | str | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    sets: Iterable[str] = (),
    as_of: AsOf = None,
    scenarios: Sequence[str | Scenario] | None = None,
    files: Sequence[Path | str] = (),
    seed: int | None = None,
    system_paths: int = 0,
    out: Path | str | None = None,
    force: bool = False,
    progress: Told | None = None,
    host: Host = PROGRAM,
) -> StressReport:
    """Run a configuration to its last session, stress what it holds there, and return what was found.

    Nothing enters the trial ledger: no choice is made by it.

    Parameters
    ----------
    what, data, start, end, sets, as_of
        As for `backtest`. Sessions after `end` are not in the run, but scenarios are looked up in them.
    scenarios : names or scenarios, optional
        Of the ones that come with the package, or one's own; by default all of the package's, or, with `files`, none.
    files : paths
        TOML files of scenarios of one's own.
    seed : int, optional
        Of all draws; by default the configuration's.
    system_paths : int
        How many paths of drawn sessions go through the whole system.
    out : path, optional
        A folder to write ``stress.json`` and ``stress.html`` to.
    force : bool
        Write into an `out` that is not empty.

    Raises
    ------
    InputError
        If anything about the input is wrong; the message is one line that says what to do.
    """
    if out is not None:
        check_target(Path(out), force=force)
    chosen = scenarios_of(scenarios, files)
    if system_paths < 0:
        raise ConfigError(f"{system_paths} paths", where="stress", fix="give 0 or more")
    config, panel, objects = load_run(what, data=data, start=start, end=end, sets=sets, as_of=as_of, now=host.clock())
    market = prepare(config, panel, make_strategies(config, objects))
    setup = assemble(config, market)
    if notice := compile_notice("compiled", setup):
        host.notice(notice)
    track = run_loop(setup) if refusal(setup) else runner("compiled")(setup, None)
    history = data if isinstance(data, Panel) else _beyond(config, panel, objects)
    case = case_of(setup, market, track, history if config.run.end is not None else None)
    used = config.run.seed if seed is None else seed
    report = run_stress(case, chosen, seed=used, system_paths=system_paths, progress=progress)
    if out is not None:
        save(report, Path(out))
    return report


def scenarios_of(named: Sequence[str | Scenario] | None, files: Sequence[Path | str]) -> tuple[Scenario, ...]:
    """Return the scenarios that are asked for.

    Raises
    ------
    ConfigError
        If a name is none of the package's, or a file cannot be used.
    """
    known = {scenario.name: scenario for scenario in built_in()}
    own = tuple(scenario for path in files for scenario in read_scenarios(Path(path)))
    if named is None:
        return own or built_in()
    found = []
    for name in named:
        if isinstance(name, str) and name not in known:
            raise ConfigError(f"no scenario {name!r}", where="stress", fix=did_you_mean(name, known))
        found.append(known[name] if isinstance(name, str) else name)
    return (*found, *own)


def save(report: StressReport, folder: Path) -> Path:
    """Write ``stress.json`` and ``stress.html`` into a folder and return the path of the page.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    plain = report.plain()
    page = folder / PAGE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(json.dumps(plain, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        page.write_text(stress_html(plain), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror}", where=str(folder)) from None
    return page


def _beyond(config: Config, panel: Panel, objects: Mapping[str, Strategy]) -> Panel:
    """Return the run's prices with what its source has after its end; the run's own where it has none."""
    if config.run.end is None or panel.synthetic:
        return panel
    longer = config.model_copy(update={"run": config.run.model_copy(update={"end": None})})
    return load_panel(longer, needs_of(longer, make_strategies(longer, objects)))
