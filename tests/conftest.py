"""Fixtures shared by all tests."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from support.panels import make_panel as _make_panel

from plimsoll.engine.market.panel import Panel

pytest_plugins = ("support.isolation", "support.compile_once", "support.crash_summary")


def pytest_configure(config: pytest.Config) -> None:
    """Let the calendar library use an accessor that pandas is about to change; properties have no time limit."""
    config.addinivalue_line("filterwarnings", "ignore:Series.values returning an ndarray that drops timezone")
    # the first call of a kernel loads or compiles it; a run repeats itself unless fresh examples are asked for
    settings.register_profile("plimsoll", deadline=None, derandomize="PLIMSOLL_EXPLORE" not in os.environ)
    settings.load_profile("plimsoll")
    os.environ["PLIMSOLL_TRIALS"] = "off"  # no test writes the user's own ledger; commands that tests start inherit it


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
def real_layouts() -> Path:
    """Folder of real files as other vendors and tools write them; skips where it is absent."""
    return _folder("layouts")


@pytest.fixture(scope="session")
def golden() -> Callable[[str], dict[str, Any]]:
    """Reader of one file of published or recomputed figures by its name; skips where it is absent."""

    def read(name: str) -> dict[str, Any]:
        path = _DATA.parent / "golden" / f"{name}.json"
        if not path.exists():
            pytest.skip(f"{path.name} is absent")
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    return read


@pytest.fixture(scope="session")
def make_panel() -> Callable[..., Panel]:
    """Builder of panels from arrays, see `support.panels.make_panel`."""
    return _make_panel
