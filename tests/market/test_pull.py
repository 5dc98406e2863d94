"""Pulling: what is asked for, what is stored, how failures pass or stop it, and how the same command goes on."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from support.chart import refusal, reply
from support.histories import NOW, at, changed, history, without
from support.pulling import ScriptedSource, puller
from support.yahoo_stand import Asked, Reply, YahooStand

from plimsoll.engine.market.catalog.source import CatalogSource
from plimsoll.engine.market.catalog.store import Catalog
from plimsoll.engine.market.fetching import FetchError, Route, fetch_error
from plimsoll.engine.market.pull.completed import last_completed
from plimsoll.engine.market.pull.pull import Puller, PullOutcome
from plimsoll.engine.market.ticker import alpaca_name, canonical, yahoo_name
from plimsoll.engine.market.yahoo.client import YahooClient

TOMORROW = NOW + timedelta(days=3)


def _states(outcomes: Iterator[PullOutcome]) -> list[tuple[str, str]]:
    return [(one.symbol, one.state) for one in outcomes]


def _error(kind: str, symbol: str = "AAA") -> FetchError:
    return fetch_error(kind, "yahoo", symbol, "so it is")


def test_a_first_pull_stores_all_there_is(tmp_path: Path) -> None:
    source = ScriptedSource()
    (one,) = puller(tmp_path, source).run(["AAA"])
    assert (one.state, one.added, one.revised, one.last) == ("stored", 42, 0, "2024-03-01")
    assert source.asked == [("AAA", None)]
    assert Catalog(tmp_path).read("AAA").current().close.tolist() == history().close.tolist()


def test_the_same_command_again_asks_nobody(tmp_path: Path) -> None:
    list(puller(tmp_path, ScriptedSource()).run(["AAA", "BBB"]))
    source = ScriptedSource()
    assert _states(puller(tmp_path, source).run(["AAA", "BBB"])) == [("AAA", "current"), ("BBB", "current")]
    assert source.asked == []


def test_a_later_pull_asks_for_what_is_new_and_for_thirty_sessions_before(tmp_path: Path) -> None:
    whole = history(last=date(2024, 3, 4))
    list(puller(tmp_path, ScriptedSource(histories={"AAA": whole})).run(["AAA"]))
    corrected = changed(whole, "2024-02-28", close=whole.close[at(whole, "2024-02-28")] + 0.01)
    source = ScriptedSource(histories={"AAA": corrected})
    (one,) = puller(tmp_path, source, now=lambda: TOMORROW).run(["AAA"])
    assert (one.added, one.revised) == (1, 1)
    assert source.asked == [("AAA", date(2024, 1, 19) - timedelta(days=10))]


def test_slices_pulled_in_any_order_give_the_rows_of_one_pull(tmp_path: Path) -> None:
    whole = changed(history(), "2024-02-01", dividend=4.0, gain=3.0)
    source = ScriptedSource(histories={"AAA": whole})
    for start in (date(2024, 2, 20), date(2024, 2, 1), None, date(2024, 1, 2)):
        list(puller(tmp_path / "slices", source, start=start).run(["AAA"]))
    list(puller(tmp_path / "whole", source, start=date(2024, 1, 2)).run(["AAA"]))
    sliced, once = (CatalogSource(tmp_path / name).load(("AAA",)) for name in ("slices", "whole"))
    assert sliced.data_hash == once.data_hash


def test_a_forming_bar_is_not_stored_and_an_early_close_is_an_end(tmp_path: Path) -> None:
    whole = history(first=date(2026, 11, 2), last=date(2026, 11, 27))  # the day after Thanksgiving closes at 13:00
    source = ScriptedSource(histories={"AAA": whole})
    early = datetime(2026, 11, 27, 18, 5, tzinfo=UTC)
    (one,) = puller(tmp_path / "early", source, now=lambda: early).run(["AAA"])
    assert one.last == "2026-11-25"
    (one,) = puller(tmp_path / "after", source, now=lambda: early + timedelta(minutes=15)).run(["AAA"])
    assert one.last == "2026-11-27"


@pytest.mark.parametrize(
    ("now", "completed"),
    [
        ("2024-03-01T21:19:59+00:00", "2024-02-29"),
        ("2024-03-01T21:20:00+00:00", "2024-03-01"),
        ("2024-03-03T12:00:00+00:00", "2024-03-01"),
        ("2024-03-11T20:19:00+00:00", "2024-03-08"),  # the first Monday of summer time: the close is an hour earlier
        ("2024-03-11T20:20:00+00:00", "2024-03-11"),
        ("2026-11-27T18:20:00+00:00", "2026-11-27"),
        ("2026-11-26T23:00:00+00:00", "2026-11-25"),
        ("2024-03-02T06:20:00+09:00", "2024-03-01"),
    ],
)
def test_the_last_completed_session_is_by_new_yorks_clock(now: str, completed: str) -> None:
    assert str(last_completed(datetime.fromisoformat(now))) == completed


def test_what_may_pass_is_asked_again_with_growing_waits(tmp_path: Path) -> None:
    source = ScriptedSource(errors={"AAA": [_error("outage"), _error("timed_out"), _error("rate_limited")]})
    waits: list[float] = []
    (one,) = puller(tmp_path, source, waits=waits).run(["AAA"])
    assert one.state == "stored"
    assert waits == [2.0, 4.0, 60.0]
    assert len(source.asked) == 4


def test_the_pace_is_kept_between_symbols(tmp_path: Path) -> None:
    waits: list[float] = []
    list(puller(tmp_path, ScriptedSource(), waits=waits).run(["AAA", "BBB", "CCC"]))
    assert waits == [0.5, 0.5]


def test_what_will_not_pass_is_asked_once_and_the_others_go_on(tmp_path: Path) -> None:
    source = ScriptedSource(errors={"AAA": [_error("no_such_data")]})
    outcomes = list(puller(tmp_path, source).run(["AAA", "BBB"]))
    assert _states(iter(outcomes)) == [("AAA", "failed"), ("BBB", "stored")]
    assert outcomes[0].error.startswith("yahoo, AAA: so it is; check the spelling")
    assert len(source.asked) == 2


@pytest.mark.parametrize("kind", ["unreachable", "denied"])
def test_no_way_out_stops_the_pull_at_once(tmp_path: Path, kind: str) -> None:
    source = ScriptedSource(errors={"AAA": [_error(kind)]})
    pull = puller(tmp_path, source)
    assert _states(pull.run(["AAA", "BBB"])) == [("AAA", "failed"), ("BBB", "not_tried")]
    assert pull.stopped is not None
    assert len(source.asked) == 1


def test_a_source_that_fails_three_symbols_in_a_row_is_left_alone(tmp_path: Path) -> None:
    names = ["AAA", "BBB", "CCC", "DDD"]
    source = ScriptedSource(errors={name: [_error("rate_limited", name) for _ in range(9)] for name in names})
    outcomes = _states(puller(tmp_path, source).run(names))
    assert outcomes == [("AAA", "failed"), ("BBB", "failed"), ("CCC", "failed"), ("DDD", "not_tried")]
    assert len(source.asked) == 12


def test_a_refused_pull_leaves_what_is_stored_and_a_word_settles_it(tmp_path: Path) -> None:
    list(puller(tmp_path, ScriptedSource()).run(["AAA"]))
    whole = history(last=date(2024, 3, 4))
    whole = replace(whole, **{name: np.append(getattr(history(), name), whole.column(name)[-1]) for name in _PRICED})
    crash = changed(
        whole, "2024-03-04", **{name: history().close[-1] * 0.4 for name in ("open", "high", "low", "close")}
    )
    source = ScriptedSource(histories={"AAA": crash})
    (one,) = puller(tmp_path, source, now=lambda: TOMORROW).run(["AAA"])
    assert one.state == "quarantined"
    assert [(f.gate, f.session) for f in one.findings if f.severity == "symbol"] == [("jump", "2024-03-04")]
    catalog = Catalog(tmp_path)
    assert catalog.quarantined() == ("AAA",)
    assert len(catalog.read("AAA").current()) == 42
    stands = puller(tmp_path, source, now=lambda: TOMORROW, confirm=frozenset({date(2024, 3, 4)}))
    assert [one.state for one in stands.run(["AAA"])] == ["stored"]
    assert catalog.quarantined() == ()
    assert len(catalog.read("AAA").current()) == 43


_PRICED = ("open", "high", "low", "close", "volume")


def test_a_refused_row_stays_in_quarantine_until_a_pull_covers_it(tmp_path: Path) -> None:
    bad = changed(history(last=date(2024, 4, 30)), "2024-01-10", high=1.0)
    source = ScriptedSource(histories={"AAA": bad})
    (one,) = puller(tmp_path, source).run(["AAA"])
    assert (one.state, one.added) == ("quarantined", 41)
    later = datetime(2024, 4, 30, 22, 0, tzinfo=UTC)
    (one,) = puller(tmp_path, source, now=lambda: later).run(["AAA"])
    assert one.state == "stored"
    assert Catalog(tmp_path).quarantined() == ("AAA",)
    good = ScriptedSource(histories={"AAA": history(last=date(2024, 4, 30))})
    (one,) = puller(tmp_path, good, now=lambda: later, start=date(2024, 1, 2)).run(["AAA"])
    assert Catalog(tmp_path).quarantined() == ()
    assert len(Catalog(tmp_path).read("AAA").current()) == 83


def test_two_symbols_with_the_same_bars_are_told_apart_by_nobody(tmp_path: Path) -> None:
    twin = replace(history("AAA"), symbol="BBB")
    source = ScriptedSource(histories={"BBB": twin})
    outcomes = list(puller(tmp_path, source).run(["AAA", "BBB"]))
    assert _states(iter(outcomes)) == [("AAA", "stored"), ("BBB", "quarantined")]
    again = list(puller(tmp_path, source).run(["AAA", "BBB"]))  # AAA is current by now, and still seen
    assert [one.state for one in again] == ["current", "quarantined"]


def test_rows_of_two_sources_are_not_mixed(tmp_path: Path) -> None:
    list(puller(tmp_path, ScriptedSource()).run(["AAA"]))
    (one,) = puller(tmp_path, ScriptedSource("alpaca"), start=date(2023, 1, 3)).run(["AAA"])
    assert one.state == "failed"
    assert "AAA is kept from yahoo; rows of two sources are never mixed; pull it with --source yahoo" in one.error


def test_the_decision_bar_comes_from_the_second_source_until_the_first_has_it(tmp_path: Path) -> None:
    lacking = ScriptedSource(histories={"AAA": without(history(), "2024-03-01")})
    (one,) = puller(tmp_path, lacking, second=ScriptedSource("alpaca")).run(["AAA"])
    assert (one.state, one.last) == ("stored", "2024-03-01")
    catalog = Catalog(tmp_path)
    assert catalog.read("AAA").current().source.tolist() == ["yahoo"] * 41 + ["alpaca"]
    whole = history(last=date(2024, 3, 4))
    told = replace(whole, **{name: np.append(getattr(history(), name), whole.column(name)[-1]) for name in _PRICED})
    told = changed(told, "2024-03-01", volume=5.0e6)
    list(puller(tmp_path, ScriptedSource(histories={"AAA": told}), now=lambda: TOMORROW).run(["AAA"]))
    assert set(catalog.read("AAA").current().source.tolist()) == {"yahoo"}


def test_a_second_source_that_does_not_answer_is_a_note_and_no_more(tmp_path: Path) -> None:
    mute = ScriptedSource("alpaca", errors={"AAA": [_error("unreachable")]})
    (one,) = puller(tmp_path, ScriptedSource(), second=mute).run(["AAA"])
    assert one.state == "stored"
    assert [finding.gate for finding in one.findings] == ["no_second_source"]


def test_an_index_is_stored_as_one_and_nobody_else_is_asked_about_it(tmp_path: Path) -> None:
    second = ScriptedSource("alpaca")
    vix = history("VIX", index=True, volume=np.full(42, np.nan))
    list(puller(tmp_path, ScriptedSource(histories={"VIX": vix}), second=second).run(["VIX"]))
    assert Catalog(tmp_path).read("VIX").current().index
    assert second.asked == []


def test_the_spellings_of_a_symbol_are_in_one_place() -> None:
    shown = {name: (canonical(name), yahoo_name(canonical(name)), alpaca_name(canonical(name))) for name in _SPELLINGS}
    assert shown == _SPELLINGS


_SPELLINGS = {
    "spy": ("SPY", "SPY", "SPY"),
    "BRK-B": ("BRK.B", "BRK-B", "BRK.B"),
    "BRK.B": ("BRK.B", "BRK-B", "BRK.B"),
    "BRK/B": ("BRK.B", "BRK-B", "BRK.B"),
    "^VIX": ("VIX", "^VIX", None),
    "VIX": ("VIX", "^VIX", None),
}

# ---- the real client, from its sockets to the store


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[YahooStand]:
    (tmp_path / "tls").mkdir()
    with YahooStand(tmp_path / "tls", lambda asked: reply(history(asked.symbol))) as running:
        yield running


def _real(stand: YahooStand, folder: Path, client: YahooClient) -> Puller:
    return puller(folder, client)


def test_bursts_of_429_and_an_outage_pass_and_every_symbol_is_stored_whole(stand: YahooStand, tmp_path: Path) -> None:
    bad = iter([Reply(b"Too Many Requests", 429), Reply(b"Too Many Requests", 429), refusal("Err", "down", 500)])

    def chart(asked: Asked) -> Reply:
        return next(bad, None) or reply(history(asked.symbol))

    stand.chart = chart
    with YahooClient(Route(stand.proxy, str(stand.ca), 30.0)) as client:
        outcomes = list(puller(tmp_path / "catalog", client).run(["AAA", "BBB"]))
    assert [one.state for one in outcomes] == ["stored", "stored"]
    for name in ("AAA", "BBB"):
        assert Catalog(tmp_path / "catalog").read(name).current().close.tolist() == history(name).close.tolist()


def test_nothing_bad_reaches_the_store_from_a_yahoo_on_its_worst_day(stand: YahooStand, tmp_path: Path) -> None:
    zero = dict.fromkeys(("open", "high", "low", "close"), 0.0)
    nothing = dict.fromkeys(("open", "high", "low", "close", "volume"), np.nan)
    told = {
        "GOOD": reply(history("GOOD")),
        "NAN": reply(changed(history("NAN"), "2024-03-01", close=np.nan)),
        "NULL": reply(changed(history("NULL"), "2024-03-01", **nothing)),
        "ZERO": reply(changed(history("ZERO"), "2024-03-01", **zero)),
        "GONE": refusal("Not Found", "No data found, symbol may be delisted", 404),
        "WORD": Reply(b"<html>Will be right back</html>", 200, "text/html"),
    }
    stand.chart = lambda asked: told[asked.symbol]
    with YahooClient(Route(stand.proxy, str(stand.ca), 30.0)) as client:
        pull = puller(tmp_path / "catalog", client)
        pull.budget.attempts = 2
        outcomes = {one.symbol: one for one in pull.run(list(told))}
    assert {symbol: one.state for symbol, one in outcomes.items()} == {
        "GOOD": "stored",
        "NAN": "quarantined",
        "NULL": "stored",
        "ZERO": "quarantined",
        "GONE": "failed",
        "WORD": "failed",
    }
    assert [(f.gate, f.severity) for f in outcomes["NULL"].findings] == [("no_decision_bar", "note")]
    for symbol in ("GOOD", "NAN", "NULL", "ZERO"):
        held = Catalog(tmp_path / "catalog").read(symbol).current()
        n_rows = 42 if symbol == "GOOD" else 41
        assert held.close.tolist() == history(symbol).close[:n_rows].tolist()
    assert all(f"yahoo, {symbol}: " in outcomes[symbol].error for symbol in ("GONE", "WORD"))
