#!/usr/bin/env bash
# lumibot charges the fees of a backtest by the kind of the order. Market orders, limits and stops pay; a trailing stop pays
# nothing, whether its fee is by percent, as here, or flat ("paid for each order", says TradingFee's documentation), and though a
# fee is for makers and takers both unless told otherwise. So a strategy that leaves by a trailing stop has half the costs of one
# that leaves by a stop, and no log tells. Send a market order from the strategy when the price is there.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
# What a backtest on one's own prices loads of lumibot and its 300 dependencies.
with_packages --no-deps lumibot==4.6.30 numpy==2.4.6 pandas==2.3.3 polars==2.1.0 polars-runtime-32==2.1.0 pyarrow==26.0.1 \
    pandas_market_calendars==5.5.0 exchange_calendars==4.13.2 korean_lunar_calendar==0.4.0 pyluach==2.3.0 toolz==1.2.0 \
    APScheduler==3.11.3 tzlocal==5.4.5 tzdata==2026.6 pytz==2026.6 python-dateutil==2.9.0.post0 six==1.17.0 PyYAML==6.0.4 \
    appdirs==1.4.4 platformdirs==4.14.9 cloudpickle==3.1.3 jsonpickle==4.1.4 orjson==3.13.0 python-dotenv==1.2.2 \
    requests==2.34.2 certifi==2025.11.12 charset-normalizer==3.5.3 idna==3.20 urllib3==2.8.0 websockets==15.0.1 \
    beautifulsoup4==4.15.0 termcolor==3.3.0 tqdm==4.70.1 typing_extensions==4.16.0 <<'PYTHON'
import logging
import os
import sys
from datetime import datetime
from importlib.metadata import version

os.chdir(os.environ["HOME"])
os.environ.update(IS_BACKTESTING="True", BACKTESTING_QUIET_LOGS="true", BACKTESTING_SHOW_PROGRESS_BAR="false", LUMIBOT_DISABLE_DOTENV="1")
logging.disable(logging.CRITICAL)
import pandas as pd
from lumibot.backtesting import PandasDataBacktesting
from lumibot.entities import Asset, Data, TradingFee
from lumibot.strategies import Strategy

SHARE = Asset("X")
QUIET = dict.fromkeys(("show_plot", "show_tearsheet", "save_tearsheet", "show_indicators"), False)


def fee(kind, **order):
    """What the sale of 100 shares at 100 by an order of this kind costs at a fee of 1%: 100,000 less the money at the end, prices flat."""
    frame = pd.DataFrame(
        {"open": 100.0, "high": 100.5, "low": 99.5, "close": 100.0, "volume": 1e6},
        index=pd.bdate_range("2024-01-02", periods=12, tz="America/New_York"),
    )
    if kind == "trailing_stop":
        frame.iloc[6] = (95.0, 95.0, 95.0, 95.0, 1e6)  # one day at which the stop is jumped over
    told = []

    class Once(Strategy):
        def initialize(self):
            self.sleeptime, self.days = "1D", 0

        def on_trading_iteration(self):
            self.days += 1
            if self.days == 1:
                self.submit_order(self.create_order(SHARE, 100, "buy"))
            if self.days == 2:
                self.submit_order(self.create_order(SHARE, 100, "sell", order_type=kind, **order))
            told.append(float(self.cash))

        def on_filled_order(self, position, order, price, quantity, multiplier):
            told.append((float(price), float(quantity)))

    data = {SHARE: Data(SHARE, frame, timestep="day")}
    fees = [TradingFee(percent_fee=0.01)]
    Once.run_backtest(
        PandasDataBacktesting,
        datetime(2024, 1, 2),
        datetime(2024, 1, 17),
        pandas_data=data,
        benchmark_asset=None,
        budget=100_000,
        buy_trading_fees=[],
        sell_trading_fees=fees,
        quiet_logs=True,
        **QUIET,
    )
    (bought, sold), cash = (
        [entry for entry in told if isinstance(entry, tuple)],
        [entry for entry in told if not isinstance(entry, tuple)][-1],
    )
    return sold[0], round(100_000 + (sold[0] - bought[0]) * 100 - cash, 2)


found = {
    "market": fee("market"),
    "limit of 100": fee("limit", limit_price=100.0),
    "stop at 99.75": fee("stop", stop_price=99.75),
    "trailing stop of 2": fee("trailing_stop", trail_price=2.0),
    "trailing stop of 2%": fee("trailing_stop", trail_percent=0.02),
}
print("lumibot", version("lumibot"), "- 100 shares sold, a fee of 1% of the amount on sales")
for name, (price, cost) in found.items():
    print(f"{name}: sold at {price}, fee {cost}")
paid = {name: cost for name, (_, cost) in found.items()}
free = [name for name, (price, cost) in found.items() if abs(cost - price) > 1e-6]
sys.exit(0 if free == ["trailing stop of 2", "trailing stop of 2%"] and all(paid[name] == 0.0 for name in free) else 1)
PYTHON
