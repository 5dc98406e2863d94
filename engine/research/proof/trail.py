"""Everything a run leaves behind, bar by bar, so that two runs can be compared bit by bit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from plimsoll.engine.config.schema import Config
from plimsoll.engine.core import System
from plimsoll.engine.execution.order import joined
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account.order import Orders
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.backtest import Track, run_loop
from plimsoll.engine.sleeve.strategy import Available, Context, Strategy
from plimsoll.engine.types import Floats, Ints, Weights

# A sleeve's answers by bar; None, or nothing at all, where it gave none.
Answers: TypeAlias = Mapping[int, Weights | None]


class Recorder(Strategy):
    """Passes a strategy through and keeps what it answers.

    answers : bar -> a copy of the answer, None included. touched : parts of the context that `on_bar` replaced.
    """

    def __init__(self, inner: Strategy) -> None:
        super().__init__(inner.params)
        self.inner = inner
        self.indicators = inner.indicators
        self.optional = inner.optional
        self.watched = inner.watched
        self.full_gross = inner.full_gross
        self.full_vol = inner.full_vol
        self.role = inner.role
        self.answers: dict[int, Weights | None] = {}
        self.touched: set[str] = set()

    @property
    def universe(self) -> tuple[str, ...]:
        """That of the strategy."""
        return self.inner.universe

    @property
    def warmup_bars(self) -> int:
        """That of the strategy."""
        return self.inner.warmup_bars

    def unavailable(self, data: Available) -> str:
        """Return what the strategy says."""
        return self.inner.unavailable(data)

    def init(self, n_symbols: int) -> Any:
        """Return the memory of the strategy."""
        return self.inner.init(n_symbols)

    def on_bar(self, ctx: Context) -> Weights | None:
        """Ask the strategy and take a copy."""
        before = [getattr(ctx, name) for name in Context.__slots__]
        answer = self.inner.on_bar(ctx)
        after = [getattr(ctx, name) for name in Context.__slots__]
        self.touched |= {n for n, a, b in zip(Context.__slots__, before, after, strict=True) if a is not b}
        self.answers[ctx.bar_index] = answer.copy() if isinstance(answer, np.ndarray) else answer
        return answer


def recorded(strategy: Strategy) -> Recorder:
    """Return a recorder that error messages call by the strategy's own name."""
    named = type(type(strategy).__name__, (Recorder,), {"diagnostics": strategy.diagnostics})
    recorder: Recorder = named(strategy)
    return recorder


@dataclass(frozen=True, slots=True)
class TrailRows:
    """One kind of output: `values` (n, k), the bar each row belongs to, what the columns are."""

    bar: Ints
    values: Floats
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trail:
    """All outputs of a run by name, causes before effects, with the setup that made them."""

    setup: Setup
    rows: dict[str, TrailRows]

    def through(self, t: int) -> dict[str, Floats]:
        """Return every output of bars up to t, C-contiguous."""
        return {name: np.ascontiguousarray(rows.values[rows.bar <= t]) for name, rows in self.rows.items()}

    def answered(self) -> Ints:
        """Return the bars on which any sleeve answered."""
        bars = [r.bar[~np.isnan(r.values).all(axis=1)] for name, r in self.rows.items() if name.endswith(" answer")]
        return np.unique(np.concatenate(bars))


def run_trail(
    config: Config, panel: Panel, strategies: Mapping[str, Strategy], stand_in: Callable[[Setup], System] | None = None
) -> Trail:
    """Run a configuration over a panel and return everything it leaves behind.

    strategies : by sleeve name. stand_in : makes a system that takes the place of the one that was built; it keeps
    the outputs in the sleeves of the latter.

    Raises
    ------
    InputError
        Whatever the run raises.
    """
    recorders = {name: recorded(strategy) for name, strategy in strategies.items()}
    setup = build(config, panel, recorders)
    if stand_in is not None:
        setup = replace(setup, system=stand_in(setup))
    return trail_of(setup, run_loop(setup))


def trail_of(setup: Setup, track: Track, answers: Mapping[str, Answers] | None = None) -> Trail:
    """Return what a finished loop left behind.

    answers : by the name of each sleeve; without them every strategy of `setup` must be a `Recorder`.
    """
    rows: dict[str, TrailRows] = {}
    for sleeve in setup.system.sleeves:
        rows |= _sleeve_rows(sleeve, None if answers is None else answers[sleeve.name])
    return Trail(setup, rows | _decision_rows(setup, track) | _account_rows(setup))


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two runs part: the first bar, there the first output in order of cause and effect, there the first column.

    symbol : "" where the output is not about one. stage : the output, and within the trace the stage.
    """

    bar: int
    session: str
    stage: str
    symbol: str
    text: str


def difference(before: Trail, after: Trail, t: int) -> str:
    """Say what differs first between the outputs of two runs through bar t; "" if they are equal to the bit."""
    found = first_difference(before, after, t)
    return "" if found is None else found.text


def first_difference(before: Trail, after: Trail, t: int) -> Difference | None:
    """Return what differs first between the outputs of two runs through bar t; None if they are equal to the bit."""
    found: list[tuple[int, int, Difference]] = []
    for order, name in enumerate(before.rows):
        one = _parting(before.setup, name, before.rows[name], after.rows[name], t)
        if one is not None:
            found.append((one.bar, order, one))
    return min(found, key=lambda one: one[:2])[2] if found else None


def _parting(setup: Setup, name: str, ours: TrailRows, theirs: TrailRows, t: int) -> Difference | None:
    """Return the first row through bar t in which two outputs are not equal to the bit; rows are in order of bars."""
    at, other_at = ours.bar[ours.bar <= t], theirs.bar[theirs.bar <= t]
    a, b = (np.ascontiguousarray(rows.values[rows.bar <= t], dtype=np.float64) for rows in (ours, theirs))
    n = min(len(a), len(b))
    unequal = (a[:n].view(np.int64) != b[:n].view(np.int64)).any(axis=1) | (at[:n] != other_at[:n])
    if not unequal.any() and len(a) == len(b):
        return None
    row = int(unequal.argmax()) if unequal.any() else n
    bar = int(min(bars[row] for bars in (at, other_at) if row < len(bars)))
    session = str(setup.panel.clock.session[bar])
    if row >= n or at[row] != other_at[row]:
        counts = (np.count_nonzero(bars == bar) for bars in (at, other_at))
        return Difference(bar, session, name, "", "{} on {}: {} rows became {}".format(name, session, *counts))
    column = int((a[row].view(np.int64) != b[row].view(np.int64)).argmax())
    moved = f"{a[row, column]:.12g} became {b[row, column]:.12g}"
    stage, symbol = _place(setup, name, ours.columns[column], a[row])
    return Difference(bar, session, stage, symbol, f"{name} on {session}, {ours.columns[column]}: {moved}")


def _place(setup: Setup, name: str, column: str, row: Floats) -> tuple[str, str]:
    """Return (stage, symbol) of a cell."""
    symbols = setup.panel.symbols
    if name == "trace":
        symbol, _, stage = column.rpartition(" ")
        return f"stage {stage}", symbol
    if name in ("order", "fill"):
        return name, symbols[int(row[layout.F_COLUMN if name == "fill" else Orders._fields.index("col")])]
    return name, column if column in symbols else ""


def _account_rows(setup: Setup) -> dict[str, TrailRows]:
    broker, symbols = setup.broker, setup.panel.symbols
    bars = np.arange(setup.first, setup.panel.n_bars)
    return {
        "account": TrailRows(bars, broker.rec[bars], layout.RECORD_COLUMNS),
        "held weight": TrailRows(bars, broker.held[bars], symbols),
        "fill": TrailRows(broker.fills[:, layout.F_BAR].astype(np.int64), broker.fills, layout.FILL_COLUMNS),
    }


def _decision_rows(setup: Setup, track: Track) -> dict[str, TrailRows]:
    symbols, stages = setup.panel.symbols, setup.system.integrator.stages
    bar = np.array([decision.t for decision in track.decisions], dtype=np.int64)
    n, width = len(bar), len(symbols)
    wide = tuple(f"{symbol} {stage}" for symbol in symbols for stage in stages)
    parts = {name: np.empty((n, width)) for name in ("target", "goal", "traded", "reason")}
    facts = setup.system.integrator.facts
    trace, figures = np.empty((n, width * len(stages))), np.empty((n, 2 + len(facts)))
    for row, decision in enumerate(track.decisions):
        target, plan = decision.target, decision.plan
        parts["target"][row], parts["goal"][row] = target.weights, target.goal
        parts["traded"][row], parts["reason"][row] = target.trade, plan.why
        trace[row], figures[row] = target.trace.ravel(), (plan.phi, target.min_ticket, *target.facts)
    orders = joined([decision.plan.orders for decision in track.decisions])
    return {
        **{name: TrailRows(bar, values, symbols) for name, values in parts.items()},
        "trace": TrailRows(bar, trace, wide),
        "figure": TrailRows(bar, figures, ("phi", "min_ticket", *facts)),
        "order": TrailRows(orders.bar, np.column_stack(orders), Orders._fields),
    }


def _sleeve_rows(sleeve: Any, given: Answers | None) -> dict[str, TrailRows]:
    symbols = tuple(sleeve.strategy.universe)
    answers = np.full((len(sleeve.tracker.path), len(symbols)), np.nan)
    for t, answer in (sleeve.strategy.answers if given is None else given).items():
        if answer is not None:
            answers[t] = answer
    return {f"{sleeve.name} answer": TrailRows(np.arange(len(answers)), answers, symbols), **_notional_rows(sleeve)}


def _notional_rows(sleeve: Any) -> dict[str, TrailRows]:
    sleeve.tracker.catch_up()
    path = sleeve.tracker.path
    bars = np.arange(len(path))
    return {
        f"{sleeve.name} note": TrailRows(bars, sleeve.notes, tuple(sleeve.strategy.diagnostics)),
        f"{sleeve.name} notional": TrailRows(bars, path, ("equity", "drawdown")),
    }


def first_difference_but_answers(before: Trail, setup: Setup, track: Track) -> Difference | None:
    """Return what differs first between a run and another one without recorders around its strategies.

    What their strategies answered shows in the decisions and in the notional portfolios.
    """
    rows = {name: value for sleeve in setup.system.sleeves for name, value in _notional_rows(sleeve).items()}
    after = Trail(setup, rows | _decision_rows(setup, track) | _account_rows(setup))
    known = Trail(before.setup, {name: before.rows[name] for name in after.rows})
    return first_difference(known, after, setup.panel.n_bars - 1)
