"""Every shipped configuration on one folder of data, net of costs, as one table.

    python scripts/strategy_table.py DIR [END [NAME ...]]

DIR is a folder of <SYMBOL>.csv files, END the last session [2026-05-01], NAME rows to print [all]. Each runs from the
earliest session its data and its own configuration allow.
"""

import sys
from pathlib import Path

from plimsoll import InputError, backtest, load_config

CONFIGS = (
    "level61", "kalman_overlay", "kalman_overlay_derisk", "kalman_overlay_run139", "crisis_alpha", "convex_rate_hedge",
    "inflation_beta", "vol_barbell", "trend", "carry", "vol_premium", "macro_regime", "pairs", "inverse_vol",
    "equal_weight", "book", "book_seed", "book_legacy",
)  # fmt: skip
HOLDS = ("SPY", "QQQ")


def row(name: str, folder: str, end: str, config: object, sets: tuple[str, ...] = ()) -> str:
    """Run one configuration and return its line."""
    result = backtest(config, data=folder, end=end, sets=sets, trials="off")
    m, bench = result.metrics, result.metrics["benchmark"]
    turnover, drag = m["turnover"]["two_sided_per_year"], m["costs"]["drag_bps_per_year"]
    figures = (
        f"{100 * m['cagr']:.2f}", f"{100 * m['vol_ann']:.2f}", f"{m['sharpe']:.2f}", f"{m['sharpe_excess']:.2f}",
        f"{100 * m['max_drawdown']:.1f}", f"{turnover:.2f}", f"{drag:.1f}",
        f"{bench['symbol']} {100 * bench['cagr']:.2f} / {bench['sharpe_excess']:.2f}",
    )  # fmt: skip
    return f"| {name} | {result.returns.index[0].date()} | " + " | ".join(figures) + " |"


def held(symbol: str, folder: str, end: str, home: Path) -> str:
    """Return the line of a fund held with its dividends reinvested, before costs."""
    sets = ("run.start=2010-01-01", f"run.benchmark={symbol}", f"sleeve.0.params.symbols=['{symbol}']")
    result = backtest(home / "buy_and_hold.toml", data=folder, end=end, sets=sets, trials="off")
    m = result.metrics["benchmark"]
    figures = (
        f"{100 * m['cagr']:.2f}", f"{100 * m['vol_ann']:.2f}", f"{m['sharpe']:.2f}", f"{m['sharpe_excess']:.2f}",
        f"{100 * m['max_drawdown']:.1f}", "0.00", "0.0", "",
    )  # fmt: skip
    return f"| {symbol}, dividends reinvested | {result.returns.index[0].date()} | " + " | ".join(figures) + " |"


def main(folder: str, end: str, wanted: list[str]) -> None:
    """Print the table."""
    print("| | from | CAGR | vol | Sharpe | over bills | max DD | turnover | cost bps | benchmark, same window |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    home = Path(__file__).parents[1] / "config"
    for name in CONFIGS:
        if wanted and name not in wanted:
            continue
        try:
            print(row(name, folder, end, load_config(home / f"{name}.toml")), flush=True)
        except InputError as error:
            print(f"| {name} | {error} |", flush=True)
    for symbol in () if wanted else HOLDS:
        print(held(symbol, folder, end, home), flush=True)
    if not wanted:
        print(row("60/40", folder, end, home / "sixty_forty.toml", ("run.start=2010-01-01",)), flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "2026-05-01", sys.argv[3:])
