"""What a finished run hands over, and the session-by-session view that statistics are made of."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from plimsoll.engine.errors import DataError, EngineError, InputError, did_you_mean
from plimsoll.engine.runtime.beside import Beside, SpanReturns, stretches
from plimsoll.engine.runtime.curves import Curves, curves_of
from plimsoll.engine.runtime.holdings import Holdings, holdings_of
from plimsoll.engine.runtime.lots import METHODS, Method
from plimsoll.engine.runtime.round_trip import round_trips, session_numbers
from plimsoll.engine.runtime.run_facts import EQUITY_COLUMNS, ROW_NAMES, RunFacts
from plimsoll.engine.runtime.run_prices import RunPrices
from plimsoll.engine.runtime.rung import Ladder
from plimsoll.engine.runtime.sleeve_pnl import SleeveParts, sleeve_pnl
from plimsoll.engine.runtime.symbol_pnl import PNL_COLUMNS, symbol_pnl
from plimsoll.engine.runtime.variant import Variant
from plimsoll.engine.types import Bools, Dates, Floats, Ints


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Record(RunFacts):
    """A run as everything that is made of it needs it: its tables and facts, and what statistics are made from.

    session_last : per row, the last bar of its session.
    regime_off : the same sleeves in the same book with stage 6 off, None where it was not asked for.
    ladder : the same sleeves with the book shared in other ways, None where it was not asked for.
    prices, parts : the market of the run's bars, what its decisions were made of; None where it was read back.
    """

    session_last: Bools
    regime_off: Variant | None = None
    ladder: Ladder | None = None
    prices: RunPrices | None = None
    parts: SleeveParts | None = None

    def __post_init__(self) -> None:
        """Refuse a record whose parts do not fit together; name the rows of its tables."""
        missing = [column for column in EQUITY_COLUMNS if column not in self.equity.columns]
        if missing:
            raise EngineError(f"the equity table lacks {', '.join(missing)}")
        if not len(self.equity) == len(self.weights) == len(self.session_last):
            raise EngineError("the equity table, the weights and session_last have different lengths")
        for name, row in ROW_NAMES.items():
            object.__setattr__(self, name, getattr(self, name).rename_axis(index=row))

    @cached_property
    def stamps(self) -> Dates:
        """(T,) start of each bar, datetime64[s]."""
        return np.asarray(self.equity.index.to_numpy(), dtype="datetime64[s]")

    @cached_property
    def rows(self) -> Ints:
        """(n,) rows of the session closes; the last row closes its session even when the data end within one."""
        found = np.flatnonzero(np.asarray(self.session_last, dtype=bool))
        last = len(self.equity) - 1
        if last >= 0 and (len(found) == 0 or found[-1] != last):
            found = np.append(found, last)
        return found.astype(np.int64)

    @cached_property
    def sessions(self) -> Dates:
        """(n,) exchange dates, datetime64[D]."""
        return self.stamps[self.rows].astype("datetime64[D]")

    @cached_property
    def decided(self) -> Dates:
        """The sessions of the decisions, each once."""
        days: Dates = np.sort(np.asarray(self.targets.index.to_numpy(), dtype="datetime64[D]"))
        first: Bools = np.append(True, days[1:] != days[:-1])[: len(days)]
        return days[first]

    @cached_property
    def curves(self) -> Curves:
        """Each diagnostic as days and the last value of each session, by its sleeve and name."""
        return curves_of(self.diagnostics)

    @cached_property
    def trades(self) -> pd.DataFrame:
        """Round trips, first in, first out, a row each; `round_trips` describes the columns."""
        return self.round_trips("fifo")

    def round_trips(self, method: Method = "fifo") -> pd.DataFrame:
        """Return the round trips; see `plimsoll.engine.runtime.round_trip.round_trips`.

        Raises
        ------
        InputError
            If there is no such method.
        DataError
            If the run was read back from its folder, which has its trades "fifo" and not the prices for others.
        """
        if method not in METHODS:
            raise InputError(f"no method {method!r}", where="round_trips", fix=did_you_mean(method, METHODS))
        if method == "fifo" and "trades" in self.__dict__:
            return self.trades
        gone = {(warning.symbol, warning.session) for warning in self.warnings if warning.kind == "delisted"}
        return round_trips(
            self.holdings, pd.DatetimeIndex(self.equity.index), session_numbers(self.stamps), method=method,
            delisted=gone, ruined=self.ruined,
        )  # fmt: skip

    @cached_property
    def pnl_by_symbol(self) -> pd.DataFrame:
        """Dollars made and paid, a row per symbol and one for cash; they sum to what the account made."""
        return symbol_pnl(self.holdings, self.equity, self.cash)

    @cached_property
    def pnl_by_sleeve(self) -> pd.DataFrame:
        """Dollars made and paid, a row per sleeve, per stage, for execution and for cash; they sum to the same.

        Columns: see `plimsoll.engine.runtime.sleeve_pnl.sleeve_pnl`. Without a row where the decisions are not known.
        """
        if self.parts is None or self.prices is None or len(self.equity) == 0:
            return pd.DataFrame(columns=["kind", *PNL_COLUMNS], index=pd.Index([], name="part"))
        names = [str(name) for name in self.weights.columns]
        return sleeve_pnl(
            self.parts, self.holdings, names, self.equity, self.cash, self.prices, self.pnl_by_symbol
        )  # fmt: skip

    @cached_property
    def holdings(self) -> Holdings:
        """What was held of each symbol at every close, and what it brought and cost.

        Raises
        ------
        DataError
            If the prices of the run are not known: without them no split and no dividend can be placed.
        """
        if self.prices is None:
            raise DataError(
                "splits and dividends of what it held are not in a run folder",
                where=self.run_id,
                fix="use what the folder has, `trades`, `pnl_by_symbol` and `pnl_by_sleeve`, or run the backtest again",
            )
        return holdings_of(self.equity, self.weights, self.fills, self.prices)

    @cached_property
    def returns(self) -> pd.Series:
        """Net return per session, indexed by date: drops straight into other libraries."""
        return self._series(self.compounded(self.column("ret")))

    @cached_property
    def returns_gross(self) -> pd.Series:
        """Return per session before trading costs (financing and borrow stay in)."""
        index = self.column("equity_gross")
        before = np.concatenate(([self.cash], index[:-1]))
        alive = before > 0.0
        return self._series(self.compounded(np.divide(index, before, out=np.ones(len(index)), where=alive) - 1.0))

    @cached_property
    def base(self) -> Floats:
        """(T,) equity each bar started with: the previous close plus the bar's deposit."""
        before = np.concatenate(([self.cash], self.column("equity")[:-1]))[: len(self.equity)]
        return before + np.maximum(self.column("flow"), 0.0)

    @cached_property
    def beside(self) -> Beside | None:
        """The stretches over which the account and the benchmark are compared; None without a benchmark."""
        if self.benchmark is None:
            return None
        days = np.asarray(self.benchmark.index.to_numpy(), dtype="datetime64[D]")
        sessions = self.sessions
        start = int(np.searchsorted(sessions, days[0])) if len(days) else len(sessions)
        stop = int(np.searchsorted(sessions, days[-1], side="right")) if len(days) else start
        return stretches(SpanReturns(start, self._on_sessions(self.benchmark)[start:stop]))

    def column(self, name: str) -> Floats:
        """Return a column of the equity table, (T,)."""
        return self.equity[name].to_numpy(dtype=np.float64)

    def close_of(self, name: str) -> Floats:
        """Return a column of the equity table at session closes, (n,)."""
        return self.column(name)[self.rows]

    def session_sum(self, values: Floats) -> Floats:
        """Return (n,) the sums of a per-bar quantity (T,) over each session."""
        if len(self.rows) in (0, len(values)):
            return values
        sums: Floats = np.add.reduceat(values, self._first_rows)
        return sums

    def compounded(self, returns: Floats) -> Floats:
        """Return (n,) the compounded returns of each session from returns per bar (T,)."""
        if len(self.rows) in (0, len(returns)):
            return returns  # one bar a session: the very same bits
        grown: Floats = np.multiply.reduceat(1.0 + returns, self._first_rows)
        return grown - 1.0

    def held(self) -> Floats:
        """Return (n, N) weights at session closes."""
        return self.weights.to_numpy(dtype=np.float64)[self.rows]

    def aligned(self, series: pd.Series, role: str) -> Floats:
        """Return (n,) the values of a series on this run's sessions, all of which it must cover.

        Raises
        ------
        DataError
            If it has no value on one of them.
        """
        values = self._on_sessions(series)
        holes = ~np.isfinite(values)
        if holes.any():
            raise DataError(
                f"{int(holes.sum())} of {len(values)} sessions have no return, the first is {self.sessions[holes][0]}",
                where=f"{role} {series.name}",
                cause="its history is shorter than the run or has holes",
                fix="name a series that covers the run, start later, or leave it out",
            )
        return values

    def _on_sessions(self, series: pd.Series) -> Floats:
        """Return (n,) the values of a dated series on this run's sessions, NaN where it has none."""
        days = np.asarray(series.index.to_numpy(), dtype="datetime64[D]")
        lookup = pd.Series(series.to_numpy(dtype=np.float64), index=pd.DatetimeIndex(days.astype("datetime64[s]")))
        values: Floats = lookup.reindex(self._calendar).to_numpy(dtype=np.float64)
        return values

    @property
    def _first_rows(self) -> Ints:
        return np.concatenate(([0], self.rows[:-1] + 1)).astype(np.int64)

    @cached_property
    def _calendar(self) -> pd.DatetimeIndex:
        return pd.DatetimeIndex(self.sessions.astype("datetime64[s]"), name="session")

    def _series(self, values: Floats) -> pd.Series:
        return pd.Series(values, index=self._calendar, name=self.name)
