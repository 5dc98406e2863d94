"""The engine's equity against backtrader's, which fills the same way: sized at the close, filled at the next open.

Both keep the same orders, so what may differ is rounding alone: our quantities are cut to 1e-9 of a share, and the
sums run in another order. Over 4,000 sessions that stays far below 1e-9 of equity.
"""

import math
from datetime import date
from pathlib import Path
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from support.panels import make_panel, random_panel
from support.plain_targets import DEFENSIVE, RISKY, Level61, level61, month_ends, total_returns
from support.real import read
from support.scripted import plain_config, run_config

from plimsoll.engine.market.panel import Panel

UNIVERSE = sorted(RISKY + DEFENSIVE)
Targets = dict[pd.Timestamp, dict[str, float]]
CREDIT = 4.0  # so that backtrader does not refuse what an overnight gap makes dearer than the cash there is


class Rebalance(bt.Strategy):
    """At the close of a date with targets, order what is missing: q = W E / close - held, sales first."""

    params = (("targets", None), ("path", None))

    def next(self) -> None:
        """Order, and note the account's value at this close."""
        equity = self.broker.getvalue()
        self.p.path.append(equity)
        weights = self.p.targets.get(pd.Timestamp(self.datetime.date(0)))
        if weights is None:
            return
        wishes = [
            (weights[data._name] * equity / data.close[0] - self.getposition(data).size, data) for data in self.datas
        ]
        for size, data in sorted(wishes, key=lambda wish: wish[0]):
            if size < 0.0:
                self.sell(data, size=-size)
            elif size > 0.0:
                self.buy(data, size=size)


def by_backtrader(panel: Panel, targets: Targets, rate: float) -> list[float]:
    """Equity at every close."""
    index = pd.DatetimeIndex(panel.clock.session)
    cerebro = bt.Cerebro(stdstats=False)
    for i, symbol in enumerate(panel.symbols):
        table = pd.DataFrame(
            {
                "open": panel.open[:, i], "high": panel.high[:, i], "low": panel.low[:, i], "close": panel.close[:, i],
                "volume": 1e9, "openinterest": 0.0,
            },
            index=index,
        )  # fmt: skip
        cerebro.adddata(bt.feeds.PandasData(dataname=table), name=symbol)
    cerebro.broker.setcash(100_000.0)
    cerebro.broker.setcommission(commission=rate, leverage=CREDIT)
    cerebro.broker.set_checksubmit(False)
    path: list[float] = []
    cerebro.addstrategy(Rebalance, targets=targets, path=path)
    cerebro.run()
    return path


def check(panel: Panel, targets: Targets, strategy: str, params: dict[str, Any], rate: float, first: int) -> int:
    """Compare both equity curves; return how many fills ours took."""
    start = panel.clock.session[first - 1]
    theirs = by_backtrader(panel, {d: w for d, w in targets.items() if d >= pd.Timestamp(start)}, rate)
    config = plain_config(
        strategy, params, run={"start": str(panel.clock.session[first])},
        costs={"preset": "flat" if rate else "none", "flat_bps": rate * 1e4},
    )  # fmt: skip
    ran = run_config(panel, config)
    ours = ran.equity["equity"].to_numpy()
    np.testing.assert_allclose(ours, theirs[first:], rtol=1e-9)
    assert np.ptp(ours) > 1_000.0
    return len(ran.result.fills)


def level61_targets(panel: Panel) -> Targets:
    """Targets from plain pandas at each month end, none after the data's last complete month."""
    index = pd.DatetimeIndex(panel.clock.session)
    close = pd.DataFrame(panel.close, index, list(panel.symbols))
    returns = total_returns(close, 0.0 * close)[RISKY + DEFENSIVE]
    ends = [day for day in month_ends(index.append(pd.DatetimeIndex(["2099-01-02"]))) if day_is_month_end(panel, day)]
    return {day: row.to_dict() for day, row in level61(returns, ends, Level61(max_leverage=MOST))[0].iterrows()}


def day_is_month_end(panel: Panel, day: pd.Timestamp) -> bool:
    """Whether the exchange has no later session in that month."""
    return bool(panel.clock.month_last[panel.clock.session == day.to_datetime64().astype("datetime64[D]")][0])


LEVEL61 = "plimsoll.strategies.regime_risk_parity:RegimeRiskParity"
MOST = 1.9  # at 2.0 the costs of a purchase no longer fit a reg_t account, which scales it; backtrader does not


@pytest.mark.parametrize("rate", [0.0, 5e-4], ids=["free", "5bps"])
def test_level61_on_a_random_market_equals_backtrader(rate: float) -> None:
    panel = random_panel(
        11, n_bars=400, n_symbols=8, symbols=tuple(UNIVERSE), actions=False, holes=False, quiet=False,
        volatility=0.01, start=date(2018, 1, 2),
    )  # fmt: skip
    first = int(np.flatnonzero(panel.clock.month_last)[2]) + 1
    assert check(panel, level61_targets(panel), LEVEL61, {"max_leverage": MOST}, rate, first) > 100


def real_panel(folder: Path, symbols: list[str]) -> Panel:
    """Real opens and closes of 2009-2025 without dividends."""
    tables = {name: table.loc["2009-06-01":] for name, table in read(folder, symbols, "2025-12-31").items()}
    return make_panel(tables["close"][symbols], tables["open"][symbols], symbols=tuple(symbols), start=date(2009, 6, 1))


@pytest.mark.realdata
def test_level61_on_real_prices_equals_backtrader(real_daily: Path) -> None:
    panel = real_panel(real_daily, UNIVERSE)
    first = int(np.searchsorted(panel.clock.session, np.datetime64("2010-01-01")))
    assert check(panel, level61_targets(panel), LEVEL61, {"max_leverage": MOST}, 5e-4, first) > 1_000


@pytest.mark.realdata
def test_sixty_forty_on_real_prices_equals_backtrader(real_daily: Path) -> None:
    panel = real_panel(real_daily, ["IEF", "SPY"])
    first = int(np.flatnonzero(panel.clock.month_last)[0]) + 1
    days = pd.DatetimeIndex(panel.clock.session[panel.clock.month_last])
    targets = {day: {"SPY": 0.6, "IEF": 0.4} for day in days}
    assert math.isclose(
        check(panel, targets, "plimsoll.strategies.sixty_forty:SixtyForty", {}, 5e-4, first), 2 * len(days), abs_tol=2
    )
