"""All gates, in order: what of a pull is kept, what is refused, and why."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

import numpy as np

from plimsoll.engine.market.gates.action import count_gains, dividends, impossible, large, volumes
from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.gates.jump import jumps, leverage, splits
from plimsoll.engine.market.gates.pair import disagreement, filled, identical, rewritten
from plimsoll.engine.market.gates.row import contradictory, empty, no_volume, repeated, unpriced, wild
from plimsoll.engine.market.gates.session import another_exchange, extra, missing, unfinished
from plimsoll.engine.market.gates.step import coarse
from plimsoll.engine.market.gates.whole import flat, shares, spliced
from plimsoll.engine.market.history import History
from plimsoll.engine.types import Bools, Floats

# More bad rows than this share are a bad pull.
MANY: Final = 0.05
FEW: Final = 5
# Two sources saw the same move if what it made of a dollar differs by less.
SAME_MOVE: Final = 0.02
_ROW_GATES: Final[tuple[Callable[[History], tuple[Bools, list[GateFinding]]], ...]] = (
    extra,
    unpriced,
    contradictory,
    no_volume,
    wild,
    repeated,
)


@dataclass(frozen=True, slots=True)
class GateInputs:
    """What the gates compare with.

    completed : the last completed session. stored : what is in force of the symbol. second : the last sessions of
    another source. confirmed : sessions a person stands for. others : fingerprints of other symbols. underlying : what
    a leveraged fund follows.
    half_spread_bps : of the symbol.
    """

    completed: date
    stored: History | None = None
    second: History | None = None
    confirmed: frozenset[date] = frozenset()
    others: dict[str, tuple[str, Floats]] = field(default_factory=dict)
    underlying: History | None = None
    half_spread_bps: float = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What of a pull is stored, what goes to quarantine, and everything the gates said."""

    kept: History
    refused: History
    findings: tuple[GateFinding, ...]


def judge(pulled: History, inputs: GateInputs) -> Verdict:
    """Put a pull through every gate.

    Rows of unfinished sessions and rows that hold nothing are dropped without ado. A row gate refuses its row; if an
    action stands on it, which would be lost, or if many rows are refused, the whole pull is. A symbol gate refuses the
    whole pull.
    """
    late = unfinished(pulled, inputs.completed)
    whole = pulled.take(~late & ~empty(pulled))
    hopeless = impossible(whole)
    if hopeless:
        return Verdict(whole.take(slice(0, 0)), whole, tuple(hopeless))
    bad, findings = row_gates(whole, inputs.confirmed)
    sound, noted = count_gains(whole.take(~bad))
    findings += noted
    if inputs.second is not None:
        off, noted = disagreement(sound, inputs.second, inputs.half_spread_bps)
        off, noted = _standing(sound, off, noted, inputs.confirmed)
        bad[np.flatnonzero(~bad)[off]] = True
        sound = sound.take(~off)
        findings += noted
    findings += lost(whole, bad)
    about = _symbol(sound, inputs)
    findings += [_confirmed(finding, inputs, sound) for finding in about]
    if any(finding.severity == "symbol" for finding in findings):
        return Verdict(whole.take(slice(0, 0)), whole, tuple(findings))
    if inputs.second is not None:
        sound, noted = filled(sound, _sound(inputs.second), inputs.completed)
        findings += noted
    if np.datetime64(inputs.completed) not in sound.session:
        text = "the last completed session has no bar here, and no other source gave one"
        findings.append(GateFinding("no_decision_bar", "note", whole.symbol, text, str(inputs.completed)))
    return Verdict(sound, whole.take(bad), tuple(findings))


def row_gates(whole: History, confirmed: frozenset[date] = frozenset()) -> tuple[Bools, list[GateFinding]]:
    """Return which rows (R,) a row gate refuses, and what each gate said; `confirmed` ones pass as notes."""
    bad: Bools = np.zeros(len(whole), dtype=np.bool_)
    findings: list[GateFinding] = []
    for gate in _ROW_GATES:
        left = np.flatnonzero(~bad)
        wrong, noted = gate(whole.take(left))
        if gate in (wild, repeated):
            wrong, noted = _standing(whole.take(left), wrong, noted, confirmed)
        bad[left[wrong]] = True
        findings += noted
    return bad, findings


def _standing(
    history: History, wrong: Bools, noted: list[GateFinding], confirmed: frozenset[date]
) -> tuple[Bools, list[GateFinding]]:
    """Return both without what a person stands for, which becomes a note."""
    stands = np.isin(history.session, np.array(sorted(confirmed), dtype="datetime64[D]"))
    days = {str(day) for day in history.session[stands]}
    told = [_as_note(one, "confirmed") if one.session in days else one for one in noted]
    return wrong & ~stands, told


def _as_note(finding: GateFinding, why: str) -> GateFinding:
    return replace(finding, severity="note", text=f"{finding.text} ({why})")


def lost(whole: History, bad: Bools, advice: str = "pull from a later day with --from") -> list[GateFinding]:
    """Refuse the pull if actions would be lost with refused rows, too many of those, or rows that trade on holidays."""
    symbol = whole.symbol
    found = another_exchange(whole)
    for row in np.flatnonzero(bad & ((whole.split != 1.0) | (whole.dividend != 0.0) | (whole.gain != 0.0))):
        text = "a dividend or a split stands on a row that is refused and would be lost with it"
        found.append(GateFinding("action_lost", "symbol", symbol, text, str(whole.session[row])))
    n_bad = int(bad.sum())
    if n_bad > max(FEW, MANY * len(whole)):
        last = whole.session[bad][-1]
        text = f"{n_bad} of {len(whole)} rows are refused, the last on {last}; {advice}"
        found.append(GateFinding("many_bad_rows", "symbol", symbol, text))
    return found


def _symbol(sound: History, inputs: GateInputs) -> list[GateFinding]:
    about, explained = splits(sound)
    about += jumps(sound, explained, inputs.underlying)
    about += leverage(sound, inputs.underlying)
    about += dividends(sound)
    about += large(sound)
    about += volumes(sound)
    about += missing(sound)
    about += flat(sound)
    about += shares(sound)
    about += coarse(sound)
    about += spliced(sound)
    about += identical(sound, inputs.others)
    if inputs.stored is not None:
        about += rewritten(sound, inputs.stored)
    return about


def _confirmed(finding: GateFinding, inputs: GateInputs, sound: History) -> GateFinding:
    """Return a symbol's finding as a note if a person, or the same move at a second source, stands for it."""
    if finding.severity != "symbol" or not finding.session:
        return finding
    if date.fromisoformat(finding.session) in inputs.confirmed:
        return _as_note(finding, "confirmed")
    if finding.gate == "jump" and inputs.second is not None:
        second = _sound(inputs.second)
        row, ours = (int(np.searchsorted(rows.session, np.datetime64(finding.session))) for rows in (second, sound))
        seen = 0 < row < len(second) and str(second.session[row]) == finding.session
        if seen and abs(_step(second, row) / _step(sound, ours) - 1.0) < SAME_MOVE:
            return _as_note(finding, f"so at {second.source[row]}, too")
    return finding


def _step(history: History, row: int) -> float:
    return float(history.close[row] * history.split[row] / history.close[row - 1])


def _sound(second: History) -> History:
    """Return the rows of another source that pass the row gates by themselves."""
    kept = second
    for gate in _ROW_GATES:
        wrong, _ = gate(kept)
        kept = kept.take(~wrong)
    return kept
