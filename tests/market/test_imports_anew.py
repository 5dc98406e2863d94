"""What is written anew, not passed on: every number is read back as the same, and stamps are what the texts say."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.bars import RawBars
from plimsoll.engine.market.imports.flags import Flags
from plimsoll.engine.market.imports.folder import rewritten
from plimsoll.engine.market.imports.stamps import Clock, read_stamps

NUMBERS = ("open", "high", "low", "close", "adj_close", "volume", "dividend", "split")
MOMENTS = st.lists(
    st.integers(631_152_000, 2_208_988_800).map(lambda s: datetime.fromtimestamp(s, UTC)), min_size=1, max_size=6
)


@given(moments=MOMENTS, form=st.sampled_from(["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M"]))
def test_stamps_are_what_a_reader_of_iso_texts_says(moments: list[datetime], form: str) -> None:
    texts = [f"{one:{form}}" for one in moments]
    found = read_stamps(pa.array(texts), Clock(zone="America/New_York"), Flags(), "a.csv", 1)
    told = np.array([text.replace("/", "-") for text in texts], dtype="datetime64[s]")
    days = told.astype("datetime64[D]")
    once = len(told) > 1 and len(set(days.tolist())) == len(days)  # once a day at the open: those are dates
    daily = (once and set((told - days).astype(int).tolist()) <= {0, 34_200}) or bool((told == days).all())
    np.testing.assert_array_equal(found.local, days if daily else told)
    assert found.daily == daily


@pytest.mark.parametrize("text", ["2024-02-30", "2024-03-26 24:00", "2024-03-26 09:60", "2024-03-26T09", "2024-03-2x"])
def test_what_is_no_moment_is_refused_whatever_stands_before_it(text: str) -> None:
    with pytest.raises(DataError, match=r"line [23]: "):
        read_stamps(pa.array(["2024-01-02 09:30:00"[: len(text)], text]), Clock(), Flags(zone="UTC"), "a.csv", 1)


@given(values=st.lists(st.floats(1e-9, 1e15), min_size=8, max_size=8), unknown=st.sets(st.sampled_from(NUMBERS[4:])))
@example(values=[0.1 + 0.2, 5e-324, 1.7976931348623157e308, 1e22, 123456789.12345679, 1e-7, 1.0, 3.0], unknown=set())
def test_every_number_that_is_written_is_read_back_as_itself(values: list[float], unknown: set[str]) -> None:
    columns = {name: np.array([value, np.nan if name in unknown else value]) for name, value in
               zip(NUMBERS, values, strict=True)}  # fmt: skip
    stamp = np.array(["2024-01-02", "2024-01-03"], dtype="datetime64[s]")
    data = rewritten(RawBars(symbol="SPY", where="a", interval="1d", stamp=stamp, **columns))
    head, *rows = data.decode().splitlines()
    cells = [row.split(",") for row in rows]
    assert head.split(",") == ["date", *NUMBERS]
    assert [row[0] for row in cells] == ["2024-01-02", "2024-01-03"]
    for k, name in enumerate(NUMBERS, 1):
        read = [float(row[k]) if row[k] else np.nan for row in cells]
        np.testing.assert_array_equal(read, columns[name])


@pytest.mark.realdata
def test_real_files_written_anew_hold_the_numbers_they_held(real_daily: Path, real_minute: Path) -> None:
    for path in [*sorted(real_daily.glob("*.csv")), real_minute / "SPY_1min_2024-2025.csv.gz"]:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        stamp, daily = table.columns[0], "date" in table
        given_ = {
            name: np.array([float(one or "nan") for one in table[name]]) if name in table else None for name in NUMBERS
        }
        blank = np.full(len(table), np.nan)
        prices = {name: blank if given_[name] is None else given_[name] for name in NUMBERS[:4]}
        bars = RawBars(
            symbol="X", where="a", interval="1d" if daily else "1min",
            stamp=table[stamp].to_numpy().astype("datetime64[s]"), **(given_ | prices),
        )  # fmt: skip
        written = {}
        lines = rewritten(bars).decode().splitlines()
        names, cells = lines[0].split(","), [line.split(",") for line in lines[1:]]
        for k, name in enumerate(names):
            written[name] = [row[k] for row in cells]
        assert written[stamp] == table[stamp].tolist(), path.name
        for name, values in given_.items():
            if name in written:
                np.testing.assert_array_equal([float(one or "nan") for one in written[name]], values, path.name + name)
            else:
                assert values is None or np.isnan(values).all() or np.isnan(prices["open"]).all(), (path.name, name)
