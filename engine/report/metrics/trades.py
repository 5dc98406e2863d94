"""Figures of round trips, and where the money came from by symbol."""

import numpy as np
import pandas as pd

from plimsoll.engine.report.metrics.returns import Figures
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Bools, Floats


def trades_block(record: Record) -> Figures:
    """Return the figures of closed round trips, first in, first out, and of positions from flat to flat.

    A rebalanced portfolio closes many small parts of positions that it keeps: the second reading counts those once.
    """
    table = record.trades
    closed = table[~table["open"]]
    standing = table[table["open"]]
    alive = set(zip(standing["symbol"], standing["position"], strict=True))
    groups = closed.groupby(["symbol", "position"], sort=False)
    whole = [rows for key, rows in groups if key not in alive]
    whole.sort(key=lambda rows: rows.index[-1])  # by their ends
    return {
        **outcome_block(closed["pnl"].to_numpy(np.float64)),
        "mean_return": _mean(closed["ret"]),
        "mean_sessions": _mean(closed["sessions"]),
        "median_sessions": float(closed["sessions"].median()) if len(closed) else None,
        "mean_mae": _mean(closed["mae"]),
        "mean_mfe": _mean(closed["mfe"]),
        "worst_mae": float(closed["mae"].min()) if closed["mae"].notna().any() else None,
        "open": len(standing),
        "open_pnl": float(standing["pnl"].sum()),
        "positions": outcome_block(np.array([rows["pnl"].sum() for rows in whole])),
        "positions_open": len(alive),
    }


def outcome_block(pnl: Floats) -> Figures:
    """Return the figures of net results in dollars, in the order of their ends.

    A result of nothing is neither won nor lost and ends a streak. expectancy = the mean result; profit_factor = won
    over lost; payoff = mean win over mean loss. None where there is nothing to divide by.
    """
    won, lost = pnl > 0.0, pnl < 0.0
    gains, losses = float(pnl[won].sum()), -float(pnl[lost].sum())
    n = len(pnl)
    mean_win = gains / int(won.sum()) if won.any() else None
    mean_loss = losses / int(lost.sum()) if lost.any() else None
    return {
        "closed": n,
        "win_rate": float(won.mean()) if n else None,
        "expectancy": float(pnl.mean()) if n else None,
        "profit_factor": gains / losses if losses > 0.0 else None,
        "mean_win": mean_win,
        "mean_loss": mean_loss,
        "payoff": mean_win / mean_loss if mean_win is not None and mean_loss is not None else None,
        "best": float(pnl.max()) if n else None,
        "worst": float(pnl.min()) if n else None,
        "longest_win_streak": longest(won),
        "longest_loss_streak": longest(lost),
    }


def longest(flags: Bools) -> int:
    """Return the length of the longest run of True."""
    most = run = 0
    for flag in flags.tolist():
        run = run + 1 if flag else 0
        most = max(most, run)
    return most


def rows_of(table: pd.DataFrame) -> dict[str, Figures]:
    """Return a table of profit as plain values: row -> column -> dollars, or words."""
    return {
        str(name): {str(key): value if isinstance(value, str) else float(value) for key, value in row.items()}
        for name, row in table.iterrows()
    }


def _mean(values: pd.Series) -> float | None:
    known = values.dropna()
    return float(known.mean()) if len(known) else None
