"""A panel on disk is the panel, and nobody who maps it can change it."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from support.panels import random_panel

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.panel import BarClock, Panel
from plimsoll.engine.market.panel_folder import open_panel, pack, save_panel, unpack
from plimsoll.engine.research.proof.trial_market import trial_panel


def assert_same(found: Panel, given: Panel) -> None:
    for field in fields(Panel):
        a, b = getattr(found, field.name), getattr(given, field.name)
        if isinstance(b, np.ndarray):
            assert (a.dtype, a.tobytes()) == (b.dtype, b.tobytes()), field.name
        elif field.name != "clock":
            assert a == b, field.name
    for field in fields(BarClock):
        a, b = getattr(found.clock, field.name), getattr(given.clock, field.name)
        assert np.array_equal(a, b), field.name
        assert type(a) is type(b), field.name


@pytest.mark.parametrize(
    "panel",
    [random_panel(3), trial_panel(("SPY", "TLT"), ("VIX",), n_bars=40)],
    ids=["holes and actions", "an indicator"],
)
def test_a_panel_comes_back_as_it_was(panel: Panel, tmp_path: Path) -> None:
    assert_same(open_panel(save_panel(panel, tmp_path / "one")), panel)
    (tmp_path / "two").mkdir()
    sent = open_panel(unpack(pack(tmp_path / "one"), tmp_path / "two"))
    assert_same(sent, panel)
    assert sent.data_hash == panel.data_hash


def test_what_one_process_does_to_its_view_reaches_nobody(tmp_path: Path) -> None:
    panel = random_panel(4)
    folder = save_panel(panel, tmp_path / "panel")
    mine = open_panel(folder)
    mine.block[:] = 0.0
    assert_same(open_panel(folder), panel)


@pytest.mark.parametrize("lost", ["facts.json", "block.npy", "clock_session.npy"])
def test_half_a_panel_is_none(lost: str, tmp_path: Path) -> None:
    folder = save_panel(random_panel(5), tmp_path / "panel")
    (folder / lost).unlink()
    with pytest.raises(DataError, match="not a panel"):
        open_panel(folder)
