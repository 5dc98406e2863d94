"""Audit a run for look-ahead."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from plimsoll.engine.errors import ConfigError, DataError, OutputError
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.report.folder import MARKER, check_target, folder_files, json_bytes
from plimsoll.engine.report.result import record_of
from plimsoll.engine.research.audit.audit import RELOADS, Audited, Told, examine
from plimsoll.engine.research.audit.case import Case, StandIn
from plimsoll.engine.research.audit.certificate import FILE, Certificate
from plimsoll.engine.runtime.load import AsOf, Runnable, load_run
from plimsoll.engine.verbs.host import PROGRAM, Host
from plimsoll.engine.verbs.log import RunLog
from plimsoll.engine.verbs.run_folder import load_finished


def audit(
    what: Runnable,
    *,
    data: Panel | Path | str | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    sets: Iterable[str] = (),
    as_of: AsOf = None,
    reloads: int = RELOADS,
    seed: int = 0,
    stand_in: StandIn | None = None,
    progress: Told | None = None,
    out: Path | str | None = None,
    force: bool = False,
    host: Host = PROGRAM,
) -> Certificate:
    """Audit a run for look-ahead and return the certificate.

    The run is repeated in this process, with a panel that is filled bar by bar while what has not come yet is unknown
    or noise, and in fresh processes on data cut off at random sessions. Every output of every bar, from the answers of
    each strategy through all stages and the planner to orders, fills and the account, must be the same to the bit.

    Parameters
    ----------
    what, data, start, end, sets, as_of
        As `backtest` takes them; or a run folder, which is audited as it is and given the certificate.
    reloads : int
        Fresh processes; 0 leaves them out, and the certificate says so.
    seed : int
        Of what is drawn at random: the noise, and where the data are cut.
    stand_in : callable, optional
        Puts a broker, an integrator or a planner of one's own into the setup of every run; a function of a module.
    progress : callable, optional
        Called now and then with (what is being done, how much of it is done, how much there is).
    out, force, host
        As `backtest` takes them: the run folder to write, the certificate in it.

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
    if isinstance(what, (str, Path)) and Path(what).is_dir():
        moved = _only_moved(Path(what), data, (start, end, out, as_of), tuple(sets))
        return _audit_run(Path(what), moved, reloads, seed, progress, host)
    began = host.clock()
    if out is not None:
        check_target(Path(out), force=force)
    log = RunLog(host.clock)
    config, panel, given = load_run(what, data=data, start=start, end=end, sets=sets, as_of=as_of, now=began)
    log.loaded(panel)
    case = Case(config, panel, not isinstance(data, Panel), given, stand_in)
    audited = examine(case, n_reloads=reloads, seed=seed, progress=progress)
    log.audited(audited.certificate.findings)
    if out is not None:
        created = began.isoformat(timespec="seconds")
        audited.result.save(Path(out), force=force, created=created, extras={"log.jsonl": log.content()})
    return audited.certificate


def _only_moved(
    run: Path, data: Panel | Path | str | None, given: tuple[object, ...], sets: tuple[str, ...]
) -> Path | str | None:
    """Return where the data of a run folder are now; refuse everything else that would change the run."""
    if any(one is not None for one in given) or sets or isinstance(data, Panel):
        raise ConfigError(
            "a run folder is audited as it is",
            where=str(run),
            fix="leave out --from, --to, --set and --out, or name a configuration instead of the folder",
        )
    if not (run / MARKER).is_file():
        raise DataError(f"not a run folder: it needs config.toml, env.json and {MARKER}", where=str(run))
    return data


def _audit_run(
    run: Path, data: Path | str | None, reloads: int, seed: int, progress: Told | None, host: Host
) -> Certificate:
    created = host.clock().isoformat(timespec="seconds")
    config, panel, _ = load_finished(run, data)
    audited = examine(Case(config, panel), n_reloads=reloads, seed=seed, progress=progress)
    _add_to_run(run, audited, created)
    return audited.certificate


def _add_to_run(run: Path, audited: Audited, created: str) -> None:
    """Put the certificate into an existing run and print its report anew; its other files stay as they are."""
    result = audited.result
    if json_bytes(result.metrics) != (run / MARKER).read_bytes():
        raise DataError(
            "this configuration no longer makes the figures in the folder",
            where=str(run),
            cause="the engine or a strategy has changed since",
            fix="run the backtest again",
        )
    files = folder_files(record_of(result), result.metrics, created)
    try:
        for name in (FILE, "report.html"):
            fresh = run / f".{name}"
            fresh.write_bytes(files[name])
            fresh.replace(run / name)
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror or error}", where=str(run)) from error
