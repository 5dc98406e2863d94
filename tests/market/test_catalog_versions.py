"""Which version of a row was in force at a moment, however the pulls came, and in files of the format before."""

import hashlib
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.histories import NOW, at, changed, history, without

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.catalog.merge import merge
from plimsoll.engine.market.catalog.rewrites import rewrites
from plimsoll.engine.market.catalog.source import CatalogSource
from plimsoll.engine.market.catalog.store import Catalog, utc
from plimsoll.engine.market.catalog.table import decode, decode_known, encode
from plimsoll.engine.market.catalog.versions import Versions
from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.history import VALUES, History
from plimsoll.engine.market.jumps import KIND

_PULLS = st.lists(
    st.tuples(st.integers(0, 11), st.integers(1, 12), st.integers(0, 3), st.integers(-2, 3)), min_size=1, max_size=7
)


@settings(max_examples=40, deadline=None)
@given(pulls=_PULLS)
def test_every_moment_is_what_the_pulls_until_then_left(
    pulls: list[tuple[int, int, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole, path = history().take(slice(0, 12)), tmp_path_factory.mktemp("file") / "AAA.parquet"
    versions: Versions | None = None
    rows: dict[str, float] = {}  # by session, what is in force: a dictionary cannot get the order of versions wrong
    left: list[tuple[np.datetime64, dict[str, float]]] = []
    now = NOW
    for start, length, level, hours in pulls:  # a clock may go backwards
        now += timedelta(hours=hours)
        told = whole.take(slice(start, start + length))
        told = replace(told, close=told.close + level)
        versions, change = merge(versions, told, now)
        rows |= dict(zip(told.session.astype(str).tolist(), told.close.tolist(), strict=True))
        if change.added + change.revised:
            left.append((versions.known_at.max(), dict(rows)))
    assert versions is not None
    path.write_bytes(encode(versions)[0])
    stamps = [stamp for stamp, _ in left]
    assert stamps == sorted(set(stamps))
    for stamp, was in left:
        known = decode_known(path, stamp)
        assert dict(zip(known.history.session.astype(str).tolist(), known.history.close.tolist(), strict=True)) == was
        assert (known.first, known.last) == (stamps[0], stamp)
    assert len(decode_known(path, stamps[0] - np.timedelta64(1, "us")).history) == 0
    again = decode(path)
    assert again.known_at.tolist() == versions.known_at.tolist()
    assert np.array_equal(again.history.close, versions.history.close)


def _format_1(versions: Versions) -> bytes:
    """A file as the format before wrote it: one row group, every version by session and time."""
    own, known_at = versions.history, versions.known_at
    columns: dict[str, Any] = {"symbol": np.full(len(own), own.symbol), "session": own.session}
    columns |= {name: own.column(name) for name in VALUES} | {"source": own.source, "known_at": known_at}
    words = {n: "\n".join(c.tolist()).encode() for n, c in columns.items() if c.dtype.kind == "U"}
    words |= {n: c.astype("<i8").tobytes() for n, c in columns.items() if c.dtype.kind == "M"}
    words |= {n: np.asarray(c, dtype="<f8").tobytes() for n, c in columns.items() if c.dtype.kind == "f"}
    told: dict[str, Any] = {"format": 1, "symbol": own.symbol, "kind": own.kind}
    told |= {"notes": [note.plain() for note in versions.notes]}
    told |= {"sha256": {name: hashlib.sha256(words[name]).hexdigest() for name in columns}}
    told["seal"] = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    table = pa.table(
        {name: pa.array(column.tolist() if column.dtype.kind == "U" else column) for name, column in columns.items()}
    )
    table = table.set_column(
        table.column_names.index("known_at"), "known_at", table["known_at"].cast(pa.timestamp("us", "UTC"))
    )
    out = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({b"plimsoll": json.dumps(told).encode()}), out)
    return out.getvalue()


def test_files_of_the_format_before_are_read_at_every_moment_and_written_anew(tmp_path: Path) -> None:
    whole, later = history(), NOW + timedelta(days=1)
    jump = GateFinding("jump", "note", "AAA", "so it was", "2024-02-01")
    first, _ = merge(None, whole, NOW)
    both, _ = merge(first, changed(whole, "2024-02-01", close=200.0), later)
    catalog = Catalog(tmp_path)
    (tmp_path / "bars").mkdir()
    (tmp_path / "bars" / "AAA.parquet").write_bytes(_format_1(replace(both, notes=(jump,))))
    row = at(whole, "2024-02-01")
    for _ in range(2):
        assert catalog.known("AAA").history.close[row] == 200.0
        assert catalog.known("AAA", NOW).history.close[row] == whole.close[row]
        assert catalog.known("AAA", NOW).stood == catalog.known("AAA").stood == {"2024-02-01"}
        assert catalog.first_known("AAA") == utc(NOW)
        assert catalog.known("AAA").last == utc(later)
        catalog.store(changed(whole, "2024-02-01", close=200.0), (jump,), later)  # now as it is written today
    assert len(catalog.read("AAA").history) == len(whole) + 1


def test_a_move_that_somebody_stands_for_is_stood_for_from_then_on(tmp_path: Path) -> None:
    catalog, whole = Catalog(tmp_path), history()
    catalog.store(whole, (), NOW)
    fallen = changed(whole, "2024-03-01", close=whole.close[-1] / 3, low=whole.close[-1] / 3)
    jump = GateFinding("jump", "note", "AAA", "confirmed", "2024-03-01")
    catalog.store(fallen, (jump,), NOW + timedelta(days=1))
    catalog.store(whole, (), NOW + timedelta(days=2))  # it was an error, corrected
    known = [catalog.known("AAA", NOW + timedelta(days=day)) for day in range(3)]
    assert [bool(one.stood) for one in known] == [False, True, True]
    Catalog(tmp_path / "unsaid").store(fallen, (), NOW)
    sources = [CatalogSource(tmp_path).as_known(NOW + timedelta(days=1)), CatalogSource(tmp_path / "unsaid")]
    kinds = [[warning.kind for warning in source.load(("AAA",)).warnings] for source in sources]
    assert kinds == [[], [KIND]]


def test_a_moment_before_anything_was_known_names_the_earliest(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    catalog.store(history("AAA"), (), NOW)
    catalog.store(history("BBB"), (), NOW + timedelta(hours=1))
    source = CatalogSource(tmp_path).as_known(NOW)
    assert source.offers().symbols == {"AAA"}
    with pytest.raises(
        DataError, match=r"nothing of BBB was known as of 2024-03-01T22:00:00Z.*earliest is --as-of 2024-03-01T23:"
    ):
        source.load(("AAA", "BBB"))
    assert source.load(("AAA",)).n_bars == 42


def test_what_a_copy_cut_for_a_reload_holds_is_what_was_known(tmp_path: Path) -> None:
    catalog, whole = Catalog(tmp_path / "one"), history()
    catalog.store(whole, (), NOW)
    catalog.store(
        changed(whole, "2024-02-01", close=whole.close[at(whole, "2024-02-01")] + 0.1), (), NOW + timedelta(days=1)
    )
    source = CatalogSource(tmp_path / "one").as_known(NOW)
    assert source.cut(("AAA",), tmp_path / "two", last="2024-02-15")
    copy = CatalogSource(tmp_path / "two").as_known(NOW).load(("AAA",))
    assert copy.close[:, 0].tolist() == whole.close[: at(whole, "2024-02-15") + 1].tolist()


def test_a_flipped_bit_in_a_version_of_before_is_an_error_at_every_moment_that_reads_it(tmp_path: Path) -> None:
    catalog, whole = Catalog(tmp_path), history()
    catalog.store(whole, (), NOW)
    catalog.store(replace(whole, close=whole.close + 0.01, high=whole.high + 0.01), (), NOW + timedelta(days=1))
    path = tmp_path / "bars" / "AAA.parquet"
    sound, meta = path.read_bytes(), pq.ParquetFile(path).metadata
    begin = meta.row_group(1).column(0).file_offset or meta.row_group(1).column(2).data_page_offset
    refused = 0
    for byte in range(begin, begin + 2000, 41):
        path.write_bytes(sound[:byte] + bytes([sound[byte] ^ 4]) + sound[byte + 1 :])
        try:
            assert catalog.known("AAA", NOW).history.close.tolist() == whole.close.tolist()
        except DataError:
            refused += 1
    assert refused > 20


def test_sessions_no_longer_told_are_in_the_log_and_their_rows_stay(tmp_path: Path) -> None:
    catalog, whole = Catalog(tmp_path), history()
    catalog.store(whole, (), NOW)
    catalog.store(without(whole, "2024-02-01").take(slice(5, None)), (), NOW + timedelta(days=1))
    first, second = catalog.log.events()
    assert "untold" not in first
    assert second["untold"] == ["2024-02-01"]
    assert len(catalog.known("AAA").history) == len(whole)


def _told(pulled: list[History]) -> list[tuple[Any, ...]]:
    versions: Versions | None = None
    for day, one in enumerate(pulled):
        versions, _ = merge(versions, one, datetime(2024, 3, 4 + day, tzinfo=UTC))
    assert versions is not None
    return [one[1:5] + one[6:] for one in rewrites(versions, None, None)][1:]


def test_each_kind_of_rewrite_is_told_by_its_name() -> None:
    whole = history()
    price = float(whole.close[at(whole, "2024-02-01")])
    day = "2024-02-01"

    def one(kind: str, *rest: Any) -> list[tuple[Any, ...]]:
        return [(kind, day, day, 1, *rest)]

    paid, halved = changed(whole, day, dividend=0.5), changed(whole, day, split=2.0)
    close = round(price * 1.01, 2)
    assert _told([whole, changed(whole, day, close=close)]) == one(
        "corrected_bar", ("close",), price, close, close / price - 1.0
    )
    assert _told([whole, paid]) == one("late_dividend", ("dividend",), 0.0, 0.5, 0.5)
    assert _told([paid, whole]) == one("withdrawn_dividend", ("dividend",), 0.5, 0.0, -0.5)
    assert _told([paid, changed(whole, day, dividend=0.75)]) == one(
        "corrected_dividend", ("dividend",), 0.5, 0.75, 0.25
    )
    assert _told([whole, halved]) == one("late_split", ("split",), 1.0, 2.0, 1.0)
    assert _told([halved, whole]) == one("withdrawn_split", ("split",), 2.0, 1.0, -0.5)
    assert _told([halved, changed(whole, day, split=4.0)]) == one("corrected_split", ("split",), 2.0, 4.0, 1.0)
    volume = float(whole.volume[at(whole, day)])
    assert _told([changed(whole, day, volume=np.nan), whole]) == one(
        "corrected_volume", ("volume",), None, volume, None
    )
    assert [row[0] for row in _told([whole.take(slice(3, 20)), whole])] == ["earlier_rows", "new_rows"]
    assert [row[:4] for row in _told([without(whole, day), whole])] == one("late_rows")
    scaled = {name: np.round(whole.column(name) * np.where(np.arange(42) < 30, 0.99, 1.0), 4) for name in _PRICES}
    ((kind, first, last, rows, fields, *_, size),) = _told([whole, replace(whole, **scaled)])
    assert (kind, first, last, rows, fields) == ("restated", str(whole.session[0]), str(whole.session[29]), 30, _PRICES)
    assert size == pytest.approx(-0.01, abs=1e-6)


_PRICES = ("open", "high", "low", "close")
