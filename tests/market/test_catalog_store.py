"""What is stored is read back, what changed is kept beside what it was, and what was harmed is never a price."""

import hashlib
import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.catalogs import catalog_of
from support.histories import NOW, at, changed, history, without

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.catalog.source import CatalogSource
from plimsoll.engine.market.catalog.store import Catalog, default_catalog
from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.history import VALUES, History


def _same(one: History, other: History) -> bool:
    return all(np.array_equal(getattr(one, n), getattr(other, n), equal_nan=True) for n in VALUES) and np.array_equal(
        one.session, other.session
    )


def test_what_is_stored_is_read_back_with_when_it_became_known(tmp_path: Path) -> None:
    whole = changed(history(), "2024-02-01", volume=np.nan, dividend=0.37)
    catalog = Catalog(tmp_path)
    assert catalog.store(whole, (), NOW) == (len(whole), 0)
    found = catalog.read("AAA")
    assert _same(found.current(), whole)
    assert found.history.source.tolist() == ["yahoo"] * len(whole)
    assert set(found.known_at.tolist()) == {NOW.replace(tzinfo=None)}


def test_storing_the_same_again_adds_nothing(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    catalog.store(history(), (), NOW)
    assert catalog.store(history(), (), NOW + timedelta(days=1)) == (0, 0)


def test_single_precision_noise_is_no_revision(tmp_path: Path) -> None:
    catalog, whole = Catalog(tmp_path), history()
    catalog.store(whole, (), NOW)
    told_again = replace(whole, close=whole.close.astype(np.float32).astype(np.float64))
    assert catalog.store(told_again, (), NOW) == (0, 0)


def test_a_revised_row_is_in_force_and_the_old_one_is_kept(tmp_path: Path) -> None:
    catalog, whole = Catalog(tmp_path), history()
    catalog.store(whole, (), NOW)
    later = NOW + timedelta(days=3)
    new_close = whole.close[at(whole, "2024-02-01")] + 0.05
    assert catalog.store(changed(whole, "2024-02-01", close=new_close), (), later) == (0, 1)
    found = catalog.read("AAA")
    both = found.history.session == np.datetime64("2024-02-01")
    assert found.history.close[both].tolist() == [whole.close[at(whole, "2024-02-01")], new_close]
    assert found.known_at[both].tolist() == [NOW.replace(tzinfo=None), later.replace(tzinfo=None)]
    assert found.current().close[at(whole, "2024-02-01")] == new_close


def test_a_session_the_source_no_longer_tells_stays(tmp_path: Path) -> None:
    catalog, whole = Catalog(tmp_path), history()
    catalog.store(whole, (), NOW)
    catalog.store(without(whole, "2024-02-01", "2024-02-02"), (), NOW)
    assert _same(catalog.read("AAA").current(), whole)


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.tuples(st.integers(0, 40), st.integers(1, 41)), min_size=1, max_size=5))
def test_pulls_of_any_slices_in_any_order_end_in_the_same_rows(
    cuts: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = history()
    catalog = Catalog(tmp_path_factory.mktemp("slices"))
    for start, length in cuts:
        catalog.store(whole.take(slice(start, start + length)), (), NOW)
    covered = np.zeros(len(whole), dtype=bool)
    for start, length in cuts:
        covered[start : start + length] = True
    assert _same(catalog.read("AAA").current(), whole.take(covered))


def test_the_same_sessions_give_the_same_bars_whatever_was_asked_for(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    split = np.ones(42)
    split[20] = 2.0
    one = history("AAA")
    close = one.close.copy()
    close[20:] /= 2.0
    halves = {name: np.where(np.arange(42) >= 20, one.column(name) / 2, one.column(name)) for name in ("open", "high")}
    low = np.where(np.arange(42) >= 20, one.low / 2, one.low)
    catalog.store(replace(one, close=close, low=low, split=split, **halves), (), NOW)
    catalog.store(history("BBB"), (), NOW)
    catalog.store(history("VIX", index=True), (), NOW)
    wide = CatalogSource(tmp_path).load(("AAA", "BBB"), ("VIX",))
    narrow = CatalogSource(tmp_path).load(("AAA",), start=date(2024, 1, 22), end=date(2024, 2, 15))
    rows = np.isin(wide.clock.session, narrow.clock.session)
    assert np.array_equal(wide.block[:, rows, :1], narrow.block, equal_nan=True)
    assert np.array_equal(wide.high[rows, :1], narrow.high)
    assert wide.indicator[:, 0].tolist() == history("VIX", index=True).close.tolist()


def test_duckdb_and_pandas_read_the_files_as_they_are(tmp_path: Path) -> None:
    import duckdb
    import pandas as pd

    catalog = Catalog(tmp_path)
    catalog.store(changed(history("AAA"), "2024-02-01", volume=np.nan), (), NOW)
    catalog.store(history("BBB"), (), NOW)
    count, unknown, latest = duckdb.execute(
        "select count(*), count(*) filter (volume is null), max(known_at at time zone 'UTC') "
        f"from '{tmp_path}/bars/*.parquet' where symbol in ('AAA', 'BBB')"
    ).fetchall()[0]
    assert (count, unknown, latest) == (84, 1, NOW.replace(tzinfo=None))
    frame = pd.read_parquet(tmp_path / "bars" / "AAA.parquet")
    assert frame["close"].tolist() == history("AAA").close.tolist()
    assert str(frame["known_at"].dtype) == "datetime64[us, UTC]"


def test_who_reads_the_files_as_they_are_finds_what_a_price_was_before_but_not_among_the_prices(tmp_path: Path) -> None:
    import duckdb

    catalog = Catalog(tmp_path)
    catalog.store(history("AAA"), (), NOW)
    catalog.store(changed(history("AAA"), "2024-02-01", close=99.5), (), NOW + timedelta(days=1))
    rows = duckdb.execute(
        f"select close, past from '{tmp_path}/bars/AAA.parquet' where session = '2024-02-01' order by known_at"
    ).fetchall()
    assert [row[0] for row in rows] == [None, 99.5]
    session, known_at, until = np.frombuffer(rows[0][1], "<i8", 3)
    assert [session, known_at, until - known_at] == [19754, int(NOW.timestamp() * 1e6), 86_400 * 10**6]
    was = dict(zip(VALUES, np.frombuffer(rows[0][1], "<f8", offset=24), strict=True))
    assert was["close"] == history("AAA").close[history("AAA").session == np.datetime64("2024-02-01")][0]
    assert rows[1][1] is None


def test_the_schema_of_a_file_is_what_its_page_says(tmp_path: Path) -> None:
    Catalog(tmp_path).store(history(), (), NOW)
    schema = pq.read_schema(tmp_path / "bars" / "AAA.parquet")
    shown = (
        "session",
        "close",
        "split",
        "known_at",
        "past",
    )  # no number of a version of before is in a column of its own
    assert [(field.name, str(field.type), field.nullable) for field in schema if field.name in shown] == [
        ("session", "date32[day]", False),
        ("close", "double", True),
        ("split", "double", True),
        ("known_at", "timestamp[us, tz=UTC]", False),
        ("past", "fixed_size_binary[88]", True),
    ]


@pytest.mark.parametrize("group", [0, 1], ids=["in force", "superseded"])
@pytest.mark.parametrize("session", [False, True], ids=["a price", "a session"])
def test_another_number_under_a_sound_page_is_damage(tmp_path: Path, group: int, session: bool) -> None:
    """What a tool rewrote keeps every checksum of Parquet's own; those of the metadata are over the values."""
    import pyarrow as pa

    catalog = Catalog(tmp_path)
    catalog.store(history(), (), NOW)
    catalog.store(changed(history(), "2024-02-01", close=99.5), (), NOW + timedelta(days=1))
    path = tmp_path / "bars" / "AAA.parquet"
    with pq.ParquetFile(path) as file:
        groups = [file.read_row_group(k) for k in range(file.num_row_groups)]
    table = groups[group]
    name = "session" if session else "close" if group == 0 else "past"
    cells = table.column(name).to_pylist()
    cells[0] = {"session": date(2024, 1, 1), "close": 1.0, "past": bytes(88)}[name]
    at = table.column_names.index(name)
    groups[group] = table.set_column(at, table.schema.field(name), pa.array(cells, table.schema.field(name).type))
    with pq.ParquetWriter(path, table.schema, write_page_checksum=True) as writer:
        for one in groups:
            writer.write_table(one)
    with pytest.raises(DataError, match="checksum"):
        catalog.read("AAA")
    if group == 0 or name == "past":
        with pytest.raises(DataError, match="checksum"):
            catalog.known("AAA", NOW)


def test_no_flipped_bit_anywhere_becomes_a_price(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    whole = history()
    catalog.store(whole, (), NOW)
    path = tmp_path / "bars" / "AAA.parquet"
    sound = path.read_bytes()
    refused = 0
    for at_byte in range(0, len(sound), 7):
        path.write_bytes(sound[:at_byte] + bytes([sound[at_byte] ^ (1 << at_byte % 8)]) + sound[at_byte + 1 :])
        try:
            assert _same(catalog.read("AAA").current(), whole)
        except DataError as error:  # most bytes refuse, a few mean nothing
            if "AAA.parquet" not in str(error):
                raise
            refused += 1
    assert refused > len(sound) / 7 / 2  # much of a small file is a footer that says things twice


@pytest.mark.parametrize("length", [0, 1, 100, -1])
def test_a_file_cut_short_is_named(tmp_path: Path, length: int) -> None:
    catalog = Catalog(tmp_path)
    catalog.store(history(), (), NOW)
    path = tmp_path / "bars" / "AAA.parquet"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DataError, match=r"AAA\.parquet: is damaged .*; restore the file"):
        catalog.read("AAA")


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    import pandas as pd

    (tmp_path / "bars").mkdir()
    pd.DataFrame({"close": [1.0]}).to_parquet(tmp_path / "bars" / "AAA.parquet")
    with pytest.raises(DataError, match="is no file of a catalog"):
        Catalog(tmp_path).read("AAA")


@pytest.mark.realdata
def test_a_catalog_of_the_real_files_is_the_panel_of_the_real_files(real_daily: Path, tmp_path: Path) -> None:
    symbols = ("DBMF", "IEF", "SPY", "SVOL", "TQQQ", "UUP")  # sparse, plain, and two known by adjusted closes alone
    files = load_csv(real_daily, symbols, ("VIX",), start=date(2019, 1, 2))
    catalog_of(files, tmp_path)
    stored = CatalogSource(tmp_path).load(symbols, ("VIX",))
    assert stored.adjusted_only == files.adjusted_only == ("SVOL", "UUP")
    assert stored.data_hash == files.data_hash


def test_an_index_is_never_traded(tmp_path: Path) -> None:
    Catalog(tmp_path).store(history("VIX", index=True), (), NOW)
    with pytest.raises(DataError, match=r"VIX is an index and cannot be traded.*list it under indicators"):
        CatalogSource(tmp_path).load(("VIX",))


def test_a_symbol_that_is_not_there_is_named_with_what_is(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    catalog.store(history("SPY"), (), NOW)
    with pytest.raises(DataError, match=r"no bars of 'SPX'; pull them first|did you mean 'SPY'"):
        catalog.read("SPX")
    with pytest.raises(DataError, match="no bars in the catalog; fetch some"):
        CatalogSource(tmp_path / "none").offers()


def test_what_is_in_quarantine_is_named_and_settled_by_the_next_clean_pull(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    catalog.store(history(), (), NOW)
    finding = GateFinding("high_below_low", "row", "AAA", "AAA, 2024-03-01: high below low", "2024-03-01")
    catalog.store(history().take(slice(0, 41)), (finding,), NOW, history().take(slice(41, 42)))
    assert catalog.quarantined() == ("AAA",)
    assert catalog.refusal("AAA").notes == (finding,)
    assert [w.kind for w in CatalogSource(tmp_path).load(("AAA",)).warnings] == ["quarantined"]
    catalog.store(history(), (), NOW)
    assert catalog.quarantined() == ()


def test_the_log_holds_every_event_in_order_and_every_line_stands_on_the_one_before(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    catalog.store(history("AAA"), (), NOW)
    catalog.store(history("BBB"), (), NOW)
    catalog.confirm("AAA", [date(2024, 2, 1)], NOW)
    assert [(e["event"], e["symbol"]) for e in catalog.log.events()] == [
        ("stored", "AAA"),
        ("stored", "BBB"),
        ("confirmed", "AAA"),
    ]
    assert catalog.confirmed() == {"AAA": frozenset({date(2024, 2, 1)})}
    path = tmp_path / "log.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    for harmed in ([lines[0], lines[2]], [lines[1], lines[0], lines[2]], [lines[0].replace("AAA", "AAB"), *lines[1:]]):
        path.write_text("".join(harmed))
        with pytest.raises(DataError, match="of the log is damaged"):
            list(catalog.log.events())


def test_an_unfinished_last_line_was_never_said_and_the_next_writer_cuts_it(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    long = GateFinding("missing_sessions", "note", "AAA", "x" * 200_000)
    for _ in range(2):
        catalog.store(history("AAA"), (long,), NOW)
        path = tmp_path / "log.jsonl"
        path.write_bytes(path.read_bytes() + b'{"event": "stored", "symb')
        catalog.confirm("AAA", [date(2024, 2, 1)], NOW)
    assert [event["event"] for event in catalog.log.events()] == ["stored", "confirmed", "stored", "confirmed"]
    path.write_bytes(b'{"event": "stored", "symb')
    catalog.confirm("AAA", [date(2024, 2, 1)], NOW)
    assert [event["event"] for event in catalog.log.events()] == ["confirmed"]


def test_the_digest_in_the_log_is_that_of_the_file(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    catalog.store(history(), (), NOW)
    told = json.loads(pq.read_schema(tmp_path / "bars" / "AAA.parquet").metadata[b"plimsoll"])
    close = np.ascontiguousarray(history().close, dtype="<f8").tobytes()
    assert told["sha256"]["close"] == hashlib.sha256(close).hexdigest()
    seal = told.pop("seal")
    assert seal == hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    assert [event["digest"] for event in catalog.log.events()] == [seal] == [catalog.read("AAA").digest]


def test_the_catalog_is_where_the_environment_says(tmp_path: Path) -> None:
    assert default_catalog({"PLIMSOLL_CATALOG": "/x"}, tmp_path) == Path("/x")
    assert default_catalog({"XDG_DATA_HOME": "/d"}, tmp_path) == Path("/d/plimsoll/catalog")
    assert default_catalog({}, tmp_path) == tmp_path / ".local/share/plimsoll/catalog"
