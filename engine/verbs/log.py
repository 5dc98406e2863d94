"""The run's own log: JSON lines, one event each."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from plimsoll.engine.market.panel import Panel
from plimsoll.engine.report.result import Result
from plimsoll.engine.report.tearsheet.certificate import verdict_of
from plimsoll.engine.research.audit.finding import Finding


class RunLog:
    """Collects events in memory until the run folder is written; configures nothing global."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lines: list[str] = []

    def event(self, name: str, **facts: Any) -> None:
        """Record one event with its facts: numbers, texts and nothing else."""
        stamped = {**facts, "event": name, "ts": self._clock().isoformat(timespec="milliseconds")}
        self._lines.append(json.dumps(stamped, sort_keys=True) + "\n")

    def loaded(self, panel: Panel) -> None:
        """Record what was loaded."""
        facts = {"bars": panel.n_bars, "symbols": panel.n_symbols, "data_hash": panel.data_hash}
        self.event("data_loaded", source=panel.source, **facts)

    def finished(self, result: Result) -> None:
        """Record the warnings of a run and its end."""
        for warning in result.warnings:
            facts = {"symbol": warning.symbol, "session": warning.session, "text": warning.text}
            self.event("warning", kind=warning.kind, **facts)
        self.event("run_finished", run_id=result.run_id, bars=len(result.equity), **result.counts)

    def audited(self, findings: Iterable[Finding]) -> None:
        """Record what an audit found."""
        for one in findings:
            self.event("audit_pass", of=one.name, verdict=verdict_of(one.passed), evidence=one.evidence)

    def content(self) -> bytes:
        """Return everything so far as UTF-8 JSON lines."""
        return "".join(self._lines).encode()
