"""Two questions to a scenario: does its worst loss respect the drawdown cap, and does the governor cut what is held?"""

from collections.abc import Sequence
from dataclasses import dataclass

from plimsoll.engine.research.stress.books import Shock
from plimsoll.engine.research.stress.replay import Replay
from plimsoll.engine.research.stress.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Outcome:
    """One scenario: the books shocked at once, and the run that went on through it.

    how : by kind of source, the symbols of the books whose moves came from it; see `moves`. modelled : symbols that
    trade and whose path is no price of those sessions.
    """

    scenario: Scenario
    shock: Shock
    replay: Replay
    how: dict[str, tuple[str, ...]]
    modelled: tuple[str, ...]

    def breaches(self, cap: float) -> tuple[str, ...]:
        """Return what goes beyond the cap, in words: the shocks without trading, then the replay."""
        day = self.shock.worst_day
        losses = (("last book", self.shock.last), ("mean book", self.shock.mean), (f"book of {day}", self.shock.worst))
        found = [f"{name} at once {move:z.1%}" for name, move in losses if move < -cap]
        return (*found, *([f"replay -{self.replay.drawdown:z.1%}"] if self.breaks_in_replay(cap) else []))

    def breaks_in_replay(self, cap: float) -> bool:
        """Return whether the run itself, trading, loses more than the cap."""
        return self.replay.drawdown > cap

    def brief(self, cap: float) -> str:
        """Return the outcome in a few words."""
        names = ("last", "mean", "worst")
        moves = (self.shock.last, self.shock.mean, self.shock.worst)
        at_once = [name for name, move in zip(names, moves, strict=True) if move < -cap]
        kinds = [f"at once ({', '.join(at_once)})"] * bool(at_once) + ["in the replay"] * self.breaks_in_replay(cap)
        return f"BREACH {' and '.join(kinds)}" if kinds else "within the cap"

    def verdict(self, cap: float) -> str:
        """Return the outcome in words."""
        found = self.breaches(cap)
        held = "within the cap" if not found else "BREACH: " + ", ".join(found)
        said = {
            "none": "no governor",
            "not called": "the governor was not called on",
            "cut": "the governor cut what was held",
            "did not cut": "the governor DID NOT cut what was held",
        }
        return f"{held}; {said[self.replay.governor]}"


def summary(outcomes: Sequence[Outcome], cap: float) -> str:
    """Return what all scenarios say together, in sentences."""
    n = len(outcomes)
    broken = [o.scenario.label for o in outcomes if o.breaks_in_replay(cap)]
    at_once = [o.scenario.label for o in outcomes if any("at once" in words for words in o.breaches(cap))]
    said = [
        f"Replayed through the system, {_of(broken, n)} lose more than {cap:z.0%}.",
        f"Shocked at once, without a trade, {_of(at_once, n)} take more than that from one of the books.",
    ]
    asked = [o for o in outcomes if o.replay.governor in ("cut", "did not cut")]
    if outcomes and all(o.replay.governor == "none" for o in outcomes):
        said.append("There is no governor with kill tiers: only the strategies' own rules limit a loss.")
    else:
        failed = [o.scenario.label for o in asked if o.replay.governor == "did not cut"]
        but = f", but not in {', '.join(failed)}" if failed else ""
        said.append(f"The governor was called on in {len(asked)} of {n} and cut what was held{but}.")
    return " ".join(said)


def _of(named: Sequence[str], n: int) -> str:
    return f"{len(named)} of {n} scenarios ({', '.join(named)})" if named else f"none of {n} scenarios"
