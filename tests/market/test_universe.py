"""Who is a member when: the file, its faults, and what a panel shows of it."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.calendar import build_clock, next_session
from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.universe import LEFT, with_universe
from plimsoll.engine.market.universe_file import Stint, Universe, read_universe, write_cut_universe
from tests.support.csv_files import put
from tests.support.panels import make_panel

OFFERED = ("AAA", "BBB", "NEW", "OLD", "ODD")
CLOCKS = {interval: build_clock(date(2024, 6, 17), date(2024, 7, 19), interval) for interval in ("1d", "195min")}


def written(folder: Path, *rows: str, head: str = "symbol,from,to,reason") -> Path:
    path = folder / "universe.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["AAA,2020-01-01,2021-01-01,removed", "AAA,2021-01-01,,"],
         "line 3: AAA is a member from 2021-01-01 on, and already from 2020-01-01 to 2021-01-01"),
        (["AAA,2020-01-01,,", "AAA,2021-01-01,,"], "line 3: AAA is a member from 2021-01-01 on, and already from"),
        (["AAA,2021-01-01,2020-12-31,removed"], "line 2: AAA ends on 2020-12-31, before it begins on 2021-01-01"),
        (["AAA,2020-01-01,2021-01-01,sacked"], "line 2: unknown reason 'sacked' for the end of AAA; one of removed, "),
        (["AAA,2020-01-01,2021-01-01,"], "line 2: unknown reason '' for the end of AAA"),
        (["AAA,2020-01-01,2021-01-01,renamed:"], "line 2: unknown reason 'renamed:'"),
        (["AAA,2020-01-01,,removed"], "line 2: AAA has the reason 'removed' and no last day"),
        (["AAA,2020-01-01,,", "AAB,2020-01-01,,"], "line 3: AAB has no data; without those that are gone only"),
        (["AAA,01/02/2020,,"], "line 2: '01/02/2020' is not a date"),
        (["AAA,2020-01-01"], "line 2: 2 cells, the header has 4"),
        ([",2020-01-01,,"], "line 2: no symbol"),
        ([], "no member"),
        (["OLD,2020-01-01,2021-01-01,renamed:NEW"], "line 2: OLD goes on as NEW, which is no member"),
        (["OLD,2020-01-01,2021-01-01,renamed:NEW", "NEW,2020-06-01,,"],
         "line 2: OLD goes on as NEW after 2021-01-01, which is a member from 2020-06-01 on"),
        (["OLD,2020-01-01,2021-01-01,renamed:NEW", "ODD,2020-01-01,2021-01-01,renamed:NEW", "NEW,2021-01-02,,"],
         "both go on as NEW"),
    ],
)  # fmt: skip
def test_a_bad_file_is_told_in_one_line(tmp_path: Path, rows: list[str], said: str) -> None:
    with pytest.raises(DataError) as caught:
        read_universe(written(tmp_path, *rows), OFFERED)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_another_header_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_universe(tmp_path / "none.csv", OFFERED)
    with pytest.raises(DataError, match="the header is not 'symbol,from,to,reason'"):
        read_universe(written(tmp_path, head="ticker,start,end"), OFFERED)


DAYS = st.dates(date(2024, 6, 10), date(2024, 7, 26))


@given(bounds=st.lists(DAYS, min_size=1, max_size=6, unique=True), interval=st.sampled_from(sorted(CLOCKS)))
@settings(max_examples=60, deadline=None)
def test_who_counts_is_what_a_plain_walk_through_the_days_finds(bounds: list[date], interval: str) -> None:
    bounds.sort()
    stints = tuple(
        Stint("AAA", first, bounds[k + 1] if k + 1 < len(bounds) else None, "removed", k)
        for k, first in list(enumerate(bounds))[::2]
    )
    clock = CLOCKS[interval]
    panel = make_panel(np.full((len(clock), 2), 10.0), symbols=("AAA", "BBB"), clock=clock)
    outside = with_universe(panel, Universe(Path("u.csv"), stints)).outside

    def member(day: date) -> bool:
        return any(one.first <= day and (one.last is None or day <= one.last) for one in stints)

    for t in range(len(clock)):
        day = clock.session[t].astype(object)
        counts = member(day) and (not clock.last_bar[t] or member(next_session(day)))
        assert outside[t, 0] == (not counts), (day, t)
    assert not outside[:, 1].any()


def renamed(folder: Path, new_from: str = "2024-01-04") -> tuple[Panel, Universe]:
    put(
        folder,
        "2024-01-02,10,11,9,10,10,1000",
        "2024-01-03,10,12,10,11,11,2000",
        "2024-01-05,1,1,1,1,1,1",
        name="OLD.csv",
    )
    put(folder, f"{new_from},12,12,12,12,12,500", "2024-01-05,13,13,13,13,13,500", name="NEW.csv")
    rows = ("OLD,2023-01-01,2024-01-03,renamed:NEW", "NEW,2024-01-04,,")
    return load_csv(folder, ["NEW", "OLD"]), read_universe(written(folder, *rows), OFFERED)


def test_a_new_name_has_the_history_of_the_old_one(tmp_path: Path) -> None:
    panel = with_universe(*renamed(tmp_path))
    assert panel.symbols == ("NEW",)
    assert panel.close[:, 0].tolist() == [10, 11, 12, 13]  # not the row of another company under the old name
    assert panel.volume[:, 0].tolist() == [1000, 2000, 500, 500]
    assert not panel.outside.any()
    assert not [warning for warning in panel.warnings if warning.kind in (LEFT, "ends_early")]


def test_a_new_name_whose_file_has_the_old_rows_too_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 2: NEW has rows from 2024-01-03 on, while it was OLD; leave OLD out"):
        with_universe(*renamed(tmp_path, "2024-01-03"))


def test_a_departure_is_told_once_with_its_reason() -> None:
    stints = (Stint("AAA", date(2020, 1, 1), date(2024, 6, 23), "merged", 2),)
    panel = make_panel(np.full(len(CLOCKS["1d"]), 10.0), symbols=("AAA",), clock=CLOCKS["1d"])
    told = [w for w in with_universe(panel, Universe(Path("u.csv"), stints)).warnings if w.kind == LEFT]
    # 23 June is a Sunday: the last session is the Friday before
    assert [(w.text, w.session) for w in told] == [("AAA left the universe after 2024-06-23: merged", "2024-06-21")]


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_cut_file_says_the_same_through_its_day_and_no_later_date(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    day = st.integers(0, 400).map(lambda n: date(2023, 6, 1) + timedelta(days=n))
    rows, stints = [], data.draw(st.lists(day, min_size=2, max_size=6, unique=True).map(sorted))
    for k in range(0, len(stints), 2):
        end = stints[k + 1] if k + 1 < len(stints) else ""
        rows.append(f"AAA,{stints[k]},{end},{'removed' if end else ''}")
    rows += ["OLD,2020-01-01,2023-12-29,renamed:NEW", "NEW,2024-01-01,,"]
    whole = read_universe(written(folder, *rows), OFFERED)
    last = data.draw(day)
    write_cut_universe(whole, folder / "cut.csv", {"AAA", "NEW", "OLD"}, str(last))
    cut = read_universe(folder / "cut.csv", OFFERED)
    panel = make_panel(np.full((300, 1), 10.0), symbols=("AAA",), start=date(2023, 6, 1))
    through = panel.clock.session < np.datetime64(last)  # of the last session the next one is not known
    shown = [with_universe(panel, one).outside[through] for one in (whole, cut)]
    np.testing.assert_array_equal(*shown)
    assert cut.heir_of("OLD") == "NEW"
    text = (folder / "cut.csv").read_text()
    dates = [cell for line in text.splitlines()[1:] for cell in line.split(",")[1:3] if cell]
    assert all(cell <= str(last) or cell.startswith("2099-12-3") for cell in dates)
