"""Entry points are read once, and again where there is another place to import from."""

import sys
from pathlib import Path

import pytest

from plimsoll.engine.plugins import plugins

METADATA = "Metadata-Version: 2.1\nName: houseadded\nVersion: 1.0\n"


def test_a_package_that_comes_with_a_new_folder_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "house" not in plugins("plimsoll.strategies")
    folder = tmp_path / "houseadded-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(METADATA, encoding="utf-8")
    (folder / "entry_points.txt").write_text("[plimsoll.strategies]\nhouse = houseadded:House\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    found = plugins("plimsoll.strategies")
    assert found["house"].value == "houseadded:House"
    assert list(found) == sorted(found)


def test_names_are_read_once() -> None:
    assert plugins("plimsoll.sources") is plugins("plimsoll.sources")
    assert plugins("nobody.registers.this") == {}
