#!/usr/bin/env bash
# lumibot's trailing stop by percent, trail_percent, of a sale does not stay where the best price brought it. After each bar of a
# backtest it is put anew below that bar's high, upwards or downwards: in a market that falls by 2% a day a trailing stop of 5% goes
# down with the price and is never reached, and half of the money is gone with the stop still open. That of a short position, which
# should come down with the price, never moves. The same stop by an amount, trail_price, does both right: it sells where the price
# is 5 below its best, and buys 5 above. Pass the amount.
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
from lumibot.entities import Asset, Data
from lumibot.strategies import Strategy

SHARE = Asset("X")
QUIET = dict.fromkeys(("show_plot", "show_tearsheet", "save_tearsheet", "show_indicators"), False)


def run(closes, first, **trail):
    """Buy or sell short 500 shares and leave a trailing stop: the fills, and its level after each bar."""
    frame = pd.DataFrame(
        {"open": closes, "high": [c + 0.25 for c in closes], "low": [c - 0.25 for c in closes], "close": closes, "volume": 1e6}
    )
    frame.index = pd.bdate_range("2024-01-02", periods=len(closes), tz="America/New_York")
    fills, levels = [], []

    class Once(Strategy):
        def initialize(self):
            self.sleeptime, self.days, self.stop = "1D", 0, None

        def on_trading_iteration(self):
            self.days += 1
            if self.days == 1:
                self.submit_order(self.create_order(SHARE, 500, first))
            if self.days == 2:
                back = "sell" if first == "buy" else "buy"
                self.stop = self.create_order(SHARE, 500, back, order_type="trailing_stop", **trail)
                self.submit_order(self.stop)
            if self.stop and self.stop.get_current_trail_stop_price():
                levels.append(round(float(self.stop.get_current_trail_stop_price()), 2))

        def on_filled_order(self, position, order, price, quantity, multiplier):
            fills.append(
                (
                    f"{self.get_datetime():%m-%d}",
                    str(order.side.value if hasattr(order.side, "value") else order.side),
                    round(float(price), 2),
                )
            )

    data = {SHARE: Data(SHARE, frame, timestep="day")}
    Once.run_backtest(
        PandasDataBacktesting,
        datetime(2024, 1, 2),
        datetime(2024, 3, 1),
        pandas_data=data,
        benchmark_asset=None,
        budget=100_000,
        quiet_logs=True,
        **QUIET,
    )
    return fills, levels


falling = [100.0] * 5 + [100.0 * 0.98**day for day in range(1, 37)]
bouncing = [100.0] * 5 + [100.0 * 0.98**day for day in range(1, 21)] + [100.0 * 0.98**20 * 1.02**day for day in range(1, 17)]
found = {
    "long, trail_percent=0.05": run(falling, "buy", trail_percent=0.05),
    "long, trail_price=5": run(falling, "buy", trail_price=5.0),
    "short, trail_percent=0.05": run(bouncing, "sell", trail_percent=0.05),
    "short, trail_price=5": run(bouncing, "sell", trail_price=5.0),
}
print(
    "lumibot",
    version("lumibot"),
    f"- 100 for some days, then falling by 2% a day to {falling[-1]:.2f}; for the short to {bouncing[24]:.2f} and up again to {bouncing[-1]:.2f}",
)
for name, (fills, levels) in found.items():
    print(f"{name}: fills", *fills, "- levels of the stop", levels[:1], "to", levels[-1:], "lowest", min(levels), "highest", max(levels))
(percent, percent_levels), (price, price_levels) = found["long, trail_percent=0.05"], found["long, trail_price=5"]
(short, short_levels), (right, right_levels) = found["short, trail_percent=0.05"], found["short, trail_price=5"]
down = len(percent) == 1 and percent_levels == sorted(percent_levels, reverse=True) and percent_levels[-1] < 50
stays = len(short) == 1 and len(set(short_levels)) == 1
sound = len(price) == len(right) == 2 and price[1][2] > 90 and len(set(price_levels)) == 1 and right[1][2] < 75 and min(right_levels) < 75
sys.exit(0 if down and stays and sound else 1)
PYTHON
