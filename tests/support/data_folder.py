"""A generated market as a folder of CSV files."""

from pathlib import Path

import numpy as np
from support.adjusted import adjusted_close

from plimsoll.engine.market.calendar import sessions
from plimsoll.engine.research.proof.trial_market import FIRST, trial_panel

HEADER = "date,open,high,low,close,adj_close,volume,dividend,split"
SYMBOLS = ("GLD", "SPY", "TLT")
N_BARS = 90


def write_data(folder: Path, symbols: tuple[str, ...] = SYMBOLS, n_bars: int = N_BARS) -> None:
    """Write a CSV file per symbol."""
    folder.mkdir()
    panel = trial_panel(symbols, n_bars=n_bars)
    days = sessions(FIRST, FIRST.replace(year=FIRST.year + 1))[:n_bars]
    for i, symbol in enumerate(panel.symbols):
        rows = [HEADER]
        adjusted = adjusted_close(panel.close[:, i], panel.dividend[:, i], panel.split[:, i])
        for t, day in enumerate(days):
            prices = (panel.open[t, i], panel.high[t, i], panel.low[t, i], panel.close[t, i], adjusted[t])
            shown = ",".join(f"{price:.6f}" for price in prices)
            volume = "" if np.isnan(panel.volume[t, i]) else f"{panel.volume[t, i]:.0f}"
            rows.append(f"{day},{shown},{volume},{panel.dividend[t, i]:.6f},{panel.split[t, i]:g}")
        (folder / f"{symbol}.csv").write_text("\n".join(rows) + "\n")
