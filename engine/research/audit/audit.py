"""The look-ahead certificate: nothing a run decides may depend on what comes later, on chance, or on where it runs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.report.result import Result, result_of
from plimsoll.engine.research.audit.case import Case
from plimsoll.engine.research.audit.certificate import Certificate, make_certificate
from plimsoll.engine.research.audit.finding import Finding
from plimsoll.engine.research.audit.fresh_runs import importable, reloads
from plimsoll.engine.research.audit.passes import PASSES, Bench
from plimsoll.engine.research.audit.what_if import bar_later, same_close
from plimsoll.engine.runtime.by_default import with_defaults
from plimsoll.engine.runtime.collect import collect

RELOADS: Final = 20

# Called with what is being done, how much of it is done, and how much there is.
Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Audited:
    """An audit's certificate, and the result of the normal run with the certificate in it."""

    certificate: Certificate
    result: Result


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
    record = collect(reference.setup, reference.track)
    record = with_defaults(record, case.config, reference.setup.feed, from_source=case.named)
    findings: list[Finding] = []
    with reloads(case, reference, n_reloads, seed) as reloaded:  # other cores run them beside what follows
        for each in PASSES:
            part = _part(progress, each.__name__.replace("_", " "))
            findings.append(each(Bench(case, reference, seed, part)))
        comparisons = (bar_later(case, reference), same_close(case, reference))
        findings.append(reloaded(_part(progress, "reloads")))
    certificate = make_certificate(case, reference, tuple(findings), comparisons, seed)
    return Audited(certificate, result_of(replace(record, certificate=certificate.plain())))


def _part(progress: Told | None, what: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(what, done, total)
