"""The Kalman overlay in plain numpy and pandas, from its formulas: matrices, rolling windows, no shared code."""

from typing import Any

import numpy as np
import pandas as pd

DEFAULTS: dict[str, Any] = {
    "R": 2000.0, "t_max": 60.0, "k_long": 0.45, "k_short": 0.30, "lookback": 20, "lam": 0.9, "s": (0.5, 1.5),
    "ema": 50, "alpha": 1.0, "dd": (0.08, 0.22), "p_min": 0.0, "e_min": 0.7, "e_short": -0.3, "e_max": 1.8,
    "cap": 0.25, "threshold": 0.025, "mode": "literal", "gate": "always", "anchor": "e_min", "tqqq": 0.40, "ts": 0.5,
}  # fmt: skip


def wma(x: pd.Series, n: int) -> pd.Series:
    """Linear weights, the newest n."""
    weights = np.arange(1, n + 1) / (n * (n + 1) / 2)
    return x.rolling(n).apply(lambda window: float(window @ weights), raw=True)


def trend_strength(close: pd.Series, volume: pd.Series, noise: float = 2000.0) -> pd.Series:
    """Level-and-slope Kalman filter in matrix form, slope normalised by its 252-bar peak, averaged twice over 15."""
    f, h, q = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[1.0, 0.0]]), np.diag([0.01, 0.01])
    x, p, before, slopes = None, np.eye(2), np.nan, {}
    for day, c in close.items():
        v = volume[day]
        known = bool(np.isfinite(v)) and v > 0.0
        if not c > 0.0:
            continue
        if x is None:
            x = np.array([[c], [0.0]])
        else:
            ratio = float(np.clip(before / v, 0.1, 10.0)) if known and np.isfinite(before) else 1.0
            x, p = f @ x, f @ p @ f.T + q
            gain = p @ h.T / float((h @ p @ h.T)[0, 0] + noise * ratio)
            x = x + gain * (c - float((h @ x)[0, 0]))
            p = (np.eye(2) - gain @ h) @ p
            slopes[day] = float(x[1, 0])
        before = v if known else before
    slope = pd.Series(slopes)
    peak = slope.abs().rolling(252, min_periods=60).max()
    raw = 100.0 * slope / peak
    return wma(wma(raw.dropna(), 15), 15).reindex(close.index).ffill()


def exposure(strength: float, sigma: float, base: float, ratio: float, dd: float, p: dict[str, Any]) -> float:
    """Net exposure by the six tiers."""
    t = 0.0 if np.isnan(strength) else float(np.clip(strength / p["t_max"], -1.0, 1.0))
    soft, hard = p["dd"]
    g = float(np.interp(dd, [soft, hard], [1.0, p["p_min"]]))
    if p["gate"] == "bear_only" and t >= 0.0:
        g = 1.0
    e1 = 1.0 + (p["k_long"] if t >= 0.0 else p["k_short"]) * t
    derisk = p["mode"] == "derisk"
    if derisk and t < -p["ts"]:
        deep = float(np.interp(t, [-1.0, -p["ts"]], [p["e_short"], 1.0 - p["k_short"] * p["ts"]]))
        e1 = g * e1 + (1.0 - g) * deep
    s = 1.0
    if not (np.isnan(sigma) or np.isnan(base)):
        s = p["s"][1] if sigma <= 1e-8 else float(np.clip(p["lam"] * base / sigma, *p["s"]))
    fear = 1.0 if not ratio > 1.0 else 1.0 / (1.0 + p["alpha"] * (ratio - 1.0))
    bear = derisk and e1 < 1.0
    e2 = min(e1, 1.0 + (e1 - 1.0) * s) if bear else 1.0 + (e1 - 1.0) * s
    e3 = min(e2, 1.0 + (e2 - 1.0) * fear) if bear else 1.0 + (e2 - 1.0) * fear
    anchor = 1.0 if p["anchor"] == "one" else p["e_min"]
    e4 = anchor + (e3 - anchor) * g
    return float(np.clip(min(e3, e4) if derisk else e4, p["e_short"], p["e_max"]))


def fund_weights(e: float, has_long: bool, has_short: bool, p: dict[str, Any]) -> np.ndarray:
    """Weights of QQQ, TQQQ, SQQQ."""
    e = min(e, 1.0) if not has_long else e
    e = max(e, 0.0) if not has_short else e
    if e < 0.0:
        return np.array([0.0, 0.0, min(-e / 3.0, p["cap"])])
    if e <= 1.0:
        return np.array([e, 0.0, 0.0])
    tqqq = min((e - 1.0) / 2.0, p["tqqq"] if p["mode"] == "derisk" else 1.0)
    return np.array([1.0 - tqqq, tqqq, 0.0])


def overlay(
    ret: pd.DataFrame, listed: pd.DataFrame, strength: pd.Series, vix: pd.Series, p: dict[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Answers, and (exposure, drawdown, sigma, base, ratio) of every session; cash earns nothing."""
    log = np.log1p(ret["QQQ"])
    sigma = log.rolling(p["lookback"]).std(ddof=1) * np.sqrt(252.0)
    base = log.expanding(252).std(ddof=1) * np.sqrt(252.0)
    ratio = (vix / vix.ewm(span=p["ema"], adjust=False, ignore_na=True).mean()).ffill()
    held, equity, peak, said, seen = np.zeros(3), 1.0, 1.0, {}, {}
    legs = ["QQQ", "TQQQ", "SQQQ"]
    moves = ret[legs].fillna(0.0).to_numpy()
    for t, day in enumerate(ret.index):
        grown = 1.0 + held @ moves[t]
        held, equity = held * (1.0 + moves[t]) / grown, equity * grown
        peak = max(peak, equity)
        dd = 1.0 - equity / peak
        e = exposure(strength.iloc[t], sigma.iloc[t], base.iloc[t], ratio.iloc[t], dd, p)
        here = listed[legs].iloc[t].to_numpy()
        w = fund_weights(e, bool(here[1]), bool(here[2]), p)
        seen[day] = (float(w @ [1.0, 3.0, -3.0]), dd, sigma.iloc[t], base.iloc[t], ratio.iloc[t])
        if here[0] and not (held[~here] != 0.0).any() and np.abs(w - held).max() > p["threshold"]:
            held = w
            said[day] = w
    names = ["exposure", "drawdown", "sigma_real", "sigma_base", "vix_ratio"]
    return pd.DataFrame(said, legs).T, pd.DataFrame(seen, names).T
