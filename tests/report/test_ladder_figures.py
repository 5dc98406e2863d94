"""The ladder in figures and words: verdicts on series made for them, and the places they are shown in."""

import io
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from page_parser import Page
from rich.console import Console

from plimsoll.engine.report.folder import folder_files
from plimsoll.engine.report.metrics.ladder import BEATS, LEVEL, LOSES, compared, verdict
from plimsoll.engine.report.result import Result, record_of
from plimsoll.engine.report.summary import print_summary
from plimsoll.engine.report.tearsheet.page import tearsheet_html
from plimsoll.engine.runtime.rung import METHODS, Ladder, Rung
from plimsoll.engine.types import Floats

Make = Callable[..., Result]
N = 1000
BASE = 0.0004 + 0.008 * np.random.default_rng(1).standard_normal(N)


def better(by: float, seed: int = 2, noise: float = 0.001) -> Floats:
    """Return the base series with so much more a session, and noise of its own that adds up to nothing."""
    own = np.random.default_rng(seed).standard_normal(N)
    out: Floats = BASE + by + noise * (own - own.mean())
    return out


def rung(name: str, ret: Floats, why: str = "", **decided: int) -> Rung:
    nothing = np.empty(0)
    return Rung(
        name, nothing if why else ret, 12.0, 0.006, decided or {METHODS[name]: N}, f"hash-{name}", f"# {name}\n", why
    )


def ladder(own: str = "hrp", **given: Floats | str) -> Ladder:
    """Return a ladder of level rungs but for those given: another series, or why it failed."""
    rungs = []
    for seed, name in enumerate(METHODS, start=100):
        one = given.get(name, better(0.0, seed))
        rungs.append(rung(name, better(0.0, seed), one) if isinstance(one, str) else rung(name, one))
    return Ladder(tuple(rungs), own, 42)


def block_of(make: Make, given: Ladder) -> dict[str, Any]:
    block: dict[str, Any] = make(sessions=N, ladder=given).metrics["ladder"]
    return block


def by_name(block: Mapping[str, Any]) -> dict[str, Any]:
    return {one["name"]: one for one in block["rungs"]}


# ----------------------------------------------------------------------------------------------------------- verdicts
@pytest.mark.parametrize(
    ("difference", "error", "expected"),
    [
        (0.21, 0.10, BEATS),
        (0.20, 0.10, LEVEL),  # not more than two
        (0.02, 0.03, LEVEL),
        (-0.20, 0.10, LEVEL),
        (-0.21, 0.10, LOSES),
        (0.0, 0.0, LEVEL),
        (0.5, math.nan, LEVEL),
        (math.nan, 0.1, LEVEL),
    ],
)
def test_a_difference_counts_beyond_two_standard_errors(difference: float, error: float, expected: str) -> None:
    assert verdict(difference, error) == expected


def test_series_made_to_win_lose_and_draw_do_so() -> None:
    assert compared(better(0.0004), BASE, 42)["verdict"] == BEATS
    assert compared(better(-0.0004), BASE, 42)["verdict"] == LOSES
    assert compared(better(0.0), BASE, 42)["verdict"] == LEVEL
    assert compared(better(0.0004, noise=0.02), BASE, 42)["verdict"] == LEVEL  # as much better, and far less sure


def test_the_halves_are_those_of_the_period_and_may_disagree() -> None:
    up_then_down = better(0.0)
    up_then_down[: N // 2] += 0.0006
    up_then_down[N // 2 :] -= 0.0006
    found = compared(up_then_down, BASE, 42)
    assert found["first_half"] > 0.5
    assert found["second_half"] < -0.5
    assert found["verdict"] == LEVEL
    sharpe = [float(s[: N // 2].mean() / s[: N // 2].std(ddof=1)) * math.sqrt(252.0) for s in (up_then_down, BASE)]
    assert found["first_half"] == pytest.approx(sharpe[0] - sharpe[1], rel=1e-12)


@pytest.mark.parametrize(
    ("by", "said", "ships"), [(0.0005, BEATS, "hrp"), (0.0, LEVEL, "equal_risk"), (-0.0005, LOSES, "equal_risk")]
)
def test_the_rule_ships_hrp_only_where_it_beats_an_equal_share_of_risk(
    by: float, said: str, ships: str, make_result: Make
) -> None:
    block = block_of(make_result, ladder(hrp=better(by), equal_risk=BASE))
    assert by_name(block)["hrp"]["verdict"] == said
    assert block["ships"] == ships


def test_the_method_that_ran_has_a_verdict_of_its_own_and_so_has_whatever_is_told_apart(make_result: Make) -> None:
    block = block_of(make_result, ladder("nco", equal_risk=BASE, equal=better(0.0006)))
    assert [one["name"] for one in block["verdicts"]] == ["hrp", "nco", "equal"]
    assert block["ships"] == "equal_risk"
    own = block_of(make_result, ladder("equal_risk", equal_risk=BASE))
    assert [one["name"] for one in own["verdicts"]] == ["hrp"]


def test_figures_are_net_over_bills_and_per_year(make_result: Make) -> None:
    result = make_result(sessions=N, ladder=ladder(erc=better(0.0003)))
    assert result.bill is not None
    excess = better(0.0003) - result.bill.to_numpy()
    found = by_name(result.metrics["ladder"])["erc"]
    assert found["sharpe_excess"] == pytest.approx(excess.mean() / excess.std(ddof=1) * math.sqrt(252.0), rel=1e-12)
    assert found["turnover"] == pytest.approx(12.0 * 252.0 / N)
    assert found["cost_bps"] == pytest.approx(0.006 * 252.0 / N * 1e4)
    assert "difference" not in by_name(result.metrics["ladder"])["equal_risk"]


def test_bars_within_the_day_are_compounded_to_sessions(make_result: Make) -> None:
    parts = 1.0 + np.random.default_rng(0).normal(0.0, 0.003, (300, 4))
    one = Ladder((rung("hrp", (parts - 1.0).ravel()), rung("equal_risk", np.zeros(1200))), "hrp", 1)
    found = by_name(make_result(sessions=300, bars=4, ladder=one).metrics["ladder"])["hrp"]
    assert found["vol_ann"] == pytest.approx((parts.prod(axis=1) - 1.0).std(ddof=1) * math.sqrt(252.0), rel=1e-9)


def test_without_1_over_n_risk_nothing_is_judged(make_result: Make) -> None:
    block = block_of(make_result, ladder(equal_risk="it was ruined on 2016-01-05"))
    assert (block["verdicts"], block["ships"]) == ([], None)
    assert block["rungs"][3]["why"] == "it was ruined on 2016-01-05"


def test_a_short_run_has_no_standard_error_and_its_difference_counts_for_nothing(make_result: Make) -> None:
    few = Ladder((rung("hrp", better(0.01)[:100]), rung("equal_risk", BASE[:100])), "hrp", 1)
    result = make_result(sessions=100, ladder=few)
    one = by_name(result.metrics["ladder"])["hrp"]
    assert (one["standard_error"], one["verdict"]) == (None, LEVEL)
    assert "no standard error: too few sessions" in printed(result)


# ---------------------------------------------------------------------------------------------------- where it is shown
def printed(result: Result, width: int = 200) -> str:
    sink = io.StringIO()
    print_summary(record_of(result), result.metrics, console=Console(file=sink, width=width, highlight=False))
    return sink.getvalue()


@pytest.fixture(scope="module")
def shown_result(make_result: Make) -> Result:
    given = ladder(hrp=better(-0.00002), equal_risk=BASE, equal=better(0.0006), nco="no estimate")
    some = {"hrp": {"hrp": 900, "inverse_vol": 100}, "erc": {"erc": 900, "inverse_vol": 100}}
    rungs = [rung(one.name, one.ret, one.why, **some.get(one.name, {})) for one in given.rungs]
    return make_result(sessions=N, ladder=Ladder(tuple(rungs), "hrp", 42))


SAID = (
    "HRP is not distinguishable from 1/N-risk net of costs: Sharpe over bills",
    "1/N beats 1/N-risk net of costs: Sharpe over bills +",
    "Rule: HRP must beat 1/N-risk net of costs, or 1/N-risk ships. It comes to 1/N-risk; this run has HRP.",
    "NCO failed: no estimate",
    "no estimate of its own for HRP, ERC at 10.00% of decisions, shared by inverse_vol 100",
)


def test_the_terminal_shows_every_rung_the_verdicts_and_what_did_not_go_as_asked(shown_result: Result) -> None:
    text = printed(shown_result)
    for title in ("HRP *", "ERC", "inverse vol", "1/N-risk", "1/N", "NCO"):
        assert f"\n {title} " in text
    for words in SAID:
        assert words in text


def test_the_terminals_table_fits_into_80_columns(shown_result: Result) -> None:
    table = printed(shown_result, width=80).split("shared by")[1].split("Money")[0]
    assert "…" not in table


def test_the_page_has_a_section_with_verdicts_table_and_chart(shown_result: Result) -> None:
    page = Page(tearsheet_html(record_of(shown_result), shown_result.metrics))
    assert page.stack == []
    assert {"ladder"} <= {a.get("id") for a in page.all("section")}
    text = " ".join(page.texts)
    for words in SAID:
        assert words in text
    traces = {t["name"]: t for t in page.payload["figures"]["ladder_growth"]["data"]}
    assert set(traces) == {"HRP", "ERC", "inverse vol", "1/N"}  # 1/N-risk is the ground, NCO failed
    ahead = np.prod(1.0 + better(0.0006)) / np.prod(1.0 + BASE) - 1.0
    assert traces["1/N"]["y"][-1] == pytest.approx(ahead, rel=1e-5)


def test_the_page_says_why_there_is_nothing_to_compare(make_result: Make) -> None:
    result = make_result(sessions=60, ladder=Ladder((), "", 1, "the book was ruined"))
    page = Page(tearsheet_html(record_of(result), result.metrics))
    assert "no ladder: the book was ruined" in " ".join(page.texts)
    assert "no ladder: the book was ruined" in printed(result)


def test_the_folder_holds_the_returns_of_the_rungs_that_ran(shown_result: Result, tmp_path: Path) -> None:
    files = folder_files(record_of(shown_result), shown_result.metrics)
    table = pd.read_csv(io.BytesIO(files["ladder.csv"]))
    assert list(table) == ["session", "hrp", "erc", "inverse_vol", "equal_risk", "equal"]
    np.testing.assert_array_equal(table["equal_risk"], BASE)
    stored = json.loads(files["metrics.json"])["ladder"]
    assert (stored["ships"], stored["seed"], stored["block_sessions"]) == ("equal_risk", 42, 63)
    folder = shown_result.save(tmp_path / "run")
    assert (folder / "ladder.csv").exists()


def test_a_run_without_a_ladder_shows_nothing_of_it(make_result: Make, tmp_path: Path) -> None:
    plain = make_result(sessions=60)
    assert plain.metrics["ladder"] is None
    assert "ladder.csv" not in folder_files(record_of(plain), plain.metrics)
    assert "Ladder" not in printed(plain)
    assert 'href="#ladder"' not in tearsheet_html(record_of(plain), plain.metrics)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "ladder.csv").write_text("of an earlier run")
    plain.save(tmp_path / "run", force=True)
    assert not (tmp_path / "run" / "ladder.csv").exists()
