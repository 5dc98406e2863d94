"""A vendor rewrites history every day of a year: what was known on each of its days can be had again, and explained."""

import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.restating_vendor import FACTOR, LATE_AT, N_BEFORE, N_DAYS, PAYS_AT, SYMBOLS, UNTOLD_AT, RestatingVendor

from plimsoll.engine.market.catalog.rewrites import GROWTH, Rewrite
from plimsoll.engine.market.catalog.source import CatalogSource
from plimsoll.engine.report.folder import folder_files
from plimsoll.engine.report.result import Result, record_of
from plimsoll.engine.verbs.backtest import backtest
from plimsoll.engine.verbs.data_diff import diff_data

SAMPLED = (40, 100, 180, 240)  # days on which the store was copied as it stood
SPANS = ((0, N_DAYS - 1), (17, 18), (40, 100), (94, 101), (139, 152), (150, 250))


@dataclass(frozen=True)
class Year:
    """The store after the year, what was read on each evening, and the store as it stood on some of them."""

    vendor: RestatingVendor
    root: Path
    read: tuple[tuple[str, str], ...]
    stood: dict[int, Path]


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Year:
    folder = tmp_path_factory.mktemp("year")
    vendor, root, read, stood = RestatingVendor(), folder / "catalog", [], {}
    for day in range(N_DAYS):
        vendor.pull(root, day)
        panel = CatalogSource(root).load(SYMBOLS)
        read.append((panel.data_hash, panel.known_at))
        if day in SAMPLED:
            stood[day] = Path(shutil.copytree(root, folder / f"day{day}"))
    return Year(vendor, root, tuple(read), stood)


def _day(vendor: RestatingVendor, day: int) -> date:
    return vendor.evening(day).date()


def _run(root: Path, **given: Any) -> Result:
    params = {"symbols": list(SYMBOLS), "lookback_bars": 20, "rebalance": "5"}
    sleeve = {"name": "s", "strategy": "inverse_vol", "params": params}
    config = {"run": {"name": "year"}, "data": {"source": "catalog", "path": str(root)}, "sleeve": [sleeve]}
    return backtest(config, **given)


def test_the_panel_of_every_evening_is_had_again(year: Year) -> None:
    assert len({data_hash for data_hash, _ in year.read}) == N_DAYS
    for day, was in enumerate(year.read):
        panel = CatalogSource(year.root).as_known(year.vendor.evening(day)).load(SYMBOLS)
        assert (panel.data_hash, panel.known_at) == was


@pytest.mark.parametrize("day", SAMPLED)
def test_a_run_as_of_a_day_is_the_run_of_that_day_to_the_bit(year: Year, day: int) -> None:
    then = _run(year.stood[day])
    again = _run(year.root, as_of=_day(year.vendor, day))
    assert again.equity.to_numpy().tobytes() == then.equity.to_numpy().tobytes()
    assert again.config_hash == then.config_hash
    assert again.env["as_of"] == str(_day(year.vendor, day))
    files, others = (folder_files(record_of(one), one.metrics) for one in (then, again))
    moved = {
        "config.toml",
        "env.json",
        "metrics.json",
        "report.html",
    }  # they name the folder of the store, or the moment
    assert {name: files[name] for name in files.keys() - moved} == {
        name: others[name] for name in others.keys() - moved
    }
    assert {**then.metrics["run"], "source": ""} == {**again.metrics["run"], "source": ""}
    known_at = then.env["known_at"]  # what a run without a moment says of itself leads back to it as well
    assert _run(year.root, as_of=known_at).equity.to_numpy().tobytes() == then.equity.to_numpy().tobytes()


def test_the_run_of_a_day_differs_from_todays_on_the_same_sessions(year: Year) -> None:
    last = _day(year.vendor, 180)
    then, now = _run(year.root, as_of=last), _run(year.root, end=last)
    assert then.equity.index.equals(now.equity.index)
    assert abs(_end(then) - _end(now)) > 1.0


def _end(result: Result) -> float:
    return float(result.equity["equity"].iloc[-1])


def _cell(one: Rewrite) -> tuple[str, str, str, float | None, float | None]:
    return one.symbol, one.first, one.kind, one.before, one.after


@pytest.mark.parametrize(("since", "until"), SPANS)
def test_diff_tells_what_the_vendor_did_and_nothing_else(year: Year, since: int, until: int) -> None:
    vendor, days = year.vendor, (_day(year.vendor, since), _day(year.vendor, until))
    found = diff_data(year.root, since=days[0], until=days[1])
    told = [one for one in found.rewrites if one.kind not in GROWTH]
    session = vendor.session.astype(str)
    single = {_cell(one) for one in told if one.kind not in ("restated", "late_rows", "untold_row")}
    assert single == {
        (one.symbol, session[one.row], one.kind, one.before, one.after)
        for one in vendor.told
        if since < one.day <= until
    }
    restated = {(one.first, one.last, one.rows, one.known_at[:10]) for one in told if one.kind == "restated"}
    assert restated == {
        (session[0], session[at - 1], at, session[at]) for at in PAYS_AT if since < at + 1 - N_BEFORE <= until
    }
    assert all(one.size == pytest.approx(FACTOR - 1.0, abs=1e-6) for one in told if one.kind == "restated")
    others = {(one.kind, one.symbol, one.first) for one in told if one.kind in ("late_rows", "untold_row")}
    came = [
        ("late_rows", "AAA", LATE_AT, LATE_AT + 3 - N_BEFORE),
        ("untold_row", "BBB", UNTOLD_AT, UNTOLD_AT + 11 - N_BEFORE),
    ]
    assert others == {(kind, symbol, session[at]) for kind, symbol, at, day in came if since < day <= until}
    assert found.same is (not told)


@pytest.mark.parametrize(("since", "until"), [(40, 100), (94, 101), (150, 250)])
def test_every_cell_in_which_two_panels_differ_is_in_an_entry_and_only_those(
    year: Year, since: int, until: int
) -> None:
    source, vendor = CatalogSource(year.root), year.vendor
    old, new = (source.as_known(vendor.evening(day)).load(SYMBOLS) for day in (since, until))
    blocks = [np.concatenate([one.block, one.high[None], one.low[None]]) for one in (old, new)]
    both = blocks[1][:, : old.n_bars]
    differs = ((blocks[0] != both) & ~(np.isnan(blocks[0]) & np.isnan(both))).any(axis=0)
    found = diff_data(year.root, since=_day(vendor, since), until=_day(vendor, until)).rewrites
    explained = np.zeros_like(differs)
    for one in found:
        if one.kind != "untold_row":  # its row stays
            rows = (old.clock.session >= np.datetime64(one.first)) & (old.clock.session <= np.datetime64(one.last))
            explained[rows, old.symbols.index(one.symbol)] = True
    assert np.array_equal(differs, explained)


def test_diff_says_what_of_a_run_would_be_different(year: Year, tmp_path: Path) -> None:
    was = _run(year.stood[180], out=tmp_path / "run")
    found = diff_data(year.root, run=tmp_path / "run")
    now = _run(year.root, end=_day(year.vendor, 180))
    assert found.reproduced
    assert found.run is not None
    assert found.run.equity_then == _end(was)
    assert found.run.equity_now == _end(now)
    apart = np.flatnonzero(was.equity["equity"].to_numpy() != now.equity["equity"].to_numpy())
    assert found.run.first_equity == str(was.equity.index[apart[0]])[:10]
    asked = {(str(s)[:10], c): q for s, c, q in was.orders[["session", "symbol", "qty"]].itertuples(index=False)}
    others = {(str(s)[:10], c): q for s, c, q in now.orders[["session", "symbol", "qty"]].itertuples(index=False)}
    moved = {key for key in asked.keys() | others.keys() if asked.get(key) != others.get(key)}
    assert {(one.session, one.symbol) for one in found.run.moved} == moved
    assert {one.then - asked.get((one.session, one.symbol), 0.0) for one in found.run.moved} == {0.0}
    assert found.run.first_decision == str(_first_other(was.targets, now.targets))[:10]
    assert {one.symbol for one in found.rewrites} == set(SYMBOLS)
    same = diff_data(year.stood[180], run=tmp_path / "run", until=_day(year.vendor, 180))
    assert same.same
    assert same.rewrites == ()


def _first_other(one: Any, other: Any) -> Any:
    return one.index[(one.to_numpy() != other.to_numpy()).any(axis=1)][0]


def test_a_moment_between_two_pulls_knows_the_first_of_them_only(year: Year) -> None:
    evening = year.vendor.evening(100)
    source = CatalogSource(year.root)
    early = source.as_known(evening - timedelta(microseconds=1)).load(SYMBOLS)
    assert early.data_hash == year.read[99][0]
    assert source.as_known(evening).load(SYMBOLS).data_hash == year.read[100][0]
