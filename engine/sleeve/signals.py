"""Every sleeve's signals over a whole span, before any account exists: signals depend on market history alone."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from plimsoll.engine.errors import StrategyError
from plimsoll.engine.kernels.account.track import FAULT_BAR, FAULT_COLUMN, FAULT_VERDICT, Notional, follow
from plimsoll.engine.market.window import Cursor
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.sleeve import Sleeve
from plimsoll.engine.sleeve.strategy import scan_of
from plimsoll.engine.types import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class SleeveFailure:
    """A sleeve that failed at a bar: the error to raise, or None where it is quarantined."""

    bar: int
    error: StrategyError | None


@dataclass(frozen=True, slots=True)
class Signal:
    """One sleeve's signals: held (T, K) weights of its notional portfolio at each close, answered (T,), its columns."""

    columns: Ints
    held: Floats
    answered: Bools
    failure: SleeveFailure | None


def signal_of(sleeve: Sleeve, cursor: Cursor, n_bars: int, through: int | None = None) -> Signal:
    """Return a sleeve's signals over all bars: from its strategy's own scan, or from its `on_bar` where it has none.

    Nothing is raised for a failing strategy: whether its failure is ever reached depends on the account. A scan that
    raises although the bars do not is told in a RuntimeWarning. The sleeve's notes and its tracker's path are filled,
    the tracker stands at the last bar. With `through` the notional portfolio is carried over that many bars only;
    beyond, held weights stand where there was an answer and nowhere else.
    """
    until = n_bars if through is None else through
    found = scanned(sleeve, sleeve.scan(), until) if scan_of(sleeve.strategy) is not None else None
    if isinstance(found, Signal):
        return found
    notional, failure = _from_bars(sleeve, cursor, n_bars)
    if found is not None and failure is None:  # otherwise the scan has only met what the bars meet too
        told = f"sleeve {sleeve.name!r}: its scan raises {type(found).__name__}: {found}; asked bar by bar instead"
        warnings.warn(f"{told}: the same result, slowly", RuntimeWarning, stacklevel=2)
    follow(until, notional)
    return Signal(sleeve.columns, notional.held, notional.answered, failure)


def scanned(sleeve: Sleeve, run: Scan, through: int) -> Signal | Exception | None:
    """Return the signals that the scan of a sleeve's strategy makes of `run`; None where it has no scan.

    Where the scan raises, what it raises is returned, and the sleeve is as new: only bars tell at which it was.
    """
    scan, notional, failure = scan_of(sleeve.strategy), run.notional, None
    if scan is None:
        return None
    try:
        scan(run)
    except Exception as error:  # noqa: BLE001  (a strategy is foreign code: anything may come out of it)
        sleeve.restart()
        return error
    bar = int(notional.fault[FAULT_BAR])
    if bar >= 0:
        verdict, column = int(notional.fault[FAULT_VERDICT]), int(notional.fault[FAULT_COLUMN])
        failure = _failed(sleeve, bar, sleeve.refused(verdict, float(notional.held[bar, column]), column))
        if notional.at[0] > bar:
            notional.held[bar] = notional.weight  # the refused answer stood there for the message
    follow(through, notional)
    return Signal(sleeve.columns, notional.held, notional.answered, failure)


def _from_bars(sleeve: Sleeve, cursor: Cursor, n_bars: int) -> tuple[Notional, SleeveFailure | None]:
    twin, failure = sleeve.tracker.apart(), None
    for t in range(n_bars):
        cursor.t = t
        try:
            sleeve.observe(t)
        except StrategyError as error:
            failure = SleeveFailure(t, error)
            break
        if sleeve.failure:
            failure = SleeveFailure(t, None)
            break
        if sleeve.answered:
            twin.answered[t] = True
            twin.held[t] = sleeve.tracker.now()
    cursor.t = n_bars - 1
    sleeve.tracker.catch_up()
    return twin, failure


def _failed(sleeve: Sleeve, bar: int, error: Exception) -> SleeveFailure:
    try:
        sleeve.fail(bar, error)
    except StrategyError as raised:
        return SleeveFailure(bar, raised)
    return SleeveFailure(bar, None)


def first_failure(signals: Sequence[Signal]) -> SleeveFailure | None:
    """Return the failure that would end a run first: the earliest bar, and there the first sleeve."""
    raising = [s.failure for s in signals if s.failure is not None and s.failure.error is not None]
    return min(raising, key=lambda failure: failure.bar) if raising else None


def on_panel(signal: Signal, n_symbols: int) -> Floats:
    """Return the held weights in panel columns, (T, N); the array itself where the universe is the whole panel."""
    if np.array_equal(signal.columns, np.arange(n_symbols)):
        return signal.held
    whole = np.zeros((len(signal.held), n_symbols))
    whole[:, signal.columns] = signal.held
    return whole


def stacked(signals: Sequence[Signal], n_symbols: int) -> Floats:
    """Return the held weights of all sleeves in panel columns, (T, S, N)."""
    whole = np.zeros((len(signals[0].held), len(signals), n_symbols))
    for row, signal in enumerate(signals):
        columns = signal.columns
        side_by_side = len(columns) > 0 and bool((np.diff(columns) == 1).all())
        which: Any = slice(columns[0], columns[0] + len(columns)) if side_by_side else columns
        whole[:, row, which] = signal.held
    return whole


def standing(signals: Sequence[Signal], n_symbols: int, t: int) -> Floats:
    """Return the weights of all sleeves held at the close of bar t in panel columns, (S, N)."""
    rows = np.zeros((len(signals), n_symbols))
    for row, signal in enumerate(signals):
        rows[row, signal.columns] = signal.held[t]
    return rows
