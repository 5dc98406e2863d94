"""Level-61 and the benchmark portfolios in plain pandas, written from their formulas."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

RISKY = ["SPY", "QQQ", "IWM", "EFA", "EEM"]
DEFENSIVE = ["TLT", "LQD", "GLD"]


@dataclass
class Level61:
    """The source's settings."""

    lookback: int = 60
    vol_target: float = 0.10
    max_leverage: float = 2.0
    risk_off_vol: float = 0.25
    risk_off_mom: float = -0.10
    shrink: float = 0.5
    hysteresis: bool = False
    exit_vol: float = 0.22
    exit_mom: float = -0.05


def total_returns(close: pd.DataFrame, dividend: pd.DataFrame, split: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return (C + D) * split / last known C - 1; NaN on a session without a row.

    After more than 20 sessions without a row a symbol is a new one: nothing leads across the gap.
    """
    row = pd.Series(np.arange(float(len(close))), index=close.index)
    last = close.notna().mul(row, axis=0).where(close.notna()).ffill().shift(1)
    missing = -last.sub(row, axis=0) - 1.0
    before = close.ffill().shift(1).where(missing <= 20.0)
    gross = close + dividend.fillna(0.0)
    return (gross if split is None else gross * split) / before - 1.0


def listings(close: pd.DataFrame) -> pd.DataFrame:
    """How often each symbol has come back as another one: after more than 20 sessions without a row."""
    row = pd.Series(np.arange(float(len(close))), index=close.index)
    last = close.notna().mul(row, axis=0).where(close.notna()).ffill().shift(1)
    return (close.notna() & (-last.sub(row, axis=0) - 1.0 > 20.0)).cumsum()


def month_ends(index: pd.DatetimeIndex) -> list[pd.Timestamp]:
    """Last session of every month that is complete in `index`."""
    last = pd.Series(index, index=index).groupby([index.year, index.month]).last()
    return list(last.iloc[:-1])


def inverse_vol(window: pd.DataFrame, listed: pd.Series, min_obs: int) -> pd.Series:
    """Weights by inverse sample volatility; NaN where an asset takes no part."""
    vol = window.std(ddof=1)
    vol[(window.count() < min_obs) | ~listed] = np.nan
    if vol.isna().all():
        return vol
    inverse = (1.0 / vol.replace(0.0, np.nan)).fillna(0.0)
    if inverse.sum() <= 0.0:
        return (vol.notna() / vol.notna().sum()).where(vol.notna())
    return inverse / inverse.sum()


def overlay(w: pd.Series, listed: pd.Series, shrink: float) -> pd.Series:
    """Shrink the risky; give what is freed to the listed defensives in proportion (equally if they hold nothing)."""
    w = w.copy()
    safe = [s for s in DEFENSIVE if s in w.index and listed[s]]
    if not safe:
        return w
    risky = [s for s in RISKY if s in w.index]
    freed = w[risky].sum() * (1.0 - shrink)
    w[risky] = w[risky] * shrink
    held = w[safe].sum()
    w[safe] = w[safe] * ((held + freed) / held) if held > 0.0 else freed / len(safe)
    return w


def level61(
    returns: pd.DataFrame, when: list[pd.Timestamp], p: Level61, listing: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return targets and (risk_off, eq_vol_ann, eq_cum_ret, vol of the unlevered portfolio) at each date.

    listing : of each row; what was seen of an earlier one counts no more.
    """
    targets, regimes = {}, {}
    was_off = False
    for day in when:
        window = returns.loc[:day].tail(p.lookback)
        if listing is not None:
            window = window.where(listing.loc[window.index] == listing.loc[day])
        listed = returns.loc[day].notna()
        w = inverse_vol(window, listed, p.lookback // 2)
        if w.isna().all():
            continue
        w = w.fillna(0.0)
        basket = window[RISKY].mean(axis=1).dropna()
        few = len(basket) < 2  # nothing is known of them: no reason to leave
        vol = 0.0 if few else float(basket.std(ddof=1) * np.sqrt(252.0))
        grown = 0.0 if few else float((1.0 + basket).prod() - 1.0)
        leaves = p.hysteresis and was_off
        off = vol > (p.exit_vol if leaves else p.risk_off_vol) or grown < (p.exit_mom if leaves else p.risk_off_mom)
        if off:
            w = overlay(w, listed, p.shrink)
        cov = window.cov().fillna(0.0) * 252.0
        variance = float(w.to_numpy() @ cov.to_numpy() @ w.to_numpy())
        port = float(np.sqrt(max(variance, 0.0)))  # pair by pair it may be below zero: then nothing is held
        leverage = min(p.max_leverage, p.vol_target / port) if port > 0.0 else 0.0
        targets[day], regimes[day], was_off = w * leverage, (float(off), vol, grown, port), off
    return pd.DataFrame(targets).T, pd.DataFrame(regimes, index=["risk_off", "eq_vol_ann", "eq_cum_ret", "port"]).T
