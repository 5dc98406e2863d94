"""One configuration's way through the whole span, in what a walk forward takes of it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account.ledger import bar_costs
from plimsoll.engine.portfolio.book_facts import Facts
from plimsoll.engine.report.metrics.book import effective_n
from plimsoll.engine.research.sweep.compiled_evaluator import Replayed
from plimsoll.engine.research.sweep.evaluate import closes, compounded
from plimsoll.engine.runtime.alongside import bill_of
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.backtest import Track
from plimsoll.engine.sleeve.signals import Signal
from plimsoll.engine.types import Floats, Ints

IMPACT: Final = layout.RECORD_COLUMNS.index("impact")
SIGMA_P: Final = Facts._fields.index("sigma_p")


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A finished run by session; n sessions, N symbols.

    returns (n,) net; traded, costs, impact (n,) over the equity that each bar began with; equity (n,) at the close, and
    begun (n,) what the session began with. held (n, N) weights at the close. effective (n,) number of the shares that
    sleeves have in a book, of the positions held otherwise; target (n,) volatility a year that the book aimed at; both
    NaN where there is none. shares (n, S) of a book's sleeves; none otherwise. sleeves : name to (n,) session
    returns of its notional portfolio, before costs, whatever its status. bill (n,) simple return of the bill series,
    0 where none is named.
    """

    returns: Floats
    traded: Floats
    costs: Floats
    impact: Floats
    equity: Floats
    begun: Floats
    held: Floats
    effective: Floats
    target: Floats
    shares: Floats
    sleeves: dict[str, Floats]
    bill: Floats

    @property
    def rate(self) -> Floats:
        """(n,) what a dollar traded has cost so far, session by session; 0 before the first trade."""
        traded = np.cumsum(self.traded)
        return np.divide(np.cumsum(self.costs), traded, out=np.zeros(len(traded)), where=traded > 0.0)


def path_of(ran: Replayed) -> Path:
    """Return the path of a finished run."""
    setup, track, signals = ran.setup, ran.track, ran.signals
    span = slice(setup.first, track.last + 1)
    rec, rows = setup.broker.rec[span], closes(setup.panel.clock.last_bar[span])
    equity, cash = rec[:, layout.R_EQUITY], setup.config.run.cash
    base = np.concatenate(([cash], equity[:-1]))[: len(equity)] + rec[:, layout.R_FLOW]
    summed = [_summed(amounts, base, rows) for amounts in (rec[:, layout.R_TRADED], bar_costs(rec), rec[:, IMPACT])]
    held = setup.broker.held[span][rows]
    shares, target = _decided(setup, track, rows + setup.first)
    bill = bill_of(setup, span)
    return Path(
        returns=compounded(rec[:, layout.R_RET].copy(), rows),
        traded=summed[0],
        costs=summed[1],
        impact=summed[2],
        equity=equity[rows],
        begun=base[np.concatenate(([0], rows[:-1] + 1))],
        held=held,
        effective=effective_n(shares if shares.size else held),
        target=target,
        shares=shares,
        sleeves={
            sleeve.name: compounded(notional_returns(signal, setup, span), rows)
            for sleeve, signal in zip(setup.system.sleeves, signals, strict=True)
        },
        bill=np.zeros(len(rows)) if bill is None else bill.values,
    )


def notional_returns(signal: Signal, setup: Setup, span: slice) -> Floats:
    """Return (T,) the returns of a sleeve's notional portfolio over a span of bars.

    r_t = sum_i w_i,t-1 ret_i,t + (1 - sum_i w_i,t-1) bill_t,   w the weights held at the close; an unknown ret is 0
    """
    held = np.vstack((np.zeros((1, signal.held.shape[1])), signal.held[:-1]))[span]
    moved = np.nan_to_num(setup.feed.ret[span][:, signal.columns])
    returns: Floats = np.sum(held * moved, axis=1) + (1.0 - np.sum(held, axis=1)) * setup.bill[span]
    return returns


def _summed(amounts: Floats, base: Floats, rows: Ints) -> Floats:
    over = np.divide(amounts, base, out=np.zeros(len(amounts)), where=base > 0.0)
    firsts = np.concatenate(([0], rows[:-1] + 1))
    summed: Floats = np.add.reduceat(over, firsts)
    return summed


def _decided(setup: Setup, track: Track, bars: Ints) -> tuple[Floats, Floats]:
    """Return (n, S) shares and (n,) volatility target that each session's returns were earned under.

    What was decided at a close rules the session after it; the last decision before the first session rules that.
    """
    names = setup.system.integrator.facts
    own = [at for at, name in enumerate(names) if name.startswith("share.")]
    if not own or not track.decisions:
        return np.empty((len(bars), 0)), np.full(len(bars), np.nan)
    facts = np.array([decision.target.facts for decision in track.decisions])
    made = np.array([decision.t for decision in track.decisions])
    at = np.maximum(np.searchsorted(made, bars, side="left") - 1, 0)
    return facts[at][:, own], facts[at, SIGMA_P]
