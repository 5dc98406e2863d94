"""The port between a sweep and what runs its settings, and the evaluator that runs the ordinary loop."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account.ledger import bar_costs
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.span import until
from plimsoll.engine.research.sweep.maker import Maker
from plimsoll.engine.runtime.alongside import benchmark_of, bill_of
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.backtest import Track, run_loop
from plimsoll.engine.runtime.beside import Beside, stretches
from plimsoll.engine.types import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class SettingOutcome:
    """What a run leaves behind for its figures; bars are the T traded ones, sessions the n they belong to.

    first_session : index of the first session traded, counted on the panel's clock.
    returns : (n,) time-weighted net return per session. gross : (n,) exposure at session closes, of equity.
    traded, costs : sums over the bars of what was traded and what that cost, each over the equity the bar began with.
    benchmark : the stretches it has returns over; bill (n,) simple return per session; None = none named.
    """

    first_session: int
    returns: Floats
    gross: Floats
    traded: float
    costs: float
    benchmark: Beside | None
    bill: Floats | None
    final_equity: float
    orders: int
    fills: int
    decisions: int
    margin_calls: int
    ruined: bool


@dataclass(frozen=True, slots=True)
class SettingFailure:
    """Why a setting could not be run, in one line."""

    reason: str


class Evaluator(Protocol):
    """Runs settings on one panel; several threads may use one at once."""

    def evaluate(self, settings: Sequence[Config]) -> list[SettingOutcome | SettingFailure]:
        """Return an outcome per setting, in order; one that cannot be run is a `SettingFailure`, never an exception."""

    def fresh(self) -> "Evaluator":
        """Return one on the same panel that has kept nothing."""


class PythonEvaluator:
    """Runs each setting through the loop of a plain backtest, one after the other."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._maker = Maker()
        self._series = SessionReturns()

    def evaluate(self, settings: Sequence[Config]) -> list[SettingOutcome | SettingFailure]:
        """Run the settings; see `Evaluator`."""
        return [self._one(config) for config in settings]

    def fresh(self) -> Evaluator:
        """Return one on the same panel that has kept nothing."""
        return PythonEvaluator(self._panel)

    def _one(self, config: Config) -> SettingOutcome | SettingFailure:
        try:
            panel = self._panel if config.run.end is None else until(self._panel, config.run.end)
            setup = build(config, panel, self._maker.all(config))
            track = run_loop(setup)
            span = slice(setup.first, track.last + 1)
            return outcome_of(setup, track, self._series.benchmark(setup, span), self._series.bill(setup, span))
        except InputError as error:
            return SettingFailure(str(error))


class SessionReturns:
    """Returns of benchmark and bill per session, each span made once for all settings that share it."""

    def __init__(self) -> None:
        self._benchmarks: dict[tuple[str | None, int, int], Beside | None] = {}
        self._bills: dict[tuple[str, float | None, int, int], Floats | None] = {}

    def benchmark(self, setup: Setup, span: slice) -> Beside | None:
        """Return the stretches of the configured benchmark over a span of bars; None without one.

        Raises
        ------
        DataError
            As `plimsoll.engine.runtime.alongside.benchmark_of`.
        """
        key = (setup.config.run.held_against, span.start, span.stop)
        if key not in self._benchmarks:
            found = benchmark_of(setup, span)
            self._benchmarks[key] = None if found is None else stretches(found)
        return self._benchmarks[key]

    def bill(self, setup: Setup, span: slice) -> Floats | None:
        """Return the return of the bill series per session over a span of bars; None without one."""
        key = (setup.bill_name, setup.config.financing.cash_rate_after, span.start, span.stop)
        if key not in self._bills:
            found = bill_of(setup, span)
            self._bills[key] = None if found is None else found.values
        return self._bills[key]


def outcome_of(setup: Setup, track: Track, benchmark: Beside | None, bill: Floats | None) -> SettingOutcome:
    """Return the outcome of a finished loop, the same numbers as in `plimsoll.engine.runtime.collect`."""
    span = slice(setup.first, track.last + 1)
    broker, clock = setup.broker, setup.panel.clock
    counts = (
        sum(len(batch) for batch in broker.batches),
        len(broker.fills),
        len(track.decisions),
        int(broker.book.scal[layout.MARGIN_CALLS]),
    )
    return outcome_from(
        broker.rec[span], clock.last_bar[span], int(clock.session_index[setup.first]), setup.config.run.cash, counts,
        benchmark=benchmark, bill=bill, ruined=track.ruined,
    )  # fmt: skip


def outcome_from(
    rec: Floats,
    last_bar: Bools,
    first_session: int,
    cash: float,
    counts: tuple[int, int, int, int],
    *,
    benchmark: Beside | None,
    bill: Floats | None,
    ruined: bool,
) -> SettingOutcome:
    """Return the outcome of the record rows (T, RECORD) of the traded bars.

    counts : orders, fills, decisions, margin calls. cash : what the account started with.
    """
    rows = closes(last_bar)
    equity = rec[:, layout.R_EQUITY]
    safe = np.where(equity > 0.0, equity, np.inf)
    gross = (rec[:, layout.R_LONG] + rec[:, layout.R_SHORT]) / safe
    base = np.concatenate(([cash], equity[:-1]))[: len(equity)] + rec[:, layout.R_FLOW]
    orders, fills, decisions, margin_calls = counts
    return SettingOutcome(
        first_session=first_session,
        returns=compounded(rec[:, layout.R_RET].copy(), rows),
        gross=gross[rows],
        traded=over(rec[:, layout.R_TRADED], base),
        costs=over(bar_costs(rec), base),
        benchmark=benchmark,
        bill=bill,
        final_equity=float(equity[-1]) if len(equity) else cash,
        orders=orders,
        fills=fills,
        decisions=decisions,
        margin_calls=margin_calls,
        ruined=ruined,
    )


def over(amounts: Floats, base: Floats) -> float:
    """Return the sum of amounts (T,) over base (T,); bars without equity count as 0."""
    return float(np.sum(np.divide(amounts, base, out=np.zeros(len(amounts)), where=base > 0.0)))


def closes(last_bar: Bools) -> Ints:
    """Return (n,) rows of the session closes; the last row closes its session even when the data end within one."""
    found = np.flatnonzero(last_bar)
    if len(last_bar) and (len(found) == 0 or found[-1] != len(last_bar) - 1):
        found = np.append(found, len(last_bar) - 1)
    return found.astype(np.int64)


def compounded(returns: Floats, rows: Ints) -> Floats:
    """Return (n,) the compounded return of each session from returns per bar (T,)."""
    if len(rows) in (0, len(returns)):
        return returns
    firsts = np.concatenate(([0], rows[:-1] + 1))
    grown: Floats = np.multiply.reduceat(1.0 + returns, firsts)
    return grown - 1.0
