"""The real programs over two weeks: an exchange, a daemon, and somebody who kills it."""

from pathlib import Path

import pytest
from support.daemon_weeks import CLOCK_CHANGE, HALF_DAY, Weeks, simulated, trade


@pytest.mark.parametrize(
    ("weeks", "kills"), [(HALF_DAY, 0), (CLOCK_CHANGE, 0), (HALF_DAY, 3)], ids=["half_day", "clock_change", "killed"]
)
def test_two_weeks_end_where_the_backtest_does_to_the_share(tmp_path: Path, weeks: Weeks, kills: int) -> None:
    held, killed = trade(tmp_path, weeks, kills=kills, seed=kills)
    assert killed == kills, (tmp_path / "daemon.log").read_text()[-2000:]
    assert held == simulated(tmp_path, weeks), (tmp_path / "daemon.log").read_text()[-3000:]
    assert len(held) == 3
    log = (tmp_path / "daemon.log").read_text()
    assert "Traceback" not in log
    assert "was split 2:1" in log
