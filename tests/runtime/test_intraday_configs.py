"""The intraday configurations that are shipped: what they need is said, and on real bars they trade within sessions."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from plimsoll import backtest
from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import InputError

FOLDER = Path(__file__).resolve().parents[2] / "config" / "intraday"
SHIPPED = {"trend_5min": (date(2025, 6, 6), 78), "trend_1min": (date(2024, 4, 12), 390)}


def test_every_one_is_known_here() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_without_its_bars_it_is_one_line_that_names_the_file(name: str, tmp_path: Path) -> None:
    interval = load_config(FOLDER / f"{name}.toml").data.interval
    with pytest.raises(InputError, match=interval):
        backtest(FOLDER / f"{name}.toml", data=tmp_path)


@pytest.mark.realdata
@pytest.mark.parametrize("name", SHIPPED)
def test_on_real_bars_it_decides_and_fills_within_sessions_in_both_loops_alike(name: str, real_minute: Path) -> None:
    end, bars = SHIPPED[name]
    one, other = (
        backtest(FOLDER / f"{name}.toml", data=real_minute, end=end, engine=engine) for engine in ("python", "compiled")
    )
    np.testing.assert_array_equal(one.equity["equity"], other.equity["equity"])
    stamps = one.fills["session"].to_numpy()
    assert len(np.unique(stamps.astype("datetime64[D]"))) > 3
    assert np.count_nonzero((stamps - stamps.astype("datetime64[D]")) > np.timedelta64(570, "m")) > 3  # after the open
    sessions = one.metrics["run"]["sessions"]
    assert one.metrics["run"]["decisions"] == pytest.approx(sessions * 13, abs=13)  # a half hour each, the first apart
    assert one.metrics["run"]["bars"] == pytest.approx(sessions * bars, abs=bars)
