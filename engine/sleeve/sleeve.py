"""Sleeves: a strategy, its memory, and the notional portfolio of its answers."""

from collections.abc import Callable, Iterator
from pathlib import Path
from traceback import walk_tb
from typing import Any

import numpy as np

from plimsoll.engine.errors import PlimsollError, StrategyError
from plimsoll.engine.kernels.account.track import (
    ANSWER_NOT_FINITE,
    ANSWER_OK,
    EQUITY,
    PEAK,
    TRACK_SCALARS,
    Answers,
    Notional,
    answer_step,
    track_scan,
)
from plimsoll.engine.kernels.estimate import moments
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.window import Cursor, Window
from plimsoll.engine.sleeve.scan import BlockScan, Scan
from plimsoll.engine.sleeve.strategy import Context, Strategy
from plimsoll.engine.state import Saved, check_saved, parts_of, whole_number
from plimsoll.engine.types import Bools, Codes, Floats, Weights


class Tracker:
    """The notional portfolio of one sleeve: gross of costs, cash at the bill rate.

    Bars are worked off when something asks, always by the same step, so the numbers do not depend on when that is.

    path : (T, 2) notional equity and drawdown at each close.
    """

    def __init__(self, ret: Floats, status: Codes, bill: Floats, cursor: Cursor) -> None:
        self._ret = ret
        self._status = status
        self._bill = bill
        self._cursor = cursor
        self._weight = np.zeros(ret.shape[1])
        self._scal = np.zeros(TRACK_SCALARS)
        self._next = 0
        self._held: Floats | None = None  # (T, K) where a scan has been through the span
        self.path: Floats = np.zeros((len(ret), 2))
        self.restart()

    def catch_up(self) -> None:
        """Drift to the close of the cursor's bar."""
        stop = self._cursor.t + 1
        if self._next < stop:
            track_scan(self._next, stop, self._ret, self._status, self._bill, self._weight, self._scal, self.path)
            self._next = stop

    def take(self, answer: Weights) -> tuple[int, int]:
        """Hold `answer` from the cursor's close on, if it can stand; return the verdict of `check_answer`."""
        t = self._cursor.t
        verdict, column = answer_step(
            self._next, t, answer, self._ret, self._status, self._bill, self._weight, self._scal, self.path
        )
        if verdict == ANSWER_OK:
            self._next = t + 1
        return verdict, column

    @property
    def equity(self) -> float:
        """Notional equity, 1.0 at the first bar."""
        self.catch_up()
        return float(self._scal[EQUITY])

    @property
    def drawdown(self) -> float:
        """Fraction below the sleeve's own peak, <= 0."""
        self.catch_up()
        return float(self._scal[EQUITY] / self._scal[PEAK] - 1.0)

    @property
    def weights(self) -> Floats:
        """(K,) weights as they drifted to this close, a copy."""
        return self.now().copy()

    def now(self) -> Floats:
        """Return the drifted weights (K,) themselves, for reading at once: they move with the next bar."""
        if self._held is not None:
            row: Floats = self._held[self._cursor.t]
            return row
        self.catch_up()
        return self._weight

    def foresee(self, held: Floats | None) -> None:
        """Show the weights held (T, K) of a scan that stands at the last bar; None: none any more."""
        self._held = held

    def restart(self) -> None:
        """Stand before the first bar, all in cash."""
        self._next, self._held = 0, None
        self._weight.fill(0.0)
        self._scal.fill(0.0)
        self._scal[[EQUITY, PEAK]] = 1.0
        self.path.fill(0.0)

    def notional(self) -> Notional:
        """Return this portfolio as a scan moves it over the whole span, with room for what it writes.

        It shares this tracker's memory, which thereby stands at the last bar once the scan is through.
        """
        n_bars, k = self._ret.shape
        self._next = n_bars
        return Notional(
            self._ret, self._status, self._bill, self._weight, self._scal, self.path, np.empty((n_bars, k)),
            np.zeros(n_bars, dtype=np.bool_), np.zeros(1, dtype=np.int64), np.full(3, -1, dtype=np.int64),
        )  # fmt: skip

    def apart(self) -> Notional:
        """Return a portfolio of its own at the first bar, over the same market."""
        twin = Tracker(self._ret, self._status, self._bill, self._cursor)
        return twin.notional()

    def save(self) -> Saved:
        """Return copies of everything that changes."""
        self.catch_up()
        return {name: array.copy() for name, array in self._arrays().items()}

    def check(self, saved: Saved, where: str) -> None:
        """Refuse what could not be restored; see `engine.state.check_saved`."""
        check_saved(saved, self._arrays(), where)
        whole_number(saved, "next", 0, len(self._ret), where)

    def restore(self, saved: Saved) -> None:
        """Put back what `save` returned and `check` has found to fit."""
        np.copyto(self._weight, saved["weight"])
        np.copyto(self._scal, saved["scal"])
        self._next = int(saved["next"][0])

    def _arrays(self) -> Saved:
        return {"weight": self._weight, "scal": self._scal, "next": np.array([self._next], dtype=np.int64)}


class Sleeve:
    """Runs one strategy bar by bar and checks what it answers.

    columns : the panel columns of its universe. answered : whether the last bar brought a new answer.
    notes : (T, D) declared diagnostics, NaN where none was noted. failure : why it was quarantined, or "".
    """

    def __init__(
        self, name: str, strategy: Strategy, feed: Feed, bill: Floats, cursor: Cursor, *, quarantine: bool = False
    ) -> None:
        panel = feed.panel
        symbols = tuple(strategy.universe)
        cols = tuple(panel.column(symbol) for symbol in symbols)
        self.name = name
        self.strategy = strategy
        self.columns = np.array(cols, dtype=np.int64)
        self.answered = False
        self.failure = ""
        self.notes: Floats = np.full((panel.n_bars, len(strategy.diagnostics)), np.nan)
        self.state = memory_of(name, strategy, len(symbols))
        self._feed = feed
        self._quarantine = quarantine
        self._shape = (len(symbols),)
        self._symbols = symbols
        self._session = panel.clock.session
        self._status: Codes = feed.status_of(cols)
        past = Window(feed, cols, cursor)
        self.tracker = Tracker(feed.columns("ret", cols), self._status, bill, cursor)
        self._context = Context(
            past, symbols, self._status, panel.clock, cursor, self.tracker, self.state,
            (tuple(strategy.diagnostics), self.notes),
        )  # fmt: skip
        self._on_bar: Callable[[Context], Weights | None] = strategy.on_bar
        self._ahead: Bools | None = None

    def observe(self, t: int) -> None:
        """Show bar t to the strategy; a new answer enters the notional portfolio at this close.

        Raises
        ------
        StrategyError
            If the strategy raises or answers something impossible, unless it is to be quarantined.
        """
        if self._ahead is not None:
            self.answered = bool(self._ahead[t])
            return
        self.answered = False
        try:
            answer = self._on_bar(self._context)
            if answer is not None:
                self._accept(answer)
        except Exception as error:  # noqa: BLE001  (a strategy is foreign code: anything may come out of it)
            self.fail(t, error)

    def pass_over(self) -> None:
        """Let a bar go by without asking the strategy; the notional portfolio drifts on."""
        self.answered = False

    def _accept(self, answer: object) -> None:
        if not isinstance(answer, np.ndarray) or answer.shape != self._shape or answer.dtype != np.float64:
            got = f"shape {answer.shape} of {answer.dtype}" if isinstance(answer, np.ndarray) else type(answer).__name__
            raise StrategyError(
                f"answered {got}",
                fix=f"return {self._shape} float64 weights, e.g. ctx.weights({{'SPY': 1.0}}), or None",
            )
        verdict, column = self.tracker.take(answer)
        if verdict != ANSWER_OK:
            raise self.refused(verdict, float(answer[column]), column)
        self.answered = True

    def refused(self, verdict: int, value: float, column: int) -> StrategyError:
        """Return the error of an answer that cannot stand, for a verdict of `check_answer`."""
        symbol = self._symbols[column]
        if verdict == ANSWER_NOT_FINITE:
            return StrategyError(
                f"answered {value} for {symbol}", cause="a window reaches beyond the history, or a division by zero"
            )
        return StrategyError(
            f"answered {value:.6g} for {symbol}, which is not listed",
            cause="no row yet, or delisted",
            fix="ask ctx.listed, or use ctx.weights(..., unlisted='cash')",
        )

    def fail(self, t: int, error: Exception) -> None:
        """Raise what went wrong at bar t with sleeve and session, or quarantine the sleeve.

        Raises
        ------
        StrategyError
            Unless failures are to be quarantined.
        """
        where = f"sleeve {self.name!r} ({type(self.strategy).__name__}) on {self._session[t]}"
        known = isinstance(error, PlimsollError)
        what = str(error) if known else f"raised {type(error).__name__}: {error}{self._place(error)}"
        if not self._quarantine:
            if isinstance(error, StrategyError):
                raise StrategyError(error.what, where=where, cause=error.cause, fix=error.fix) from error
            raise StrategyError(what, where=where) from error
        self.failure = f"{where}: {what}"
        self._on_bar = _silent

    def _place(self, error: Exception) -> str:
        """Return file and line of the strategy's own module, or of one it inherits from, that an error came out of."""
        modules = {cls.__module__ for cls in type(self.strategy).__mro__}
        own, place = {name for name in modules if not name.startswith("plimsoll.engine.")}, ""
        for frame, line in walk_tb(error.__traceback__):
            if frame.f_globals.get("__name__") in own:
                place = f" (at {Path(frame.f_code.co_filename).name}:{line})"
        return place

    @property
    def foresees(self) -> bool:
        """Whether it goes by what a scan has made of the span."""
        return self._ahead is not None

    def foresee(self, held: Floats, answered: Bools) -> None:
        """Go through the span by what a scan has made of it: held (T, K) at each close, answered (T,).

        The scan has left memory and notional portfolio at the last bar; in between only `tracker.now` moves.
        """
        self._ahead = answered
        self.tracker.foresee(held)

    def forget_ahead(self) -> None:
        """Ask the strategy again from the next bar on."""
        self._ahead = None
        self.tracker.foresee(None)

    def restart(self) -> None:
        """Forget every bar: memory, diagnostics and notional portfolio are again what they were before the first.

        Raises
        ------
        StrategyError
            If `Strategy.init` does.
        """
        fresh = dict(arrays_of(memory_of(self.name, self.strategy, self._shape[0])))
        for key, value in arrays_of(self.state):
            np.copyto(value, fresh[key])
        self.notes.fill(np.nan)
        self.tracker.restart()
        self.answered, self.failure, self._ahead = False, "", None
        self._on_bar = self.strategy.on_bar

    def scan(self) -> Scan:
        """Return the whole span for the strategy's own compiled loop."""
        cols = tuple(self.columns.tolist())
        return Scan(self._feed, cols, self._symbols, self.state, self.notes, self.tracker.notional())

    def block_scan(self, answers: Answers) -> BlockScan:
        """Return the whole span for many settings of the strategy at once, with room for what they answer."""
        cols = tuple(self.columns.tolist())
        return BlockScan(self._feed, cols, self._symbols, self._feed.columns("ret", cols), answers)

    def save(self) -> Saved:
        """Return copies of everything a later bar or decision depends on; what was put out (`notes`, paths) is not."""
        saved = {f"tracker.{key}": value for key, value in self.tracker.save().items()}
        return saved | {name: array.copy() for name, array in self._arrays().items()}

    def check(self, saved: Saved) -> None:
        """Refuse what could not be restored; see `engine.state.check_saved`."""
        where = f"sleeve {self.name!r}"
        own = {name: array for name, array in saved.items() if not name.startswith("tracker.")}
        check_saved(own, self._arrays(), where, texts={"failure"})
        for name in labels_in(self.state, "state."):
            moments.check_kin(saved[name], f"{where}, {name}")
        self.tracker.check(parts_of(saved, ["tracker."])[0], f"{where}, tracker")

    def restore(self, saved: Saved) -> None:
        """Put back what `save` returned; nothing is touched if `check` refuses it."""
        self.check(saved)
        self.tracker.restore(parts_of(saved, ["tracker."])[0])
        self.answered = bool(saved["answered"][0])
        self.failure = saved["failure"].tobytes().decode()
        self._on_bar = _silent if self.failure else self.strategy.on_bar
        for key, value in arrays_of(self.state):
            np.copyto(value, saved[f"state.{key}"])

    def _arrays(self) -> Saved:
        said = {"answered": np.array([self.answered]), "failure": np.frombuffer(self.failure.encode(), dtype=np.uint8)}
        return said | {f"state.{key}": value for key, value in arrays_of(self.state)}


def arrays_of(memory: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, array) of a NamedTuple of arrays, of nested ones too; nothing for None."""
    for key in () if memory is None else memory._fields:
        value = getattr(memory, key)
        if hasattr(value, "_fields"):
            yield from arrays_of(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def labels_in(memory: Any, prefix: str) -> Iterator[str]:
    """Yield the dotted name of every `moments.State.kin` in a NamedTuple, in nested ones too."""
    if isinstance(memory, moments.State):
        yield f"{prefix}kin"
    for key in getattr(memory, "_fields", ()):
        yield from labels_in(getattr(memory, key), f"{prefix}{key}.")


def memory_of(name: str, strategy: Strategy, n_symbols: int) -> Any:
    """Return what `Strategy.init` makes, or say why it could not be saved and restored."""
    where, fix = f"sleeve {name!r} ({type(strategy).__name__})", "return a NamedTuple of arrays, or None"
    try:
        memory = strategy.init(n_symbols)
    except Exception as error:
        raise StrategyError(f"init raised {type(error).__name__}: {error}", where=where) from error
    if memory is not None and not hasattr(memory, "_fields"):
        raise StrategyError(f"init returned {type(memory).__name__}", where=where, fix=fix)
    for key, value in arrays_of(memory):
        if not isinstance(value, np.ndarray) or value.dtype.hasobject:
            kind = f"an array of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
            raise StrategyError(f"init returned {key} as {kind}", where=where, fix=fix + ", e.g. np.zeros(1)")
    return memory


def _silent(_: Context) -> None:
    """Answer nothing: a quarantined sleeve holds what it held."""
