"""Pairs trading written from its formulas: matrices, least squares, one dictionary per pair."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from support.plain_market import Market


def residual_test(y: np.ndarray[Any, Any], x: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Engle-Granger by least squares: coefficients and their covariance, ADF statistic, half-life."""
    design = np.column_stack([np.ones_like(x), x])
    coefficient, *_ = np.linalg.lstsq(design, y, rcond=None)
    e = y - design @ coefficient
    variance = float(e @ e / (len(e) - 2))
    change = np.diff(e)
    lags = np.column_stack([e[1:-1], change[:-1]])
    slope, *_ = np.linalg.lstsq(lags, change[1:], rcond=None)
    u = change[1:] - lags @ slope
    error = np.sqrt(u @ u / (len(u) - 2) * np.linalg.inv(lags.T @ lags)[0, 0])
    rho = float(np.linalg.lstsq(e[:-1, None], e[1:], rcond=None)[0][0])
    half = np.inf if rho >= 1.0 else (0.0 if rho <= 0.0 else float(np.log(0.5) / np.log(rho)))
    return {
        "coefficient": coefficient,
        "covariance": variance * np.linalg.inv(design.T @ design),
        "variance": variance,
        "t": float(slope[0] / error),
        "half_life": half,
    }


@dataclass
class Pair:
    """What is remembered of one pair."""

    theta: Any = None
    cov: Any = None
    noise: float = np.nan
    drift: float = np.nan
    passed: bool = False
    armed: bool = True
    side: float = 0.0
    weights: tuple[float, float] = (0.0, 0.0)
    age: int = 0
    limit: float = 0.0
    half_life: float = np.nan
    trades: list[Any] = field(default_factory=list)

    def score(self, y: float, x: float) -> float:
        """Filter one bar; return the surprise over its predicted deviation."""
        h = np.array([1.0, x])
        cov = self.cov + self.drift * np.eye(2)
        gap, s = y - h @ self.theta, h @ cov @ h + self.noise
        gain = cov @ h / s
        self.theta = self.theta + gain * gap
        self.cov = cov - np.outer(gain, h) @ cov
        return float(gap / np.sqrt(s))


def plain_pairs(
    market: Market, pairs: list[str], *, delta: float = 1e-4, noise: float | None = None, schedule: str = "M"
) -> tuple[pd.DataFrame, dict[str, Pair]]:
    """Answers and the pairs' books; prices without gaps after each fund's first session are taken for granted."""
    log_tr = np.log(market.tr)
    book = {name: Pair() for name in pairs}
    if noise is not None:
        for pair in book.values():
            pair.theta, pair.cov, pair.noise, pair.drift = np.zeros(2), np.eye(2), noise, delta / (1.0 - delta)
    symbols = list(dict.fromkeys(s for name in pairs for s in name.split("/")))
    due = set(market.due(schedule))
    answers = {}
    table = log_tr[symbols]
    for t, (day, row) in enumerate(zip(market.index, table.to_dict("records"), strict=True)):
        changed = False
        for name, pair in book.items():
            y, x = (row[s] for s in name.split("/"))
            if not np.isnan([pair.noise, y, x]).any():
                changed = trade(pair, pair.score(y, x), 1.0 / len(pairs), day) or changed
        if changed:
            w = dict.fromkeys(symbols, 0.0)
            for name, pair in book.items():
                for symbol, weight in zip(name.split("/"), pair.weights, strict=True):
                    w[symbol] += weight
            answers[day] = w
        if day in due:
            for name, pair in book.items():
                window = table[name.split("/")].iloc[max(t - 251, 0) : t + 1].dropna().to_numpy()
                qualify(pair, window, delta, fixed=noise is not None)
    return pd.DataFrame.from_dict(answers, orient="index", columns=symbols), book


def trade(pair: Pair, z: float, share: float, day: Any) -> bool:
    """Enter beyond 2, leave inside .5, beyond 4, after three half-lives, or when the test no longer passes."""
    if pair.side:
        pair.age += 1
        done = abs(z) < 0.5
        if not (done or abs(z) > 4.0 or pair.age >= pair.limit or not pair.passed):
            return False
        pair.trades[-1] += [day]
        pair.side, pair.weights, pair.armed = 0.0, (0.0, 0.0), done
        return True
    pair.armed = pair.armed or abs(z) < 0.5
    beta = float(pair.theta[1])
    if not (pair.passed and pair.armed and 2.0 < abs(z) <= 4.0 and 0.2 <= beta <= 5.0):
        return False
    pair.side, pair.age, pair.limit = -np.sign(z), 0, 3.0 * pair.half_life
    pair.weights = (pair.side * share / (1.0 + beta), -pair.side * share * beta / (1.0 + beta))
    pair.trades.append([day])
    return True


def qualify(pair: Pair, window: Any, delta: float, *, fixed: bool) -> None:
    """Test a year of log prices; the first test starts the filter."""
    n = len(window)
    if n < 0.9 * 252:
        pair.passed = False
        return
    found = residual_test(window[:, 0], window[:, 1])
    pair.half_life = found["half_life"]
    pair.passed = found["t"] <= -3.34 - 6.11 / n - 6.82 / n**2 and 2.0 <= found["half_life"] <= 40.0
    if not fixed:
        if np.isnan(pair.noise):
            pair.theta, pair.cov = found["coefficient"], found["covariance"]
        pair.noise, pair.drift = found["variance"], delta / (1.0 - delta) * found["variance"]
