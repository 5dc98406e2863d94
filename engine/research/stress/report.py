"""What a stress test found, as plain values."""

from dataclasses import asdict, dataclass
from typing import Any

from plimsoll.engine.research.stress.replay import Replay
from plimsoll.engine.research.stress.tail import Tail
from plimsoll.engine.research.stress.verdict import Outcome, summary
from plimsoll.engine.types import Floats


@dataclass(frozen=True, slots=True)
class StressReport:
    """The stress test of one run.

    last : its last session, from which scenarios go on. cap : the drawdown that no loss should exceed, a fraction, of
    the configuration's governor; governed : whether the run has one. student, drawn : tails of its books. drawn_from :
    sessions that the drawn ones come from, and why there are none, or "". system : replays of drawn paths.
    """

    name: str
    config_hash: str
    data_hash: str
    synthetic: bool
    last: str
    cap: float
    governed: bool
    seed: int
    outcomes: tuple[Outcome, ...]
    student: tuple[Tail, ...]
    drawn: tuple[Tail, ...]
    drawn_from: int
    drawn_why: str
    system: tuple[Replay, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no replay loses more than the cap and the governor cut wherever it was called on."""
        cut = all(outcome.replay.governor != "did not cut" for outcome in self.outcomes)
        return cut and not any(outcome.breaks_in_replay(self.cap) for outcome in self.outcomes)

    @property
    def verdict(self) -> str:
        """The verdict in sentences."""
        return summary(self.outcomes, self.cap)

    def plain(self) -> dict[str, Any]:
        """Return nested plain values, the same bytes as JSON for the same run and seed."""
        return {
            "name": self.name,
            "config_hash": self.config_hash,
            "data_hash": self.data_hash,
            "synthetic": self.synthetic,
            "last": self.last,
            "cap": self.cap,
            "governed": self.governed,
            "seed": self.seed,
            "ok": self.ok,
            "verdict": self.verdict,
            "scenarios": [_outcome(outcome, self.cap) for outcome in self.outcomes],
            "student": [asdict(tail) for tail in self.student],
            "drawn": {"sessions": self.drawn_from, "why": self.drawn_why, "tails": [asdict(t) for t in self.drawn]},
            "system": [_replay(one) for one in self.system],
        }


def _outcome(outcome: Outcome, cap: float) -> dict[str, Any]:
    said, shock = outcome.scenario, outcome.shock
    return {
        "name": said.name,
        "title": said.label,
        "source": said.source,
        "start": None if said.start is None else str(said.start),
        "end": None if said.end is None else str(said.end),
        "sessions": said.n,
        "shock": {
            "last": shock.last,
            "mean": shock.mean,
            "worst": shock.worst,
            "worst_day": shock.worst_day,
            "moves": shock.moves,
        },
        "replay": _replay(outcome.replay),
        "how": {kind: list(symbols) for kind, symbols in outcome.how.items()},
        "modelled": list(outcome.modelled),
        "breaches": list(outcome.breaches(cap)),
        "verdict": outcome.verdict(cap),
    }


def _replay(found: Replay) -> dict[str, Any]:
    return {
        "sessions": found.sessions,
        "drawdown": found.drawdown,
        "day_loss": found.day_loss,
        "total": found.total,
        "gross_before": float(found.gross[0]),
        "gross_lowest": float(found.gross.min()),
        "gross_after": float(found.gross[-1]),
        "governor": found.governor,
        "governor_drawdown": found.governor_drawdown,
        "least_multiplier": float(found.multiplier.min()),
        "cut": found.cut,
        "cut_session": found.cut_session if found.cut_session >= 0 else None,
        "worst_tier": found.worst_tier,
        "tiers": [asdict(change) for change in found.tiers],
        "margin_calls": found.margin_calls,
        "ruined": found.ruined,
        "nav": _listed(found.nav),
        "gross": _listed(found.gross),
        "multiplier": _listed(found.multiplier),
    }


def _listed(values: Floats) -> list[float]:
    listed: list[float] = values.tolist()
    return listed
