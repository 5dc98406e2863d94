"""Add an account up again from its fills and the market, and hold the sum against what was reported."""

import numpy as np
import pandas as pd

from plimsoll.engine.market.panel import Panel
from plimsoll.engine.types import Floats

COSTS = ["commission", "spread", "impact", "fees"]


def assert_adds_up(
    panel: Panel, first: int, table: pd.DataFrame, weights: Floats, fills: pd.DataFrame, bill: Floats, cash: float,
    spread_per_year: float, borrow_per_year: float, tolerance: float = 1e-9, rebate: float = 0.0,
    at_close: bool = False,
) -> None:  # fmt: skip
    """Recompute cash, holdings, dividends, interest, price P&L and equity of every bar from facts alone.

    table : one row per bar from `first`, the columns of a result's equity table. fills : bar, column, qty, price and
    the four costs. Differences are relative to the account's size on the bar. The last row of a ruined account is its
    state before the liquidation, whose fills at the marks take every position to zero. at_close : orders fill at the
    close, so that a withdrawal leaves in part at the open and in part when it has been raised: facts give the ends.
    """
    held = np.zeros(panel.n_symbols)
    mark = _marks(panel, first)
    equity = cash
    grown = 0.0
    by_bar = dict(list(fills.groupby("bar")))
    for k, row in enumerate(table.to_dict("records")):
        t = first + k
        carried, shorted = cash, float(-np.minimum(held * np.nan_to_num(mark), 0.0).sum())
        split, traded = panel.split[t], by_bar.get(t)
        held *= split
        mark = mark / split
        dividends = float((held * panel.dividend[t]).sum())
        now = np.where(np.isnan(panel.close[t]), mark, panel.close[t])
        opened = np.where(np.isnan(panel.open[t]), mark, panel.open[t])
        arrived = cash + dividends + float(np.where(held != 0.0, held * opened, 0.0).sum())
        pnl = float(np.where(held != 0.0, held * (now - mark), 0.0).sum())
        paid = costs = 0.0
        if traded is not None and row["equity"] <= 0.0:
            traded, sold = _liquidation(traded)
            ended = held.copy()
            np.add.at(ended, traded["column"].to_numpy(), traded["qty"].to_numpy())
            np.add.at(ended, sold["column"].to_numpy(), sold["qty"].to_numpy())
            np.testing.assert_allclose(ended, 0.0, atol=1e-9 * max(np.abs(held).max(), 1.0))
            np.testing.assert_array_equal(sold["price"], now[sold["column"].to_numpy()])
        if traded is not None:
            for i, qty, price in zip(traded["column"], traded["qty"], traded["price"], strict=True):
                held[i] += qty
                pnl += qty * (now[i] - price)
                paid += qty * price
            costs = float(traded[COSTS].sum().sum())
            for name in COSTS:
                assert abs(traded[name].sum() - row[name]) <= tolerance * max(abs(equity), 1.0), name
        day = 1.0 / 252.0 if panel.clock.first_bar[t] else 0.0
        interest = financing = borrow = 0.0
        if k > 0:
            own = carried - shorted  # what selling short brought in earns nothing
            interest = (max(own, 0.0) + rebate * shorted) * bill[t]
            financing = max(-own, 0.0) * (bill[t] + spread_per_year * day)
            borrow = shorted * borrow_per_year * day
        cash += row["flow"] + dividends - paid - costs + interest - financing - borrow
        value = np.where(held != 0.0, held * now, 0.0)
        expected = {
            "cash": cash, "dividends": dividends, "price_pnl": pnl, "interest": interest, "financing": financing,
            "borrow": borrow, "costs": costs, "equity": cash + value.sum(), "long": value[value > 0.0].sum(),
            "short": -value[value < 0.0].sum(),
        }  # fmt: skip
        size = tolerance * max(abs(row["equity"]) + row["long"] + row["short"] + abs(cash), 1e-9)
        for name, amount in expected.items():
            assert abs(row[name] - amount) <= size, f"bar {t}: {name} {row[name]!r}, from the facts {amount!r}"
        change = row["price_pnl"] + row["dividends"] + row["interest"] + row["flow"]
        change -= row["financing"] + row["borrow"] + row["costs"]
        assert abs(row["equity"] - equity - change) <= size, (
            f"bar {t}: the identity is off by {row['equity'] - equity - change}"
        )
        if row["equity"] > 0.0:
            np.testing.assert_allclose(weights[k], value / row["equity"], rtol=0.0, atol=1e-9 * max(row["gross"], 1.0))
        base = equity + row["flow"]
        growths, shared = [row["equity"] / base], 0.0
        if row["flow"] < 0.0:  # it leaves at the open, with what had been earned by then
            growths = [arrived / equity * row["equity"] / (arrived + row["flow"])]
            after = arrived + row["flow"]  # which costs came before it left is not told by the facts
            shared = costs * -row["flow"] / (after * (after - costs)) * row["equity"] / equity
            if at_close and traded is not None:
                after = row["equity"] - interest + financing + borrow
                growths.append((after - row["flow"]) / equity * row["equity"] / after)
                shared = max(shared, costs * -row["flow"] / after**2 * row["equity"] / equity)
        assert row["ret"] >= max(min(growths) - 1.0, -1.0) - tolerance - shared
        assert row["ret"] <= max(max(growths) - 1.0, -1.0) + tolerance + shared
        before_costs = 1.0 + row["ret"] + costs / base
        paid_out = row["flow"] < 0.0
        assert k == 0 or paid_out or abs(row["equity_gross"] - grown * before_costs) <= tolerance * max(grown, 1.0)
        equity, mark, grown = row["equity"], now, row["equity_gross"]


def _liquidation(traded: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split the fills of the bar of ruin: what was traded in it, and each symbol's last one, that nobody ordered."""
    free = traded[traded["order_id"] == ""]
    last = free.index.isin(free.groupby("column").tail(1).index)
    sold = traded.index.isin(free.index[last])
    return traded[~sold], traded[sold]


def _marks(panel: Panel, first: int) -> Floats:
    """Last known close before bar `first`."""
    return pd.DataFrame(panel.close[:first]).ffill().iloc[-1].to_numpy(copy=True)


def bars_of(fills: pd.DataFrame, panel: Panel) -> pd.DataFrame:
    """A result's fills with the bar and the column of each."""
    stamps = panel.clock.stamp.astype("datetime64[s]")
    at = np.searchsorted(stamps, fills["session"].to_numpy().astype("datetime64[s]"))
    return fills.assign(bar=at, column=[panel.column(s) for s in fills["symbol"]])
