"""What one pass of an audit found."""

from dataclasses import dataclass

from plimsoll.engine.research.proof.trail import Difference


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict of one pass; None = it did not run.

    what : what the pass did, in words. evidence : why it failed, "" where it passed; session, stage and symbol say
    where, as far as the evidence has a place.
    """

    name: str
    passed: bool | None
    what: str
    evidence: str = ""
    session: str = ""
    stage: str = ""
    symbol: str = ""


def compared(name: str, what: str, found: Difference | None) -> Finding:
    """Return the finding of a pass that compares two runs."""
    if found is None:
        return Finding(name, True, what)
    return Finding(name, False, what, found.text, found.session, found.stage, found.symbol)


def stopped(name: str, what: str, error: Exception) -> Finding:
    """Return the finding of a run that raised where the normal one did not; notes of the error name the session."""
    session = getattr(error, "__notes__", [""])[-1]
    told = str(error) if not session or session in str(error) else f"{error} (at the bar of {session})"
    return Finding(name, False, what, f"raised {type(error).__name__}: {told}", session)
