"""Each gate sees its fault, by name and with its severity, and lets a calm market through."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.histories import at, changed, history, without

from plimsoll.engine.market.gates.action import count_gains
from plimsoll.engine.market.gates.judge import GateInputs, Verdict, judge
from plimsoll.engine.market.gates.pair import fingerprint
from plimsoll.engine.market.history import History, joined

LAST = "2024-03-01"
PLAIN = GateInputs(date(2024, 3, 1))


def _scaled(whole: History, day: str, factor: float, *names: str) -> History:
    """Multiply columns from a session on."""
    columns = {name: whole.column(name).copy() for name in names or ("open", "high", "low", "close")}
    for column in columns.values():
        column[at(whole, day) :] *= factor
    return replace(whole, **columns)


def _tick(whole: History, day: str, factor: float) -> History:
    row = at(whole, day)
    return changed(whole, day, **{name: whole.column(name)[row] * factor for name in ("open", "high", "low", "close")})


def _repeat(whole: History, day: str) -> History:
    row = at(whole, day)
    return changed(
        whole, day, **{name: whole.column(name)[row - 1] for name in ("open", "high", "low", "close", "volume")}
    )


def _said(verdict: Verdict) -> list[tuple[str, str, str]]:
    return [(one.gate, one.severity, one.session) for one in verdict.findings]


def test_a_calm_market_passes_every_gate_and_nothing_is_said() -> None:
    verdict = judge(history(), PLAIN)
    assert (verdict.findings, len(verdict.refused), len(verdict.kept)) == ((), 0, 42)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_no_calm_market_is_refused(seed: int) -> None:
    assert judge(history(seed=seed), PLAIN).findings == ()


ROWS: dict[str, tuple[Callable[[History], History], str]] = {
    "a last bar without a close": (lambda h: changed(h, LAST, close=np.nan), "no_price"),
    "a last bar of 0.0": (lambda h: changed(h, LAST, open=0.0, high=0.0, low=0.0, close=0.0), "no_price"),
    "a negative price": (lambda h: changed(h, LAST, low=-1.0), "no_price"),
    "an infinite price": (lambda h: changed(h, LAST, high=np.inf), "no_price"),
    "high below low": (lambda h: changed(h, LAST, high=h.low[-1] - 1.0), "high_below_low"),
    "close above high": (lambda h: changed(h, LAST, close=h.high[-1] + 0.05), "high_below_low"),
    "a high from another world": (lambda h: changed(h, LAST, high=1e6), "wild_range"),
    "a low from another world": (lambda h: changed(h, LAST, low=0.01), "wild_range"),
    "a negative volume": (lambda h: changed(h, LAST, volume=-5.0), "volume_impossible"),
    "yesterday's bar": (lambda h: _repeat(h, LAST), "stale_repeat"),
}


@pytest.mark.parametrize("case", ROWS)
def test_a_bad_row_is_kept_out_alone_and_leaves_a_hole(case: str) -> None:
    make, gate = ROWS[case]
    verdict = judge(make(history()), PLAIN)
    assert (gate, "row", LAST) in _said(verdict)
    assert ("no_decision_bar", "note", LAST) in _said(verdict)
    assert [str(day) for day in verdict.refused.session] == [LAST]
    assert verdict.kept.session.tolist() == history().session[:-1].tolist()


def test_a_row_that_holds_nothing_is_a_hole_and_not_a_fault() -> None:
    none = dict.fromkeys(("open", "high", "low", "close", "volume"), np.nan)
    verdict = judge(changed(history(), LAST, **none), PLAIN)
    assert _said(verdict) == [("no_decision_bar", "note", LAST)]


def test_the_forming_bar_is_left_out_without_a_word() -> None:
    verdict = judge(history(), GateInputs(date(2024, 2, 29)))
    assert verdict.findings == ()
    assert str(verdict.kept.session[-1]) == "2024-02-29"


def test_a_row_on_a_saturday_is_refused_and_for_an_index_left_out() -> None:
    for index, severity in ((False, "row"), (True, "note")):
        extra = replace(history(index=index).take(slice(5, 6)), session=np.array(["2024-02-03"], dtype="datetime64[D]"))
        verdict = judge(joined(history(index=index), extra), PLAIN)
        assert _said(verdict) == [("extra_session", severity, "2024-02-03")]
        assert len(verdict.kept) == 42


def test_missing_sessions_are_named_and_too_many_refuse_the_pull() -> None:
    verdict = judge(without(history(), "2024-02-01", "2024-02-02"), PLAIN)
    assert _said(verdict) == [("missing_sessions", "note", "2024-02-01")]
    assert "2 of 42 sessions have no row: 2024-02-01, 2024-02-02" in verdict.findings[0].text
    weekly = judge(history().take(np.append(np.arange(0, 41, 5), 41)), PLAIN)
    assert ("missing_sessions", "symbol", "") in _said(weekly)
    assert len(weekly.kept) == 0


def _split(whole: History, day: str, ratio: float) -> History:
    """A split that is listed and in the prices as traded."""
    traded = _scaled(whole, day, 1.0 / ratio)
    return changed(traded, day, split=ratio)


SYMBOLS: dict[str, tuple[Callable[[History], History], str, str]] = {
    "a split listed and not in the prices": (
        lambda h: _split(_scaled(h, "2024-02-01", 0.5), "2024-02-01", 2.0),
        "split_not_applied",
        "2024-02-01",
    ),
    "a split applied twice": (
        lambda h: changed(h, "2024-02-01", split=3.0),
        "split_applied_twice",
        "2024-02-01",
    ),
    "a reverse split applied twice": (
        lambda h: changed(h, "2024-02-01", split=0.1),
        "split_applied_twice",
        "2024-02-01",
    ),
    "a split nobody lists": (lambda h: _scaled(h, "2024-02-01", 0.25), "jump", "2024-02-01"),
    "a hundred times the price from a day on": (lambda h: _scaled(h, "2024-02-01", 100.0), "jump", "2024-02-01"),
    "a hundred times the price on the last day": (lambda h: _tick(h, LAST, 100.0), "jump", LAST),
    "a wrong tick that comes back": (lambda h: _tick(h, "2024-02-01", 0.65), "jump", "2024-02-01"),
    "a negative dividend": (lambda h: changed(h, "2024-02-01", dividend=-0.1), "dividend_impossible", "2024-02-01"),
    "a dividend above the price": (
        lambda h: changed(h, "2024-02-01", dividend=500.0),
        "dividend_above_price",
        "2024-02-01",
    ),
    "a dividend in cents": (lambda h: changed(h, "2024-02-01", dividend=32.0), "dividend_unseen", "2024-02-01"),
    "a split of nothing": (lambda h: changed(h, "2024-02-01", split=0.0), "split_impossible", "2024-02-01"),
    "a gain that is no number": (lambda h: changed(h, "2024-02-01", gain=np.nan), "gain_impossible", "2024-02-01"),
    "a dividend on a row that is refused": (
        lambda h: changed(h, "2024-02-01", dividend=0.3, close=np.nan),
        "action_lost",
        "2024-02-01",
    ),
}


@pytest.mark.parametrize("case", SYMBOLS)
def test_what_makes_the_whole_history_doubtful_refuses_the_whole_pull(case: str) -> None:
    make, gate, day = SYMBOLS[case]
    verdict = judge(make(history()), PLAIN)
    assert (gate, "symbol", day) in _said(verdict)
    assert len(verdict.kept) == 0
    assert len(verdict.refused) == 42


@pytest.mark.parametrize("case", [*ROWS, *SYMBOLS])
def test_a_person_is_asked_for_his_word_only_where_it_helps(case: str) -> None:
    """Follow the advice of every finding: nothing that was confirmable is refused again, the rest is as before."""
    whole = ({**ROWS, **{name: (make, gate) for name, (make, gate, _) in SYMBOLS.items()}})[case][0](history())
    before = [one for one in judge(whole, PLAIN).findings if one.severity != "note"]
    word = frozenset(date.fromisoformat(one.session) for one in before if one.confirmable)
    after = [one for one in judge(whole, replace(PLAIN, confirmed=word)).findings if one.severity != "note"]
    assert after == [one for one in before if not one.confirmable]
    every = frozenset(date.fromisoformat(one.session) for one in before if one.session)
    assert [one for one in judge(whole, replace(PLAIN, confirmed=every)).findings if one.severity != "note"] == after


NO_WORD_HELPS = {
    "a dividend on a row that is refused",
    "a split of nothing",
    "a gain that is no number",
    "a negative dividend",
}


@pytest.mark.parametrize("case", sorted(set(SYMBOLS) - NO_WORD_HELPS))
def test_what_a_person_stands_for_passes_with_a_note(case: str) -> None:
    make, gate, day = SYMBOLS[case]
    verdict = judge(make(history()), replace(PLAIN, confirmed=frozenset({date.fromisoformat(day)})))
    assert (gate, "note", day) in _said(verdict)
    assert {one.severity for one in verdict.findings} == {"note"}
    assert len(verdict.kept) == 42


@pytest.mark.parametrize("ratio", [2.0, 3.0, 0.1, 1.5, 20.0])
def test_a_split_that_is_listed_and_in_the_prices_is_in_order(ratio: float) -> None:
    verdict = judge(_split(history(), "2024-02-01", ratio), PLAIN)
    assert verdict.findings == ()


def test_a_jump_that_the_second_source_saw_too_is_a_note() -> None:
    crash = _scaled(history(), "2024-02-28", 0.4)
    second = replace(crash, source=np.full(42, "alpaca")).take(slice(30, 42))
    assert _said(judge(crash, replace(PLAIN, second=second))) == [("jump", "note", "2024-02-28")]
    assert ("jump", "symbol", "2024-02-28") in _said(judge(crash, replace(PLAIN, second=history().take(slice(0, 5)))))


def test_an_index_may_do_what_it_likes() -> None:
    wild = _tick(history("VIX", index=True, volume=np.full(42, np.nan)), "2024-02-01", 2.5)
    verdict = judge(changed(wild, "2024-02-02", high=np.nan, open=0.0), PLAIN)
    assert (verdict.findings, len(verdict.kept)) == ((), 42)


def test_volume_in_another_unit_is_noted() -> None:
    verdict = judge(_scaled(history(), "2024-02-01", 0.01, "volume"), PLAIN)
    assert [(one.gate, one.severity) for one in verdict.findings] == [("volume_unit", "note")]
    assert verdict.findings[0].session == "2024-02-01"


def test_sources_that_disagree_keep_the_row_out_and_one_exchanges_tape_does_not() -> None:
    second = history(source="alpaca").take(slice(35, 42))
    off = _tick(second, LAST, 1.02)
    verdict = judge(history(), replace(PLAIN, second=off))
    assert ("sources_disagree", "row", LAST) in _said(verdict)
    assert str(verdict.kept.session[-1]) == LAST  # the hole is the second source's to fill
    assert verdict.kept.source[-1] == "alpaca"
    thin = replace(off, volume=off.volume * 0.03)
    assert _said(judge(history(), replace(PLAIN, second=thin))) == [("sources_disagree", "note", LAST)]
    near = _tick(second, LAST, 1.009)
    assert judge(history(), replace(PLAIN, second=near)).findings == ()
    wide = replace(PLAIN, second=off, half_spread_bps=70.0)  # three half-spreads are 2.1%
    assert judge(history(), wide).findings == ()


def test_only_the_decision_bar_is_filled_from_the_second_source_and_marked() -> None:
    second = history(source="alpaca")
    verdict = judge(without(history(), "2024-02-28", LAST), replace(PLAIN, second=second))
    assert verdict.kept.source.tolist() == ["yahoo"] * 40 + ["alpaca"]
    assert str(verdict.kept.session[-1]) == LAST
    assert ("decision_bar_filled", "note", LAST) in _said(verdict)
    assert np.datetime64("2024-02-28") not in verdict.kept.session


def test_a_bad_second_source_fills_nothing() -> None:
    second = changed(history(source="alpaca"), LAST, close=0.0)
    verdict = judge(without(history(), LAST), replace(PLAIN, second=second))
    assert _said(verdict) == [("no_decision_bar", "note", LAST)]
    assert len(verdict.kept) == 41


def test_two_symbols_with_the_same_closes_are_refused() -> None:
    mine = fingerprint(history("AAA"))
    assert mine is not None
    twin = replace(history("AAA"), symbol="BBB")
    verdict = judge(twin, replace(PLAIN, others={"AAA": mine}))
    assert [(one.gate, one.severity) for one in verdict.findings] == [("identical_symbols", "symbol")]
    assert "those of AAA" in verdict.findings[0].text
    assert judge(history("BBB"), replace(PLAIN, others={"AAA": mine})).findings == ()


def test_a_bill_fund_that_stands_still_is_nobodys_twin() -> None:
    flat = replace(history(), close=np.full(42, 91.5))
    assert fingerprint(flat) is None


def test_history_told_anew_is_refused_and_small_corrections_are_not() -> None:
    halved = _scaled(history(), "2024-01-02", 0.5)
    verdict = judge(halved, replace(PLAIN, stored=history()))
    assert ("history_rewritten", "symbol", "2024-01-02") in _said(verdict)
    assert "42 of 42 stored sessions are told anew" in verdict.findings[-1].text
    assert "by a factor of 0.5" in verdict.findings[-1].text
    corrected = changed(history(), "2024-02-01", close=history().close[at(history(), "2024-02-01")] + 0.02)
    assert judge(corrected, replace(PLAIN, stored=history())).findings == ()


def test_many_bad_rows_refuse_the_pull_and_say_from_when_it_is_sound() -> None:
    whole = history()
    open_ = whole.open.copy()
    open_[:10] = 0.0
    verdict = judge(replace(whole, open=open_), PLAIN)
    last = verdict.findings[-1]
    assert (last.gate, last.severity) == ("many_bad_rows", "symbol")
    assert f"10 of 42 rows are refused, the last on {whole.session[9]}; pull from a later day with --from" in last.text


@pytest.mark.parametrize(
    ("listed", "paid"),
    [(7.857, 7.857), (1.437, 7.857)],
    ids=["the gain is in the dividend as well", "the gain stands beside the dividend"],
)
def test_a_gain_is_counted_once_by_what_the_price_did_overnight(listed: float, paid: float) -> None:
    # a fund at 100 paid 1.437 of dividend and 6.42 of gain: it opens 7.857 lower
    whole = history(close=np.full(42, 100.0), open=np.full(42, 100.0))
    fallen = _scaled(whole, "2024-02-01", 1.0 - 0.07857, "open", "close")
    told, found = count_gains(changed(fallen, "2024-02-01", dividend=listed, gain=6.42))
    assert told.dividend[at(told, "2024-02-01")] == pytest.approx(paid, rel=1e-12)
    assert len(found) == (1 if listed > 6.42 else 0)


def test_a_gain_in_the_dividend_and_beside_it_both_is_told_apart_by_the_price() -> None:
    # listed 7.857 and a gain of 6.42; the price fell by 14.277, so both were paid
    whole = history(close=np.full(42, 100.0), open=np.full(42, 100.0))
    fallen = _scaled(whole, "2024-02-01", 1.0 - 0.14277, "open", "close")
    told, found = count_gains(changed(fallen, "2024-02-01", dividend=7.857, gain=6.42))
    assert told.dividend[at(told, "2024-02-01")] == pytest.approx(14.277)
    assert "the price fell by 14.28 overnight, so 14.277 was paid" in found[0].text


def test_what_a_gain_counts_does_not_depend_on_what_else_was_asked_for() -> None:
    whole = changed(history(), "2024-02-01", dividend=4.0, gain=3.0)
    wide, _ = count_gains(whole)
    narrow, _ = count_gains(whole.take(slice(15, 30)))
    assert wide.dividend[15:30].tolist() == narrow.dividend.tolist()


@settings(max_examples=40, deadline=None)
@given(
    row=st.integers(0, 41),
    name=st.sampled_from(["open", "high", "low", "close", "volume", "dividend", "split", "gain"]),
    value=st.sampled_from([np.nan, 0.0, -1.0, np.inf, -np.inf, 1e300, 1e-300]),
)
def test_whatever_stands_in_one_cell_nothing_that_is_no_price_is_kept(row: int, name: str, value: float) -> None:
    whole = history()
    column = whole.column(name).copy()
    column[row] = value
    kept = judge(replace(whole, **{name: column}), PLAIN).kept
    for price in ("open", "high", "low", "close"):
        assert np.isfinite(kept.column(price)).all()
        assert (kept.column(price) > 0.0).all()
    assert (kept.high >= kept.low * (1.0 - 1e-4)).all()
    assert np.isfinite(kept.dividend).all()
    assert (kept.dividend >= 0.0).all()
    assert (np.isfinite(kept.split) & (kept.split > 0.0)).all()
    assert not (kept.volume < 0.0).any()
    assert not np.isinf(kept.volume).any()
    assert np.isfinite(kept.gain).all()
