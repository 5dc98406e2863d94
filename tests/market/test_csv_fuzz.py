"""No bytes reach a bug: whatever a file holds, it loads into a sound panel or is refused in one line."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plimsoll.engine.errors import InputError
from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.market.said import Said

HEADER = "date,open,high,low,close,adj_close,volume,dividend,split"
DAYS = ("2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09")
GOOD = [f"{day},10,11,9,10.5,10.25,1000,0,1" for day in DAYS]
CELLS = st.sampled_from([
    "", " ", "0", "-0", "1", "-1", "1e308", "1e-308", "5e-324", "1e400", "inf", "-inf", "nan", "NaN", "NULL", "N/A",
    "+1", "1.", ".5", "1,5", "1_000", "0x10", "١", "$5", "10%", '"', '""', '"10', '10"', "\x00", "\ufeff", "\u2028",
    "\x1c", "\x85", "a" * 300, "9" * 400, "2024-01-02", "2024-02-30", "0001-01-01", "9999-12-31", "10000-01-01",
    "20240102", "2024-01-02 09:30", "2024-01-02T09:30:00.5", "2024-01-02 00:00:00-05:00", "24:00", "2024-1-2",
    "10.5;11", "date", "=1+1", "1e5", "1E-3", "True",
])  # fmt: skip
LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\n\r", "\r\r\n", "\x0b", "\u2028"])


@st.composite
def edited(draw: st.DrawFn) -> bytes:
    """Return a good file with cells, rows and line ends spoilt."""
    rows = [line.split(",") for line in draw(st.permutations([HEADER, *GOOD]) if draw(st.booleans()) else
                                             st.just([HEADER, *GOOD]))]  # fmt: skip
    for _ in range(draw(st.integers(0, 4))):
        row = draw(st.sampled_from(rows))
        if row and draw(st.integers(0, 4)):
            row[draw(st.integers(0, len(row) - 1))] = draw(CELLS)
        elif row and draw(st.booleans()):
            del row[draw(st.integers(0, len(row) - 1))]
        else:
            row.append(draw(CELLS))
    end = draw(LINE_ENDS)
    return end.join(",".join(row) for row in rows).encode("utf-8", "surrogatepass") + draw(
        st.sampled_from([b"", b"\n"])
    )


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """Return a good file cut, with bytes overwritten, inserted or repeated."""
    data = bytearray("\n".join([HEADER, *GOOD, ""]).encode())
    for _ in range(draw(st.integers(1, 5))):
        at, to = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
        data[at:to] = draw(st.one_of(st.binary(max_size=6), st.just(b""), st.just(bytes(data[at:to]) * 2)))
    return bytes(data)


FILES = st.one_of(edited(), mangled(), st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode()))


def sound(folder: Path, interval: str, **words: Any) -> None:
    """Load; accept a panel whose numbers make sense, or a refusal in one line."""
    try:
        panel = load_csv(folder, ["ABC"], interval=interval, **words)
    except InputError as error:
        line = str(error)
        assert len(line.splitlines()) == 1, line
        assert len(line) < 1000, line
        return
    close = panel.close[~np.isnan(panel.close)]
    assert np.isfinite(close).all()
    assert (close > 0.0).all()
    assert np.isfinite(panel.dividend).all()
    assert (panel.split > 0.0).all()
    assert not np.isinf(panel.volume).any()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FILES, st.sampled_from(["1d", "1d", "5min"]), st.sampled_from([None, "raw", "split", "adjusted"]))
def test_whatever_a_file_holds_it_loads_or_is_refused_in_one_line(
    folder: Path, data: bytes, interval: str, prices: Any
) -> None:
    (folder / "ABC.csv").write_bytes(data)
    sound(folder, interval, said=Said({} if prices is None else {"ABC": prices}))


@settings(max_examples=100, deadline=None)
@given(FILES)
def test_whatever_an_indicators_file_holds_it_loads_or_is_refused_in_one_line(folder: Path, data: bytes) -> None:
    (folder / "VIX.csv").write_bytes(data)
    (folder / "ABC.csv").write_text("\n".join([HEADER, *GOOD, ""]))
    sound(folder, "1d", indicators=["VIX"])


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whatever_a_gzip_file_holds_it_loads_or_is_refused_in_one_line(
    tmp_path_factory: Any, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("gzip")
    packed = bytearray(gzip.compress("\n".join([HEADER, *GOOD, ""]).encode(), mtime=0))
    for _ in range(data.draw(st.integers(1, 3))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    del packed[data.draw(st.integers(0, len(packed))) :]
    (folder / "ABC.csv.gz").write_bytes(bytes(packed))
    sound(folder, "1d")
