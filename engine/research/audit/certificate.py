"""The certificate of an audit: what was compared, on which code and data, and what came of it."""

import hashlib
import inspect
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from plimsoll.engine.kernels.sources import import_closure
from plimsoll.engine.research.audit.case import Case, Ran
from plimsoll.engine.research.audit.finding import Finding
from plimsoll.engine.research.audit.what_if import Comparison
from plimsoll.engine.research.proof.trail import Recorder
from plimsoll.engine.runtime.collect import environment
from plimsoll.engine.sleeve.strategy import Strategy

FILE: Final = "certificate.json"


@dataclass(frozen=True, slots=True)
class Certificate:
    """The outcome of an audit; the same audit of the same code on the same data gives the same one.

    verdict : PASS if no pass failed. findings : per pass. comparisons : figures that inform and decide nothing.
    strategies : per sleeve the class and the SHA-256 of its source with all that it imports of its own package.
    engine_hash : SHA-256 of the engine's source. first, last : sessions traded. decisions, outputs : how many
    decisions, and how many numbers, each pass compared.
    """

    name: str
    verdict: Literal["PASS", "FAIL"]
    findings: tuple[Finding, ...]
    comparisons: tuple[Comparison, ...]
    config_hash: str
    data_hash: str
    strategies: Mapping[str, Mapping[str, str]]
    engine_hash: str
    versions: Mapping[str, str]
    seed: int
    first: str
    last: str
    sessions: int
    decisions: int
    outputs: int

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return self.verdict == "PASS"

    @property
    def failure(self) -> Finding | None:
        """The first pass that failed; None if none did."""
        return next((one for one in self.findings if one.passed is False), None)

    def plain(self) -> dict[str, Any]:
        """Return nested plain values for JSON: None where a figure is not finite."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def make_certificate(
    case: Case, reference: Ran, findings: tuple[Finding, ...], comparisons: tuple[Comparison, ...], seed: int
) -> Certificate:
    """Return the certificate of finished passes."""
    setup, track = reference.setup, reference.track
    session = setup.panel.clock.session
    traded = slice(setup.first, track.last + 1)
    days = setup.panel.clock.session_index[traded]
    return Certificate(
        name=case.config.run.name,
        verdict="FAIL" if any(one.passed is False for one in findings) else "PASS",
        findings=findings,
        comparisons=comparisons,
        config_hash=case.config.digest,
        data_hash=setup.panel.data_hash,
        strategies=source_hashes(reference),
        engine_hash=engine_hash(),
        versions=environment(setup)["versions"],
        seed=seed,
        first=str(session[setup.first]),
        last=str(session[track.last]),
        sessions=int(days[-1] - days[0] + 1) if len(days) else 0,
        decisions=len(track.decisions),
        outputs=sum(rows.values.size for rows in reference.trail.rows.values()),
    )


def source_hashes(reference: Ran) -> dict[str, dict[str, str]]:
    """Return per sleeve the class of its strategy and the hash of its source, "" where there is no file."""
    out = {}
    for sleeve in reference.setup.system.sleeves:
        strategy = sleeve.strategy.inner if isinstance(sleeve.strategy, Recorder) else sleeve.strategy
        cls = type(strategy)
        files = source_files(cls)
        out[sleeve.name] = {"class": f"{cls.__module__}:{cls.__qualname__}", "sha256": _hash(files) if files else ""}
    return out


def source_files(cls: type) -> tuple[Path, ...]:
    """Return the file of a class and all that it imports of ours; none for a class made at a prompt."""
    try:
        return import_closure(Path(inspect.getfile(cls)))
    except (TypeError, OSError):
        return ()


def code_hash_of(strategies: Iterable[Strategy]) -> str:
    """Return the SHA-256 over the source of the strategies and everything of ours that they import."""
    return _hash(tuple(sorted({file for strategy in strategies for file in source_files(type(strategy))})))


def engine_hash() -> str:
    """Return the SHA-256 over every source file of the engine."""
    return _hash(tuple(sorted(Path(__file__).resolve().parents[2].rglob("*.py"))))


def _hash(files: tuple[Path, ...]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
