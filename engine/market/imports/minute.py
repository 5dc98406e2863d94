"""Intraday bars through the gates: row by row as daily ones, jumps from bar to bar, and which bars are not there."""

from collections.abc import Callable
from typing import Final

import numpy as np

from plimsoll.engine.market.bars import Bars, RawBars
from plimsoll.engine.market.calendar import minutes_of, schedule, session_mask, sessions
from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.gates.judge import GateInputs, lost
from plimsoll.engine.market.gates.row import contradictory, no_volume, unpriced, wild
from plimsoll.engine.market.history import PRICES, History
from plimsoll.engine.market.imports.interval import runs
from plimsoll.engine.market.jumps import KIND, with_jumps
from plimsoll.engine.market.quality import check_order
from plimsoll.engine.market.settle import settle
from plimsoll.engine.types import Bools, PriceKind

# Within a day the same prices and volume twice are no sign of a dead feed: `stale_repeat` asks daily rows only.
_GATES: Final[tuple[Callable[[History], tuple[Bools, list[GateFinding]]], ...]] = (
    unpriced,
    contradictory,
    no_volume,
    wild,
)
# What to do with rows that begin badly, of a file as of a pull.
LATER: Final = "begin after it"


def sift_minutes(
    raw: RawBars, kind: PriceKind | None, inputs: GateInputs, *, extended: bool
) -> tuple[Bools, tuple[GateFinding, ...], tuple[str, ...]]:
    """Return which rows (R,) pass, what the gates said, and how the rows are read.

    Raises
    ------
    DataError
        If rows are out of order or twice, or off the exchange's grid.
    """
    check_order(raw.rows)
    whole = _face(raw)
    priced = ~np.all([np.isnan(whole.column(name)) for name in PRICES], axis=0)
    day, bars_of_day = runs(raw.stamp)
    none = ~session_mask(day)
    out, late = (np.repeat(wrong, bars_of_day) for wrong in (none, day > np.datetime64(inputs.completed)))
    findings = [
        GateFinding("extra_session", "row", raw.symbol, f"{one} is no session of the exchange", str(one))
        for one in day[none]
    ]
    bad: Bools = out.copy()
    for gate in _GATES:
        asked = np.flatnonzero(priced & ~bad)
        wrong, noted = gate(whole if len(asked) == len(whole) else whole.take(asked))
        bad[asked[wrong]] = True
        findings += noted
    findings += lost(whole, bad, LATER)
    kept = priced & ~bad & ~late
    if not kept.any() or any(one.severity == "symbol" for one in findings):
        return kept, tuple(findings), ()
    passed = raw if kept.all() else raw.keep(kept)
    if extended:
        return kept, (*findings, *_jumps(_plain(passed), raw.interval, inputs)), ()
    bars = settle(passed, kind)
    findings += _jumps(bars, raw.interval, inputs)
    findings += _absent(bars, raw.interval)
    return kept, tuple(findings), tuple(one.text for one in bars.warnings)


def _face(raw: RawBars) -> History:
    n_rows = len(raw.stamp)
    dividend = np.zeros(n_rows) if raw.dividend is None else np.nan_to_num(raw.dividend)
    split = np.ones(n_rows) if raw.split is None else np.where(np.isnan(raw.split), 1.0, raw.split)
    source = np.broadcast_to(np.str_(""), (n_rows,))
    return History(
        raw.symbol, "traded", raw.stamp, source, raw.open, raw.high, raw.low, raw.close, raw.volume,
        dividend, split, np.zeros(n_rows),
    )  # fmt: skip


def _plain(raw: RawBars) -> Bars:
    nothing = np.zeros(len(raw.stamp))
    return Bars(raw.symbol, raw.stamp, raw.open, raw.high, raw.low, raw.close, raw.volume, nothing, nothing + 1.0)


def _jumps(bars: Bars, interval: str, inputs: GateInputs) -> list[GateFinding]:
    (told,) = with_jumps([bars], interval, {bars.symbol: inputs.confirmed})
    return [
        GateFinding("jump", "symbol", bars.symbol, one.text, one.session[:10])
        for one in told.warnings
        if one.kind == KIND
    ]


def _absent(bars: Bars, interval: str) -> list[GateFinding]:
    """Note the sessions without a bar, how many bars are not there in the others, and a last session that is cut off.

    A bar in which nothing traded is rightly absent. The last session is cut off if it ends longer before its close than
    any other does.
    """
    held, counts = runs(bars.stamp)
    first, last = (day.astype(object) for day in (held[0], held[-1]))
    found, every = [], sessions(first, last)
    gone = every[~np.isin(every, held)]
    if len(gone):
        shown = ", ".join(str(day) for day in gone[:3]) + (", ..." if len(gone) > 3 else "")
        text = f"{len(gone)} of {len(every)} sessions have no bar: {shown}"
        found.append(GateFinding("missing_sessions", "note", bars.symbol, text, str(gone[0])))
    plan, minutes = schedule(), minutes_of(interval) or 1
    at = np.searchsorted(plan.session, held)
    due = -(-(plan.close_minute[at] - plan.open_minute[at]) // minutes)
    lasts = bars.stamp[np.cumsum(counts) - 1]
    clock = (lasts - held.astype("datetime64[s]")).astype(np.int64) // 60
    early = due - 1 - (clock - plan.open_minute[at]) // minutes
    cut = len(early) > 1 and early[-1] > early[:-1].max()
    expected = int(due.sum()) - (int(early[-1]) if cut else 0)
    absent = expected - len(bars)
    if absent:
        text = f"{absent:,} of {expected:,} bars are not there: nothing traded in them, or they were lost"
        found.append(GateFinding("missing_bars", "note", bars.symbol, text, str(first)))
    if cut:
        text = f"its last session ends with the bar of {str(lasts[-1])[11:16]}, {early[-1]} bars early"
        found.append(GateFinding("cut_session", "note", bars.symbol, text, str(last)))
    return found
