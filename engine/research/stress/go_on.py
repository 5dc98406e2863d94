"""A finished run that goes on from its last bar, any number of times, without being run again."""

from dataclasses import dataclass, replace

import numpy as np

from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import DataError
from plimsoll.engine.execution.order import OrderBatch
from plimsoll.engine.kernels import layout
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.runtime.assemble import Setup, assemble
from plimsoll.engine.runtime.backtest import Track, run_loop
from plimsoll.engine.runtime.prepare import Market, onto
from plimsoll.engine.state import Saved
from plimsoll.engine.types import Floats


@dataclass(frozen=True, slots=True)
class Stand:
    """A run at the close of its last bar, its orders for the next one sent.

    setup, market, track : the run's own; nothing here changes them. config : its configuration without deposits and
    withdrawals, which are no part of what a market does. system, book : its state.
    """

    setup: Setup
    market: Market
    track: Track
    config: Config
    system: Saved
    book: Saved
    fills: Floats
    batches: tuple[OrderBatch, ...]
    margin_call: bool

    @property
    def last(self) -> int:
        """The last bar."""
        return self.setup.panel.n_bars - 1


def stand_at_end(setup: Setup, market: Market, track: Track) -> Stand:
    """Return where a finished run stands.

    Raises
    ------
    DataError
        If it was ruined: there is nothing left that could be stressed.
    """
    if track.ruined:
        day = setup.panel.clock.session[track.last]
        raise DataError(f"the account was ruined on {day}", where="stress", fix="mend the book, or end the run before")
    broker, config = setup.broker, setup.config
    account = config.account.model_copy(update={"flows": None})
    room = np.zeros((max(256, layout.FILLS_PER_BAR * setup.panel.n_symbols), layout.FILL))
    return Stand(
        setup, market, track, config.model_copy(update={"account": account}), setup.system.save(), broker.book.save(),
        np.concatenate((broker.fills, room)), tuple(broker.batches), broker.account().margin_call,
    )  # fmt: skip


def go_on(stand: Stand, panel: Panel) -> tuple[Setup, Track]:
    """Take the run through the bars that a panel has beyond its own; return what it leaves there.

    panel : begins with the run's own, the same columns. The setup's records are filled from the first new bar on, the
    track holds the decisions from there on.

    Raises
    ------
    StrategyError
        If a strategy fails on what it sees there.
    """
    market = replace(onto(stand.config, stand.market, panel), first=stand.setup.first)
    setup = assemble(stand.config, market)
    setup.system.restore(stand.system)
    setup.broker.book.restore(stand.book)
    setup.broker.take_over(stand.fills.copy(), list(stand.batches), stand.last, margin_call=stand.margin_call)
    return setup, run_loop(setup, begin=stand.last + 1)
