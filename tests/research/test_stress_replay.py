"""A run that goes on: as the real one where the sessions are the real ones, to the bit, and through imagined ones."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from support.book_run import UNBOUND, UNGOVERNED, Steady, book_config, walk_panel
from support.panels import make_panel, random_panel
from support.stressed import direct, from_days, held_case, imagined, session_returns, still_panel, wired

from plimsoll.engine.errors import DataError
from plimsoll.engine.live.prefix import begins_with
from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.span import first_bars
from plimsoll.engine.research.stress.go_on import go_on
from plimsoll.engine.research.stress.lengthen import LEAST, QUIET, Way, lengthened, levels_of, trading
from plimsoll.engine.research.stress.moves import Moves
from plimsoll.engine.research.stress.replay import Replay, left_alone
from plimsoll.engine.research.stress.scenario import IndicatorMove, Scenario
from plimsoll.engine.research.stress.stress import Case, case_of, run_stress
from plimsoll.engine.research.stress.window import window_of
from plimsoll.engine.sleeve.strategy import Strategy

NO_PATHS = {"seed": 1}


def outcome(case: Case, said: Scenario) -> Any:
    (found,) = run_stress(case, [said], **NO_PATHS).outcomes
    return found


def replayed(case: Case, said: Scenario) -> Replay:
    found: Replay = outcome(case, said).replay
    return found


def way_of(panel: Panel, history: Panel, said: Scenario) -> Way:
    window = window_of(history, Feed(history), said.start, said.end)
    moves = Moves(said, {}, window)
    return Way(said.n, {s: moves.path(s) for s in trading(Feed(panel))}, {}, window)


SLEEVES = {
    "one": {"EEM": 0.4, "GLD": 0.3, "SPY": 0.3},
    "two": {"GLD": 0.7, "TLT": 0.3},
}


def book(**sections: Any) -> tuple[dict[str, Any], Mapping[str, Strategy]]:
    values = book_config(tuple(SLEEVES), costs={"preset": "us_etf"}, **sections)
    values["execution"] = {}
    return values, {name: Steady(weights) for name, weights in SLEEVES.items()}


@pytest.mark.parametrize("preset", ["direct", "book"])
def test_a_replay_of_the_sessions_that_come_next_is_the_backtest_over_them_to_the_bit(preset: str) -> None:
    symbols = ("EEM", "GLD", "SPY", "TLT")
    whole = random_panel(11, n_bars=160, n_symbols=4, holes=False, symbols=symbols, volatility=0.03)
    block = whole.block.copy()
    block[:3, 125:127, 0] = np.nan  # two sessions without a row
    block[4, 125:127, 0], block[3, 125:127, 0] = 1.0, 0.0
    whole = replace(whole, block=block)
    if preset == "direct":
        values, sleeves = direct(dict.fromkeys(symbols, 0.25), costs={"preset": "us_etf"}, execution={})
        sleeves = {"s": Steady(dict.fromkeys(symbols, 0.25))}
    else:
        values, sleeves = book()
    full, *_ = wired(whole, values, sleeves)
    last, end = 119, 150
    case = case_of(*wired(first_bars(whole, last + 1), values, sleeves), whole)
    found = replayed(case, from_days(whole, last, end))
    expected = session_returns(full, last, end)
    assert np.abs(expected).max() > 0.01
    assert found.ret[: end - last].tobytes() == expected.tobytes()


def test_the_bars_of_a_window_that_follows_are_the_panels_own_bit_by_bit() -> None:
    whole = random_panel(5, n_bars=120, holes=False, symbols=("EEM", "GLD", "SPY", "TLT"))
    start = first_bars(whole, 81)
    longer = lengthened(start, way_of(start, whole, from_days(whole, 80, 110)))
    assert longer.n_bars == 81 + 30 + QUIET
    assert begins_with(longer, start)
    assert begins_with(first_bars(longer, 111), first_bars(whole, 111))
    flags = build_clock(whole.clock.session[0].astype(object), longer.clock.session[-1].astype(object))
    for name in ("stamp", "session", "session_index", "month_first", "month_last", "week_last", "first_bar"):
        assert (getattr(longer.clock, name) == getattr(flags, name)).all(), name


def test_an_older_window_keeps_its_returns_splits_and_dividends_at_the_price_of_today() -> None:
    whole = random_panel(7, n_bars=200, holes=False, symbols=("EEM", "GLD", "SPY", "TLT"))
    longer = lengthened(whole, way_of(whole, whole, from_days(whole, 40, 90)))
    feed, was = Feed(longer), Feed(whole)
    assert feed.ret[200:250] == pytest.approx(was.ret[41:91], abs=1e-12)
    assert (longer.split[200:250] == whole.split[41:91]).all()
    dollars = whole.volume[41:91] * whole.close[41:91]
    assert longer.volume[200:250] * longer.close[200:250] == pytest.approx(dollars, nan_ok=True)
    assert (feed.ret[250:] == 0.0).all()


def test_a_book_of_cash_loses_nothing() -> None:
    case = held_case(still_panel(("SPY", "TLT")), {"SPY": 0.0})
    found = outcome(case, imagined(returns={"SPY": -0.5, "TLT": -0.5}))
    assert (found.shock.last, found.shock.mean, found.shock.worst) == (0.0, 0.0, 0.0)
    assert (found.replay.drawdown, found.replay.day_loss, found.replay.total) == (0.0, 0.0, 0.0)
    bills = held_case(still_panel(("BIL", "SPY")), {"BIL": 1.0})
    assert outcome(bills, imagined(returns={"SPY": -0.5})).shock.last == 0.0


def test_all_in_one_fund_loses_exactly_what_the_fund_loses() -> None:
    case = held_case(still_panel(("SPY",)), {"SPY": 1.0})
    found = outcome(case, imagined(returns={"SPY": -0.3372}, sessions=1))
    assert found.shock.last == -0.3372
    assert found.replay.drawdown == pytest.approx(0.3372, abs=1e-12)
    assert found.replay.day_loss == pytest.approx(0.3372, abs=1e-12)
    day = case.stand.setup.panel.clock.session[case.stand.setup.first]
    said = ("last book at once -33.7%", "mean book at once -33.7%", f"book of {day} at once -33.7%", "replay -33.7%")
    assert found.breaches(0.15) == said
    assert found.brief(0.15) == "BREACH at once (last, mean, worst) and in the replay"


def test_a_leveraged_fund_goes_through_the_replay_by_its_days() -> None:
    case = held_case(still_panel(("QQQ", "TQQQ")), {"TQQQ": 1.0})
    found = replayed(case, imagined(paths={"QQQ": [-0.10, 0.05]}))
    assert found.total == pytest.approx(0.70 * 1.15 - 1.0, abs=1e-12)
    wiped = replayed(held_case(still_panel(("QQQ", "TQQQ")), {"TQQQ": 0.5}), imagined(returns={"QQQ": -0.5}))
    assert wiped.total == pytest.approx(-0.5, abs=LEAST)  # a price stays above zero


def test_deposits_to_come_are_no_part_of_a_market(tmp_path: Any) -> None:
    panel = still_panel(("SPY",))
    day = panel.clock.session[20]
    (tmp_path / "flows.csv").write_text(f"date,amount\n{day},1000.0\n")
    case = held_case(panel, {"SPY": 1.0}, account={"flows": str(tmp_path / "flows.csv")})
    assert replayed(case, imagined(returns={"SPY": -0.1})).total == pytest.approx(-0.1, abs=0.005)


def test_symbols_that_no_longer_trade_get_no_rows() -> None:
    close = np.full((60, 2), 50.0)
    close[30:, 1] = np.nan
    panel = make_panel(close, symbols=("SPY", "ZZZ"))
    assert trading(Feed(panel)) == ("SPY",)
    longer = lengthened(panel, way_of(panel, panel, imagined(returns={"SPY": -0.1})))
    assert np.isnan(longer.close[60:, 1]).all()
    assert longer.close[60, 0] == pytest.approx(45.0)


def test_nobody_trades_before_a_stated_move() -> None:
    panel = still_panel(("SPY",))
    longer = lengthened(panel, way_of(panel, panel, imagined(paths={"SPY": [-0.1, -0.2]})))
    assert longer.open[40:42, 0] == pytest.approx([90.0, 72.0])
    assert longer.close[40:, 0] == pytest.approx([90.0, 72.0, *[72.0] * QUIET])


def test_one_replay_leaves_nothing_behind_for_the_next() -> None:
    values, sleeves = book()
    panel = random_panel(3, n_bars=150, n_symbols=4, holes=False, symbols=("EEM", "GLD", "SPY", "TLT"))
    case = case_of(*wired(panel, values, sleeves))
    crash = imagined(classes={"us_equity": -0.3, "treasury": 0.05}, sessions=10)
    first = replayed(case, crash)
    other = replayed(case, imagined(returns={"SPY": 0.2}, sessions=3))
    again = replayed(case, crash)
    assert first.ret.tobytes() == again.ret.tobytes()
    assert first.gross.tobytes() == again.gross.tobytes()
    assert other.ret.tobytes() != first.ret[: len(other.ret)].tobytes()


def test_going_on_needs_none_of_the_bars_before_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Counted(Steady):
        def on_bar(self, ctx: Any) -> Any:
            asked.append(ctx.bar_index)
            return super().on_bar(ctx)

    panel = still_panel(("SPY",))
    values, _ = direct({"SPY": 1.0})
    case = case_of(*wired(panel, values, {"s": Counted({"SPY": 1.0})}))
    asked.clear()
    replayed(case, imagined(returns={"SPY": -0.1}, sessions=3))
    assert asked == list(range(40, 43 + QUIET))


def test_the_governor_flattens_after_a_days_loss_and_says_when() -> None:
    values, sleeves = book(integrator={"preset": "book", **UNBOUND})
    panel = walk_panel(2, ("EEM", "GLD", "SPY", "TLT"), (0.15, 0.1, 0.12, 0.08), n_bars=160, drift=0.05)
    case = case_of(*wired(panel, values, sleeves))
    found = replayed(case, imagined(returns=dict.fromkeys(panel.symbols, -0.2)))
    assert found.governor == "cut"
    assert found.worst_tier == "flatten"
    flat = next(change for change in found.tiers if change.tier == "flatten")
    assert (flat.session, flat.day) == (1, str(lengthened_day(panel, 1)))
    assert found.cut == 1.0
    assert found.multiplier[1] == 0.0
    assert found.gross[0] > 0.3
    assert found.gross[2] == 0.0  # sold at the open after
    assert found.drawdown == pytest.approx(0.2 * found.gross[0], rel=0.05)


def lengthened_day(panel: Panel, after: int) -> np.datetime64:
    days = build_clock(panel.clock.session[-1].astype(object), (panel.clock.session[-1] + 30).astype(object)).session
    found: np.datetime64 = days[after]
    return found


def test_a_governor_that_is_switched_off_is_not_called_and_the_breach_is_told() -> None:
    values, sleeves = book(integrator={"preset": "book", **UNBOUND, **UNGOVERNED})
    panel = walk_panel(2, ("EEM", "GLD", "SPY", "TLT"), (0.15, 0.1, 0.12, 0.08), n_bars=160, drift=0.05)
    case = case_of(*wired(panel, values, sleeves))
    said = imagined(paths={s: [-0.02] * 30 for s in panel.symbols})
    loose = run_stress(case, [said], seed=1)
    assert loose.outcomes[0].replay.governor == "not called"
    assert loose.cap == 0.99
    governed = case_of(*wired(panel, *book(integrator={"preset": "book", **UNBOUND})))
    bound = run_stress(governed, [said], seed=1)
    assert bound.outcomes[0].replay.governor == "cut"
    assert bound.outcomes[0].replay.drawdown < loose.outcomes[0].replay.drawdown
    assert bound.cap == 0.15


def test_a_governor_whose_orders_find_no_market_is_found_out_although_gross_falls_with_prices() -> None:
    small = {**UNBOUND, "caps": {**UNBOUND["caps"], "gross": 0.8}}
    values, sleeves = book(integrator={"preset": "book", **small})
    panel = walk_panel(2, ("EEM", "GLD", "SPY", "TLT"), (0.15, 0.1, 0.12, 0.08), n_bars=160, drift=0.05)
    block = panel.block.copy()
    block[2, -25:] = 0.0  # nothing has traded for five weeks, and nothing trades in the scenario
    dry = replace(panel, block=block)
    said = imagined(paths={s: [-0.02] * 15 for s in panel.symbols})
    found = replayed(case_of(*wired(dry, values, sleeves)), said)
    assert found.multiplier.min() == 0.0
    assert found.gross[-1] < found.gross[0]
    assert found.governor == "did not cut"
    assert replayed(case_of(*wired(panel, values, sleeves)), said).governor == "cut"


def test_a_book_left_alone_has_the_gross_of_its_shares() -> None:
    ret = np.array([[-0.5, 0.0, 0.1], [1.0, np.nan, 0.0]])
    found = left_alone(np.array([0.4, -0.2, 0.5]), ret, np.array([False, False, True]))
    # equity: 1, then 1 - .2 + .05, then 1 + .05
    assert found == pytest.approx([0.6, (0.2 + 0.2) / 0.85, 0.6 / 1.05])


def test_the_path_the_stages_replace_has_no_tiers_to_fire() -> None:
    values, sleeves = book(integrator={"preset": "legacy"})
    panel = walk_panel(2, ("EEM", "GLD", "SPY", "TLT"), (0.15, 0.1, 0.12, 0.08), n_bars=160)
    report = run_stress(case_of(*wired(panel, values, sleeves)), [imagined(returns={"SPY": -0.2})], seed=1)
    assert not report.governed
    assert (report.outcomes[0].replay.governor, report.outcomes[0].replay.tiers) == ("none", ())
    assert "no governor with kill tiers" in report.verdict


def test_a_breach_and_a_governor_that_fails_are_findings() -> None:
    case = held_case(still_panel(("SPY",)), {"SPY": 1.0})
    report = run_stress(case, [imagined(returns={"SPY": -0.3}), imagined(returns={"SPY": 0.1}).model_copy(
        update={"name": "calm"})], seed=1)  # fmt: skip
    assert not report.ok
    assert "1 of 2 scenarios (mine) lose more than 15%" in report.verdict
    assert "no governor" in report.outcomes[0].verdict(report.cap)
    assert report.outcomes[1].verdict(report.cap) == "within the cap; no governor"
    failed = replace(report.outcomes[1], replay=replace(report.outcomes[1].replay, governor="did not cut"))
    assert not replace(report, outcomes=(failed,)).ok
    assert "but not in calm" in replace(report, outcomes=(failed,)).verdict


def test_indicators_are_as_stated_as_they_were_or_on_a_line_through_three_levels() -> None:
    panel = still_panel(("SPY",))
    panel = replace(panel, indicators=("VIX",), indicator=np.linspace(10.0, 49.0, 40)[:, None])
    said = {"VIX": IndicatorMove(start=16.0, peak=64.0, end=32.0)}
    line = levels_of(("VIX",), said, None, 4, measured=False)["VIX"]
    assert line == pytest.approx([32.0, 64.0, 64.0 * 0.5**0.5, 32.0])
    window = window_of(panel, Feed(panel), *(panel.clock.session[k].astype(object) for k in (10, 12)))
    was = levels_of(("VIX",), said, window, 2, measured=True)["VIX"]
    assert was == pytest.approx([21.0, 22.0])
    assert levels_of(("VIX",), {"VIX": (60.0, 70.0)}, window, 2, measured=False)["VIX"] == pytest.approx([60.0, 70.0])
    longer = lengthened(panel, Way(2, {}, {"VIX": np.array([60.0, 70.0])}))
    assert longer.indicator[40:, 0] == pytest.approx([60.0, 70.0, *[70.0] * QUIET])
    assert lengthened(panel, Way(2, {}, {})).indicator[40:, 0] == pytest.approx([49.0] * (2 + QUIET))


def test_a_strategy_sees_the_scenario_and_nothing_after_it() -> None:
    seen: dict[int, float] = {}

    class Watching(Steady):
        indicators = ("VIX",)

        def on_bar(self, ctx: Any) -> Any:
            seen[ctx.bar_index] = float(ctx.past.indicator("VIX")[-1])
            return super().on_bar(ctx)

    panel = still_panel(("SPY",))
    panel = replace(panel, indicators=("VIX",), indicator=np.full((40, 1), 15.0))
    values, _ = direct({"SPY": 1.0})
    case = case_of(*wired(panel, values, {"s": Watching({"SPY": 1.0})}))
    replayed(case, imagined(paths={"SPY": [-0.1, -0.1]}, indicators={"VIX": [50.0, 80.0]}))
    assert [seen[t] for t in range(39, 43)] == [15.0, 50.0, 80.0, 80.0]


def test_intraday_bars_and_a_ruined_account_are_refused() -> None:
    values, sleeves = direct({"SPY": 1.0})
    clock = build_clock(date(2019, 1, 2), date(2019, 1, 4), "5min")
    panel = make_panel(np.full((len(clock), 1), 10.0), symbols=("SPY",), clock=clock)
    with pytest.raises(DataError, match="a scenario is a path of sessions"):
        case_of(*wired(panel, values, sleeves))
    setup, market, track = wired(still_panel(("SPY",)), values, sleeves)
    track.ruined = True
    with pytest.raises(DataError, match="ruined on"):
        case_of(setup, market, track)


def test_a_replay_that_ruins_the_account_loses_everything() -> None:
    values, sleeves = direct({"SPY": 1.8}, account={"type": "reg_t"})
    found = replayed(case_of(*wired(still_panel(("SPY",)), values, sleeves)), imagined(returns={"SPY": -0.9}))
    assert found.ruined
    assert (found.drawdown, found.total) == (1.0, -1.0)


def test_what_goes_on_is_not_written_into_the_run(make_panel: Any) -> None:
    case = held_case(still_panel(("SPY",)), {"SPY": 1.0})
    before = {key: value.copy() for key, value in case.stand.setup.system.save().items()}
    cash = case.stand.setup.broker.book.save()
    go_on(case.stand, lengthened(case.stand.setup.panel, way_of(case.stand.setup.panel, case.history, imagined(
        returns={"SPY": -0.5}))))  # fmt: skip
    after = case.stand.setup.system.save()
    assert all(before[key].tobytes() == after[key].tobytes() for key in before)
    assert all(value.tobytes() == case.stand.setup.broker.book.save()[key].tobytes() for key, value in cash.items())
