"""What a strategy is: a page of code that looks at one bar and says what it would hold."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, get_args, runtime_checkable

import numpy as np

from plimsoll.engine.config.section import Section
from plimsoll.engine.errors import StrategyError, did_you_mean
from plimsoll.engine.kernels.derive import TRADING
from plimsoll.engine.market.panel import BarClock
from plimsoll.engine.market.window import Cursor, Window
from plimsoll.engine.sleeve.scan import BlockScan, Scan
from plimsoll.engine.types import Bools, Codes, Floats, Unlisted, Weights

Role = Literal["defensive", "cyclical", "other"]


class StrategyParams(Section):
    """Typed, frozen parameters; a misspelt name is an error."""


@dataclass(frozen=True, slots=True)
class Available:
    """What the loaded data offer, for a strategy to say whether it can run on them.

    symbols, indicators : those the source has a series for. paying : those whose dividends it reports.
    """

    symbols: frozenset[str]
    paying: frozenset[str]
    indicators: frozenset[str]


class SleeveView(Protocol):
    """A sleeve's own notional portfolio: gross of costs, cash at the bill rate, never the account."""

    @property
    def equity(self) -> float:
        """Notional equity, 1.0 at the first bar."""

    @property
    def drawdown(self) -> float:
        """Fraction below its own peak, <= 0."""

    @property
    def weights(self) -> Floats:
        """(K,) weights as they drifted to this close."""


class Context:
    """What a strategy sees at one bar: the past, the calendar, its own notional portfolio and its memory.

    past : read-only windows (`Window`) on returns, prices, volumes and indicators through this close.
    symbols : the universe, in the order of every vector.
    state : what `Strategy.init` returned; mutate its arrays in place.
    sleeve : the sleeve's notional equity, drawdown and drifted weights.
    """

    __slots__ = ("_clock", "_cursor", "_diagnostics", "_notes", "_sleeve", "_state", "_status", "_symbols", "past")

    def __init__(
        self,
        past: Window,
        symbols: tuple[str, ...],
        status: Codes,
        clock: BarClock,
        cursor: Cursor,
        sleeve: SleeveView,
        state: Any,
        notes: tuple[tuple[str, ...], Floats],
    ) -> None:
        self.past = past
        self._symbols = symbols
        self._status = status
        self._clock = clock
        self._cursor = cursor
        self._sleeve = sleeve
        self._state = state
        self._diagnostics, self._notes = notes

    @property
    def symbols(self) -> tuple[str, ...]:
        """The universe, in the order of every vector."""
        return self._symbols

    @property
    def state(self) -> Any:
        """The NamedTuple of arrays that `Strategy.init` returned."""
        return self._state

    @property
    def sleeve(self) -> SleeveView:
        """The sleeve's own notional portfolio."""
        return self._sleeve

    @property
    def session(self) -> np.datetime64:
        """Exchange date of this bar."""
        session: np.datetime64 = self._clock.session[self._cursor.t]
        return session

    @property
    def stamp(self) -> np.datetime64:
        """Exchange-local start of this bar (midnight on daily data)."""
        stamp: np.datetime64 = self._clock.stamp[self._cursor.t]
        return stamp

    @property
    def bar_index(self) -> int:
        """Bars seen before this one."""
        return self._cursor.t

    @property
    def session_index(self) -> int:
        """Sessions seen before this one."""
        return int(self._clock.session_index[self._cursor.t])

    @property
    def bar_of_session(self) -> int:
        """Bars of its session seen before this one (always 0 on daily data)."""
        session = self._clock.session_index
        return int(self._cursor.t - np.searchsorted(session, session[self._cursor.t]))

    @property
    def bars_per_year(self) -> float:
        """252 times the bars that a session has on average, early closes included."""
        return self._clock.bars_per_year

    @property
    def listed(self) -> Bools:
        """(K,) which symbols have a row at this bar."""
        mask: Bools = self._status[self._cursor.t] == TRADING
        return mask

    @property
    def listed_anew(self) -> Bools:
        """(K,) which symbols come back at this bar as new ones: memory forgets them, as the windows of `past` do."""
        return self.past.listed_anew

    @property
    def last_bar_of_session(self) -> bool:
        """Whether the session closes with this bar (always, on daily data)."""
        return bool(self._clock.last_bar[self._cursor.t])

    @property
    def first_session_of_month(self) -> bool:
        """Whether this is the month's first session by the exchange calendar."""
        return bool(self._clock.month_first[self._cursor.t])

    @property
    def last_session_of_month(self) -> bool:
        """Whether this is the month's last session by the exchange calendar."""
        return bool(self._clock.month_last[self._cursor.t])

    @property
    def last_session_of_week(self) -> bool:
        """Whether this is the last session of a week that ends on Friday, by the exchange calendar."""
        return bool(self._clock.week_last[self._cursor.t])

    def note(self, name: str, value: float) -> None:
        """Record a diagnostic that the strategy declared in `diagnostics`.

        Raises
        ------
        StrategyError
            If the name was not declared.
        """
        if name not in self._diagnostics:
            raise StrategyError(
                f"diagnostic {name!r} is not declared",
                fix=f"add it to the class attribute `diagnostics`; {did_you_mean(name, self._diagnostics)}",
            )
        self._notes[self._cursor.t, self._diagnostics.index(name)] = value

    def weights(self, chosen: Mapping[str, float] | Floats, *, unlisted: Unlisted = "error") -> Weights:
        """Return a full (K,) weight vector from a mapping of symbols or from a vector.

        Parameters
        ----------
        chosen : mapping or (K,) array
            Signed fractions of equity. Symbols left out get 0; what is missing to 1 is cash.
        unlisted : {"error", "cash", "renormalise"}
            What becomes of weight on symbols without a row at this bar: left for the engine to refuse, held as
            cash, or spread over the others in proportion.

        Raises
        ------
        StrategyError
            If a symbol is not in the universe, a vector has the wrong shape, or `unlisted` is another word.
        """
        if unlisted not in get_args(Unlisted):
            raise StrategyError(f"unlisted={unlisted!r}", fix=did_you_mean(str(unlisted), get_args(Unlisted)))
        if isinstance(chosen, Mapping):
            w = np.zeros(len(self._symbols))
            for symbol, value in chosen.items():
                if symbol not in self._symbols:
                    raise StrategyError(f"{symbol!r} is not in the universe", fix=did_you_mean(symbol, self._symbols))
                w[self._symbols.index(symbol)] = value
        else:
            w = np.array(chosen, dtype=np.float64)
            if w.shape != (len(self._symbols),):
                raise StrategyError(f"weights have shape {w.shape}", fix=f"return ({len(self._symbols)},)")
        if unlisted == "error":
            return w
        kept = np.where(self.listed, w, 0.0)
        if unlisted == "renormalise":
            before, after = np.abs(w).sum(), np.abs(kept).sum()
            kept = kept * (before / after) if after > 0.0 else kept
        return kept


class Strategy(ABC):
    """One idea about what to hold. Subclass it, name a universe, answer `on_bar`.

    A strategy sees market history only, never the account, so its answers can be cached, replayed and audited, and
    it behaves the same alone and inside a book. The constructor only stores its parameters; memory lives in the
    arrays that `init` returns.

    Attributes
    ----------
    Params : type of the parameters, a `StrategyParams`.
    indicators : series it reads but never holds, such as VIX.
    diagnostics : names it may pass to `ctx.note`.
    optional : symbols of the universe that the data may lack; they then never list. Indicators may always be lacking.
    watched : symbols of the universe that it only looks at and never holds.
    full_gross : sum of absolute weights it holds when fully convinced.
    full_vol : volatility per year that it sizes itself to, as target or cap; None = its code does no such thing.
    role : how a regime tilt treats it, "defensive", "cyclical" or "other".
    """

    Params: ClassVar[type[StrategyParams]] = StrategyParams
    indicators: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    diagnostics: ClassVar[tuple[str, ...]] = ()
    watched: tuple[str, ...] = ()
    full_gross: float = 1.0
    full_vol: float | None = None
    role: Role = "other"

    def __init__(self, params: StrategyParams | None = None) -> None:
        self.params: Any = params if params is not None else self.Params()

    @property
    def universe(self) -> tuple[str, ...]:
        """Symbols it may hold or watches, in the order of its vectors; a plain class attribute does as well."""
        return ()

    @property
    def warmup_bars(self) -> int:
        """Bars of history needed before the first meaningful answer."""
        return 0

    def unavailable(self, data: Available) -> str:
        """Return why the strategy cannot run on these data, or "" if it can; such a sleeve is disabled and named."""
        lacking = [name for name in self.indicators if name not in data.indicators]
        return f"indicator {lacking[0]} is not in the data" if lacking else ""

    def implied(self) -> dict[str, str]:
        """Return in words what follows from the parameters: weights, bands, triggers."""
        return {}

    def init(self, n_symbols: int) -> Any:  # noqa: ARG002  (a hook: subclasses size their arrays by it)
        """Return a NamedTuple of arrays as memory, or None."""
        return None

    @abstractmethod
    def on_bar(self, ctx: Context) -> Weights | None:
        """Return (K,) target weights, or None to keep what the sleeve holds. Zeros mean all cash."""


@runtime_checkable
class Scans(Protocol):
    """What a kernel strategy has beside `on_bar`; both call the same jitted step, so that they agree to the bit."""

    def scan(self, run: Scan) -> None:
        """Move the notional portfolio of `run` over all bars, answers and diagnostics included."""
        ...


def scan_of(strategy: Strategy) -> Callable[[Scan], None] | None:
    """Return the method with which a strategy runs through a whole span in one compiled call; None if it has none.

    Every battery checks that it answers as `on_bar` does. A subclass that changes `on_bar` alone has no scan any more.
    """
    if not isinstance(strategy, Scans):
        return None
    ways = (name for cls in type(strategy).__mro__ for name in ("scan", "on_bar") if name in vars(cls))
    return strategy.scan if next(ways) == "scan" else None


@runtime_checkable
class ScansBlocks(Protocol):
    """What a kernel strategy may have beside `scan`: many settings of it in one pass over the market.

    For strategies that do not look at their own notional portfolio. Bars are the outer loop and settings the inner
    one, so that a bar is read once for all of them and their arithmetic is done several settings at a time.
    """

    @classmethod
    def scan_block(cls, settings: Sequence[Any], run: BlockScan) -> None:
        """Note in `run.answers` what each of `settings`, strategies of this class, answers; to the bit as its scan."""
        ...


def block_scan_of(strategy: Strategy) -> Callable[[Sequence[Any], BlockScan], None] | None:
    """Return the method with which a strategy's class runs through a span for many settings; None if it has none.

    A subclass that changes `scan` or `on_bar` alone has none any more.
    """
    if not isinstance(strategy, ScansBlocks) or scan_of(strategy) is None:
        return None
    ways = (set(vars(cls)) & {"scan_block", "scan", "on_bar"} for cls in type(strategy).__mro__)
    return strategy.scan_block if "scan_block" in next(filter(None, ways)) else None
