"""Imports: every layout has its right values, and what cannot be told or read is asked for or refused in one line."""

import gzip
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.import_cases import BARS, CASES, DAYS, Case

from plimsoll.engine.errors import InputError, OutputError
from plimsoll.engine.market.catalog.disk import Disk
from plimsoll.engine.market.catalog.store import Catalog
from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.market.imports.folder import place
from plimsoll.engine.market.said import Said
from plimsoll.engine.verbs.data_import import Imported, import_data
from plimsoll.engine.verbs.host import Host

HOST = Host({}, clock=lambda: datetime(2024, 3, 1, 22, tzinfo=UTC))

LEAN_DAY = """20240102 00:00,4720000,4730000,4690000,4705000,120000000
20240103 00:00,2345000,2350000,2325000,2330000,206000000
"""
LEAN_FACTORS = """20200101,0.99,0.5,100
20240102,0.99,0.5,470.5
20501231,1,1,0
"""
# 07:00 and 09:30 of New York on 2024-01-02, in milliseconds since its midnight
LEAN_MINUTE = """25200000,4690000,4691000,4689000,4690000,100
34200000,4720000,4730000,4715000,4725000,5000
34260000,4725000,4726000,4720000,4721000,4000
"""


def imported(case: Case, folder: Path, **flags: str) -> Imported:
    """Write a case's file and import it."""
    folder.mkdir(exist_ok=True)
    (folder / case.name).write_text(case.text)
    words = {name: word for name, word in flags.items() if name not in ("only", "no_dividends")}
    return import_data(
        folder / case.name,
        out=folder / "out",
        host=HOST,
        only=[flags["only"]] if "only" in flags else (),
        no_dividends="no_dividends" in flags,
        **words,
    )


def table(path: Path) -> tuple[str, dict[str, list[str]]]:
    """Return a file's header and its columns."""
    head, *rows = path.read_text().splitlines()
    return head, dict(
        zip(
            head.split(","),
            (list(column) for column in zip(*(row.split(",") for row in rows), strict=True)),
            strict=True,
        )
    )


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_layout_is_recognised_and_read_right(case: Case, tmp_path: Path) -> None:
    done = imported(case, tmp_path, **case.flags)
    assert done.complete, [one.findings for one in done.outcomes]
    name = case.symbol + ("" if case.interval == "1d" else f"_{case.interval}") + ".csv"
    head, columns = table(tmp_path / "out" / name)
    assert tuple(columns["date" if case.interval == "1d" else "datetime"]) == case.stamps
    for column, values in case.values.items():
        assert tuple(float(cell) for cell in columns[column]) == values, column
    assert not case.columns or head == case.columns


@pytest.mark.parametrize(
    "case", [one for one in CASES.values() if one.asks], ids=[k for k, v in CASES.items() if v.asks]
)
def test_what_a_file_cannot_tell_is_asked_for_in_one_line(case: Case, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        imported(case, tmp_path)
    assert "\n" not in str(caught.value)
    assert f"say {case.asks}" in str(caught.value)
    assert not (tmp_path / "out").exists()


def zipped(path: Path, member: str, text: str) -> Path:
    """Write a zip of one member."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, text)
    return path


def test_leans_zips_are_read_with_what_the_factor_file_beside_them_tells(tmp_path: Path) -> None:
    usa = tmp_path / "equity" / "usa"
    zipped(usa / "daily" / "spy.zip", "spy.csv", LEAN_DAY)
    (usa / "factor_files").mkdir()
    (usa / "factor_files" / "spy.csv").write_text(LEAN_FACTORS)
    assert import_data(tmp_path, out=tmp_path / "out", host=HOST).complete
    head, columns = table(tmp_path / "out" / "SPY.csv")
    assert head == "date,open,high,low,close,volume,dividend,split"
    assert columns["close"] == ["470.5", "233"]
    assert columns["split"] == ["1", "2"]
    assert columns["dividend"] == ["0", "2.3525"]  # 1% of 470.50, for each of two new shares


def test_leans_minutes_are_milliseconds_of_a_day_and_extended_hours_are_left_out_unless_asked_for(
    tmp_path: Path,
) -> None:
    file = zipped(tmp_path / "usa/minute/spy/20240102_trade.zip", "20240102_spy_minute_trade.csv", LEAN_MINUTE)
    done = import_data(file, out=tmp_path / "out", host=HOST)
    assert "1 bars outside regular hours left out (--extended keeps them)" in done.outcomes[0].said
    _, columns = table(tmp_path / "out" / "SPY_1min.csv")
    assert columns["datetime"] == list(BARS)
    assert columns["open"] == ["472", "472.5"]
    import_data(file, out=tmp_path / "all", extended=True, host=HOST)
    assert table(tmp_path / "all" / "SPY_1min.csv")[1]["datetime"] == ["2024-01-02 07:00:00", *BARS]


def test_files_of_a_day_each_are_joined_in_order_and_the_same_bar_twice_is_refused(tmp_path: Path) -> None:
    for day in ("20240103", "20240102"):
        zipped(tmp_path / f"usa/minute/spy/{day}_trade.zip", f"{day}_spy_minute_trade.csv", LEAN_MINUTE)
    done = import_data(tmp_path / "usa", out=tmp_path / "out", host=HOST)
    assert "2 files were joined" in done.outcomes[0].said
    assert [one[:10] for one in table(tmp_path / "out" / "SPY_1min.csv")[1]["datetime"]] == [DAYS[0]] * 2 + [
        DAYS[1]
    ] * 2
    first = tmp_path / "usa/minute/spy/20240102_trade.zip"
    with pytest.raises(InputError, match="2024-01-02 09:30:00: the bar is in two of the files"):
        import_data([first, first], host=HOST)


OURS = "date,open,high,low,close,adj_close,volume,dividend\n"
GOOD = "2024-01-02,472.0,473.00,469,470.5,470.5,120000000,0\n2024-01-03,469,470,465,466.0,466,103000000,0.00\n"


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_a_file_in_our_own_layout_is_passed_on_byte_by_byte(tmp_path: Path, suffix: str) -> None:
    text = (OURS + GOOD).encode()
    (tmp_path / f"SPY{suffix}").write_bytes(gzip.compress(text) if suffix.endswith("gz") else text)
    import_data(tmp_path / f"SPY{suffix}", out=tmp_path / "out", host=HOST)
    assert (tmp_path / "out" / "SPY.csv").read_bytes() == text


def test_a_refused_row_is_left_out_and_the_others_are_passed_on_as_they_are(tmp_path: Path) -> None:
    bad = "2024-01-04,465,1.0,463,464,464,100,0\n"
    (tmp_path / "SPY.csv").write_text(OURS + GOOD + bad)
    done = import_data(tmp_path / "SPY.csv", out=tmp_path / "out", host=HOST)
    assert not done.complete
    assert [(one.gate, one.session) for one in done.outcomes[0].findings] == [("high_below_low", "2024-01-04")]
    assert (tmp_path / "out" / "SPY.csv").read_text() == OURS + GOOD


def test_a_symbol_that_a_gate_refuses_leaves_nothing_of_any_on_disk_until_somebody_stands_for_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "AAA.csv").write_text(OURS + GOOD)
    jump = "2024-01-04,46,47,45,46,46,103000000,0\n"
    (tmp_path / "in" / "BBB.csv").write_text(OURS + GOOD + jump)
    done = import_data(tmp_path / "in", out=tmp_path / "out", host=HOST)
    assert [(one.symbol, one.state) for one in done.outcomes] == [("AAA", "checked"), ("BBB", "refused")]
    assert not (tmp_path / "out").exists()
    import_data(tmp_path / "in" / "BBB.csv", out=tmp_path / "out", confirm=["2024-01-04"], host=HOST)
    assert (tmp_path / "out" / "BBB.csv").read_text() == OURS + GOOD + jump


def test_dates_tell_their_order_where_a_day_is_above_twelve(tmp_path: Path) -> None:
    text = "Date,Open,High,Low,Close,Volume\n{},472,473,469,470.5,100\n{},469,470,465,466,100\n"
    for name, days in {"dmy": ("12/01/2024", "16/01/2024"), "mdy": ("01/12/2024", "01/16/2024")}.items():
        (tmp_path / "SPY.csv").write_text(text.format(*days))
        import_data(tmp_path / "SPY.csv", out=tmp_path / name, adjustment="all", host=HOST)
        assert table(tmp_path / name / "SPY.csv")[1]["date"] == ["2024-01-12", "2024-01-16"]


@pytest.mark.parametrize(
    ("cell", "mark", "value"),
    [
        ("1.234,50", "", 1234.5),
        ("1,234.50", "", 1234.5),
        ("472,5", "", 472.5),
        ("1,234", ",", 1.234),
        ("1,234", ".", 1234.0),
    ],
)
def test_a_decimal_mark_is_read_where_the_cells_show_it(tmp_path: Path, cell: str, mark: str, value: float) -> None:
    (tmp_path / "SPY.csv").write_text(
        "Date;Open;High;Low;Close;Volume\n" + f"2024-01-02;{cell};{cell};{cell};{cell};100\n"
    )
    import_data(tmp_path / "SPY.csv", out=tmp_path / "out", adjustment="all", decimal=mark, host=HOST)
    assert float(table(tmp_path / "out" / "SPY.csv")[1]["close"][0]) == value


REFUSED = {
    "three decimals or thousands": (
        "SPY.csv",
        "Date;Open;High;Low;Close;Volume\n2024-01-02;1,234;1,234;1,234;1,234;1\n",
        "--decimal",
    ),
    "no such day": (
        "SPY.csv",
        "Date,Open,High,Low,Close,Volume\n2024-02-30,1,1,1,1,1\n",
        "line 2: no such date, 2024-02-30",
    ),
    "a cell that is no number": (
        "SPY.csv",
        "Date,Open,High,Low,Close,Volume\n2024-01-02,1,1,x1,1,1\n",
        "line 2: low 'x1' is not a number",
    ),
    "no known layout": ("SPY.csv", "when,what\nnow,this\n", "no layout that is known begins with 'when,what'"),
    "our own minutes in another zone": (
        "SPY.csv",
        "datetime,open,high,low,close,volume\n2024-01-02 19:59:00,1,1,1,1,1\n2024-01-02 20:00:00,1,1,1,1,1\n",
        "2024-01-02 19:59:00: outside the session's hours (another zone, or extended hours?)",
    ),
    "hours of the clock": (
        "SPY.csv",
        "datetime,open,high,low,close,volume\n"
        + "".join(f"2024-01-02 {hour},1,1,1,1,1\n" for hour in ("09:30:00", "10:00:00", "11:00:00", "12:00:00")),
        "bars of whole hours of the clock",
    ),
    "weeks": (
        "SPY.csv",
        "Date,Open,High,Low,Close,Volume\n"
        + "".join(f"2023-05-{day:02d},{day},{day},{day},{day},1\n" for day in (1, 8, 15, 22))
        + "".join(f"2023-06-{day:02d},{day + 30},{day + 30},{day + 30},{day + 30},1\n" for day in (5, 12, 20, 26)),
        "holds weekly bars",
    ),
    "an empty file": ("SPY.csv", "", "the file is empty"),
    "a header alone": ("SPY.csv", "Date,Open,High,Low,Close,Volume\n", "a header but no rows"),
}


@pytest.mark.parametrize(("name", "text", "line"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_read_is_refused_in_one_line(tmp_path: Path, name: str, text: str, line: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as caught:
        import_data(
            tmp_path / name, out=tmp_path / "out", adjustment="all" if "datetime" not in text else "", host=HOST
        )
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_disk_that_fails_at_any_file_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "A.csv").write_bytes(b"before")
    for broken in range(3):
        calls = iter(range(100))

        def replacing(new: Path, path: Path, broken: int = broken, calls: Iterator[int] = calls) -> None:
            if next(calls) == broken:
                raise OSError(28, "No space left on device")
            new.replace(path)

        with pytest.raises(OutputError, match="No space left"):
            place(tmp_path, {"A.csv": b"1", "B.csv": b"2", "C.csv": b"3"}, Disk(replace=replacing), force=True)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"A.csv": b"before"}
    with pytest.raises(OutputError, match=r"A\.csv there already"):
        place(tmp_path, {"A.csv": b"1", "B.csv": b"2"}, Disk(), force=False)
    place(tmp_path, {"A.csv": b"1", "B.csv": b"2"}, Disk(), force=True)
    assert (tmp_path / "A.csv").read_bytes() == b"1"


def test_into_the_catalog_it_is_a_pull_with_its_log_its_quarantine_and_no_second_source(tmp_path: Path) -> None:
    where = {"out": "catalog", "catalog": tmp_path / "catalog", "host": HOST}
    bad = "2024-01-04,465,1.0,463,464,464,100,0\n"
    (tmp_path / "SPY.csv").write_text(OURS + GOOD + bad)
    (done,) = import_data(tmp_path / "SPY.csv", **where).outcomes
    assert (done.state, done.added, done.revised) == ("quarantined", 2, 0)
    store = Catalog(tmp_path / "catalog")
    assert store.read("SPY").current().close.tolist() == [470.5, 466.0]
    assert [str(day) for day in store.refusal("SPY").history.session] == ["2024-01-04"]
    (event,) = store.log.events()
    assert (event["event"], event["sources"], event["refused"]) == ("stored", ["file:own"], 1)
    better = "2024-01-04,465,466,463,464.5,464.5,100,0\n"
    (tmp_path / "SPY.csv").write_text(OURS + GOOD + better)
    (done,) = import_data(tmp_path / "SPY.csv", **where).outcomes
    assert (done.state, done.added, store.quarantined()) == ("stored", 1, ())
    imported_text = CASES["yahoo"].text
    (tmp_path / "y").mkdir()
    (tmp_path / "y" / "SPY.csv").write_text(imported_text)
    with pytest.raises(InputError, match="SPY is kept from file:own; rows of two sources are never mixed"):
        import_data(tmp_path / "y" / "SPY.csv", **where)
    (tmp_path / "QQQ.csv").write_text(
        "datetime,open,high,low,close,volume\n" + "".join(f"{bar},1,1,1,1,1\n" for bar in BARS)
    )
    with pytest.raises(InputError, match="the catalog holds daily bars only"):
        import_data(tmp_path / "QQQ.csv", **where)


def test_what_is_imported_is_what_a_run_reads(tmp_path: Path) -> None:
    imported(CASES["tiingo"], tmp_path)
    panel = load_csv(tmp_path / "out", ["SPY"])
    assert panel.split[:, 0].tolist() == [1.0, 2.0]
    assert panel.dividend[:, 0].tolist() == [0.0, 1.0]
    imported(CASES["alpaca minutes"], tmp_path, adjustment="raw")
    assert load_csv(tmp_path / "out", ["SPY"], interval="1min").close[:2, 0].tolist() == [472.5, 472.1]
    imported(CASES["kibot days"], tmp_path / "all", adjustment="all")
    said = Said({"SPY": "adjusted"})
    assert load_csv(tmp_path / "all" / "out", ["SPY"], said=said).open[:, 0].tolist() == [472.0, 469.0]


@pytest.mark.realdata
@pytest.mark.parametrize(("symbol", "growth"), [("SPY", 0.131), ("NVDA", 0.78)])
def test_a_real_auto_adjusted_history_shows_that_it_is_and_loses_its_actions(
    real_layouts: Path, tmp_path: Path, symbol: str, growth: float
) -> None:
    file = real_layouts / f"yfinance_auto_adjusted_{symbol}.csv"
    (done,) = import_data(file, out=tmp_path, symbol=symbol).outcomes
    assert any("prices contain splits and dividends, the file shows it" in line for line in done.said)
    panel = load_csv(tmp_path, [symbol], said=Said({symbol: "adjusted"}))
    close, days = panel.close[1:, 0], panel.clock.session[1:]
    years = (days[-1] - days[0]).astype(int) / 365.25
    assert (close[-1] / close[0]) ** (1.0 / years) - 1.0 == pytest.approx(growth, abs=5e-3)


CRSP = """PERMNO,date,TICKER,BIDLO,ASKHI,PRC,VOL,RET,OPENPRC,DIVAMT,CFACSHR
1,20240102,ABC,9.5,10.5,10,5000,C,9.9,,1
1,20240103,ABC,9.6,10.2,-9.9,0,-0.010000,,,1
1,20240104,ABC,9.7,10,9.8,4000,0.023232,9.9,0.33,1
1,20240105,ABC,,,0,-99,-66.0,,,1
1,20240108,XYZ,9.6,10.1,10,3000,0.020408,9.7,,1
"""


def test_crsp_sessions_without_a_trade_are_quotes_that_nothing_fills_at(tmp_path: Path) -> None:
    """(9.8 + 0.33) / 9.9 = 1.023232; the session without a price is a hole that the next return bridges."""
    (tmp_path / "crsp.csv").write_text(CRSP)
    assert import_data(tmp_path / "crsp.csv", out=tmp_path / "out", host=HOST).complete
    head, columns = table(tmp_path / "out" / "XYZ.csv")  # its name on the last row
    assert head == "date,open,high,low,close,volume,dividend,split"
    assert columns["date"] == ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-08"]
    assert [columns[name][1] for name in ("open", "high", "low", "close", "volume")] == ["9.9"] * 4 + ["0"]
    assert columns["dividend"] == ["0", "0", "0.33", "0"]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("0.023232", "B", "line 4: no RET on 20240104, so what the share returned since 20240103 is not known"),
        ("0.023232", "-0.523232", "line 4: RET -0.523232 is less than what PRC and the factors make, -0.010101"),
        ("9.8,4000", "9.8x,4000", "line 4: PRC '9.8x' is not a number"),
        (",4000,0.023232,9.9,0.33,1", ",4000", "line 4: 7 cells, the header has 11"),
        ("0.33,1", "0.33,0", "line 4: a factor of 0"),
        ("1,20240108", "2,20240108", "it holds 2 PERMNOs, and no TICKER tells whose they are"),
    ],
)
def test_what_a_crsp_file_cannot_tell_is_one_line(tmp_path: Path, before: str, after: str, words: str) -> None:
    text = CRSP.replace(before, after)
    if "PERMNOs" in words:
        text = text.replace("XYZ", "")
    (tmp_path / "crsp.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        import_data(tmp_path / "crsp.csv", out=tmp_path / "out", host=HOST)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.realdata
def test_a_real_crsp_file_of_a_fund_that_pays_nothing_returns_what_its_prices_do(
    real_layouts: Path, tmp_path: Path
) -> None:
    (done,) = import_data(real_layouts / "crsp_GLD.csv", out=tmp_path).outcomes
    assert (done.symbol, done.rows) == ("GLD", 1793)
    raw = [line.split(",") for line in (real_layouts / "crsp_GLD.csv").read_text().splitlines()[1:]]
    _, columns = table(tmp_path / "GLD.csv")
    assert [float(cell) for cell in columns["adj_close"]] == pytest.approx([float(row[2]) for row in raw], rel=1e-9)


@pytest.mark.realdata
def test_real_futures_under_a_funds_name_are_refused(real_layouts: Path, tmp_path: Path) -> None:
    (done,) = import_data(real_layouts / "mislabelled_SPY.csv", out=tmp_path / "out", symbol="SPY").outcomes
    assert done.state == "refused"
    assert "another_exchange" in {one.gate for one in done.findings if one.severity == "symbol"}
    assert not (tmp_path / "out").exists()


ACTED = (
    "2024-01-02,100,102,99,101,9000,0,1\n2024-01-03,101,103,100,102,9100,0.25,1\n"
    "2024-01-04,51,52,50,51,18000,0,2\n2024-01-05,51,53,50,52,18100,0,1\n"
)


@pytest.mark.parametrize("head", ["Dividend,Split", "Dividends,Stock Splits", "DIVIDEND,SPLITS"])
@pytest.mark.parametrize("first", ["Date", "Time"])
def test_what_was_paid_and_split_is_read_whatever_the_case_of_its_column(tmp_path: Path, head: str, first: str) -> None:
    file = tmp_path / ("CAP.csv" if first == "Date" else "CAP, 1D.csv")
    file.write_text(f"{first},Open,High,Low,Close,Vol,{head}\n{ACTED}")
    (done,) = import_data(file, out=tmp_path / "out", adjustment="raw", host=HOST).outcomes
    assert "not read: Vol" in done.said
    _, columns = table(tmp_path / "out" / "CAP.csv")
    assert (columns["dividend"], columns["split"]) == (["0", "0.25", "0", "0"], ["1", "1", "2", "1"])
    with pytest.raises(InputError, match="1 dividends are listed, the last on 2024-01-03"):
        import_data(file, out=tmp_path / "none", adjustment="raw", no_dividends=True, host=HOST)
    assert not (tmp_path / "none").exists()


def test_an_adjusted_close_of_a_plain_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "CAP.csv").write_text(
        "Date,Open,High,Low,Close,Adj Close,Note\n2024-01-02,10,11,9,10,9.9,a\n2024-01-03,10,11,9,10,10,b\n"
    )
    (done,) = import_data(tmp_path / "CAP.csv", out=tmp_path / "out", adjustment="raw", host=HOST).outcomes
    assert "not read: Note" in done.said
    assert table(tmp_path / "out" / "CAP.csv")[1]["adj_close"] == ["9.9", "10"]


def test_a_file_that_begins_badly_is_not_told_of_a_flag_that_an_import_has_not(tmp_path: Path) -> None:
    days = [f"2024-01-{day:02d}" for day in (2, 3, 4, 5, 8, 9, 10, 11, 12, 16, 17, 18, 19, 22, 23, 24, 25, 26)]
    bad = [f"{day},10,8,9,10,1000,0,1\n" for day in days[:12]]
    good = [f"{day},10,11,9,{10 + k / 100},{1000 + k},0,1\n" for k, day in enumerate(days[12:])]
    (tmp_path / "CAP.csv").write_text("date,open,high,low,close,volume,dividend,split\n" + "".join(bad + good))
    (done,) = import_data(tmp_path / "CAP.csv", host=HOST).outcomes
    (said,) = (one.text for one in done.findings if one.gate == "many_bad_rows")
    assert said == "12 of 18 rows are refused, the last on 2024-01-18; begin after it"


def test_nothing_is_said_to_be_written_where_nothing_of_it_was_stored(tmp_path: Path) -> None:
    (tmp_path / "CAP.csv").write_text(
        "date,open,high,low,close,volume,dividend,split\n2024-01-02,10,11,9,10,1000,25,1\n2024-01-03,9,9,8,9,1,90,1\n"
    )
    done = import_data(tmp_path / "CAP.csv", out="catalog", catalog=tmp_path / "kept", host=HOST)
    assert [(one.state, one.rows) for one in done.outcomes] == [("quarantined", 0)]
    assert done.out == ""
