"""What the four blueprints share, in plain pandas and numpy, written from their rules."""

import numpy as np
import pandas as pd
from support.plain_market import Market

UNDERLYING = {"TQQQ": ("QQQ", 3.0), "TMF": ("TLT", 3.0)}
NOTES = ["scalar", "sigma", "look_through", "equity_beta", "engine_weight"]


def ewma_covariance(ret: pd.DataFrame, half_life: float = 42.0) -> dict[tuple[str, str], pd.Series]:
    """Daily covariance of every pair: own variances, correlation on common rows, about zero, normalised weights."""

    def mean(x: pd.Series) -> pd.Series:
        return x.dropna().ewm(halflife=half_life, adjust=True).mean().reindex(ret.index).ffill()

    sigma = {s: np.sqrt(mean(ret[s] ** 2)) for s in ret}
    out = {}
    for a in ret:
        for b in ret:
            both = ret[a] * ret[b]
            x, y = ret[a].where(both.notna()), ret[b].where(both.notna())
            out[a, b] = mean(both) / np.sqrt(mean(x**2) * mean(y**2)) * sigma[a] * sigma[b]
    return out


def table_of(cov: dict[tuple[str, str], pd.Series], symbols: list[str]) -> np.ndarray:
    """Return the yearly covariance (T, n, n) of symbols, looked through to their underlyings; unknown counts as 0."""
    base = [UNDERLYING.get(s, (s, 1.0))[0] for s in symbols]
    times = np.array([UNDERLYING.get(s, (s, 1.0))[1] for s in symbols])
    table = np.array([[np.nan_to_num(cov[a, b].to_numpy()) for b in base] for a in base])
    return np.moveaxis(table, 2, 0) * np.outer(times, times) * 252.0


def regimes(stock: pd.Series, bond: pd.Series, h: float = 0.10, dwell: int = 21, ramp: int = 21) -> pd.DataFrame:
    """Correlation, state (+1, -1, 0 unknown) and level of the guard on every session."""
    both = pd.DataFrame({"x": stock, "y": bond}).dropna()

    def mean(x: pd.Series) -> pd.Series:
        return x.ewm(halflife=63.0, adjust=True).mean()

    rho = mean(both.x * both.y) / np.sqrt(mean(both.x**2) * mean(both.y**2))
    rho[: 21 - 1] = np.nan
    rho = rho.reindex(stock.index).ffill()
    rows, state, since, level = [], 0, 0, 0.0
    for value in rho:
        since += 1
        if not np.isnan(value):
            if state == 0:
                state, since = (1 if value > h else -1), 0
                level = max(state, 0.0)
            elif since >= dwell and ((state < 0 and value > h) or (state > 0 and value < -h)):
                state, since = -state, 0
        level = float(np.clip(level + state / ramp, 0.0, 1.0))
        rows.append((value, state, level))
    return pd.DataFrame(rows, stock.index, ["rho", "state", "level"])


def risk_budget(cov: np.ndarray, budget: np.ndarray) -> np.ndarray:
    """Weights of sum 1 with shares of risk `budget`: damped Newton on x'Cx/2 - sum b ln x (Spinu 2013)."""
    out = np.zeros(len(budget))
    keep = budget > 0.0
    if not keep.any():
        return out
    c, b = cov[np.ix_(keep, keep)], budget[keep] / budget[keep].sum()
    sd = np.sqrt(np.diag(c))
    c = c / np.outer(sd, sd)

    def loss(x: np.ndarray) -> float:
        return float(0.5 * x @ c @ x - b @ np.log(x))

    x = np.sqrt(b)
    for _ in range(60):
        if np.abs(x * (c @ x) - b).max() < 1e-15:
            break
        grad = c @ x - b / x
        step = np.linalg.solve(c + np.diag(b / x**2), grad)
        size = 1.0
        while (x - size * step <= 0.0).any() or loss(x - size * step) > loss(x) + 1e-16:
            size *= 0.5
            if size < 1e-6:
                break
        x = x - size * step
    w = x / sd
    out[keep] = w / w.sum()
    return out


def usable(market: Market, symbol: str, min_obs: int = 60) -> pd.Series:
    """A row within the last six sessions, and enough returns of the underlying."""
    base = UNDERLYING.get(symbol, (symbol, 1.0))[0]
    return fresh(market, symbol) & (market.ret[base].notna().cumsum() >= min_obs)


def fresh(market: Market, symbol: str) -> pd.Series:
    """A row within the last six sessions."""
    return market.close[symbol].notna().rolling(6, min_periods=1).max().astype(bool)


def growth(market: Market, symbol: str, bars: int) -> pd.Series:
    """Change of the total-return index; a missing row takes a level up to five sessions old."""
    level = market.tr[symbol].ffill(limit=5)
    return level / level.shift(bars) - 1.0


def settle(
    market: Market, wanted: pd.DataFrame, cov: dict[tuple[str, str], pd.Series], guard: pd.DataFrame,
    target: float = 0.15, duration: tuple[str, ...] = (),
) -> pd.DataFrame:  # fmt: skip
    """Daily target weights from wanted ones (NaN row: none), and the numbers noted on the way."""
    symbols = list(wanted.columns)
    base = [UNDERLYING.get(s, (s, 1.0))[0] for s in symbols]
    times = np.array([UNDERLYING.get(s, (s, 1.0))[1] for s in symbols])
    table = table_of(cov, symbols)
    to_qqq = np.array([np.nan_to_num((cov[a, "QQQ"] / cov["QQQ", "QQQ"]).to_numpy()) for a in base]) * times[:, None]
    funds = {s: fresh(market, s).to_numpy() for s in ("SGOV", "BIL")}
    out, k, last = {}, np.nan, None
    for t, day in enumerate(wanted.index):
        w = wanted.iloc[t].to_numpy().copy()
        if np.isnan(w).any():
            continue
        sigma = np.sqrt(max(w @ table[t] @ w, 0.0))
        new = min(target / max(sigma, 0.05), 1.0)
        if np.isnan(k) or abs(new / k - 1.0) > 0.10:
            k = new
        w = w * min(k, 1.0 / max(w.sum(), 1.0))  # the sum of risky weights stays within 1
        w[symbols.index("TQQQ")] = min(w[symbols.index("TQQQ")], 0.50)
        gross = np.abs(w * times).sum()
        w = w * (2.0 / gross if gross > 2.0 else 1.0)
        beta = w @ to_qqq[:, t]
        w = w * (1.8 / beta if beta > 1.8 else 1.0)
        if guard["state"].iloc[t] > 0 and last is not None:
            for s in duration:
                w[symbols.index(s)] = min(w[symbols.index(s)], last[s])
        row = dict.fromkeys(("SGOV", "BIL"), 0.0) | dict(zip(symbols, w, strict=True))
        cash = next((s for s in ("SGOV", "BIL") if funds[s][t]), None)
        if cash is not None:
            row[cash] = max(1.0 - w.sum(), 0.0)
        last = row
        sigma = np.sqrt(max(w @ table[t] @ w, 0.0))
        noted = (k, sigma, np.abs(w * times).sum(), w @ to_qqq[:, t], row["TQQQ"])
        out[day] = row | dict(zip(NOTES, noted, strict=True))
    return pd.DataFrame(out).T


def answers(market: Market, target: pd.DataFrame, due: pd.DatetimeIndex, band: float = 0.10) -> pd.DataFrame:
    """Targets on the sessions on which they are answered: due, or a drifted weight too far away. Cash earns nothing."""
    symbols = list(target.columns)
    ret = market.ret[symbols].fillna(0.0).to_numpy()
    alive = np.column_stack([fresh(market, s) for s in symbols])
    held, out = np.zeros(len(symbols)), {}
    for t, day in enumerate(market.index):
        held = np.where(alive[t], held, 0.0)
        held = held * (1.0 + ret[t]) / (1.0 + held @ ret[t])
        if day in target.index:
            w = target.loc[day].to_numpy()
            if day in due or np.abs(held - w).max() > band:
                held = w.copy()
                out[day] = target.loc[day]
    return pd.DataFrame(out).T
