"""Other libraries' figures of a run beside ours: a line each, exit 1 if one is not as this table says.

    python scripts/return_peers.py [RUN]

RUN is a run folder with a benchmark; without it the demo's configuration runs on the synthetic sample. What they are
given is `result.returns` and, pyfolio, `result.to_pyfolio()`. To be run by the Python of an environment that has
quantstats, empyrical-reloaded, pyfolio-reloaded and ffn beside plimsoll (they stay out of ours); what is not installed
there is named and left out. Held with quantstats 0.0.86, empyrical-reloaded 0.7.1, pyfolio-reloaded 0.10.1 and ffn
1.4.1 on pandas 3.1.1.

| figure | equal to 1e-12 | where not, and why |
|---|---|---|
| total return, volatility, Sharpe, Sortino, drawdown | all four | |
| CAGR, Calmar | quantstats, empyrical, pyfolio | ffn counts years of 365.25 days: `cagr_calendar` |
| omega, tail ratio | quantstats, empyrical, pyfolio | |
| value at risk | empyrical | quantstats: the normal quantile; pyfolio: mean less two deviations |
| expected shortfall | empyrical, where 5% of the sessions is a whole number | quantstats: of the normal |
| skew | pyfolio | quantstats and ffn correct for bias |
| kurtosis | pyfolio's and 3 | theirs is excess kurtosis; quantstats and ffn correct for bias, too |
| ulcer index | no | quantstats divides by n - 1, ours by n (Martin 1987) |
| beta | quantstats, empyrical | |
| alpha a year | quantstats | empyrical compounds it |
| information ratio | theirs times sqrt(252) | quantstats and empyrical give that of a session |
| mean gross | pyfolio | |
| turnover | no | pyfolio: over the equity at the day's close; ours: over that at the close before |
| captures | no | empyrical: ratio of compounded annual returns; ours: of geometric means of a session |
"""

import sys
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from importlib import metadata, util
from pathlib import Path

import numpy as np
import pandas as pd

from plimsoll import Result, backtest
from plimsoll.engine.report.metrics import relative, returns

ROOT = Path(__file__).resolve().parents[1]
CLOSE = 1e-12
YEAR = 252.0
Line = tuple[str, bool]


@cache
def ran() -> Result:
    """Return the run whose figures are held: the folder that is named, else the demo's, on the synthetic sample."""
    if len(sys.argv) > 1:
        return Result.load(sys.argv[1])
    return backtest(ROOT / "config" / "demo.toml", trials="off")


def market() -> tuple[pd.Series, pd.Series]:
    """Return the returns of the run and, on the sessions that both have, of its benchmark."""
    own, bench = ran().returns, ran().benchmark
    if bench is None:
        raise SystemExit("return_peers: the run has no benchmark; set run.benchmark")
    return own, bench.reindex(own.index).dropna()


def beside() -> tuple[pd.Series, pd.Series]:
    """Return both on the sessions of the benchmark."""
    own, bench = market()
    return own[bench.index], bench


def twenties(own: pd.Series) -> pd.Series:
    """Return as many of the last sessions as make 5% of them a whole number."""
    return own.iloc[len(own) % 20 :]


def close(theirs: float, ours: float) -> bool:
    """Return whether two figures are the same."""
    return bool(abs(float(theirs) - ours) <= CLOSE * max(1.0, abs(ours)))


def unbiased(r: np.ndarray) -> tuple[float, float]:
    """Return skew and excess kurtosis corrected for bias, from our biased ones."""
    n = float(len(r))
    g1, g2 = returns.skew(r), returns.kurtosis(r) - 3.0
    return np.sqrt(n * (n - 1.0)) / (n - 2.0) * g1, (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * g2 + 6.0)


def quantstats_lines() -> Iterator[Line]:
    """Yield quantstats's figures."""
    from quantstats import stats

    own = market()[0]
    r = own.to_numpy()
    same = {"comp": "total_return", "cagr": "cagr", "volatility": "vol_ann", "max_drawdown": "max_drawdown"}
    same |= {name: name for name in ("sharpe", "sortino", "calmar", "omega", "tail_ratio")}
    for theirs, ours in same.items():
        yield ours, close(getattr(stats, theirs)(own), getattr(returns, ours)(r))
    skew, kurtosis = unbiased(r)
    yield "skew, corrected", close(stats.skew(own), skew)
    yield "kurtosis, excess and corrected", close(stats.kurtosis(own), kurtosis)
    yield "ulcer index, over n - 1", close(stats.ulcer_index(own), returns.ulcer(r) * np.sqrt(len(r) / (len(r) - 1.0)))
    from statistics import NormalDist

    normal = NormalDist(own.mean(), own.std()).inv_cdf(0.05)
    yield "value at risk, of a normal", abs(stats.value_at_risk(own) - normal) < 1e-9
    density = NormalDist().pdf(NormalDist().inv_cdf(0.05))
    yield "expected shortfall, of a normal", abs(stats.cvar(own) - (own.mean() - own.std() * density / 0.05)) < 1e-9
    own, bench = beside()
    r, b = own.to_numpy(), bench.to_numpy()
    greeks = stats.greeks(own, bench)
    yield "beta", close(greeks["beta"], relative.beta(r, b))
    yield "alpha", close(greeks["alpha"], relative.alpha_ann(r, b))
    ratio = relative.information_ratio(r, b) / np.sqrt(YEAR)
    yield "information ratio, of a session", close(stats.information_ratio(own, bench), ratio)


def empyrical_lines() -> Iterator[Line]:
    """Yield empyrical's figures."""
    import empyrical

    own = market()[0]
    r = own.to_numpy()
    same = {
        "cum_returns_final": "total_return", "cagr": "cagr", "annual_volatility": "vol_ann", "sharpe_ratio": "sharpe",
        "sortino_ratio": "sortino", "max_drawdown": "max_drawdown", "calmar_ratio": "calmar", "omega_ratio": "omega",
        "tail_ratio": "tail_ratio", "value_at_risk": "value_at_risk",
    }  # fmt: skip
    for theirs, ours in same.items():
        yield ours, close(getattr(empyrical, theirs)(own), getattr(returns, ours)(r))
    even = twenties(own)
    theirs_ = empyrical.conditional_value_at_risk(even)
    yield "expected shortfall, of twenties", close(theirs_, returns.expected_shortfall(even.to_numpy()))
    own, bench = beside()
    r, b = own.to_numpy(), bench.to_numpy()
    yield "beta", close(empyrical.beta(own, bench), relative.beta(r, b))
    compounded = (1.0 + relative.alpha_ann(r, b) / YEAR) ** YEAR - 1.0
    yield "alpha, compounded", close(empyrical.alpha(own, bench), compounded)
    ratio = relative.information_ratio(r, b) / np.sqrt(YEAR)
    yield "information ratio, of a session", close(empyrical.excess_sharpe(own, bench), ratio)
    for name, where in (("up_capture", b > 0.0), ("down_capture", b < 0.0)):
        of_years = returns.cagr(r[where]) / returns.cagr(b[where])
        yield f"{name}, of annual returns", close(getattr(empyrical, name)(own, bench), of_years)


def pyfolio_lines() -> Iterator[Line]:
    """Yield pyfolio's tables, of all that `to_pyfolio` hands over."""
    from pyfolio.timeseries import gross_lev, perf_stats
    from pyfolio.txn import get_turnover

    own, positions, transactions = ran().to_pyfolio()
    r, table = own.to_numpy(), perf_stats(own, positions=positions, transactions=transactions)
    same = {
        "Annual return": "cagr", "Cumulative returns": "total_return", "Annual volatility": "vol_ann",
        "Sharpe ratio": "sharpe", "Calmar ratio": "calmar", "Max drawdown": "max_drawdown", "Omega ratio": "omega",
        "Sortino ratio": "sortino", "Skew": "skew", "Tail ratio": "tail_ratio",
    }  # fmt: skip
    for theirs, ours in same.items():
        yield ours, close(table[theirs], getattr(returns, ours)(r))
    yield "kurtosis, excess", close(table["Kurtosis"], returns.kurtosis(r) - 3.0)
    account = ran().equity
    yield "gross", close(gross_lev(positions).mean(), ran().metrics["exposure"]["gross"]["mean"])
    days = account.groupby(account.index.normalize())
    ours_ = (days["traded"].sum() / days["equity"].last()).mean()
    theirs_ = get_turnover(positions, transactions, denominator="portfolio_value").mean()
    yield "turnover, over the day's equity", close(theirs_, ours_)
    yield "value at risk, two deviations", close(table["Daily value at risk"], float(r.mean() - 2.0 * r.std(ddof=1)))


def ffn_lines() -> Iterator[Line]:
    """Yield ffn's figures, of the index that the returns grow to."""
    import ffn

    own, _ = market()
    r, begin = own.to_numpy(), own.index[0] - pd.Timedelta(days=3)
    found = ffn.PerformanceStats(pd.concat([pd.Series([1.0], [begin]), (1.0 + own).cumprod()]))
    same = {"total_return": "total_return", "daily_vol": "vol_ann", "daily_sharpe": "sharpe"}
    same |= {"daily_sortino": "sortino", "max_drawdown": "max_drawdown"}
    for theirs, ours in same.items():
        yield ours, close(getattr(found, theirs), getattr(returns, ours)(r))
    years = returns.cagr_calendar(r, begin.to_datetime64(), own.index[-1].to_datetime64())
    yield "CAGR, calendar years", abs(found.cagr - years) < 1e-6
    yield "Calmar, calendar years", abs(found.calmar + years / returns.max_drawdown(r)) < 1e-5
    skew, kurtosis = unbiased(r)
    yield "skew, corrected", close(found.daily_skew, skew)
    yield "kurtosis, excess and corrected", close(found.daily_kurt, kurtosis)


PEERS: dict[str, tuple[str, Callable[[], Iterator[Line]]]] = {
    "quantstats": ("quantstats", quantstats_lines),
    "empyrical": ("empyrical-reloaded", empyrical_lines),
    "pyfolio": ("pyfolio-reloaded", pyfolio_lines),
    "ffn": ("ffn", ffn_lines),
}


def main() -> int:
    """Print a line per figure; return 1 if one is not as the table above says."""
    warnings.simplefilter("ignore")  # what others' plotting libraries say of themselves
    wrong = 0
    for name, (package, lines) in PEERS.items():
        if util.find_spec(name) is None:
            print(f"{name:11s} not installed")
            continue
        for figure, agrees in lines():
            wrong += not agrees
            print(f"{name:11s} {metadata.version(package):8s} {'agrees' if agrees else 'DIFFERS':8s} {figure}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
