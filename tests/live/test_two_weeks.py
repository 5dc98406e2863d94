"""The real programs over two weeks: an exchange, a daemon, and somebody who kills it."""

from pathlib import Path

import pytest
from support.daemon_weeks import CLOCK_CHANGE, HALF_DAY, OfOurOwn, Paper, Traded, Weeks, simulated, splits, trade


@pytest.mark.parametrize(
    ("weeks", "book", "kills"),
    [(HALF_DAY, OfOurOwn(), 0), (CLOCK_CHANGE, Paper(), 0), (HALF_DAY, OfOurOwn(), 3)],
    ids=["half_day", "paper_over_a_clock_change", "killed"],
)
def test_two_weeks_end_where_the_backtest_does_to_the_share(
    tmp_path: Path, weeks: Weeks, book: Traded, kills: int
) -> None:
    held, killed = trade(tmp_path, weeks, book, kills=kills, seed=kills)
    assert killed == kills, (tmp_path / "daemon.log").read_text()[-2000:]
    assert held == simulated(tmp_path, weeks, book), (tmp_path / "daemon.log").read_text()[-3000:]
    assert sorted(held) == (["IEF", "SPY"] if isinstance(book, Paper) else ["AAA", "BBB", "CCC"])
    log = (tmp_path / "daemon.log").read_text()
    assert "Traceback" not in log
    told = [(one["symbol"], one["ratio"]) for one in splits(tmp_path)]
    assert told == ([] if isinstance(book, Paper) else [("AAA", "2")])
    if not kills:  # who is killed between the journal and the log tells the journal alone
        assert ("was split 2:1" in log) == bool(told)
