"""Bars shorter than a day from Alpaca: the real client against one on loopback, through the gates, into a folder."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from support.alpaca_stand import AlpacaStand
from support.yahoo_stand import Reply

from plimsoll import load_data, pull_minutes
from plimsoll.engine.errors import ConfigError, DataError, InputError
from plimsoll.engine.verbs.data_import import Imported
from plimsoll.engine.verbs.host import Host

NOW = datetime(2024, 12, 2, 23, 0, tzinfo=UTC)
KEYS = {"APCA_API_KEY_ID": "key", "APCA_API_SECRET_KEY": "canary-secret-1b7d"}
# Friday 2024-11-29 closes at 13:00, New York is at UTC-5; Wednesday 2024-11-27 is whole.
OPEN_UTC = timedelta(hours=14, minutes=30)


def _rows(day: date, n_bars: int, minutes: int, first: float) -> list[dict[str, object]]:
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC) + OPEN_UTC
    rows = []
    for k in range(n_bars):
        at, price = begin + timedelta(minutes=minutes * k), round(first + 0.01 * k, 2)
        prices = {"o": price, "h": price + 0.02, "l": price - 0.02, "c": price + 0.01, "vw": price}
        rows.append({"t": f"{at:%Y-%m-%dT%H:%M:%SZ}", "v": 1000 + k, "n": 5, **prices})
    return rows


@dataclass
class Told:
    """What the stand tells."""

    bars: list[dict[str, object]] = field(default_factory=list)
    actions: dict[str, list[dict[str, object]]] = field(default_factory=dict)


@pytest.fixture
def told() -> Told:
    early = {"t": "2024-11-27T13:00:00Z", "o": 90.0, "h": 91.0, "l": 89.0, "c": 90.0, "v": 10, "n": 1, "vw": 90.0}
    late = {"t": "2024-11-29T18:00:00Z", "o": 99.0, "h": 99.0, "l": 99.0, "c": 99.0, "v": 10, "n": 1, "vw": 99.0}
    bars = [early, *_rows(date(2024, 11, 27), 78, 5, 100.0), *_rows(date(2024, 11, 29), 42, 5, 50.4), late]
    actions = {
        "cash_dividends": [{"symbol": "AAA", "rate": 0.25, "ex_date": "2024-11-29"}],
        "forward_splits": [{"symbol": "AAA", "new_rate": 2, "old_rate": 1, "ex_date": "2024-11-29"}],
    }
    return Told(bars, actions)


@pytest.fixture
def stand(told: Told) -> Iterator[AlpacaStand]:
    def bars(query: dict[str, str]) -> Reply:
        second = query.get("page_token") == "two"
        rows = told.bars[60:] if second else told.bars[:60]
        body = {"bars": {"AAA": rows}, "next_page_token": None if second else "two"}
        return Reply(json.dumps(body).encode())

    def actions(query: dict[str, str]) -> Reply:
        return Reply(json.dumps({"corporate_actions": told.actions, "next_page_token": None}).encode())

    with AlpacaStand(bars, actions) as running:
        yield running


def _pull(stand: AlpacaStand, out: Path, interval: str = "5m", *, force: bool = False) -> Imported:
    host = Host(KEYS, clock=lambda: NOW)
    return pull_minutes(
        ["AAA"], interval, start="2024-11-27", end="2024-11-29", out=out, force=force, host=host, url=stand.url
    )


def test_minutes_become_a_file_that_a_run_reads(stand: AlpacaStand, tmp_path: Path) -> None:
    pulled = _pull(stand, tmp_path)
    assert pulled.complete
    (one,) = pulled.outcomes
    assert (one.state, one.interval, one.rows, one.first, one.last) == (
        "stored",
        "5min",
        120,
        "2024-11-27",
        "2024-11-29",
    )
    assert "2 bars outside regular hours left out" in one.said
    assert [path.name for path in tmp_path.iterdir()] == ["AAA_5min.csv"]
    panel = load_data(tmp_path, ["AAA"], interval="5min")
    assert panel.n_bars == 78 + 42  # a whole session and one that closes at 13:00
    assert np.count_nonzero(np.isnan(panel.close)) == 0
    assert panel.open[0, 0] == 100.0
    assert panel.close[77, 0] == pytest.approx(100.0 + 0.77 + 0.01)
    assert panel.open[78, 0] == 50.4
    assert (panel.dividend[78, 0], panel.split[78, 0]) == (0.25, 2.0)  # on the first bar of their session
    assert panel.dividend.sum() == 0.25
    assert np.count_nonzero(panel.split != 1.0) == 1
    assert panel.volume[119, 0] == 1041


def test_what_is_asked_for(stand: AlpacaStand, tmp_path: Path) -> None:
    _pull(stand, tmp_path)
    path, query = stand.asked[0]
    assert (path, query["timeframe"], query["adjustment"], query["start"][:10]) == (
        "/v2/stocks/bars", "5Min", "raw", "2024-11-27",
    )  # fmt: skip
    assert datetime.fromisoformat(query["end"]) == datetime(2024, 11, 30, 5, 0, tzinfo=UTC)  # midnight in New York
    assert stand.asked[1][1]["page_token"] == "two"
    assert "feed" not in query


def test_a_file_that_is_there_is_replaced_only_when_asked(stand: AlpacaStand, tmp_path: Path) -> None:
    (tmp_path / "AAA_5min.csv").write_text("mine")
    with pytest.raises(InputError, match="there already"):
        _pull(stand, tmp_path)
    assert (tmp_path / "AAA_5min.csv").read_text() == "mine"
    assert _pull(stand, tmp_path, force=True).complete


def test_bars_that_contradict_themselves_are_kept_out(stand: AlpacaStand, told: Told, tmp_path: Path) -> None:
    told.bars[10]["h"] = 1.0
    (one,) = _pull(stand, tmp_path).outcomes
    assert one.rows == 119
    assert one.state == "quarantined"
    assert {finding.session[:10] for finding in one.findings if finding.severity == "row"} == {"2024-11-27"}


def test_an_action_on_a_day_without_a_bar_is_an_error(stand: AlpacaStand, told: Told, tmp_path: Path) -> None:
    told.actions["cash_dividends"][0]["ex_date"] = "2024-11-28"
    with pytest.raises(DataError, match="an action on 2024-11-28, a day without a bar"):
        _pull(stand, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_bars_out_of_order_and_none_at_all_are_errors(stand: AlpacaStand, told: Told, tmp_path: Path) -> None:
    told.bars[5], told.bars[6] = told.bars[6], told.bars[5]
    with pytest.raises(DataError, match="its bars are not in order"):
        _pull(stand, tmp_path, "5min")
    told.bars[:] = told.bars[:1]
    with pytest.raises(DataError, match="no bar lies in regular hours"):
        _pull(stand, tmp_path)


@pytest.mark.parametrize("interval", ["60m", "2m", "1d", "5s"])
def test_other_intervals_are_refused(stand: AlpacaStand, tmp_path: Path, interval: str) -> None:
    with pytest.raises(InputError):
        _pull(stand, tmp_path, interval)
    assert stand.asked == []


def test_without_keys_it_says_which(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="set APCA_API_KEY_ID and APCA_API_SECRET_KEY"):
        pull_minutes(["AAA"], "5m", start="2024-11-27", out=tmp_path, host=Host({}, clock=lambda: NOW))
