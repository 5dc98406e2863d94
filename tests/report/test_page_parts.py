"""What pages are made of: lines that keep every extreme, dates that pack, text that stays text, packed files."""

import base64
import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.engine.report.page.figure_parts import bars, dates, extremes, inert, line, numbers, packed_dates
from plimsoll.engine.report.page.frame import packed, packed_within


@given(
    st.lists(st.floats(-5.0, 5.0) | st.just(float("nan")), min_size=1, max_size=400),
    st.integers(8, 120),
)
def test_a_shortened_line_keeps_ends_peaks_and_troughs(values: list[float], limit: int) -> None:
    series = np.array(values)
    at = extremes(series, limit)
    assert len(at) <= max(limit, 2)
    assert (at[0], at[-1]) == (0, len(series) - 1)
    assert (np.diff(at) > 0).all()
    if not np.isnan(series).all():
        assert np.nanmax(series[at]) == np.nanmax(series)
        assert np.nanmin(series[at]) == np.nanmin(series)


def test_every_stretch_of_a_shortened_line_keeps_its_own_extremes() -> None:
    series = np.random.default_rng(3).normal(0.0, 1.0, 5000)
    at = extremes(series, 202)
    for stretch in np.array_split(np.arange(5000), 100):  # 100 stretches, two points each, beside the two ends
        kept = np.intersect1d(stretch, at)
        assert series[kept].max() == series[stretch].max()
        assert series[kept].min() == series[stretch].min()


def test_a_line_on_a_shared_axis_says_where_its_points_are() -> None:
    values = np.sin(np.arange(3000) / 50.0)
    trace = line("x", "sessions", values, "@account", limit=100)
    at = np.cumsum(trace["at"])
    assert trace["y"] == [pytest.approx(values[k], abs=1e-6) for k in at]
    moved = line("x", "sessions", values[:50], "@account", where=np.arange(50) * 2)
    assert np.cumsum(moved["at"]).tolist() == list(range(0, 100, 2))
    assert "at" not in line("x", "sessions", values[:50], "@account")


def test_packed_dates_are_the_first_and_the_days_between() -> None:
    days = np.array(["2020-02-28", "2020-03-02", "2020-03-03"], dtype="datetime64[D]")
    assert packed_dates(dates(days)) == {"first": "2020-02-28", "gaps": [3, 1]}
    assert packed_dates([]) == {}


def test_text_cannot_be_a_tag_in_a_figure() -> None:
    hostile = '<a href="javascript:alert(1)">x</a>'
    for trace in (line(hostile, "start", np.zeros(2), "@ink"), bars(hostile, [hostile], np.zeros(1), "@ink")):
        assert "<" not in trace["name"]
    assert "<" not in bars("x", [hostile], np.zeros(1), "@ink")["x"][0]
    assert inert("A & B") == "A &amp; B"


def test_a_packed_file_unpacks_and_is_the_same_twice() -> None:
    content = b"session,equity\n2020-01-02,1.0\n" * 50
    assert gzip.decompress(base64.b64decode(packed(content))) == content
    assert packed(content) == packed(content)


@given(st.binary(max_size=3000), st.integers(1, 90), st.integers(0, 4000))
def test_a_file_is_packed_where_there_is_room_for_it_and_only_there(seed: bytes, times: int, room: int) -> None:
    content = seed * times
    found = packed_within(content, room)
    if found is None:
        assert len(packed_within(content, 10**9) or "") > room // 4 * 4
    else:
        assert len(found) <= room
        assert gzip.decompress(base64.b64decode(found)) == content
        assert found == packed(content)


@given(st.lists(st.floats(width=64), max_size=30), st.integers(2, 9))
def test_numbers_are_rounded_one_by_one(values: list[float], digits: int) -> None:
    found = numbers(np.array(values), digits)
    assert len(found) == len(values)
    for number, value in zip(found, values, strict=True):
        if not np.isfinite(value):
            assert number is None
        else:
            assert number == float(format(value, f".{digits}g"))
            assert isinstance(number, int) == float(number).is_integer()
