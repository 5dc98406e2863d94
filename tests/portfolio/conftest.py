"""Books that several files look at, run once."""

from functools import lru_cache

import numpy as np
import pytest
from support.book_run import Book, Replay, run_book, walk_panel

SYMBOLS = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG", "HHH")
VOLS = (0.08, 0.12, 0.16, 0.20, 0.10, 0.25, 0.14, 0.18)


@lru_cache(maxsize=8)
def random_book(seed: int) -> Book:
    """Run three sleeves of random weights, long and short, that answer now and then, under the default stages."""
    rng = np.random.default_rng(seed)
    n_bars = 320
    panel = walk_panel(seed, SYMBOLS, VOLS, n_bars, corr=0.3)
    sleeves = {}
    for name, chosen in {"a": SYMBOLS[:5], "b": SYMBOLS[2:], "c": SYMBOLS[::2]}.items():
        path = rng.normal(0.15, 0.3, (n_bars, len(chosen)))
        path[rng.random(n_bars) < 0.8, 0] = np.nan
        sleeves[name] = Replay(chosen, path)
    clusters = {"one": ("AAA", "BBB", "CCC"), "two": ("DDD", "EEE")}
    return run_book(panel, sleeves, first=100, integrator={"preset": "book", "caps": {"clusters": clusters}})


@pytest.fixture(params=[0, 1, 2])
def random_run(request: pytest.FixtureRequest) -> Book:
    """Three random books."""
    return random_book(request.param)
