"""Daily operation goes on: sixty sessions leave next to nothing in memory. `scripts/chaos years` goes further."""

from pathlib import Path

from support.years import trade_years


def test_memory_stays_flat_over_sixty_sessions(tmp_path: Path) -> None:
    days = list(trade_years(tmp_path, 60, look_back_every=50))
    assert len(days) == 60
    assert days[-1].orders > days[0].orders > 0
    # the evening that replays from scratch leaves a little; nothing else may grow with the sessions
    assert days[-1].memory_mb - days[9].memory_mb < 15.0
    assert days[39].memory_mb - days[9].memory_mb < 8.0
