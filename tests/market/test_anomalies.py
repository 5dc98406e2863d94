"""What is known to be wrong in the real files, row by row: seen by the gates, or not visible in the files and why."""

import gzip
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.verbs.data_import import Imported, import_data
from plimsoll.engine.verbs.host import Host

pytestmark = pytest.mark.realdata
HOST: Final = Host({}, clock=lambda: datetime(2026, 5, 4, 22, tzinfo=UTC))


@dataclass(frozen=True)
class Known:
    """An anomaly of the collection's own list. seen : symbol, gate, session of what is said of it.

    note : what the findings are and are not, and which part of the anomaly no file shows.
    """

    seen: frozenset[tuple[str, str, str]]
    note: str


def known(note: str, *seen: tuple[str, str, str]) -> Known:
    return Known(frozenset(seen), note)


KNOWN: Final[dict[int, Known]] = {
    1: known(
        "That another vendor has 2.48 is not in the file, which has the 4.04 of two. Seen is what sends a person to"
        " look it up: a payment above a tenth of the price.",
        ("KMLM", "dividend_large", "2022-12-28"),
    ),
    2: known(
        "Not visible: the file is one vendor's adjusted closes, no price and no dividend beside them, no other file has"
        " the symbol, and the session's return is an ordinary one (below). All that can be said is that nothing it paid"
        " can be checked, on any day.",
        ("PFIX", "adjusted_only", "2021-05-11"),
    ),
    3: known(
        "Seen beside the others alone: the row was taken out, and the file ends a session before the rest.",
        ("SGOV", "ends_early", "2026-04-30"),
    ),
    4: known(
        "Seen twice: fewer shares than prices to 2011-06-09, the 29 sessions of no share among them, and prices in"
        " steps of a dollar or more, so that a share is a round lot of then or more, to 2022-01-12. The list says that"
        " volume is unusable before 2020, the gate says so of two years more: then a share is 125 of then.",
        ("SQQQ", "volume_below_prices", "2010-02-11"),
        ("SQQQ", "volume_coarse", "2010-02-11"),
    ),
    5: known("Seen.", ("PDBC", "volume_zero", "2014-11-14"), ("TAIL", "volume_zero", "2017-07-14")),
    6: known(
        "Seen beside QQQ; each fund's own file does not show it.",
        ("TQQQ", "leverage_gap", "2020-03-17"),
        ("SQQQ", "leverage_gap", "2020-03-17"),
    ),
    7: known("Seen.", ("VIX", "flat_prices", "1990-01-02")),
    8: known(
        "Seen where a close stands beside the adjusted one, on the last such row; PFIX has no close, so not of it.",
        ("EEM", "adjusted_later", "2026-05-01"),
        ("DBMF", "adjusted_later", "2026-05-01"),
        ("TAIL", "adjusted_later", "2023-09-01"),
        ("SVOL", "adjusted_later", "2024-07-10"),
    ),
    9: known("Seen by volumes that were rounded and are not.", ("EEM", "source_change", "2025-09-29")),
    10: known("Not visible: the row is in no file, all of them end before it (below)."),
}
# Said in the collection's tables, not in its list of anomalies.
TABLES: Final = known(
    "Sessions without a trade, and rows of adjusted closes alone.",
    ("DBMF", "missing_sessions", "2019-06-12"),
    ("KMLM", "missing_sessions", "2020-12-21"),
    ("TAIL", "flat_prices", "2023-09-05"),
    ("SVOL", "adjusted_only", "2021-05-13"),
    ("USL", "adjusted_only", "2007-12-06"),
    ("UUP", "adjusted_only", "2007-03-01"),
)
# Named although no vendor is known to differ. They are as large as KMLM's or larger, adj_close has them, and nothing in
# a file tells the one that vendors dispute from the ones that they do not: the same question is asked of all five.
ASKED_TOO: Final = frozenset(
    {
        *(("PDBC", "dividend_large", day) for day in ("2021-12-03", "2021-12-20", "2022-12-19")),
        ("TMF", "dividend_large", "2009-11-20"),
    }
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("daily")


@pytest.fixture(scope="module")
def daily(real_daily: Path, folder: Path) -> Imported:
    return import_data(real_daily, out=folder, host=HOST)


@pytest.fixture(scope="module")
def found(daily: Imported) -> set[tuple[str, str, str]]:
    return {(one.symbol, one.gate, one.session) for each in daily.outcomes for one in each.findings}


def test_nothing_is_kept_out_and_every_file_is_passed_on_byte_by_byte(
    real_daily: Path, daily: Imported, folder: Path
) -> None:
    assert daily.complete
    for path in real_daily.glob("*.csv"):
        assert (folder / path.name).read_bytes() == path.read_bytes(), path.name


def test_each_anomaly_of_the_list_has_a_row_here(real_daily: Path) -> None:
    text = (real_daily.parent / "PROVENANCE.md").read_text().partition("## Anomalies")[2].partition("\n## ")[0]
    assert [int(number) for number in re.findall(r"^(\d+)\. ", text, re.MULTILINE)] == list(KNOWN)


@pytest.mark.parametrize("number", KNOWN)
def test_what_a_row_says_is_seen_is_seen(number: int, found: set[tuple[str, str, str]]) -> None:
    assert KNOWN[number].seen <= found, KNOWN[number].note


def test_nothing_else_is_said_of_any_file(found: set[tuple[str, str, str]]) -> None:
    expected = frozenset[tuple[str, str, str]]().union(*(row.seen for row in KNOWN.values()))
    assert found == expected | TABLES.seen | ASKED_TOO


def test_the_disputed_day_of_a_file_of_adjusted_closes_is_an_ordinary_one(real_daily: Path) -> None:
    """Row 2: a payment of 2.5 to 3% that is missing would be a fall of as much; the fund rose by 0.2%."""
    assert [path.name for path in real_daily.parent.rglob("*PFIX*")] == ["PFIX.csv"]
    header, *lines = (real_daily / "PFIX.csv").read_text().splitlines()
    cells = dict(zip(header.split(","), zip(*(line.split(",") for line in lines), strict=True), strict=True))
    assert not any(cell for name in ("open", "high", "low", "close", "volume") for cell in cells.get(name, ()))
    ret = np.diff(np.log(np.array(cells["adj_close"], dtype=float)))
    at = cells["date"].index("2023-12-26") - 1
    before = ret[at - 60 : at]
    assert 0.0 < ret[at] < 0.2 * before.std()  # nearer to 0 than most days are


def test_the_volume_that_is_no_measure_is_named_for_the_whole_time_that_the_list_names(daily: Imported) -> None:
    """Row 4, and that nothing from the end of that time on is named."""
    (sqqq,) = (one for one in daily.outcomes if one.symbol == "SQQQ")
    (steps,) = (one for one in sqqq.findings if one.gate == "volume_coarse")
    last = re.search(r"up to (\d{4}-\d\d-\d\d)", steps.text)
    assert last is not None
    assert last[1] == "2022-01-12"  # the eve of a 1-for-5 reverse split; from then on a share was 25
    assert date.fromisoformat(last[1]) >= date(2019, 12, 31)
    (fewer,) = (one for one in sqqq.findings if one.gate == "volume_below_prices")
    assert "the last 2011-06-09" in fewer.text


def test_no_row_lies_after_the_common_end(real_daily: Path) -> None:
    """Row 10."""
    panel = load_csv(real_daily, [path.stem for path in real_daily.glob("*.csv") if path.stem != "VIX"])
    assert str(panel.clock.session[-1]) == "2026-05-01"


def test_real_minutes_are_passed_on_byte_by_byte_and_the_session_that_is_cut_off_is_all_that_is_said(
    real_minute: Path, tmp_path: Path
) -> None:
    """Two intervals of one symbol are two files; of all five files one is known to end within a session."""
    done = import_data(real_minute, out=tmp_path, host=HOST)
    for path in real_minute.glob("*.csv.gz"):
        written = tmp_path / f"{'_'.join(path.name.split('_')[:2])}.csv"
        assert written.read_bytes() == gzip.decompress(path.read_bytes()), path.name
    said = [(one.interval, f.symbol, f.gate, f.session) for one in done.outcomes for f in one.findings]
    assert said == [("1min", "SPY", "cut_session", "2025-04-02")]
