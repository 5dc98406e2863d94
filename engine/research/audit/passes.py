"""The passes of an audit that run in this process, each in the same signature."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from plimsoll.engine.execution.order import joined
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account.order import Orders
from plimsoll.engine.kernels.derive import DELISTED
from plimsoll.engine.research.audit.case import Case, Ran
from plimsoll.engine.research.audit.finding import Finding, compared, stopped
from plimsoll.engine.research.proof.scan_check import scan_error
from plimsoll.engine.research.proof.trail import first_difference, first_difference_but_answers
from plimsoll.engine.runtime.backtest import Progress
from plimsoll.engine.runtime.compiled.engine import refusal, run_compiled
from plimsoll.engine.sleeve.strategy import scan_of
from plimsoll.engine.types import Bools, Ints


@dataclass(frozen=True, slots=True)
class Bench:
    """What a pass works on: the case, its normal run, a seed for what is drawn at random."""

    case: Case
    reference: Ran
    seed: int
    progress: Progress | None = None


Pass = Callable[[Bench], Finding]


def second_run(bench: Bench) -> Finding:
    """Run again in the same process, strategies made anew: what a run leaves behind must not reach the next one."""
    what = "the same run again in this process, strategies made anew"
    return _against("second run", what, bench, lambda: bench.case.run(progress=bench.progress))


def future_unknown(bench: Bench) -> Finding:
    """Run with every bar that has not come yet unknown: NaN, NaT, no flag, another length."""
    what = "panel filled bar by bar, what has not come yet is unknown (NaN)"
    first = bench.reference.setup.first
    return _against(
        "future unknown", what, bench,
        lambda: bench.case.run_veiled("nothing", bench.seed, first, bench.progress),
    )  # fmt: skip


def future_noise(bench: Bench) -> Finding:
    """Run with every bar that has not come yet drawn at random: plausible, and wrong."""
    what = "panel filled bar by bar, what has not come yet is noise"
    first = bench.reference.setup.first
    return _against(
        "future noise", what, bench, lambda: bench.case.run_veiled("noise", bench.seed, first, bench.progress)
    )


def fills_after_decisions(bench: Bench) -> Finding:
    """Look at every order and fill: decided at a close, filled at a later bar at that bar's own price."""
    ran = bench.reference
    broker, panel = ran.setup.broker, ran.setup.panel
    what = f"{len(broker.fills):,} fills: each at a later bar than its decision, at that bar's own price"
    orders = joined(broker.batches)
    asked = panel.close[orders.bar, orders.col]
    wrong = np.flatnonzero((orders.price != asked) & ~(np.isnan(orders.price) & np.isnan(asked)))
    if len(wrong):
        k = int(wrong[0])
        told = f"sized at {orders.price[k]:.6g}, the close decided at is {asked[k]:.6g}"
        return _misplaced(ran, what, int(orders.bar[k]), int(orders.col[k]), "order", told)
    bar, col = (broker.fills[:, k].astype(np.int64) for k in (layout.F_BAR, layout.F_COLUMN))
    row = broker.fills[:, layout.F_ORDER].astype(np.int64)
    for faulty, say in (_early(orders, bar, row), _priced(ran, orders, bar, col, row)):
        if faulty.any():
            k = int(faulty.argmax())
            return _misplaced(ran, what, int(bar[k]), int(col[k]), "fill", say(k))
    return Finding("fills", True, what)


def compiled_loop(bench: Bench) -> Finding:
    """Run through the compiled loop: a scan that sees more than `on_bar`, or other stages, would decide otherwise."""
    what = "the compiled loop, with the scans of strategies that have one"
    if bench.case.stand_in is not None:
        return Finding("compiled loop", None, f"{what}: left out, a part of one's own has no compiled form")
    setup = bench.case.plain_setup()
    if why := refusal(setup):
        return Finding("compiled loop", None, f"{what}: left out, {why}")
    raised = {s.name: scan_error(s) for s in bench.case.plain_setup().system.sleeves if scan_of(s.strategy) is not None}
    names = [name for name, error in raised.items() if not error]
    what += f" ({', '.join(names)})" if names else " (none here)"
    for name, error in raised.items():
        what += f"; {name} asked bar by bar, its scan raises {error}" if error else ""
    try:
        track = run_compiled(setup, bench.progress)
    except Exception as error:  # noqa: BLE001  (foreign code: anything may come out of it)
        return stopped("compiled loop", what, error)
    return compared("compiled loop", what, first_difference_but_answers(bench.reference.trail, setup, track))


# In the order they run and are shown. The reloads follow.
PASSES: Final[tuple[Pass, ...]] = (second_run, future_unknown, future_noise, fills_after_decisions, compiled_loop)


def _against(name: str, what: str, bench: Bench, run: Callable[[], Ran]) -> Finding:
    """Compare a run with the reference; what it raises is a finding, since the reference raised nothing."""
    try:
        other = run()
    except Exception as error:  # noqa: BLE001  (foreign code: anything may come out of it)
        return stopped(name, what, error)
    return compared(name, what, first_difference(bench.reference.trail, other.trail, bench.reference.last))


_Say = Callable[[int], str]


def _early(orders: Orders, bar: Ints, row: Ints) -> tuple[Bools, _Say]:
    """Return which fills come no later than their decision."""
    ordered = row >= 0
    faulty = np.zeros(len(bar), dtype=np.bool_)
    faulty[ordered] = bar[ordered] <= orders.bar[row[ordered]]
    return faulty, lambda _: "filled at the bar it was decided at"


def _priced(ran: Ran, orders: Orders, bar: Ints, col: Ints, row: Ints) -> tuple[Bools, _Say]:
    """Return which fills have another price than their bar's; what nobody ordered must be delisted or liquidated."""
    panel, feed = ran.setup.panel, ran.setup.feed
    price = ran.setup.broker.fills[:, layout.F_PRICE]
    wanted = panel.open[bar, col].copy()
    ordered = row >= 0
    closing = np.zeros(len(bar), dtype=np.bool_)
    closing[ordered] = orders.at_close[row[ordered]]
    wanted[closing] = panel.close[bar, col][closing]
    liquidated = ran.track.ruined & (bar == ran.track.last)
    # cash in lieu and what a withdrawal sells come at the open of their bar
    excused = ~ordered & ((feed.status[bar, col] == DELISTED) | liquidated)

    def say(k: int) -> str:
        if row[k] < 0:
            return "sold without an order although it is listed"
        return f"filled at {price[k]:.6g}, the {'close' if closing[k] else 'open'} of its bar is {wanted[k]:.6g}"

    return (price != wanted) & ~excused, say


def _misplaced(ran: Ran, what: str, bar: int, col: int, stage: str, told: str) -> Finding:
    session, symbol = str(ran.setup.panel.clock.session[bar]), ran.setup.panel.symbols[col]
    return Finding("fills", False, what, f"{stage} on {session}, {symbol}: {told}", session, stage, symbol)
