"""Tables as bytes: exact numbers, ISO dates, Parquet above a million cells."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.engine.report import table_files
from plimsoll.engine.report.table_files import file_bytes, table_bytes


def read(content: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(content), engine="python")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
def test_floats_come_back_to_the_last_bit(values: list[float]) -> None:
    suffix, content = table_bytes(pd.DataFrame({"k": range(len(values)), "x": np.array(values)}))
    assert suffix == ".csv"
    back = [float(row.split(",")[1]) for row in content.decode().splitlines()[1:]]
    assert np.array(back).tobytes() == np.array(values).tobytes()


def test_daily_stamps_are_dates_and_intraday_stamps_carry_the_time() -> None:
    days = pd.DatetimeIndex(["2024-01-02", "2024-01-03"], name="session")
    _, content = table_bytes(pd.DataFrame({"x": [1.0, 2.5]}, index=days))
    assert content == b"session,x\n2024-01-02,1\n2024-01-03,2.5\n"
    bars = pd.DatetimeIndex(["2024-01-02 09:30", "2024-01-02 09:31"], name="session")
    _, content = table_bytes(pd.DataFrame({"x": [1.0, 2.5]}, index=bars))
    assert content == b"session,x\n2024-01-02T09:30:00,1\n2024-01-02T09:31:00,2.5\n"


def test_unknown_values_are_empty_cells() -> None:
    frame = pd.DataFrame({"k": [1, 2], "x": [np.nan, 1.0], "t": ["a", None], "d": [pd.NaT, pd.Timestamp("2024-01-02")]})
    assert table_bytes(frame)[1] == b"k,x,t,d\n1,,a,\n2,1,,2024-01-02\n"


def test_a_text_with_a_comma_is_quoted_and_read_back() -> None:
    frame = pd.DataFrame({"id": ["a", "b"], "reason": ['rounded, then "cut"', "two\nlines"]})
    pd.testing.assert_frame_equal(read(table_bytes(frame)[1]), frame, check_dtype=False)


def test_a_table_without_rows_keeps_its_head() -> None:
    frame = pd.DataFrame({"session": pd.DatetimeIndex([]), "symbol": [], "qty": np.empty(0)})
    assert table_bytes(frame)[1] == b"session,symbol,qty\n"


def test_an_empty_frame_without_columns_is_written() -> None:
    suffix, content = table_bytes(pd.DataFrame(), always_parquet=True)
    assert suffix == ".parquet"
    assert len(pd.read_parquet(io.BytesIO(content))) == 0


def test_mixed_objects_become_text() -> None:
    assert table_bytes(pd.DataFrame({"leg": pd.Series([1, "x", None], dtype=object), "n": [1, 2, 3]}))[1] == (
        b"leg,n\n1,1\nx,2\n,3\n"
    )


@pytest.mark.parametrize(("rows", "names"), [(50, ["t.csv"]), (51, ["t.csv", "t.parquet"])])
def test_the_cell_limit_counts_the_index_too(monkeypatch: pytest.MonkeyPatch, rows: int, names: list[str]) -> None:
    monkeypatch.setattr(table_files, "MAX_CSV_CELLS", 100)
    frame = pd.DataFrame({"x": np.arange(rows) / 3.0}, index=pd.bdate_range("2024-01-02", periods=rows, name="session"))
    files = table_files.table_files("t", frame)
    assert list(files) == names
    assert files["t.csv"] == table_bytes(frame)[1]
    for content in list(files.values())[1:]:
        assert pd.read_parquet(io.BytesIO(content))["x"].tolist() == frame["x"].tolist()


def test_a_million_cells_is_the_limit() -> None:
    assert table_files.MAX_CSV_CELLS == 1_000_000


def test_parquet_holds_the_same_columns_and_numbers() -> None:
    days = pd.bdate_range("2024-01-02", periods=5, name="session")
    frame = pd.DataFrame({"SPY": np.arange(5) / 7.0, "TLT": [np.nan, 1.0, 2.0, 3.0, 4.0]}, index=days)
    suffix, content = table_bytes(frame, always_parquet=True)
    back = pd.read_parquet(io.BytesIO(content))
    assert suffix == ".parquet"
    assert list(back.columns) == ["session", "SPY", "TLT"]
    assert back["SPY"].to_numpy().tobytes() == frame["SPY"].to_numpy().tobytes()
    assert [str(day) for day in back["session"]] == [f"{day:%Y-%m-%d}" for day in days]


def test_a_table_is_written_to_several_files_at_once_whatever_its_texts_hold(tmp_path: Path) -> None:
    n = 5_000  # of several batches: the comma comes when some rows are written
    frame = pd.DataFrame({"k": np.arange(n), "reason": ["", *[f"row {k}" for k in range(n - 2)], 'no, "never"\nagain']})
    with (tmp_path / "t.csv").open("wb") as text, (tmp_path / "t.parquet").open("wb") as packed:
        table_files.write_table(frame, {".csv": text, ".parquet": packed})
    assert (tmp_path / "t.csv").read_bytes() == file_bytes(frame, ".csv")
    assert (tmp_path / "t.parquet").read_bytes() == file_bytes(frame, ".parquet")
    for back in (pd.read_csv(tmp_path / "t.csv", keep_default_na=False), pd.read_parquet(tmp_path / "t.parquet")):
        assert back["k"].tolist() == list(range(n))
        assert back["reason"].tolist() == frame["reason"].tolist()
