"""Benchmark, bill series and indicators have a span of their own: nothing beside the account is padded or guessed."""

import json
import math
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.panels import make_panel
from support.scripted import Ran, run_config, run_script

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.report.metrics.notices import banners
from plimsoll.engine.report.result import record_of
from plimsoll.engine.research.sweep.evaluate import outcome_of
from plimsoll.engine.research.sweep.figures import FIGURES, figures, in_metrics
from plimsoll.engine.runtime.alongside import benchmark_of, bill_of
from plimsoll.engine.runtime.beside import SpanReturns, stretches
from plimsoll.engine.runtime.bill import bill_returns
from plimsoll.engine.types import Floats

N = 120
ALL = {0: {"AAA": 1.0}}


def closes(seed: int = 5) -> Floats:
    """AAA and SPY."""
    rng = np.random.default_rng(seed)
    out: Floats = 100.0 * np.cumprod(1.0 + rng.normal(0.001, 0.01, (N, 2)), axis=0)
    return out


def panel_of(close: Floats) -> Panel:
    return make_panel(close, symbols=("AAA", "SPY"))


def held(close: Floats, *, first: int = 1, **sections: Any) -> Ran:
    """All in AAA from the first close on, against SPY."""
    run = {"name": "t", "benchmark": "SPY"} | sections.pop("run", {})
    return run_script(panel_of(close), ALL, first=first, run=run, **sections)


def without(rows: Any) -> Floats:
    close = closes()
    close[rows, 1] = np.nan
    return close


def test_a_benchmark_that_ends_early_is_compared_over_its_span_alone() -> None:
    close = without(slice(60, None))
    ran, whole = held(close), held(closes())
    metrics = ran.result.metrics
    ours = ran.result.returns.to_numpy()[:59]
    theirs = close[1:60, 1] / close[:59, 1] - 1.0
    assert metrics["benchmark"]["cagr"] == pytest.approx(np.prod(1.0 + theirs) ** (252 / 59) - 1.0)
    assert metrics["relative"]["beta"] == pytest.approx(np.cov(ours, theirs)[0, 1] / np.var(theirs, ddof=1))
    active = ours - theirs
    assert metrics["relative"]["information_ratio"] == pytest.approx(
        active.mean() / active.std(ddof=1) * math.sqrt(252)
    )
    assert (metrics["relative"]["sessions"], metrics["run"]["sessions"]) == (59, 119)
    assert metrics["cagr"] == whole.result.metrics["cagr"]


def test_a_benchmark_that_begins_late_is_compared_from_its_first_return_on() -> None:
    close = without(slice(0, 40))
    metrics = held(close).result.metrics
    ours = close[41:, 0] / close[40:-1, 0] - 1.0
    theirs = close[41:, 1] / close[40:-1, 1] - 1.0
    assert metrics["benchmark"]["total_return"] == pytest.approx(close[-1, 1] / close[40, 1] - 1.0)
    assert metrics["relative"]["correlation"] == pytest.approx(np.corrcoef(ours, theirs)[0, 1])
    assert metrics["relative"]["sessions"] == N - 41


@pytest.mark.parametrize("hole", [[50], [50, 51, 52], [30, 60, 61, 90]])
def test_both_sides_are_compounded_over_a_hole_in_the_benchmark(hole: list[int]) -> None:
    close = without(hole)
    metrics = held(close, first=2).result.metrics
    known = [t for t in range(1, N) if t not in hole]
    ours = np.array([close[b, 0] / close[a, 0] - 1.0 for a, b in pairwise(known)])
    theirs = np.array([close[b, 1] / close[a, 1] - 1.0 for a, b in pairwise(known)])
    a_year = 252.0 * len(ours) / (N - 2)
    relative, bench = metrics["relative"], metrics["benchmark"]
    assert relative["beta"] == pytest.approx(np.cov(ours, theirs)[0, 1] / np.var(theirs, ddof=1))
    assert relative["tracking_error_ann"] == pytest.approx((ours - theirs).std(ddof=1) * math.sqrt(a_year))
    assert bench["cagr"] == pytest.approx((close[-1, 1] / close[1, 1]) ** (252 / (N - 2)) - 1.0)
    assert bench["vol_ann"] == pytest.approx(theirs.std(ddof=1) * math.sqrt(a_year))
    assert (relative["sessions"], relative["holes"]) == (N - 2, len(hole))


def test_a_hole_across_the_start_of_the_run_leaves_the_comparison_to_begin_at_the_next_row() -> None:
    close = without([9, 10, 11])
    metrics = held(close, first=10).result.metrics
    assert metrics["benchmark"]["total_return"] == pytest.approx(close[-1, 1] / close[12, 1] - 1.0)
    assert metrics["relative"]["sessions"] == N - 13


@pytest.mark.parametrize("rows", [slice(1, None), slice(0, N - 1)], ids=["before the run only", "a single row"])
def test_a_benchmark_without_a_return_in_the_run_is_refused(rows: slice) -> None:
    with pytest.raises(DataError, match=r"benchmark SPY has no return between"):
        held(without(rows), first=3)


def test_a_year_that_the_benchmark_covers_in_part_has_no_figure_of_it() -> None:
    close = np.vstack([closes(seed) / closes(seed)[0] * 100.0 for seed in (1, 2, 3, 4)])
    close[400:, 1] = np.nan
    rows = held(close).result.metrics["by_year"]
    assert [row["benchmark"] is None for row in rows] == [False, True]
    last = sum(row["sessions"] for row in rows[:1])
    assert rows[0]["benchmark"] == pytest.approx(close[last, 1] / close[0, 1] - 1.0)


def test_a_sweep_shows_the_same_relative_figures_as_the_report() -> None:
    ran = held(without([50, 51, *range(100, N)]))
    setup, track = ran.setup, ran.track
    span = slice(setup.first, track.last + 1)
    benchmark, bill = benchmark_of(setup, span), bill_of(setup, span)
    assert benchmark is not None
    found = figures(outcome_of(setup, track, stretches(benchmark), None if bill is None else bill.values))
    for name, value in zip(FIGURES, found.tolist(), strict=True):
        wanted = in_metrics(ran.result.metrics, name)
        assert value == pytest.approx(float(wanted), rel=1e-12) if wanted is not None else math.isnan(value)


@given(st.sets(st.integers(0, 29)), st.integers(0, 3))
def test_stretches_tile_the_span_and_compound_to_what_the_sessions_do(missing: set[int], start: int) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(0.0, 0.02, 30)
    values[list(missing)] = np.nan
    beside = stretches(SpanReturns(start, values))
    ours = rng.normal(0.0, 0.02, start + 30)
    got = beside.over(ours)
    assert len(got) == len(beside.theirs) == 30 - len(missing)
    if len(got):
        assert beside.starts[0] == start
        assert (beside.starts[1:] == beside.ends[:-1] + 1).all()
        stop = int(beside.ends[-1]) + 1
        assert np.prod(1.0 + got) == pytest.approx(np.prod(1.0 + ours[start:stop]), rel=1e-12)
        assert beside.covered == stop - start
        alone = beside.starts == beside.ends
        assert got[alone].tobytes() == ours[beside.ends[alone]].tobytes()


# The bill series.


def bill_panel(missing: Any, n: int = 60) -> tuple[Panel, Floats]:
    """BIL grows by 1 bp, then 2 bp, 3 bp ... a session; AAA never moves."""
    rate = 1e-4 * np.arange(n)
    bil = 100.0 * np.cumprod(1.0 + rate)
    bil[missing] = np.nan
    return make_panel(np.column_stack((np.full(n, 50.0), bil)), symbols=("AAA", "BIL")), rate


def in_cash(panel: Panel, **financing: Any) -> Ran:
    """Nothing but cash at BIL's return."""
    return run_script(panel, {0: {}}, first=1, financing={"cash_rate": "BIL", **financing})


@pytest.mark.parametrize("missing", [1, 3, 5])
def test_up_to_five_missing_last_sessions_hold_the_last_bill_rate_and_are_counted(missing: int) -> None:
    panel, rate = bill_panel(slice(60 - missing, None))
    ran = in_cash(panel)
    ret = ran.equity["ret"].to_numpy()
    np.testing.assert_allclose(ret[1 : 59 - missing], rate[2 : 60 - missing], rtol=1e-9)
    np.testing.assert_allclose(ret[-missing:], rate[59 - missing], rtol=1e-9)
    assert ran.result.counts["bill_rate_held_sessions"] == missing
    assert ran.result.bill is not None  # what a Sharpe ratio over bills subtracts
    np.testing.assert_allclose(ran.result.bill.to_numpy()[1:], ret[1:], atol=1e-15)


def test_a_bill_series_that_ends_six_sessions_early_is_refused_with_the_way_out() -> None:
    panel, _ = bill_panel(slice(54, None))
    with pytest.raises(DataError, match=r"BIL has its last row on 2019-03-20, 6 sessions .*cash_rate_after = 0.04"):
        in_cash(panel)


def test_a_rate_given_for_after_the_series_is_earned_from_the_sixth_session_on() -> None:
    panel, rate = bill_panel(slice(50, None))
    ret = in_cash(panel, cash_rate_after=0.0504).equity["ret"].to_numpy()
    np.testing.assert_allclose(ret[-10:-5], rate[49], rtol=1e-9)
    np.testing.assert_allclose(ret[-5:], 0.0504 / 252.0, rtol=1e-9)


@pytest.mark.parametrize("gap", [1, 4, 9])
def test_a_hole_in_a_bill_series_earns_its_return_over_the_gap_all_the_same(gap: int) -> None:
    panel, rate = bill_panel(slice(30, 30 + gap))
    ran = in_cash(panel)
    assert ran.result.metrics["total_return"] == pytest.approx(np.prod(1.0 + rate[2:]) - 1.0, rel=1e-9)
    assert ran.result.counts["bill_rate_held_sessions"] == min(gap, 5)


@given(st.sets(st.integers(3, 38)), st.integers(5, 40), st.sampled_from([None, 0.03]))
def test_what_cash_earns_at_a_session_does_not_depend_on_later_rows(
    missing: set[int], cut: int, after: float | None
) -> None:
    clock = build_clock(date(2024, 1, 2), date(2024, 3, 28))
    clock = replace(clock, **{k: getattr(clock, k)[:40] for k in ("stamp", "session", "session_index", "first_bar")})
    rate = np.random.default_rng(1).uniform(0.0, 4e-4, 40)
    level = np.cumprod(1.0 + rate)
    known = np.array([t not in missing for t in range(40)])
    ret, last = np.full(40, np.nan), None
    for t in np.flatnonzero(known):
        if last is not None:
            ret[t] = level[t] / level[last] - 1.0
        last = t
    whole = bill_returns(ret, known, clock, after)
    early = replace(clock, session_index=clock.session_index[:cut])
    assert bill_returns(ret[:cut], known[:cut], early, after).tobytes() == whole[:cut].tobytes()
    end = np.flatnonzero(known)[-1]
    assert np.prod(1.0 + whole[1 : end + 1]) == pytest.approx(level[end] / level[0], rel=1e-12)


def test_a_bill_series_without_a_hole_earns_its_own_returns_to_the_bit() -> None:
    panel, _ = bill_panel([])
    ret = np.concatenate(([np.nan], panel.close[1:, 1] / panel.close[:-1, 1] - 1.0))
    got = bill_returns(ret, np.ones(60, dtype=bool), panel.clock, None)
    assert got.tobytes() == np.nan_to_num(ret).tobytes()


def test_an_intraday_session_without_a_bill_row_earns_the_last_sessions_rate_once() -> None:
    clock = build_clock(date(2024, 7, 8), date(2024, 7, 12), "195min")
    ret = np.full(10, 0.01)
    ret[0] = np.nan
    known = np.ones(10, dtype=bool)
    ret[6:8], known[6:8] = np.nan, False
    ret[8] = 1.01 * 1.01 * 1.01 - 1.0
    got = bill_returns(ret, known, clock, None)
    assert got[6] == pytest.approx(1.01**2 - 1.0)
    assert got[7] == 0.0
    assert np.prod(1.0 + got) == pytest.approx(1.01**9)


# What is told.


def test_every_series_has_a_span_line_in_the_metrics_the_summary_and_the_page(
    capsys: pytest.CaptureFixture[str],
) -> None:
    close = np.column_stack((closes(), 100.0 * np.cumprod(np.full(N, 1.0001))))
    close[100:, 1] = np.nan
    close[N - 2 :, 2] = np.nan
    panel = make_panel(close, symbols=("AAA", "SPY", "BIL"))
    vix = np.full((N, 1), 15.0)
    vix[:30] = np.nan
    panel = replace(panel, indicators=("VIX",), indicator=vix)
    ran = run_script(panel, ALL, first=1, run={"name": "t", "benchmark": "SPY"}, financing={"cash_rate": "BIL"})
    day = [str(d) for d in panel.clock.session]
    spans = {one["name"]: one for one in ran.result.metrics["spans"]}
    assert spans["SPY"] == {
        "role": "benchmark", "name": "SPY", "first": day[0], "last": day[99], "sessions": 99, "of": 119, "held": 0,
        "by_default": False,
    }  # fmt: skip
    assert (spans["BIL"]["role"], spans["BIL"]["last"], spans["BIL"]["held"]) == ("bill", day[N - 3], 2)
    assert (spans["VIX"]["role"], spans["VIX"]["first"], spans["VIX"]["sessions"]) == ("indicator", day[30], 90)
    json.dumps(ran.result.metrics, allow_nan=False)
    ran.result.summary()
    told = " ".join(capsys.readouterr().out.split())
    assert f"benchmark SPY: {day[0]} to {day[99]}, a row on 99 of 119 sessions" in told
    assert "its last rate held for 2" in told
    assert "Benchmark SPY covers 99 of 119 sessions" in told


def test_the_page_shows_the_spans_and_draws_the_benchmark_on_its_own_dates(tmp_path: Any) -> None:
    page = (held(without([50, *range(80, N)])).result.save(tmp_path / "run") / "report.html").read_text()
    assert "Series beside the account" in page
    assert ">78 of 119</td>" in page  # a hole is no row


@pytest.mark.parametrize(
    ("end", "told"), [("2019-06-28", 1), ("2019-06-24", 0), (None, 0)], ids=["later", "the Monday after", "none"]
)
def test_data_that_end_before_the_run_are_one_warning(end: str | None, told: int) -> None:
    panel = make_panel(np.full((N, 1), 10.0), symbols=("AAA",))
    assert str(panel.clock.session[-1]) == "2019-06-24"
    run = {"name": "t"} | ({"end": end} if end else {})
    values = {"run": run, "sleeve": [{"name": "s", "strategy": "buy_and_hold", "params": {"symbols": ["AAA"]}}]}
    found = [one for one in run_config(panel, values).result.warnings if one.kind == "data_end_early"]
    assert len(found) == told
    assert all("the data end on 2019-06-24, before run.end = 2019-06-28" in one.text for one in found)


@pytest.mark.parametrize(("missing", "warned"), [([0], False), ([0, 1], True)])
def test_a_benchmark_that_begins_with_the_run_lacks_its_first_return_and_nothing_to_warn_of(
    missing: list[int], warned: bool
) -> None:
    result = held(without(missing)).result
    assert any("covers" in text for text, _ in banners(record_of(result), result.metrics)) == warned
