"""Runs held against each other: common sessions, figures, the paired bootstrap, settings, hostile names, refusals."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from page_parser import Page

from plimsoll import InputError, Result, compare
from plimsoll.engine.report.compare.line_up import line_up
from plimsoll.engine.report.metrics.bootstrap import difference_tests
from plimsoll.engine.report.result import record_of

Make = Callable[..., Result]


def test_a_run_does_not_differ_from_itself(make_result: Make) -> None:
    one = make_result(sessions=600, name="a")
    found = compare(one, replace(one, name="b")).comparison
    row = found.tests.loc["b"]
    assert row[["mean", "sharpe", "cagr", "max_drawdown", "tracking_error_ann"]].tolist() == [0.0] * 5
    assert row["beta"] == pytest.approx(1.0)
    assert row["sharpe_p"] == 1.0
    assert found.settings.empty


def test_figures_are_those_of_each_run_over_the_sessions_they_share(make_result: Make) -> None:
    one, two = make_result(sessions=400, name="a", seed=1), make_result(sessions=300, name="b", seed=2)
    found = compare(one, two).comparison
    assert len(found.lined.sessions) == 300
    for label, run in (("a", one), ("b", two)):
        own = run.returns.to_numpy()[:300]
        assert found.figures.loc["total_return", label] == pytest.approx(np.prod(1.0 + own) - 1.0, rel=1e-12)
        assert found.figures.loc["vol_ann", label] == pytest.approx(np.std(own, ddof=1) * np.sqrt(252), rel=1e-12)
        years = pd.Series(1.0 + own, index=run.returns.index[:300])
        by_hand = years.groupby(years.index.year).prod() - 1.0
        assert found.years[label].to_numpy() == pytest.approx(by_hand.to_numpy(), rel=1e-12)


def test_a_session_one_run_lacks_is_compounded_into_the_next(make_result: Make) -> None:
    result = make_result(sessions=50, name="a")
    whole = record_of(result)
    gone = np.r_[0:20, 22:50]
    part = replace(
        whole, name="b", equity=whole.equity.iloc[gone], weights=whole.weights.iloc[gone],
        session_last=whole.session_last[gone],
    )  # fmt: skip
    lined = line_up([whole, part], [result.metrics, {}])
    own = whole.returns.to_numpy()
    assert lined.series["a"][20] == pytest.approx((1 + own[20]) * (1 + own[21]) * (1 + own[22]) - 1, rel=1e-12)
    assert np.prod(1.0 + lined.series["a"]) == pytest.approx(np.prod(1.0 + own), rel=1e-12)


def test_the_bootstrap_finds_a_difference_that_is_there_and_none_that_is_not() -> None:
    rng = np.random.default_rng(5)
    market = rng.normal(0.0004, 0.01, 2520)
    noise = rng.normal(0.0, 0.001, 2520)
    better = difference_tests(market + 0.0004, market + noise, seed=1)
    assert better["sharpe"][2] < 0.01
    assert better["mean"][0] == pytest.approx((0.0004 - noise.mean()) * 252)
    pairs = [market + rng.normal(0.0, 0.001, (2, 2520)) for _ in range(40)]
    taken = [difference_tests(first, second, seed=1)["sharpe"][2] for first, second in pairs]
    assert sum(p < 0.05 for p in taken) <= 6  # of 40 that do not differ, 2 are expected below 5%
    spread = np.std(noise, ddof=1) * 252 / np.sqrt(2520)  # of a mean of independent days
    assert difference_tests(market, market + noise, seed=1)["mean"][1] == pytest.approx(spread, rel=0.25)


def test_settings_that_differ_are_named_and_no_others(make_result: Make) -> None:
    sleeve = {"name": "x", "strategy": "trend", "params": {"lookback_bars": 100}}
    one = make_result(sessions=60, name="a", config={"sleeve": [sleeve], "costs": {"preset": "flat"}})
    other = sleeve | {"name": "y", "params": {"lookback_bars": 200}}
    two = make_result(sessions=60, name="b", config={"sleeve": [other], "costs": {"preset": "flat", "flat_bps": 5.0}})
    settings = compare(one, two).comparison.settings
    assert settings.loc["sleeve.0.params.lookback_bars"].tolist() == ["100", "200"]
    assert settings.loc["costs.flat_bps"].tolist() == ["not set", "5.0"]
    assert len(settings) == 2


def test_focus_periods_are_years_or_ranges(make_result: Make) -> None:
    one = make_result(sessions=600, name="a")
    found = compare(one, one, names=("a", "b"), focus=("2016", "2015-2016")).comparison
    own = one.returns
    assert found.focus.loc[("2016", "total_return"), "a"] == pytest.approx(np.prod(1 + own[own.index.year == 2016]) - 1)
    assert found.focus.loc[("2015-2016", "max_drawdown"), "b"] <= found.focus.loc[("2016", "max_drawdown"), "b"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"focus": ("last year",)}, "no year and no range"),
        ({"focus": ("1999",)}, "no common session lies in 1999"),
        ({"names": ("a",)}, "1 names for 2 runs"),
    ],
)
def test_what_cannot_be_compared_is_said(make_result: Make, asked: dict[str, Any], said: str) -> None:
    one = make_result(sessions=60)
    with pytest.raises(InputError, match=said):
        compare(one, one, **asked)


def test_one_run_is_no_comparison(make_result: Make) -> None:
    with pytest.raises(InputError, match="one run only"):
        compare(make_result(sessions=60))


def test_the_page_names_both_runs_and_is_inert(make_result: Make, tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    one, two = make_result(sessions=300, name=hostile, seed=1), make_result(sessions=300, name="b", seed=2)
    made = compare(one, two, out=tmp_path / "c.html")
    text = (tmp_path / "c.html").read_text()
    assert hostile not in text
    parts = Page(text)
    assert any(hostile in seen for seen in parts.texts)
    assert not any(source.strip().startswith("alert") for _, source in parts.scripts)
    assert made.html() == text
    assert len(text.encode()) < 2_500_000
    with pytest.raises(InputError, match="exists already"):
        compare(one, two, out=tmp_path / "c.html")
