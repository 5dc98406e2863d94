"""What an explanation says of one symbol: its own caps, exits, what was left as it is; and how wide it is printed."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.book_run import UNBOUND, UNGOVERNED, Replay, Steady, build_book, walk_panel
from support.panels import make_panel

from plimsoll import backtest
from plimsoll.engine.cli.main import main
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.portfolio.stages.s4_caps import BINDING
from plimsoll.engine.research.explain import Explanation, explain_decision
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.backtest import run_loop

SYMBOLS = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF")
VOLS = (0.08, 0.12, 0.16, 0.20, 0.10, 0.25)
CLUSTERS = {"one": ("AAA", "BBB", "CCC"), "two": ("DDD", "EEE")}


def market(n_bars: int = 260) -> Panel:
    return walk_panel(3, SYMBOLS, VOLS, n_bars, corr=0.3)


def told(setup: Setup, bar: int) -> dict[str, Explanation]:
    """Explain the decision at the close of a bar, by symbol."""
    track = run_loop(setup, stop_at=bar)
    assert track.decisions[-1].t == bar
    return {one.symbol: one for one in explain_decision(setup, track.decisions[-1])}


def stage(one: Explanation, name: str) -> Any:
    return next(step for step in one.steps if step.stage == name)


def expected_words(w: np.ndarray, symbols: list[str], caps: dict[str, float]) -> list[list[str]]:
    """Apply the five lines of the requirement one by one and note which moved whom."""
    words: list[list[str]] = [[] for _ in w]

    def note(after: np.ndarray, said: list[str]) -> np.ndarray:
        for i in np.flatnonzero(~np.isclose(after, w, rtol=1e-13, atol=0.0)):
            words[i].append(said[i])
        return after

    n = len(w)
    w = note(np.clip(w, -caps["name"], caps["name"]), [f"its own cap of {caps['name']:.1%}"] * n)
    of = {s: name for name, members in CLUSTERS.items() for s in members}
    for name, members in CLUSTERS.items():
        inside = np.array([s in members for s in symbols])
        total = np.abs(w[inside]).sum()
        shrunk = np.where(inside & (total > caps["cluster"]), w * caps["cluster"] / max(total, 1e-12), w)
        w = note(shrunk, [f"the cap of {caps['cluster']:.1%} on cluster {of.get(s, name)}" for s in symbols])
    total = np.abs(w).sum()
    w = note(w * min(1.0, caps["gross"] / total), [f"the cap of {caps['gross']:.1%} on the book's gross"] * n)
    long, short = w[w > 0].sum(), -w[w < 0].sum()
    larger = w > 0 if long > short else w < 0
    aim = (caps["net"] + min(long, short)) / max(long, short) if abs(long - short) > caps["net"] else 1.0
    note(np.where(larger, w * aim, w), [f"the cap of {caps['net']:.1%} on the book's net"] * n)
    return words


@pytest.mark.parametrize(
    "caps",
    [
        {"name": 0.20, "cluster": 9.0, "gross": 9.0, "net": 9.0},
        {"name": 0.30, "cluster": 0.35, "gross": 9.0, "net": 9.0},
        {"name": 0.25, "cluster": 0.40, "gross": 0.60, "net": 0.20},
    ],
    ids=["name", "name and cluster", "all four"],
)
def test_each_symbol_is_told_the_caps_that_moved_it_and_no_other(caps: dict[str, float]) -> None:
    rng = np.random.default_rng(8)
    paths = {name: rng.normal(0.1, 0.3, (260, 6)) for name in ("a", "b")}
    stages = {"preset": "book", **UNBOUND, **UNGOVERNED, "caps": {**caps, "clusters": CLUSTERS, "capacity": 1e9}}
    moved = set()
    for bar in (140, 200, 250):
        sleeves = {name: Replay(SYMBOLS, path) for name, path in paths.items()}
        setup = build_book(market(), sleeves, first=100, integrator=stages)
        found = told(setup, bar)
        symbols = list(found)
        scaled = np.array([stage(found[s], "s3_vol_target").weight for s in symbols])
        for symbol, words in zip(symbols, expected_words(scaled, symbols, caps), strict=True):
            step = stage(found[symbol], "s4_caps")
            assert step.why == ("held to " + ", then ".join(words) if words else "")
            assert bool(words) == (step.change != 0.0)
            assert f"s4_caps: {step.why}" in found[symbol].moved_by or not words
            moved |= set(words)
    assert len(moved) >= sum(limit < 9.0 for limit in caps.values())


def test_a_symbol_that_no_cap_moved_is_told_none_while_others_are_capped() -> None:
    sleeves = {"s": Steady({"AAA": 0.9, "BBB": 0.05, "FFF": 0.05})}
    stages = {"preset": "book", **UNBOUND, **UNGOVERNED}
    setup = build_book(market(), sleeves, first=100, integrator={**stages, "caps": {**UNBOUND["caps"], "name": 0.3}})
    track = run_loop(setup, stop_at=150)
    bits = int(track.decisions[-1].target.facts[setup.system.integrator.facts.index("binding")])
    assert bits & 1 << BINDING.index("name")
    found = {one.symbol: one for one in explain_decision(setup, track.decisions[-1])}
    assert stage(found["AAA"], "s4_caps").why == "held to its own cap of 30.0%"
    for free in ("BBB", "FFF"):
        assert stage(found[free], "s4_caps").why == ""
        assert "cap" not in found[free].moved_by


def test_both_legs_of_a_hedge_are_told_the_cap_that_one_of_them_met_and_the_rest_is_not() -> None:
    sleeves = {"spread": Steady({"AAA": 0.3, "BBB": -0.7}), "long": Steady({"CCC": 1.0})}
    caps = {**UNBOUND["caps"], "name": 0.2, "hedges": True}
    setup = build_book(
        market(), sleeves, first=100, integrator={"preset": "book", **UNBOUND, **UNGOVERNED, "caps": caps}
    )
    found = told(setup, 150)
    hedge = "a hedge that a name's cap would have left with one leg"
    assert stage(found["AAA"], "s4_caps").why == stage(found["BBB"], "s4_caps").why == f"held to {hedge}"
    legs = [stage(found[s], "s4_caps").weight / stage(found[s], "s3_vol_target").weight for s in ("AAA", "BBB")]
    assert legs[0] == pytest.approx(legs[1])
    assert stage(found["BBB"], "s4_caps").weight == pytest.approx(-0.2)
    assert hedge not in stage(found["CCC"], "s4_caps").why


def test_a_restricted_symbol_is_told_so() -> None:
    restricted = {"BBB": {"rule": "close", "start": "2019-06-03"}}
    sleeves = {"s": Steady({"AAA": 0.5, "BBB": 0.5})}
    stages = {"preset": "book", **UNBOUND, **UNGOVERNED}
    panel = market()
    bar = int(np.searchsorted(panel.clock.session, np.datetime64("2019-06-03")))
    found = told(build_book(panel, sleeves, first=60, integrator=stages, restricted=restricted), bar)
    assert found["BBB"].held > 0.0
    assert found["BBB"].moved_by == "exit, s4_caps: held to a restriction of its own"
    assert stage(found["AAA"], "s4_caps").why == ""


def test_an_exit_is_told_by_what_left_nothing() -> None:
    path = np.tile([0.5, 0.5], (260, 1))
    path[180:] = [0.6, 0.0]
    stages = {"preset": "book", **UNBOUND, **UNGOVERNED}
    found = told(build_book(market(), {"s": Replay(("AAA", "BBB"), path)}, first=100, integrator=stages), 180)
    assert found["BBB"].order < 0.0
    assert found["BBB"].moved_by == "exit: no sleeve holds it any more"
    assert "exit" not in found["AAA"].moved_by


def test_an_exit_that_the_governor_asked_for_is_told_by_it() -> None:
    fallen = market().close.copy()
    fallen[200:] *= 0.7
    crashed = make_panel(fallen, fallen.copy(), symbols=SYMBOLS)
    found = told(build_book(crashed, {"s": Steady({"AAA": 0.6, "CCC": 0.4})}, first=100), 200)
    for one in (found["AAA"], found["CCC"]):
        assert one.held > 0.0
        assert re.match(r"exit, s5_governor: times 0\.000: drawdown [\d.]+%, tier flatten$", one.moved_by)


def test_what_is_left_as_it_is_is_told_by_the_band() -> None:
    stages = {"preset": "book", **UNBOUND, **UNGOVERNED, "turnover": {"band": 0.5}}
    found = told(build_book(market(), {"s": Steady({"AAA": 0.6, "CCC": 0.4})}, first=100, integrator=stages), 200)
    for one in found.values():
        assert one.order == 0.0
        gap = abs(one.steps[-2].weight - one.held)
        assert one.moved_by == f"s7_turnover: inside the no-trade band: {gap:.3%} from what is held"


def test_a_wrapper_is_told_what_it_was_netted_into() -> None:
    panel = walk_panel(3, ("GLD", "IAU", "SPY"), (0.1, 0.1, 0.15), 260)
    sleeves = {"s": Steady({"GLD": 0.2, "IAU": 0.3, "SPY": 0.5}), "t": Steady({"SPY": 1.0})}
    stages = {"preset": "book", **UNBOUND, **UNGOVERNED, "net": {"wrappers": [["GLD", "IAU"]]}}
    found = told(build_book(panel, sleeves, first=100, integrator=stages), 200)
    assert found["IAU"].moved_by == "s2_net: netted into GLD"
    assert stage(found["GLD"], "s2_net").why == "took over its wrappers"


def test_a_share_is_told_of_the_sleeves_that_hold_the_symbol() -> None:
    sleeves = {"all": Steady({"AAA": 0.5, "BBB": 0.5}), "one": Steady({"CCC": 1.0}), "two": Steady({"BBB": 1.0})}
    stages = {"preset": "book", **UNBOUND, **UNGOVERNED}
    found = told(build_book(market(), sleeves, first=100, integrator=stages), 200)
    for symbol, names in (("AAA", ["all"]), ("BBB", ["all", "two"]), ("CCC", ["one"])):
        why = stage(found[symbol], "s1_allocate").why
        assert re.findall(r"(\w+) \d+%", why) == names


def test_explaining_changes_nothing_of_the_decision() -> None:
    stages = {"preset": "book", **UNGOVERNED, "caps": {"name": 0.1, "clusters": CLUSTERS}}
    setup = build_book(market(), {"s": Steady(dict.fromkeys(SYMBOLS, 1 / 6))}, first=100, integrator=stages)
    decision = run_loop(setup, stop_at=200).decisions[-1]
    before, saved = decision.target.trace.copy(), setup.system.save()
    explain_decision(setup, decision)
    assert decision.target.trace.tobytes() == before.tobytes()
    after = setup.system.save()
    assert saved.keys() == after.keys()
    assert all(saved[name].tobytes() == after[name].tobytes() for name in saved)


# ---------------------------------------------------------------------------------------------------- how it is shown
@pytest.fixture(scope="module")
def book_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book of three sleeves on the sample, to early 2009."""
    folder = tmp_path_factory.mktemp("shown") / "run"
    sleeves = [{"name": name, "strategy": name} for name in ("sixty_forty", "inverse_vol", "equal_weight")]
    run = {"name": "three", "start": "2008-01-02", "cash": 250_000.0}
    values = {"run": run, "sleeve": sleeves, "integrator": {"preset": "book"}, "data": {"indicators": ["VIX"]}}
    result = backtest(values, end="2009-01-30", trials="off")
    assert result.equity.index[-1].date() - result.equity.index[0].date() > timedelta(days=300)
    result.save(folder)
    return folder


def shown(run: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["explain", str(run), *words])
    assert ended.value.code in (None, 0)
    return capsys.readouterr().out


@pytest.mark.parametrize("width", [50, 80, 120, 200])
def test_the_terminal_is_never_overrun_and_no_reason_is_cut(
    book_run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    from plimsoll.engine.verbs.explain import explain

    monkeypatch.setenv("COLUMNS", str(width))
    found = explain(book_run)
    out = shown(book_run, capsys)
    assert max(len(line) for line in out.splitlines()) <= width
    words = " ".join(out.split())
    assert "…" not in out
    for one in found:
        assert len([line for line in out.splitlines() if line.startswith(one.symbol)]) == 1
        if width < 120:  # a reason has lines of its own
            assert " ".join(one.moved_by.split()) in words
    assert ("symbol" in out) == (width >= 120)
    chosen = next(one for one in found if one.order)
    out = shown(book_run, capsys, "--symbol", chosen.symbol)
    assert max(len(line) for line in out.splitlines()) <= width
    assert f"moved by {chosen.moved_by}" in " ".join(out.split())


def test_a_wide_terminal_has_every_reason_in_one_line(
    book_run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from plimsoll.engine.verbs.explain import explain

    monkeypatch.setenv("COLUMNS", "400")
    lines = shown(book_run, capsys).splitlines()
    for one in explain(book_run):
        row = next(line for line in lines if line.startswith(one.symbol))
        assert row.rstrip().endswith(one.moved_by)
        assert (f"{one.order:+.4f}" in row) == bool(one.order)
