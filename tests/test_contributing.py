"""The contributor's page is true: its floors, its paths, and two of its recipes followed to the letter."""

import re
import shutil
from pathlib import Path

from support.fresh_python import fresh_python
from test_architecture import FLOORS

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()

STRATEGY = '''"""Everything in one fund."""

from plimsoll.engine.sleeve.strategy import Context, Strategy
from plimsoll.engine.types import Weights


class AllIn(Strategy):
    """All in the first symbol.

    Source: the page for contributors.
    """

    universe = ("AAA",)

    def on_bar(self, ctx: Context) -> Weights | None:
        """Answer every bar."""
        return ctx.weights({"AAA": 1.0})
'''
SOURCE = '''"""A market in which one fund doubles at once."""

import numpy as np

from plimsoll.engine.market.align import align
from plimsoll.engine.market.bars import Bars
from plimsoll.engine.market.calendar import sessions
from plimsoll.engine.market.source import Offer
from datetime import date


class Doubling:
    """100 in January 2024, 200 from February on."""

    seeded = False

    def __init__(self, path):
        self.path = path

    def offers(self, interval):
        """Offer one fund."""
        return Offer(frozenset({"AAA"}), frozenset())

    def load(self, symbols, indicators, *, interval, start=None, end=None, seed=0, said=None):
        """Return it."""
        days = sessions(date(2024, 1, 2), end or date(2024, 2, 29)).astype("datetime64[s]")
        price = np.where(days < np.datetime64("2024-02-01"), 100.0, 200.0)
        nothing = np.zeros(len(days))
        return align([Bars("AAA", days, price, price, price, price, nothing + 1e9, nothing, nothing + 1.0)])

    def cut(self, names, folder, *, interval, last):
        """Lay out nothing."""
        return False
'''
CONFIG = """\
[run]
name = "all_in"
[data]
source = "doubling"
[[sleeve]]
name = "s"
strategy = "all_in"
[costs]
preset = "none"
"""


def test_the_picture_shows_the_floors_as_they_are() -> None:
    block = re.search(r"```floors\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    drawn = [line.split()[0] for line in block[1].splitlines()]
    assert [f"plimsoll.{name}" for name in reversed(drawn)] == list(FLOORS)


def test_every_path_it_names_is_there() -> None:
    named = [word for word in re.findall(r"`([\w./]+)`", PAGE) if "/" in word and "NAME" not in word]
    assert [word for word in named if not (ROOT / word).exists()] == []
    assert len(named) >= 12


def test_a_strategy_and_a_source_are_added_by_the_files_it_names(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("engine", "strategies", "brokers", "src"):
        shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    (copy / "strategies/all_in.py").write_text(STRATEGY)
    (copy / "engine/market/doubling.py").write_text(SOURCE)
    (tmp_path / "all_in.toml").write_text(CONFIG)
    registry = (ROOT / "pyproject.toml").read_text()
    for group, line in (
        ("strategies", 'all_in = "plimsoll.strategies.all_in:AllIn"'),
        ("sources", 'doubling = "plimsoll.engine.market.doubling:Doubling"'),
    ):
        header = f'[project.entry-points."plimsoll.{group}"]\n'
        assert header in registry
        registry = registry.replace(header, f"{header}{line}\n")
    (copy / "pyproject.toml").write_text(registry)
    fresh_python(copy, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path)
    wheel = next(tmp_path.glob("*.whl"))
    site = tmp_path / "site"
    fresh_python(tmp_path, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", site, wheel)
    code = "from plimsoll import backtest; print(backtest('all_in.toml').metrics['total_return'])"
    told = fresh_python(tmp_path, "-c", code, PYTHONPATH=str(site), NUMBA_DISABLE_JIT="1")
    assert float(told) == 1.0  # all of it, on the day it doubled
