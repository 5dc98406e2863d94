"""The port of data sources: found by name, opened on a path, cut for a fresh process."""

from datetime import date
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from support.data_folder import write_data

from plimsoll import backtest
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market import source as port
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.said import NOTHING, Said
from plimsoll.engine.market.sample.source import sample_panel
from plimsoll.engine.market.source import Offer, open_source, registered_sources

SLEEVE = {"name": "s", "strategy": "equal_weight", "params": {"symbols": ["SPY", "TLT"]}}


class Halved:
    """The sample's prices up to a day: a source somebody else has written."""

    seeded = True

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def offers(self, interval: str) -> Offer:
        return Offer(frozenset({"SPY", "TLT"}), frozenset())

    def load(
        self,
        symbols: tuple[str, ...],
        indicators: tuple[str, ...],
        *,
        interval: str,
        start: date | None = None,
        end: date | None = None,
        seed: int = 0,
        said: Said = NOTHING,
    ) -> Panel:
        return sample_panel(symbols, indicators, start=start, end=min(end or date.max, date(2007, 12, 31)), seed=seed)

    def cut(self, names: object, folder: Path, *, interval: str, last: str) -> bool:
        return False


def test_the_shipped_sources_are_registered() -> None:
    assert list(registered_sources()) == ["catalog", "csv", "sample"]


def test_a_misspelt_source_is_answered_with_the_one_that_was_meant() -> None:
    with pytest.raises(ConfigError) as caught:
        backtest({"sleeve": [SLEEVE], "data": {"source": "sampel"}})
    assert str(caught.value) == "data.source: unknown data source 'sampel'; did you mean 'sample'?"


def test_a_source_that_needs_a_path_says_so() -> None:
    with pytest.raises(ConfigError) as caught:
        backtest({"sleeve": [SLEEVE], "data": {"source": "csv"}})
    assert str(caught.value) == "data.path: source 'csv' needs a path; name the folder, or pass --data DIR"


def test_an_interval_a_source_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        backtest({"sleeve": [SLEEVE], "data": {"interval": "5min"}})
    assert str(caught.value) == "data.interval: the sample source has daily bars only, not '5min'"


def test_a_source_is_added_by_a_file_and_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("halved", f"{__name__}:Halved", port.GROUP)
    monkeypatch.setattr(port, "plugins", lambda group: {"halved": point} if group == port.GROUP else {})
    result = backtest({"sleeve": [SLEEVE], "data": {"source": "halved"}}, trials="off")
    assert str(result.equity.index[-1].date()) == "2007-12-31"
    monkeypatch.setattr(port, "plugins", lambda group: {"gone": EntryPoint("gone", "no_such_module:X", group)})
    with pytest.raises(ConfigError, match="data source 'gone' cannot be imported"):
        open_source("gone", None)


def test_cut_files_hold_nothing_after_the_last_session(tmp_path: Path) -> None:
    write_data(tmp_path / "data")
    (tmp_path / "cut").mkdir()
    source = open_source("csv", tmp_path / "data")
    assert source.cut(("SPY", "TLT", "nobody"), tmp_path / "cut", interval="1d", last="2015-02-10")
    assert sorted(path.name for path in (tmp_path / "cut").iterdir()) == ["SPY.csv", "TLT.csv"]
    whole = source.load(("SPY", "TLT"), (), interval="1d", end=date(2015, 2, 10))
    part = open_source("csv", tmp_path / "cut").load(("SPY", "TLT"), (), interval="1d")
    assert part.data_hash == whole.data_hash


def test_what_is_generated_needs_no_cut(tmp_path: Path) -> None:
    source = open_source("sample", None)
    assert not source.cut(("SPY",), tmp_path, interval="1d", last="2010-01-04")
    assert source.offers("1d").indicators == {"VIX"}
    assert list(tmp_path.iterdir()) == []
