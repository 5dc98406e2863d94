"""Results to report on: a small account simulated from random walks, its books balanced to the cent."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from plimsoll.engine.market.panel import DataWarning
from plimsoll.engine.report.result import Result, result_of
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.runtime.run_facts import EQUITY_COLUMNS
from plimsoll.engine.runtime.run_prices import RunPrices

MakeResult = Callable[..., Result]
SYMBOLS = (
    "SPY",
    "TLT",
    "GLD",
    "TQQQ",
    "SQQQ",
    "DBC",
    "EEM",
    "IEF",
    "VNQ",
    "USO",
    "LQD",
    "HYG",
    "UUP",
    "XLE",
    "EFA",
    "IWM",
)


def simulate(
    sessions: int = 600,
    n: int = 6,
    *,
    seed: int = 7,
    bars: int = 1,
    every: int = 21,
    short: bool = False,
    trade: bool = True,
    cash: float = 100_000.0,
    drift: float = 0.0003,
    flows: dict[int, float] | None = None,
) -> dict[str, Any]:
    """Walk `n` prices, rebalance every so many bars to random weights, and book every dollar."""
    rng = np.random.default_rng(seed)
    total = sessions * bars
    days = pd.bdate_range("2015-01-05", periods=sessions)
    stamps = (
        days
        if bars == 1
        else pd.DatetimeIndex([d + pd.Timedelta(minutes=570 + 390 // bars * k) for d in days for k in range(bars)])
    )
    stamps = pd.DatetimeIndex(stamps.astype("datetime64[s]"), name="session")
    names = [SYMBOLS[k] if k < len(SYMBOLS) else f"S{k:03d}" for k in range(n)]
    vol = rng.uniform(0.004, 0.02, n) / np.sqrt(bars)
    market = rng.normal(drift / bars, 0.008 / np.sqrt(bars), total)
    ret = 0.6 * market[:, None] + rng.normal(drift / 3 / bars, 1.0, (total, n)) * vol
    prices = 50.0 * np.cumprod(1.0 + ret, axis=0)
    shares, money, equity_before, gross_index = np.zeros(n), cash, cash, cash
    rows, weights, targets = [], [], []
    orders: list[tuple[Any, ...]] = []
    fills: list[tuple[Any, ...]] = []
    for t in range(total):
        row = dict.fromkeys(EQUITY_COLUMNS, 0.0)
        row["flow"] = (flows or {}).get(t, 0.0)
        money += row["flow"]
        base = equity_before + row["flow"]
        last = prices[t - 1] if t else np.full(n, 50.0)
        row["interest"] = max(money, 0.0) * 0.00008 / bars
        row["financing"] = max(-money, 0.0) * 0.0002 / bars
        row["dividends"] = float(np.sum(np.maximum(shares, 0.0) * last)) * 0.015 / 252 / bars
        row["borrow"] = -float(np.sum(np.minimum(shares, 0.0) * last)) * 0.005 / 252 / bars
        money += row["interest"] + row["dividends"] - row["financing"] - row["borrow"]
        if trade and t % every == 0 and base > 0:
            want = rng.dirichlet(np.full(n, 0.8)) * rng.uniform(0.7, 1.5)
            if short:
                want *= np.where(rng.random(n) < 0.3, -1.0, 1.0)
            targets.append((stamps[t], want))
            qty = want * base / last - shares
            for k in range(n):
                notional = abs(qty[k]) * last[k]
                parts = {"commission": 0.0, "spread": notional * 2e-4, "impact": notional * 1e-4}
                parts["fees"] = notional * 2e-5 if qty[k] < 0 else 0.0
                order = f"o{len(orders):06d}"
                side = "sell" if qty[k] < 0 else "buy"
                orders.append((order, stamps[t], names[k], side, qty[k], "market", 0, 1, last[k], "filled", qty[k], ""))
                fills.append((stamps[t], names[k], qty[k], last[k], *parts.values(), order))
                money -= qty[k] * last[k] + sum(parts.values())
                row["traded"] += notional
                for kind, amount in parts.items():
                    row[kind] += amount
            shares = shares + qty
        row["costs"] = row["commission"] + row["spread"] + row["impact"] + row["fees"]
        row["price_pnl"] = float(np.sum(shares * (prices[t] - last)))
        value = shares * prices[t]
        equity = money + float(np.sum(value))
        row |= {"equity": equity, "cash": money, "long": value[value > 0].sum(), "short": -value[value < 0].sum()}
        row["gross"], row["net"] = np.abs(value).sum() / equity, value.sum() / equity
        row["ret"] = equity / base - 1.0
        gross_index *= 1.0 + row["ret"] + row["costs"] / base
        row["equity_gross"] = gross_index
        rows.append(row)
        weights.append(value / equity)
        equity_before = equity
    frame = pd.DataFrame(rows, index=stamps, columns=list(EQUITY_COLUMNS))
    index = (1.0 + frame["ret"]).cumprod()
    frame["drawdown"] = index / np.maximum(index.cummax(), 1.0) - 1.0
    lasts = np.vstack((np.full((1, n), 50.0), prices[:-1]))[:total]
    paid = lasts * (0.0 if short else 0.015 / 252 / bars)  # what the account was paid on its longs
    seen = RunPrices(lasts, prices, np.maximum(lasts, prices), np.minimum(lasts, prices), paid, np.ones((total, n)))
    grouped = pd.Series(market, index=stamps.normalize()).add(1.0).groupby(level=0).prod() - 1.0
    return {
        "equity": frame,
        "weights": pd.DataFrame(np.array(weights).reshape(total, n), index=stamps, columns=names),
        "targets": pd.DataFrame(
            np.array([w for _, w in targets]).reshape(len(targets), n),
            index=pd.DatetimeIndex([s for s, _ in targets], name="session", dtype="datetime64[s]"),
            columns=names,
        ),
        "orders": pd.DataFrame(
            orders,
            columns=[
                *("id", "session", "symbol", "side", "qty", "kind", "leg", "wave", "price"),
                *("status", "filled", "reason"),
            ],
        ),
        "fills": pd.DataFrame(
            fills,
            columns=["session", "symbol", "qty", "price", "commission", "spread", "impact", "fees", "order_id"],
        ),
        "cash": cash,
        "prices": seen,
        "session_last": np.arange(total) % bars == bars - 1,
        "benchmark": grouped.rename("SPY"),
        "bill": pd.Series(0.00008 + 0.00002 * np.sin(np.arange(sessions) / 50.0), index=days, name="BIL"),
    }


def sleeves_and_notes(stamps: pd.DatetimeIndex, seed: int = 3) -> dict[str, pd.DataFrame]:
    """Two sleeves, a switch and a number each."""
    rng = np.random.default_rng(seed)
    n = len(stamps)
    columns, notes = {}, []
    for name, weight in (("level61", 0.6), ("trend", 0.4)):
        equity = np.cumprod(1.0 + rng.normal(0.0003, 0.007, n))
        columns[f"{name}.equity"] = equity
        columns[f"{name}.drawdown"] = equity / np.maximum.accumulate(equity) - 1.0
        columns[f"{name}.weight"] = weight + 0.1 * np.sin(np.arange(n) / 90.0) * (1 if name == "trend" else -1)
        vol = 0.12 + 0.05 * np.sin(np.arange(n) / 60.0) + rng.normal(0.0, 0.004, n)
        for note, values in (("risk_off", (vol > 0.15).astype(float)), ("eq_vol_ann", vol)):
            notes.append(pd.DataFrame({"session": stamps, "sleeve": name, "name": note, "value": values}))
    return {"sleeves": pd.DataFrame(columns, index=stamps), "diagnostics": pd.concat(notes, ignore_index=True)}


def build(**settings: Any) -> Result:
    """Return a result; names of `simulate` shape the account, names of `Record` replace its parts."""
    fields = set(Record.__dataclass_fields__)
    book = simulate(**{key: value for key, value in settings.items() if key not in fields})
    stamps = book["equity"].index
    trace = book["targets"].reset_index().melt(id_vars="session", var_name="symbol", value_name="raw")
    parts: dict[str, Any] = {
        "name": "level61",
        "run_id": "level61-1a2b3c4d",
        **book,
        **sleeves_and_notes(stamps),
        "trace": trace,
        "config": {"run": {"name": "level61", "cash": 100_000.0}},
        "config_toml": '[run]\nname = "level61"\ncash = 100000.0\n\n[costs]\npreset = "flat"\nflat_bps = 5.0\n',
        "config_hash": "1a2b3c4d" * 8,
        "data_hash": "5e6f7a8b" * 8,
        "synthetic": True,
        "source": "random walk",
        "interval": "1d",
        "warnings": (
            DataWarning("missing_sessions", "DBC", "2 sessions without a row, the first 2016-03-04", "2016-03-04"),
            DataWarning("missing_sessions", "USO", "1 session without a row, 2017-05-02", "2017-05-02"),
            DataWarning("adjusted_only", "KMLM", "rows without close: read from adj_close for its whole life"),
        ),
        "counts": {"margin_calls": 2, "partial_fills": 0, "volume_unknown_fills": 31},
        "env": {"python": "3.11.9", "seed": 42, "versions": {"numpy": "2.4.6", "pandas": "3.1.1"}},
    }
    return result_of(Record(**{**parts, **{key: value for key, value in settings.items() if key in fields}}))


@pytest.fixture(scope="session")
def make_result() -> MakeResult:
    """Return the factory of results."""
    return build


@pytest.fixture(scope="session")
def result() -> Result:
    """Return one ordinary result: 600 sessions, six symbols, a benchmark, bills."""
    return build()
