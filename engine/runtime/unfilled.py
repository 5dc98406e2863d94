"""What was decided and long not held: one warning for each symbol and kind of reason, saying why."""

from typing import Final

import numpy as np

from plimsoll.engine.execution.sim.order_table import OrderTable
from plimsoll.engine.kernels import layout
from plimsoll.engine.market.panel import DataWarning
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.types import Floats

SESSIONS: Final = 5  # that a target may stay unheld
SHARE: Final = 0.01  # of equity that it must differ by


def unfilled_warnings(setup: Setup, last: int, table: OrderTable) -> list[DataWarning]:
    """Return a warning per symbol whose orders left more than 1% of equity undone for five sessions.

    last : the last bar of the run. table : its orders. An order that a later decision replaced within that time is
    that decision's affair.
    """
    clock = setup.panel.clock
    index = clock.session_index
    rows = table.rows
    found: dict[tuple[str, str], tuple[float, float, str, str, float]] = {}
    decided = np.unique(rows.bar)
    for k in np.flatnonzero(np.abs(table.filled) < np.abs(rows.qty) * (1.0 - 1e-9)):
        bar, col = int(rows.bar[k]), int(rows.col[k])
        until = int(np.searchsorted(index, index[bar] + SESSIONS, side="right")) - 1
        replaced = decided[decided > bar]
        ended = index[until] < index[bar] + SESSIONS  # the data are over before it was open for so long
        if ended or until > last or (len(replaced) and replaced[0] < until):
            continue
        open_qty, equity = _open(setup, table, int(k), until), float(setup.broker.rec[until, layout.R_EQUITY])
        worth = abs(open_qty) * setup.panel.close[: until + 1, col][~np.isnan(setup.panel.close[: until + 1, col])][-1:]
        if len(worth) and equity > 0.0 and worth[0] > SHARE * equity:
            reason = _reason(setup, bar, until, col)
            key = (setup.panel.symbols[col], reason.partition(" on ")[0])
            first = (
                float(rows.qty[k]),
                float(worth[0] / equity),
                str(clock.session[bar]),
                reason,
                float(table.filled[k]),
            )
            found.setdefault(key, first)
    return [_warning(symbol, *of) for (symbol, _), of in found.items()]


def _open(setup: Setup, table: OrderTable, row: int, until: int) -> float:
    """Return the shares of an order that were not filled by the close of a bar, in that bar's share units."""
    fills: Floats = setup.broker.fills
    mine = fills[(fills[:, layout.F_ORDER] == row) & (fills[:, layout.F_BAR] <= until)]
    return float(table.rows.qty[row] - mine[:, layout.F_QTY].sum())


def _reason(setup: Setup, bar: int, until: int, col: int) -> str:
    """Return why an order did not fill, from the bars it worked on."""
    panel = setup.panel
    for t in range(bar + 1, until + 1):
        if np.isnan(panel.close[t, col]):
            return f"no row on {panel.clock.session[t]}"
        if panel.volume[t, col] == 0.0:
            return f"volume 0 on {panel.clock.session[t]}"
    cap = setup.config.execution.max_participation
    if cap > 0.0 and not np.isnan(panel.volume[bar + 1 : until + 1, col]).all():
        return f"at most {cap:z.0%} of the volume is taken a session"
    return "no money for it at the fill"


def _warning(symbol: str, qty: float, share: float, session: str, reason: str, filled: float) -> DataWarning:
    verb = "bought" if qty > 0.0 else "sold"
    how = f"was never {verb}" if filled == 0.0 else f"was not {verb} in full"
    text = (
        f"{symbol} {how}: {reason}; decided on {session}, {share:z.0%} of equity still open after {SESSIONS} sessions"
    )
    return DataWarning("target_not_held", symbol, text, session)
