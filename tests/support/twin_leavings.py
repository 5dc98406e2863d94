"""What both loops leave of small markets, by name; run as a module it saves that of a process of its own."""

import sys

import numpy as np
from battery.witness import witness_book, witness_panel
from support.any_settings import within_day
from support.book_run import walks
from support.panels import make_panel, random_panel
from support.restless import Kernelled, Restless
from support.scripted import plain_config
from support.twins import both

from plimsoll.engine.kernels.derive import RELIST_SESSIONS
from plimsoll.engine.types import Floats
from plimsoll.strategies.inverse_vol import InverseVol


def leavings(n_bars: int) -> dict[str, Floats]:
    """Return the account's record, held weights and fills of runs that both loops agreed on to the byte."""
    us = {"costs": {"preset": "us_etf"}, "financing": {"cash_rate": 0.03}}
    daily, minutes = random_panel(5, n_bars=n_bars), within_day(2, 195)
    config, witnesses = witness_book("book")
    close = walks(8, (0.12, 0.16, 0.2), n_bars)
    close[n_bars // 4 : n_bars // 4 + RELIST_SESSIONS + 1, 1] = np.nan
    back = make_panel(close, volume=2e5)
    looking = InverseVol(InverseVol.Params(symbols=back.symbols, lookback_bars=30, rebalance="W-FRI"))
    impact = us | {"costs": {"preset": "us_etf", "impact": 1.0}}
    runs = {
        "direct": (plain_config(**us), daily, {"s": Restless(Restless.Params(symbols=daily.symbols, often=0.1))}),
        "kernel": (plain_config(**us), daily, {"s": Kernelled(Kernelled.Params(symbols=daily.symbols, looks=True))}),
        "relisted": (plain_config(**impact), back, {"s": looking}),
        "minutes": (plain_config(**us, data={"interval": "195min"}), minutes,
                    {"s": Restless(Restless.Params(symbols=minutes.symbols, often=0.1))}),
        "book": (config, witness_panel(n_bars), witnesses),
    }  # fmt: skip
    found: dict[str, Floats] = {}
    for name, (values, panel, strategies) in runs.items():
        left = both(values, panel, strategies)
        assert left.error is None
        found |= {f"{name}: {file}": np.frombuffer(content, dtype=np.uint8) for file, content in left.files.items()}
    return found


if __name__ == "__main__":
    np.savez(sys.argv[1], **leavings(int(sys.argv[2])))
