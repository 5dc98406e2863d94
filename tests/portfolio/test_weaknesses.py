"""The ten weaknesses of the path that the nine stages replace: each check fails there and holds on the book.

Source: section 1.1 of the portfolio integration layer's requirement (W1 to W10).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.book_run import UNBOUND, UNGOVERNED, Steady, build_book, walk_panel

from plimsoll.engine.market.panel import Panel
from plimsoll.engine.portfolio.integrator import Mark
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.sleeve.strategy import Strategy
from plimsoll.engine.types import Floats

N_BARS = 400
FOUR = ("AAA", "BBB", "CCC", "DDD")


def stages(preset: str, *, loose: bool = True, **more: Any) -> dict[str, Any]:
    """Return the integrator section: no caps and no governor for the book, nothing to set for the old path."""
    if preset == "legacy":
        return {"preset": "legacy"}
    return {"preset": "book", **(UNBOUND | UNGOVERNED if loose else {}), **more}


def stand(
    panel: Panel, sleeves: Mapping[str, Strategy], integrator: dict[str, Any], nav: Floats | None = None, **more: Any
) -> Setup:
    """Run a book up to the last close, its account following a given index of value; return it standing there."""
    setup = build_book(panel, sleeves, first=100, integrator=integrator, **more)
    setup.broker.mark_start(99)
    cash = setup.config.run.cash
    for t in range(panel.n_bars):
        index = 1.0 if nav is None else float(nav[t])
        setup.system.observe(t, Mark(cash * index, index) if t >= 99 else None)
    return setup


def executed(setup: Setup) -> Floats:
    """Return the weights (N,) an account in cash would be brought to now."""
    target = setup.system.decide(setup.broker.account()).target
    return np.where(target.trade, target.goal, 0.0)


def by_symbol(setup: Setup, symbols: tuple[str, ...]) -> Floats:
    w = executed(setup)
    return np.array([w[setup.panel.column(symbol)] for symbol in symbols])


def check_w1(preset: str) -> None:
    """Volatility is targeted once: the executed book has the volatility aimed for."""
    panel = walk_panel(1, FOUR, (0.16,) * 4, N_BARS, corr=0.0)
    setup = stand(panel, {"s": Steady(dict.fromkeys(FOUR, 0.25))}, stages(preset))
    w = by_symbol(setup, FOUR)
    aim = 0.10 if preset == "book" else 0.15
    assert 0.16 * np.sqrt(np.sum(w * w)) == pytest.approx(aim, rel=0.25)


def check_w2(preset: str) -> None:
    """A deeper drawdown shrinks the executed book, smoothly, before any kill tier."""
    panel = walk_panel(2, FOUR, (0.16,) * 4, N_BARS, corr=0.0)
    integrator = stages(preset) if preset == "legacy" else {"preset": "book", **UNBOUND}
    gross = []
    for depth in (0.0, 0.06, 0.07, 0.08, 0.09):
        nav = np.ones(N_BARS)
        nav[-40:] = np.linspace(1.0, 1.0 - depth, 40)
        setup = stand(panel, {"s": Steady(dict.fromkeys(FOUR, 0.25))}, integrator, nav)
        gross.append(np.abs(executed(setup)).sum())
    assert np.all(np.diff(gross) < -0.05 * gross[0])


def check_w3(preset: str) -> None:
    """Sleeves get equal risk, not equal nominal weight: the calm one's position is larger in proportion."""
    panel = walk_panel(3, ("AAA", "BBB"), (0.06, 0.24), N_BARS, corr=0.0)
    setup = stand(panel, {"calm": Steady({"AAA": 1.0}), "wild": Steady({"BBB": 1.0})}, stages(preset))
    calm, wild = by_symbol(setup, ("AAA", "BBB"))
    assert calm * 0.06 == pytest.approx(wild * 0.24, rel=0.35)


def check_w4(preset: str) -> None:
    """Two copies of an idea count once: the other idea carries about half the risk."""
    panel = walk_panel(4, ("AAA", "BBB", "CCC"), (0.16,) * 3, N_BARS, corr=0.0)
    twin = {"AAA": 0.5, "BBB": 0.5}
    setup = stand(
        panel,
        {"one": Steady(twin), "two": Steady(twin), "alone": Steady({"CCC": 1.0})},
        stages(preset, allocate={"cap": 1.0}),
    )
    risk = by_symbol(setup, ("AAA", "BBB", "CCC")) ** 2
    assert risk[2] / risk.sum() == pytest.approx(0.5, abs=0.1)


def check_w5(preset: str) -> None:
    """Forty alike names stay forty: estimation noise does not concentrate the book."""
    names = tuple(f"N{i:02d}" for i in range(40))
    panel = walk_panel(5, names, (0.16,) * 40, N_BARS, corr=0.3)
    setup = stand(panel, {"s": Steady(dict.fromkeys(names, 1 / 40))}, stages(preset))
    w = np.abs(by_symbol(setup, names))
    assert w.sum() ** 2 / np.sum(w * w) > 35.0


def check_w6(preset: str) -> None:
    """A newcomer with a short history leaves everybody else's weights as they are."""
    panel = walk_panel(6, (*FOUR, "NEW"), (0.10, 0.14, 0.18, 0.22, 0.16), N_BARS, corr=0.2)
    block, column = panel.block.copy(), panel.column("NEW")
    block[:3, : N_BARS - 12, column] = np.nan
    young = replace(panel, block=block, high=block[1], low=block[1])
    old = Steady(dict.fromkeys(FOUR, 0.25))
    without = by_symbol(stand(young, {"s": old}, stages(preset)), FOUR)
    beside = by_symbol(stand(young, {"s": old, "young": Steady({"NEW": 1.0})}, stages(preset)), FOUR)
    assert beside / beside.sum() == pytest.approx(without / without.sum(), rel=1e-9)


def check_w7(preset: str) -> None:
    """Fear lowers the book: the same prices with VIX far above its average are held smaller."""
    panel = walk_panel(7, ("SPY", "TLT", "AAA", "BBB"), (0.16,) * 4, N_BARS, corr=0.0)
    gross = []
    for spike in (1.0, 1.6):
        vix = np.full((N_BARS, 1), 16.0)
        vix[-10:] *= spike
        scared = replace(panel, indicators=("VIX",), indicator=vix)
        names = panel.symbols
        setup = stand(scared, {"s": Steady(dict.fromkeys(names, 0.25))}, stages(preset), data={"indicators": ["VIX"]})
        gross.append(np.abs(executed(setup)).sum())
    assert gross[1] < 0.99 * gross[0]


def check_w8(preset: str) -> None:
    """Small changes are not traded: a steady book rests on most sessions."""
    panel = walk_panel(8, FOUR, (0.16,) * 4, N_BARS, corr=0.0)
    setup = build_book(panel, {"s": Steady(dict.fromkeys(FOUR, 0.25))}, first=100, integrator=stages(preset))
    from plimsoll.engine.runtime.backtest import run_loop

    track = run_loop(setup)
    busy = sum(len(decision.plan.orders) > 0 for decision in track.decisions)
    assert busy < 0.5 * len(track.decisions)


def check_w9(preset: str) -> None:
    """Account size matters: a small account is not levered, a larger one may be."""
    panel = walk_panel(9, FOUR, (0.05,) * 4, N_BARS, corr=0.0)
    integrator = (
        stages(preset)
        if preset == "legacy"
        else {"preset": "book", "caps": {"name": 9.0, "cluster": 9.0, "net": 9.0, "clusters": {}}}
    )
    if preset == "book":
        tiers = [{"min_equity": 0.0, "gross": 1.0, "name": 9.0}, {"min_equity": 1e5, "gross": 1.5, "name": 9.0}]
        integrator["ladder"] = {"tiers": tiers}
    gross = {}
    for cash in (50_000.0, 500_000.0):
        setup = stand(panel, {"s": Steady(dict.fromkeys(FOUR, 0.25))}, integrator, run={"cash": cash})
        gross[cash] = np.abs(executed(setup)).sum()
    assert gross[50_000.0] <= 1.0 + 1e-12
    assert gross[500_000.0] > 1.2


def check_w10(preset: str) -> None:
    """A sleeve's own conviction survives: what it holds most is held most, in its proportions."""
    panel = walk_panel(10, FOUR, (0.16,) * 4, N_BARS, corr=0.0)
    wanted = np.array([0.5, 0.3, 0.15, 0.05])
    setup = stand(panel, {"s": Steady(dict(zip(FOUR, wanted, strict=True)))}, stages(preset))
    w = by_symbol(setup, FOUR)
    assert w / w.sum() == pytest.approx(wanted, abs=0.01)


CHECKS: tuple[Callable[[str], None], ...] = (
    check_w1, check_w2, check_w3, check_w4, check_w5, check_w6, check_w7, check_w8, check_w9, check_w10,
)  # fmt: skip


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_book_is_free_of_the_weakness(check: Callable[[str], None]) -> None:
    check("book")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_old_path_has_the_weakness(check: Callable[[str], None]) -> None:
    with pytest.raises(AssertionError):
        check("legacy")
