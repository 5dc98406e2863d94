"""The look-ahead certificate: nothing a run decides may depend on what comes later, on chance, or on where it runs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from engine.errors import ConfigError
from engine.market.panel import Panel
from engine.report.result import Result
from engine.research.case import Case, StandIn
from engine.research.certificate import Certificate, make_certificate
from engine.research.finding import Finding
from engine.research.passes import PASSES, Bench
from engine.research.reloads import importable, reloads
from engine.research.what_if import bar_later, same_close
from engine.runtime.collect import collect
from engine.runtime.run import Runnable, load_run

RELOADS: Final = 20

# Called with what is being done, how much of it is done, and how much there is.
Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Audited:
    """An audit's certificate, and the result of the normal run with the certificate in it."""

    certificate: Certificate
    result: Result


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
    >>> from engine import audit
    >>> from strategies.sixty_forty import SixtyForty
    >>> audit(SixtyForty, start="2024-01-02", reloads=1).verdict
    'PASS'
    """
    config, panel, given = load_run(what, data=data, start=start, end=end, sets=sets)
    case = Case(config, panel, not isinstance(data, Panel), given, stand_in)
    return examine(case, n_reloads=reloads, seed=seed, progress=progress).certificate


def examine(case: Case, *, n_reloads: int = RELOADS, seed: int = 0, progress: Told | None = None) -> Audited:
    """Run a case, put it through every pass, and return the certificate with the run's result.

    Raises
    ------
    InputError
        As `audit`.
    """
    if n_reloads < 0 or seed < 0:
        raise ConfigError(f"{n_reloads} reloads, seed {seed}", where="audit", fix="both are 0 or more")
    if n_reloads:
        importable(case)
    reference = case.run(progress=_part(progress, "run"))
    result = collect(reference.setup, reference.track)
    findings: list[Finding] = []
    for each in PASSES:
        part = _part(progress, each.__name__.replace("_", " "))
        findings.append(each(Bench(case, reference, seed, part)))
    findings.append(reloads(case, reference, n_reloads, seed, _part(progress, "reloads")))
    comparisons = (bar_later(case, reference), same_close(case, reference))
    certificate = make_certificate(case, reference, tuple(findings), comparisons, seed)
    return Audited(certificate, replace(result, certificate=certificate.plain()))


def _part(progress: Told | None, what: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(what, done, total)
