"""The shadow: its backtest, told session by session; it sends nothing, and is compared with the live book."""

import copy
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.live_book import LAST, Desk, make_desk
from support.twin_week import WEEK, case_of, journal_of, trade

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import DataError
from plimsoll.engine.live.compare import Book, Comparison, compare
from plimsoll.engine.live.replay import Case
from plimsoll.engine.live.shadow import Shadow, shadow_session, shadows
from plimsoll.engine.market.calendar import previous_session
from plimsoll.engine.verbs.backtest import backtest
from plimsoll.engine.verbs.host import Host
from plimsoll.engine.verbs.twin import twin

QUIET = Host({"PLIMSOLL_TRIALS": "off"})


def second(desk: Desk, **sections: Any) -> dict[str, Any]:
    """Return another configuration over the same prices."""
    values = copy.deepcopy(desk.values)
    values["run"]["name"] = "other"
    values["sleeve"][0]["params"]["seed"] = 4
    for name, more in sections.items():
        values[name] = {**values.get(name, {}), **more}
    return values


def case(desk: Desk, values: dict[str, Any]) -> Case:
    """Return it as a case."""
    return Case(load_config(values), {}, desk.panel)


def followed(desk: Desk, values: dict[str, Any], days: list[date] = WEEK) -> list[Shadow]:
    """Let the shadow decide for every session of the week."""
    with journal_of(desk) as journal:
        return [shadow_session(case(desk, values), day, journal) for day in days]


def test_a_shadow_is_its_backtest_session_by_session(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    values = second(desk)
    told = followed(desk, values)
    result = backtest(values, data=desk.panel, end=LAST, host=QUIET)
    days = result.equity.index.date.tolist()
    fills = result.fills.assign(day=[stamp.date() for stamp in result.fills["session"]])
    for one in told:
        row = result.equity.iloc[days.index(previous_session(one.session))]
        assert (one.decided, one.equity, one.traded) == (previous_session(one.session), row["equity"], row["traded"])
        assert one.nav == pytest.approx(row["equity"] / 100_000.0, rel=1e-12)
        assert one.gross == pytest.approx(row["gross"], rel=1e-12)
        weights = result.weights.iloc[days.index(one.decided)]
        assert one.weights == pytest.approx({str(s): w for s, w in weights.items() if w}, rel=1e-12)
        done = fills[fills["day"] == one.session].groupby("symbol")["qty"].sum().to_dict()
        splits = {"AAA": 2.0} if one.session == date(2024, 12, 2) else {}
        wanted = {symbol: qty * splits.get(symbol, 1.0) for symbol, qty in one.orders.items()}
        assert wanted == pytest.approx(done, rel=1e-9)
    assert any(one.orders for one in told)


def test_it_decides_once_a_session_and_touches_nothing_of_the_book(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    trade(desk, WEEK[:2])
    with journal_of(desk) as journal:
        before = (journal.orders(), journal.holdings(), journal.cash(), journal.halts(), len(journal.events()))
        values = second(desk)
        first = shadow_session(case(desk, values), WEEK[1], journal)
        again = shadow_session(case(desk, values), WEEK[1], journal)
        assert again == first
        after = (journal.orders(), journal.holdings(), journal.cash(), journal.halts(), len(journal.events()) - 1)
        assert after == before
        assert shadows(journal, first.config_hash) == [first]
        assert shadows(journal, case_of(desk).config.digest) == []
    with journal_of(desk):
        pass  # opened again, the chain of its events holds


def test_a_shadow_before_its_first_session_or_beyond_its_prices_is_refused(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    late = case(desk, second(desk, run={"start": "2024-12-02"}))
    with journal_of(desk) as journal:
        with pytest.raises(DataError, match=r"run\.start is 2024-12-02, 2024-11-22 is before it"):
            shadow_session(late, WEEK[0], journal)
        with pytest.raises(DataError, match="the prices end on 2024-12-03"):
            shadow_session(case(desk, second(desk)), date(2024, 12, 6), journal)
        assert journal.events("shadow") == []


def test_the_book_and_its_shadow_side_by_side(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    values = second(desk)
    told = followed(desk, values)
    cash: list[float] = []
    worth = trade(desk, after=lambda _: cash.append(float(desk.exchange.ledger.cash)))
    found = twin(desk.values, shadow=values, data=desk.panel, host=desk.host)
    assert isinstance(found, Comparison)
    plain = found.plain()
    live = np.array([100_000.0, *worth[:-1]])
    beside = np.array([one.equity for one in told])
    returns, other = np.diff(live) / live[:-1], np.diff(beside) / beside[:-1]
    one, two = plain["books"]
    assert one["vol_ann"] == pytest.approx(np.std(returns, ddof=1) * 252**0.5, rel=1e-6)
    assert two["vol_ann"] == pytest.approx(np.std(other, ddof=1) * 252**0.5, rel=1e-6)
    tracking = plain["tracking"]
    assert tracking["error_ann"] == pytest.approx(np.std(returns - other, ddof=1) * 252**0.5, rel=1e-6)
    difference = live[-1] / live[0] - beside[-1] / beside[0]
    assert tracking["difference_bps"] == pytest.approx(difference * 1e4, rel=1e-6)
    assert (plain["sessions"], plain["first"], plain["last"]) == (6, "2024-11-22", "2024-12-02")
    invested = [0.0, *(1.0 - money / equity for money, equity in zip(cash, worth, strict=True))][:-1]
    assert one["gross_max"] == pytest.approx(max(invested), rel=1e-6)
    assert one["gross_mean"] == pytest.approx(np.mean(invested), rel=1e-6)
    assert two["gross_mean"] == pytest.approx(np.mean([s.gross for s in told]), rel=1e-12)


def test_a_book_beside_itself_is_not_apart(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    values = second(desk, run={"start": "2024-11-25"})
    values["sleeve"][0]["params"]["seed"] = desk.values["sleeve"][0]["params"]["seed"]
    followed(desk, values, WEEK[1:])
    trade(desk)
    found = twin(desk.values, shadow=values, data=desk.panel, host=desk.host)
    tracking = found.plain()["tracking"]
    assert tracking["difference_bps"] == pytest.approx(0.0, abs=1e-4)
    assert tracking["error_ann"] == pytest.approx(0.0, abs=1e-8)
    assert tracking["error_expected_ann"] == pytest.approx(0.0, abs=1e-8)
    assert tracking["active_share"] == pytest.approx(0.0, abs=1e-8)


def test_the_expected_tracking_error_is_that_of_the_covariance(tmp_path: Path) -> None:
    panel = make_desk(tmp_path).panel
    t = panel.n_bars - 1
    days = tuple(panel.clock.session[t - 1 :].astype(object).tolist())
    weights = ({"AAA": 0.5, "BBB": -0.2}, {"AAA": 0.5, "BBB": -0.2})
    others = ({"AAA": 0.1, "CCC": 0.3}, {"AAA": 0.1, "CCC": 0.3})
    ones = np.ones(2)
    found = compare(
        Book("a", days, ones, ones, ones, weights, None), Book("b", days, ones, ones, ones, others, 0.1), (panel,)
    )
    gap = np.array([0.4, -0.2, -0.3])
    wanted = []
    for end in (t - 1, t):
        rows = range(end - 59, end + 1)
        returns = np.array(
            [
                (panel.close[b] * panel.split[b] + panel.dividend[b]) / panel.close[b - 1] - 1.0
                for b in rows
            ]
        )  # fmt: skip
        wanted.append(252.0 * gap @ np.cov(returns.T) @ gap)
    expected = found.plain()["tracking"]["error_expected_ann"]
    assert expected == pytest.approx(np.sqrt(np.mean(wanted)), rel=1e-9)


def test_a_shadow_without_history_is_said(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    trade(desk, WEEK[:2])
    with pytest.raises(DataError, match="other has decided for 0 sessions"):
        twin(desk.values, shadow=second(desk), data=desk.panel, host=desk.host)


def test_two_run_folders_side_by_side(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    one = backtest(desk.values, data=desk.panel, end=LAST, out=tmp_path / "one", host=QUIET)
    two = backtest(second(desk), data=desk.panel, end=LAST, out=tmp_path / "two", host=QUIET)
    found = twin(tmp_path / "one", tmp_path / "two").plain()
    for told, result in zip(found["books"], (one, two), strict=True):
        assert told["vol_ann"] == pytest.approx(result.returns[1:].std(ddof=1) * 252**0.5, rel=1e-9)
        assert told["gross_max"] == pytest.approx(result.equity["gross"].max(), rel=1e-12)
    apart = one.returns[1:] - two.returns[1:]
    assert found["tracking"]["error_ann"] == pytest.approx(apart.std(ddof=1) * 252**0.5, rel=1e-9)
    assert found["sessions"] == len(one.equity)
    share = (one.weights - two.weights).abs().sum(axis=1).mean() / 2.0
    assert found["tracking"]["active_share"] == pytest.approx(share, rel=1e-9)
    with pytest.raises(DataError, match="not a run folder"):
        twin(tmp_path / "one", tmp_path)
