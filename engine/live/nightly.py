"""After the close: the session's decision made again from scratch, with that night's prices, beside the journalled one.

What differs says what changed since: prices (which, as far as the journal tells), the account's own history, the
configuration, the strategies' source, or the engine itself. Until a person has looked there is no new risk.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from plimsoll.engine.errors import DataError
from plimsoll.engine.live.inputs import (
    Inputs,
    Revision,
    decisions_of,
    digest_of_state,
    inputs_at,
    journalled,
    revisions,
)
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import ZERO, PlanRow
from plimsoll.engine.live.prefix import prefix_of
from plimsoll.engine.live.replay import Case, signed, stand
from plimsoll.engine.runtime.backtest import Progress

NIGHTLY: Final = "nightly"  # the kind of the event
SHOWN: Final = 6  # revised columns that a reason names
LONGEST: Final = 400  # characters of a reason


@dataclass(frozen=True, slots=True)
class NightlyReport:
    """What a replay of a session's decision found.

    checked : there was a decision to replay. state, data, decision : whether each is the journalled one. why : what
    changed, in words, empty where nothing did.
    """

    session: date
    checked: bool = False
    state: bool = True
    data: bool = True
    decision: bool = True
    why: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Return whether everything is as it was journalled, as far as there was anything."""
        return self.state and self.data and self.decision

    @property
    def reason(self) -> str:
        """The reason of a halt."""
        return f"nightly check of {self.session}: {'; '.join(self.why)}"[:LONGEST]

    def plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "session": self.session.isoformat(),
            "checked": self.checked,
            "ok": self.ok,
            "state_same": self.state,
            "data_same": self.data,
            "decision_same": self.decision,
            "why": list(self.why),
        }


def check_session(
    case: Case, journal: Journal, session: date, *, progress: Progress | None = None
) -> NightlyReport:  # fmt: skip
    """Check a session as `look` does, write down what was found, and stop new risk where anything differs.

    Asked again for the same session it writes again; a halt is there once.

    Raises
    ------
    InputError
        If the prices cannot be read or end too early: nothing is concluded then.
    """
    report = look(case, journal, session, progress=progress)
    with journal.tx():
        journal.event(NIGHTLY, **report.plain())
        if not report.ok:
            journal.add_halt("new_risk", report.reason)
    return report


def look(case: Case, journal: Journal, session: date, *, progress: Progress | None = None) -> NightlyReport:
    """Replay the system from scratch through the close that decided for a session, and compare; nothing is written.

    Raises
    ------
    InputError
        If the prices cannot be read, or end too early.
    """
    number, plan = decisions_of(journal).get(session), journal.plan(session)
    if number is None or plan is None:
        return NightlyReport(session)
    of = inputs_at(journal, number)
    standing = stand(case, journal, of.decided, progress)
    setup, panel = standing.setup, standing.setup.panel
    data = prefix_of(panel).whole() == of.data
    state = digest_of_state(setup.system.save()) == of.state
    try:
        decision = same_decision(of, plan, signed(of.decide(setup).wishes))
    except DataError:  # a holding that the revised prices do not know any more
        decision = False
    if data and state and decision:
        return NightlyReport(session, checked=True)
    why = [f"prices were revised: {_listed(revisions(panel, journalled(journal), of))}"] if not data else []
    why += _others(case, plan, of, same_marks=standing.marks.digest() == of.marks, told=bool(why))
    return NightlyReport(session, True, state, data, decision, tuple(why))


def _listed(found: list[Revision]) -> str:
    if not found:
        return "no symbol's, but the sessions that there are"
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(str(one) for one in found[:SHOWN]) + more


def _others(case: Case, plan: PlanRow, of: Inputs, *, same_marks: bool, told: bool) -> list[str]:
    """Return what else changed than prices; where nothing at all did, the engine is what is left."""
    found = []
    if plan.config_hash != case.config.digest:
        found.append("the configuration is another one")
    if plan.code_hash != case.code_hash:
        found.append("the strategies' source is another one")
    if not same_marks and not told:  # revised prices revise what the account was worth
        found.append("the journal learned of executions or cash of earlier sessions after the decision")
    if not (found or told):
        found.append(f"the same inputs lead elsewhere than on {of.session}: the engine's code or its libraries")
    return found


def same_decision(of: Inputs, plan: PlanRow, way: Mapping[str, Decimal]) -> bool:
    """Return whether a decision leads where the journalled one does, digit by digit."""
    if plan.carried:
        return not way
    ends = {symbol: of.holdings.get(symbol, ZERO) + qty for symbol, qty in way.items()}
    return ends == {one.symbol: one.qty for one in plan.goals.values()}
