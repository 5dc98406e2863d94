"""The shipped book as it was, and after each ruling, one at a time, net of costs, in both halves of the period.

    python scripts/book_table.py DIR [END]

DIR is a folder of <SYMBOL>.csv files, END the last session [2026-05-01]. Every row keeps the rulings of the rows above
it. The last rows hold the same sleeves in equal parts of risk, and two benchmarks. A Sharpe ratio is over bills.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np

from plimsoll import backtest, load_config
from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.result import Result

HOME: Final = Path(__file__).parents[1] / "config"
HALF: Final = np.datetime64("2018-01-01")
# What each ruling took the place of: the keys that read it as it was read before.
RULINGS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "conviction by gross or volatility",
        ("integrator.normalize.conviction='gross'", "sleeve.vol_premium.max_scale=5.0"),
    ),
    ("idle slots lent", ("integrator.allocate.release_idle_sessions=0", "sleeve.pairs.release_idle_sessions=0")),
    ("skill on what may be held", ("integrator.allocate.skill_on='watched'", "integrator.allocate.least_share=0.0")),
    (
        "regime as ruled",
        (
            "integrator.regime.correlation='signed'",
            "integrator.regime.confidence='signal'",
            "integrator.regime.dwell='every'",
        ),
    ),
    (
        "band lifted while the multiplier falls",
        ("integrator.turnover.lift='below_one'", "integrator.turnover.net_excess='band'"),
    ),
    ("clusters look through leverage", ("integrator.caps.look_through=false", "integrator.caps.cluster=0.35")),
    ("hedges kept whole", ("integrator.caps.hedges=false",)),
    (
        "carry long only, oil by its roll",
        ("sleeve.carry.params.short=true", "sleeve.carry.params.commodity=false", "sleeve.carry.max_scale=5.0"),
    ),
    ("trend over three lookbacks", ("sleeve.trend.params.lookbacks_bars=[252]",)),
    ("crisis alpha's view acts", ("sleeve.crisis_alpha.params.core_floor='budget'",)),
    (
        "duration only while inflation subsides",
        (
            "sleeve.convex_rate_hedge.params.budget_apart=[0.60,0.10,0.20,0.00,0.10]",
            "sleeve.convex_rate_hedge.params.inflation_bars=252",
        ),
    ),
    ("pairs and vol_premium incubate", ("sleeve.pairs.status='promoted'", "sleeve.vol_premium.status='promoted'")),
)  # fmt: skip
PLAIN: Final = ("report.ladder=false", "report.regime_off=false")
RISK_PARITY: Final = ("integrator.allocate.method='equal'", "integrator.allocate.skill_kappa=0.0")


def run(folder: str, end: str, sets: Iterable[str], *, stress: float = 1.0) -> Result:
    """Run the book under some overrides, its costs multiplied."""
    config = load_config(HOME / "book.toml")
    number = {sleeve.name: k for k, sleeve in enumerate(config.sleeve)}
    given = [_numbered(one, number) for one in (*PLAIN, *sets)]
    return backtest(
        config, data=folder, end=end, sets=(*given, f"costs.stress={stress}"), engine="compiled", trials="off"
    )


def _numbered(override: str, number: dict[str, int]) -> str:
    """Return an override with a sleeve's place for its name, as configurations count them."""
    head, _, rest = override.partition(".")
    if head != "sleeve":
        return override
    name, _, key = rest.partition(".")
    return f"sleeve.{number[name]}.{key}"


def line(name: str, result: Result, dearer: Result) -> str:
    """Return a row of the table."""
    bill = (
        np.zeros(len(result.returns)) if result.bill is None else result.bill.reindex(result.returns.index).to_numpy()
    )
    late = result.returns.index >= HALF
    net = result.returns.to_numpy()
    turnover = result.metrics["turnover"]["two_sided_per_year"]
    dear = m.sharpe(dearer.returns.to_numpy(), bill)
    return cells(name, net, bill, late, f"{turnover:.1f}", f"{dear:.2f}")


def cells(name: str, net: np.ndarray, bill: np.ndarray, late: np.ndarray, turnover: str, dear: str) -> str:
    """Return the figures of a series of returns."""
    halves = [f"{m.sharpe(net[part], bill[part]):.2f}" for part in (~late, late)]
    figures = (
        f"{100 * m.cagr(net):.2f}", f"{100 * m.vol_ann(net):.1f}", f"{100 * m.max_drawdown(net):.1f}", turnover,
        f"{m.sharpe(net, bill):.2f}", *halves, dear,
    )  # fmt: skip
    return f"| {name} | " + " | ".join(figures) + " |"


def main(folder: str, end: str) -> None:
    """Print the table."""
    print("| | CAGR | vol | max DD | turnover | Sharpe | 2010-17 | 2018-26 | costs x2 |")
    print("|---|---|---|---|---|---|---|---|---|")
    before = [keys for _, keys in RULINGS]
    rows = [("as it was", before)] + [(name, before[k + 1 :]) for k, (name, _) in enumerate(RULINGS)]
    for name, left in rows:
        sets = [key for keys in left for key in keys]
        print(line(name, run(folder, end, sets), run(folder, end, sets, stress=2.0)), flush=True)
    print(line("its sleeves at 1/N of risk", run(folder, end, RISK_PARITY), run(folder, end, RISK_PARITY, stress=2.0)))
    mix = [sixty_forty(folder, end, stress) for stress in (1.0, 2.0)]
    print(line("60/40", *mix))
    print(fund(mix[0]))


def sixty_forty(folder: str, end: str, stress: float) -> Result:
    """Return sixty percent stocks, forty percent bonds, over the same sessions."""
    sets = ("run.start=2010-01-01", "run.benchmark='SPY'", "financing.cash_rate='BIL'", f"costs.stress={stress}")
    return backtest(HOME / "sixty_forty.toml", data=folder, end=end, sets=sets, trials="off")


def fund(result: Result) -> str:
    """Return the row of the benchmark with its dividends reinvested, before costs."""
    assert result.benchmark is not None
    assert result.bill is not None
    net = result.benchmark.to_numpy()
    bill = result.bill.reindex(result.benchmark.index).to_numpy()
    late = result.benchmark.index.to_numpy() >= HALF
    return cells("SPY, dividends reinvested", net, bill, late, "0.0", "")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else "2026-05-01")
