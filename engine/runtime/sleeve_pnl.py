"""Where a run's money came from, by sleeve, and what each stage of the book added or took."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from plimsoll.engine.core import Decision
from plimsoll.engine.runtime.holdings import Holdings
from plimsoll.engine.runtime.run_prices import RunPrices
from plimsoll.engine.runtime.symbol_pnl import CASH, PNL_COLUMNS
from plimsoll.engine.types import Floats, Ints

# What holdings made beyond the last target: fills at other prices than the decision's, drift, lots, money, volume.
EXECUTION: Final = "(execution)"


@dataclass(frozen=True, slots=True, eq=False)
class SleeveParts:
    """What a run's decisions were made of: D decisions, S sleeves, N symbols in the columns of the weights.

    sleeves, stages : names; `stages` those that follow the sleeves' sum. at (D,) : the row of the run at whose close
    each was made, -1 = the close before the first. parts : a decision's (S, N) weights of the sleeves. trace : its
    (N, stages) weights, from the sleeves' sum on. known (N,) : the last known close before the run's first row.
    """

    sleeves: tuple[str, ...]
    stages: tuple[str, ...]
    at: Ints
    parts: Sequence[Floats]
    trace: Sequence[Floats]
    known: Floats


def sleeve_parts(
    names: Sequence[str], stages: Sequence[str], decisions: Sequence[Decision], first: int, close: Floats
) -> SleeveParts:
    """Return the parts of a run's decisions; close (T, N) of the whole panel, first its first bar traded."""
    whole = (
        len(stages) > 1 and stages[1] == "s1_allocate"
    )  # the parts sum to the second column there, else to the first
    begin = 1 if whole else 0
    earlier = close[:first]
    last = len(earlier) - 1 - np.argmax(~np.isnan(earlier[::-1]), axis=0) if len(earlier) else np.zeros(0, dtype=int)
    known = earlier[last, np.arange(close.shape[1])] if len(earlier) else np.full(close.shape[1], np.nan)
    return SleeveParts(
        tuple(names),
        tuple(stages[begin + 1 :]),
        np.array([decision.t - first for decision in decisions], dtype=np.int64),
        [d.target.trace[:, 0][None] if d.target.parts is None else d.target.parts for d in decisions],
        [d.target.trace[:, begin:] for d in decisions],
        known,
    )


def sleeve_pnl(
    parts: SleeveParts, h: Holdings, columns: Sequence[str], equity: pd.DataFrame, cash: float, prices: RunPrices,
    by_symbol: pd.DataFrame,
) -> pd.DataFrame:  # fmt: skip
    """Return dollars made and paid, a row per sleeve, per stage, for execution and for cash; they sum to the profit.

    A weight of a decision is held, at the close it was decided at, until the close of the next one. price, dividends :
    of the weights that stage 1 gives a sleeve; of what a stage changes in them; and, as `(execution)`, of what the
    account held beyond the last target. costs : each fill's, by how much each sleeve's weight of that symbol changed
    since the decision before; where none did, execution's. financing : by the sleeves' gross weights; without any, and
    interest always, `(cash)`. kind : "sleeve", "stage" or "account".
    """
    price, dividends = _moves(parts, prices, equity, cash)
    rows: dict[str, dict[str, float | str]] = {}
    for k, name in enumerate(parts.sleeves):
        own = np.array([part[k] for part in parts.parts]).reshape(price.shape)
        rows[name] = _row("sleeve", float((own * price).sum()), float((own * dividends).sum()))
    for k, name in enumerate(parts.stages):
        change = np.array([trace[:, k + 1] - trace[:, k] for trace in parts.trace]).reshape(price.shape)
        rows[name] = _row("stage", float((change * price).sum()), float((change * dividends).sum()))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["kind", *PNL_COLUMNS])
    total = by_symbol[list(PNL_COLUMNS)].sum()
    costs, own_costs = _costs(parts, h, columns)
    financing, own_financing = _financing(parts, h, equity)
    sleeves = list(parts.sleeves)
    table.loc[sleeves, "costs"] = costs
    table.loc[sleeves, "financing"] = financing
    table.loc[EXECUTION] = [
        "account", total["price"] - table["price"].sum(), total["dividends"] - table["dividends"].sum(), 0.0, 0.0,
        own_costs, 0.0,
    ]  # fmt: skip
    table.loc[CASH] = ["account", 0.0, 0.0, total["interest"], own_financing, 0.0, 0.0]
    table["pnl"] = table["price"] + table["dividends"] + table["interest"] - table["financing"] - table["costs"]
    table.index.name = "part"
    return table


def _row(kind: str, price: float, dividends: float) -> dict[str, float | str]:
    return {"kind": kind, "price": price, "dividends": dividends, **dict.fromkeys(PNL_COLUMNS[2:], 0.0)}


def _moves(parts: SleeveParts, prices: RunPrices, equity: pd.DataFrame, cash: float) -> tuple[Floats, Floats]:
    """Return (D, N) the dollars that a weight of 1 made of prices and of dividends from one decision to the next."""
    n_bars = len(equity)
    split = np.vstack((np.ones(prices.split.shape[1]), np.cumprod(prices.split[:n_bars], axis=0)))
    close = np.vstack((parts.known, prices.close[:n_bars]))
    close = pd.DataFrame(close * split).ffill().to_numpy()  # of a unit; row t + 1 is bar t's
    paid = np.vstack((np.zeros(split.shape[1]), np.cumsum(prices.dividend[:n_bars] * split[1:], axis=0)))
    start = parts.at + 1
    stop = np.append(start[1:], n_bars)
    worth = np.concatenate(([cash], equity["equity"].to_numpy(np.float64)))[start][:, None]
    bought = close[start]
    known = bought > 0.0
    out = np.zeros_like(bought)
    price = np.divide(close[stop] - bought, bought, out=out.copy(), where=known) * worth
    dividends = np.divide(paid[stop] - paid[start], bought, out=out, where=known) * worth
    return np.nan_to_num(price), dividends


def _of_fills(parts: SleeveParts, bar: Ints) -> Ints:
    """Return the decision that each bar trades by: the last one before it."""
    return np.maximum(np.searchsorted(parts.at, bar, side="left") - 1, 0)


def _costs(parts: SleeveParts, h: Holdings, columns: Sequence[str]) -> tuple[Floats, float]:
    """Return (S,) trading costs by sleeve, and those of what no sleeve changed."""
    n = len(parts.sleeves)
    place = {name: k for k, name in enumerate(columns)}
    panel = np.array([place[symbol] for symbol in h.symbols], dtype=np.int64)
    of = _of_fills(parts, h.bar) if len(parts.at) else h.bar[:0]
    costs = h.costs[: len(of)]
    traded = list(zip(of.tolist(), panel[h.column[: len(of)]].tolist(), strict=True))
    now = np.array([parts.parts[decision][:, i] for decision, i in traded]).reshape(-1, n)
    last = np.array([parts.parts[max(decision - 1, 0)][:, i] for decision, i in traded]).reshape(-1, n)
    change = np.abs(np.where((of > 0)[:, None], now - last, now))
    whole = change.sum(axis=1)
    moved = whole > 0.0
    total: Floats = (costs[moved, None] * change[moved] / whole[moved, None]).sum(axis=0)
    return total, float(costs[~moved].sum())


def _financing(parts: SleeveParts, h: Holdings, equity: pd.DataFrame) -> tuple[Floats, float]:
    """Return (S,) financing by sleeve, and what no sleeve held anything at."""
    paid = h.financing.sum(axis=1) + h.unplaced
    total = np.zeros(len(parts.sleeves))
    if not len(parts.at):
        return total, float(paid.sum())
    gross = np.array([np.abs(part).sum(axis=1) for part in parts.parts])
    whole = gross.sum(axis=1, keepdims=True)
    share = np.divide(gross, whole, out=np.zeros_like(gross), where=whole > 0.0)
    of = _of_fills(parts, np.arange(len(equity)) - 1)  # charged on what was held at the close before
    total = (paid[:, None] * share[of]).sum(axis=0)
    return total, float(paid.sum() - total.sum())
