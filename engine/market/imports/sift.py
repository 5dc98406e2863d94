"""A draft through the gates: the same as for what is pulled, and what they refuse is refused."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from plimsoll.engine.market.bars import Bars, RawBars
from plimsoll.engine.market.gates.action import count_gains, dividends, impossible
from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.gates.judge import GateInputs, judge, lost, row_gates
from plimsoll.engine.market.gates.session import unfinished
from plimsoll.engine.market.gates.whole import told_later
from plimsoll.engine.market.history import History, Kind
from plimsoll.engine.market.imports.adjust import raw_of
from plimsoll.engine.market.imports.draft import Draft
from plimsoll.engine.market.imports.minute import LATER, sift_minutes
from plimsoll.engine.market.settle import begins_adjusted, settle
from plimsoll.engine.market.ticker import is_index
from plimsoll.engine.types import Bools, Floats, PriceKind

# A pull wants the bar of the last completed session; a file ends where it ends.
_PULLS_ONLY: Final = ("no_decision_bar",)


@dataclass(frozen=True, slots=True, eq=False)
class Sifted:
    """What of a draft passed.

    kept : (R,) rows that did. raw : those that hold a price, in the form of sources. history : the same for a catalog,
    None for minutes or where all is refused. refused : daily rows for quarantine. findings : what the gates said.
    said : how the rows are read.
    """

    draft: Draft
    kept: Bools
    raw: RawBars
    history: History | None
    refused: History
    findings: tuple[GateFinding, ...]
    said: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether there are rows that no gate refuses."""
        return bool(self.kept.any()) and not any(one.severity == "symbol" for one in self.findings)


def sift(draft: Draft, kind: PriceKind | None, inputs: GateInputs, *, extended: bool = False) -> Sifted:
    """Put a draft through every gate. kind : what its prices contain, None = as the CSV reader finds it.

    extended : its bars may lie outside regular hours.

    Raises
    ------
    DataError
        If its rows cannot be read as bars at all, in one line.
    """
    if draft.interval != "1d":
        raw = raw_of(draft)
        kept, findings, said = sift_minutes(raw, kind, inputs, extended=extended)
        return Sifted(draft, kept, raw.keep(kept), None, _history(raw.keep(~kept), draft, "traded"), findings, said)
    return _daily(draft, kind, inputs)


def _daily(draft: Draft, kind: PriceKind | None, inputs: GateInputs) -> Sifted:
    raw, index = raw_of(draft), is_index(draft.symbol)
    alone = begins_adjusted(raw) and not index
    whole = _history(_adjusted(raw) if alone else raw, draft, "index" if index else "traded")
    late = unfinished(whole, inputs.completed)
    asked = np.flatnonzero(~late & _quoted(whole))
    face = whole.take(asked)
    hopeless = impossible(face) + _above(face, inputs)
    if hopeless:
        return Sifted(draft, late & False, raw, None, face, tuple(hopeless))
    wrong, findings = row_gates(face, inputs.confirmed)
    findings += lost(face, wrong, LATER)
    bad: Bools = np.zeros(len(whole), dtype=np.bool_)
    bad[asked[wrong]] = True
    kept = ~bad & ~late
    sound, noted = count_gains(face.take(~wrong))
    findings += noted
    passed = _with_gains(raw, asked[~wrong], sound).keep(kept)
    if any(one.severity == "symbol" for one in findings) or not kept.any():
        return Sifted(draft, kept, passed, None, face, tuple(findings))
    history, said = sound, tuple[str, ...]()
    if not index:
        bars = settle(passed, kind, adjusted_only=alone)
        history, said = _of_bars(bars, sound, draft), _words(bars, kind)
    verdict = judge(replace(history, gain=np.zeros(len(history))), inputs)
    findings += [one for one in verdict.findings if one.gate not in _PULLS_ONLY and one not in findings]
    findings += _later(passed) + _closes_alone(history)
    return Sifted(draft, kept, passed, _stored(history), face.take(wrong), tuple(findings), said)


def _above(face: History, inputs: GateInputs) -> list[GateFinding]:
    """Return the dividends above the price that nobody stands for: with one of them nothing can be reckoned."""
    stands = {day.isoformat() for day in inputs.confirmed}
    return [one for one in dividends(face) if one.gate == "dividend_above_price" and one.session not in stands]


def _later(raw: RawBars) -> list[GateFinding]:
    if raw.adj_close is None:
        return []
    both = np.flatnonzero(np.isfinite(raw.close) & np.isfinite(raw.adj_close))[-1:]
    return [
        one for at in both
        for one in told_later(raw.symbol, raw.rows.show(int(at)), float(raw.close[at]), float(raw.adj_close[at]))
    ]  # fmt: skip


def _closes_alone(history: History) -> list[GateFinding]:
    if history.kind != "adjusted":
        return []
    text = "adjusted prices, no actions: what it paid cannot be checked against anything"
    return [GateFinding("adjusted_only", "note", history.symbol, text, str(history.session[0]))]


def _words(bars: Bars, kind: PriceKind | None) -> tuple[str, ...]:
    """Return what is said of how rows are read; that they are adjusted was said already if somebody told so."""
    return tuple(one.text for one in bars.warnings if kind != "adjusted" or one.kind != "adjusted_only")


def _with_gains(raw: RawBars, rows: np.ndarray[tuple[int], np.dtype[np.int64]], sound: History) -> RawBars:
    if raw.dividend is None or not sound.gain.any():
        return raw
    dividend = raw.dividend.copy()
    dividend[rows] = sound.dividend
    return replace(raw, dividend=dividend)


def _adjusted(raw: RawBars) -> RawBars:
    """Return the rows with the adjusted close for every price: all that is read of such a file."""
    price = raw.close if raw.adj_close is None else raw.adj_close
    return replace(raw, open=price, high=price, low=price, close=price, volume=np.full(len(price), np.nan))


def _quoted(history: History) -> Bools:
    unknown = [np.isnan(column) for column in (history.open, history.high, history.low, history.close)]
    found: Bools = ~(unknown[0] & unknown[1] & unknown[2] & unknown[3])
    return found


def _history(raw: RawBars, draft: Draft, kind: Kind) -> History:
    n_rows = len(raw.stamp)
    nothing = np.zeros(n_rows)
    return History(
        symbol=raw.symbol,
        kind=kind,
        session=raw.stamp if raw.interval != "1d" else raw.stamp.astype("datetime64[D]"),
        source=np.full(n_rows, draft.layout.source),
        open=raw.open,
        high=raw.high,
        low=raw.low,
        close=raw.close,
        volume=raw.volume,
        dividend=nothing if raw.dividend is None else np.nan_to_num(raw.dividend, posinf=np.inf, neginf=-np.inf),
        split=nothing + 1.0 if raw.split is None else np.where(np.isnan(raw.split), 1.0, raw.split),
        gain=draft.columns["gain"] if "gain" in draft.columns and n_rows == len(draft.stamp) else nothing,
    )


def _of_bars(bars: Bars, sound: History, draft: Draft) -> History:
    session = bars.stamp.astype("datetime64[D]")
    gain: Floats = np.zeros(len(session))
    at = np.searchsorted(session, sound.session)
    inside = np.flatnonzero(np.less(at, len(session)))
    gain[at[inside]] = sound.gain[inside]
    return History(
        symbol=bars.symbol,
        kind="adjusted" if bars.adjusted_only else "traded",
        session=session,
        source=np.full(len(session), draft.layout.source),
        open=bars.open,
        high=bars.high,
        low=bars.low,
        close=bars.close,
        volume=bars.volume,
        dividend=bars.dividend,
        split=bars.split,
        gain=gain,
    )


def _stored(history: History) -> History:
    """Return what a catalog keeps of rows: of adjusted ones the closes alone."""
    if history.kind != "adjusted":
        return history
    close = history.close
    return replace(history, open=close, high=close, low=close, volume=np.full(len(close), np.nan))
