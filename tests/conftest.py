"""Fixtures shared by all tests."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.panels import make_panel as _make_panel

from engine.market.panel import Panel


def pytest_configure(config: pytest.Config) -> None:
    """Let the calendar library use an accessor that pandas is about to change."""
    config.addinivalue_line("filterwarnings", "ignore:Series.values returning an ndarray that drops timezone")


_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def _folder(name: str) -> Path:
    folder = _DATA / name
    if not folder.is_dir():
        pytest.skip("the private market data folder is absent")
    return folder


@pytest.fixture(scope="session")
def real_daily() -> Path:
    """Folder of real daily CSV files; skips where it is absent."""
    return _folder("daily")


@pytest.fixture(scope="session")
def real_minute() -> Path:
    """Folder of real intraday CSV files; skips where it is absent."""
    return _folder("minute")


@pytest.fixture(scope="session")
def golden() -> Path:
    """Folder of published and recomputed figures; skips where it is absent."""
    folder = _DATA.parent / "golden"
    if not folder.is_dir():
        pytest.skip("the folder of golden figures is absent")
    return folder


@pytest.fixture(scope="session")
def make_panel() -> Callable[..., Panel]:
    """Builder of panels from arrays, see `support.panels.make_panel`."""
    return _make_panel
