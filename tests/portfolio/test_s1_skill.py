"""Whose ranks make a sleeve's skill, and what the report says where there are none."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr
from support.book_run import UNGOVERNED, Book, Replay, Steady, build_book, run_book, settings_of, walk_panel

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.report.tearsheet.tables import sleeve_table
from plimsoll.engine.runtime.resolve import make_strategy


def skilled(panel_seed: int, watched: tuple[str, ...], **allocate: object) -> Book:
    names = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG")
    panel = walk_panel(panel_seed, names, (0.1, 0.12, 0.14, 0.16, 0.18, 0.2, 0.22), 200)
    rng = np.random.default_rng(panel_seed)
    path = rng.uniform(0.05, 0.2, (200, 7))
    path[:, [names.index(s) for s in watched]] = 0.0
    sleeves = {"a": Replay(names, path, watched=watched), "b": Steady({"AAA": 1.0})}
    return run_book(
        panel, sleeves, first=120, integrator={"preset": "book", **UNGOVERNED, "allocate": {"cap": 1.0, **allocate}}
    )


def coefficients(book: Book, names: tuple[str, ...]) -> list[float]:
    """Spearman's coefficient of every bar over some symbols, from the weights of the close before."""
    sleeve, panel = book.setup.system.sleeves[0], book.setup.panel
    assert isinstance(sleeve.strategy, Replay)
    at = [panel.column(name) for name in names]
    held = sleeve.strategy.path[:, [sleeve.strategy.symbols.index(name) for name in names]]
    ret = panel.close[1:, at] / panel.close[:-1, at] - 1.0
    return [float(spearmanr(held[t], ret[t]).statistic) for t in range(len(ret))]


@pytest.mark.parametrize(("on", "names"), [
    ("holdable", ("BBB", "CCC", "DDD", "EEE", "FFF")),
    ("watched", ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG")),
])  # fmt: skip
def test_skill_is_ranked_over_what_a_sleeve_may_hold_or_over_all_it_looks_at(on: str, names: tuple[str, ...]) -> None:
    book = skilled(5, ("AAA", "GGG"), skill_on=on)
    ring = book.setup.system.integrator.memory.ic.ring[0]
    np.testing.assert_allclose(np.sort(ring), np.sort(coefficients(book, names)[-21:]), atol=1e-12)


def test_four_symbols_to_hold_are_no_skill_and_no_tilt_and_the_report_names_the_sleeve() -> None:
    book = skilled(6, ("AAA", "BBB", "GGG"))
    assert np.isnan(book.fact("skill.a")).all()
    blocks = book.result.metrics["sleeves"]
    assert [blocks[name]["skill_known"] for name in "ab"] == [0.0, 0.0]
    assert book.result.counts["sleeves_without_skill"] == 2
    table = sleeve_table(book.result.metrics)
    assert table is not None
    assert table.head[-1] == "Skill known"
    assert "Never tilted by skill, which takes five symbols to rank: a, b." in table.note
    seen = skilled(6, ("AAA", "BBB", "GGG"), skill_on="watched")
    assert seen.result.metrics["sleeves"]["a"]["skill_known"] == 1.0
    shown = sleeve_table(seen.result.metrics)
    assert shown is not None
    assert shown.note == "Never tilted by skill, which takes five symbols to rank: b."


@pytest.mark.parametrize(
    ("integrator", "ranked"),
    [({}, 1), ({"readings": "literal"}, 2), ({"readings": "literal", "allocate": {"skill_on": "holdable"}}, 1),
     ({"allocate": {"skill_on": "watched"}}, 2)],
    ids=["ruled", "literal", "literal but for this", "watched"],
)  # fmt: skip
def test_what_is_ranked_follows_the_key_else_how_the_requirement_is_read(
    integrator: dict[str, object], ranked: int
) -> None:
    panel = walk_panel(7, ("AAA", "BBB"), (0.1, 0.12), 60)
    sleeves = {"a": Replay(("AAA", "BBB"), np.array([[1.0, 0.0]]), watched=("BBB",))}
    settings = settings_of(build_book(panel, sleeves, integrator={"preset": "book", **integrator}))
    assert settings.watch.member.sum() == ranked


MAY_HOLD = {
    "level61": "SPY QQQ IWM EFA EEM TLT LQD GLD", "kalman_overlay": "QQQ TQQQ SQQQ",
    "crisis_alpha": "TQQQ DBMF KMLM IAU", "convex_rate_hedge": "TQQQ PFIX IAU TMF IEF",
    "inflation_beta": "TQQQ PDBC DBC IAU", "vol_barbell": "TQQQ SVOL TAIL",
    "trend": "SPY EFA EEM TLT IEF LQD GLD SLV DBC UUP VNQ", "carry": "TLT IEF SHY LQD HYG TIP USO",
    "vol_premium": "SVOL TAIL", "macro_regime": "SPY TLT GLD DBC", "pairs": "GLD SLV GDX EWA EWC XLE USO SPY QQQ",
}  # fmt: skip


def test_the_strategies_of_the_book_say_what_they_only_watch() -> None:
    config = load_config(Path(__file__).parents[2] / "config" / "book.toml")
    for sleeve in config.sleeve:
        made = make_strategy(sleeve.strategy, sleeve.params, where=sleeve.name)
        held = set(made.universe) - set(made.watched) - set(config.integrator.normalize.cash_equivalents)
        assert held == set(MAY_HOLD[sleeve.name].split()), sleeve.name


def test_a_signal_fund_that_is_no_leg_is_watched() -> None:
    made = make_strategy("kalman_overlay", {"signal_symbol": "SPY"}, where="s")
    assert made.watched == ("SPY",)
