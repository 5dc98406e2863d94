#!/usr/bin/env bash
# nautilus_trader offers the times in force AT_THE_OPEN and AT_THE_CLOSE for market and limit orders. In a backtest the simulated
# exchange does nothing with such an order: it stays SUBMITTED to the end, with no fill, no reject and no expiry. For a market
# order one line of the log says that auctions are not supported; for a limit order there is none. A strategy that waits for an
# event waits for good, and its test tells of no trade. The same orders with DAY are filled.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages nautilus_trader==1.221.0 <<'PYTHON'
import subprocess
import sys
from importlib.metadata import version

from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide, TimeInForce
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

DAY = 86_400_000_000_000
SPY = TestInstrumentProvider.equity("SPY", "SIM")


class Once(Strategy):
    """Order ten shares at the first quote."""

    order, events = None, ()

    def on_start(self):
        self.subscribe_quote_ticks(SPY.id)

    def on_quote_tick(self, _tick):
        if self.order is None:
            rest = (Price(150, 2),) if kind == "limit" else ()
            make = getattr(self.order_factory, kind)
            self.order = make(SPY.id, OrderSide.BUY, Quantity.from_int(10), *rest, time_in_force=TimeInForce[force])
            self.submit_order(self.order)

    def on_order_event(self, event):
        self.events += (type(event).__name__,)


if len(sys.argv) > 1:  # one run, in a process of its own
    kind, force = sys.argv[1:]
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(log_level="ERROR", log_colors=False)))
    engine.add_venue(SPY.id.venue, OmsType.NETTING, AccountType.CASH, [Money(1_000_000, USD)], base_currency=USD)
    engine.add_instrument(SPY)
    size = Quantity.from_int(1000)
    engine.add_data([QuoteTick(SPY.id, Price(100 + i, 2), Price(100 + i, 2), size, size, i * DAY, i * DAY) for i in range(1, 10)])
    strategy = Once()
    engine.add_strategy(strategy)
    engine.run()
    print("end:", strategy.order.status_string(), *strategy.events, flush=True)
    sys.exit(0)


def run(*case):
    done = subprocess.run([sys.executable, "-W", "ignore", __file__, *case], capture_output=True, text=True, check=True)
    lines = (done.stdout + done.stderr).splitlines()
    (end,) = [line.removeprefix("end: ") for line in lines if line.startswith("end: ")]
    return end, sum("[ERROR]" in line for line in lines)


print("nautilus_trader", version("nautilus_trader"), "- ordered at the first of nine quotes: state at the end, events; lines of error")
found = {(kind, force): run(kind, force) for kind in ("market", "limit") for force in ("DAY", "AT_THE_OPEN", "AT_THE_CLOSE")}
for case, (end, errors) in found.items():
    print(f"{' '.join(case)}: {end}; {errors}")
lost = all(
    found[kind, force] == ("SUBMITTED OrderInitialized OrderSubmitted", 1 if kind == "market" else 0)
    for kind, force in found
    if force != "DAY"
)
sys.exit(0 if lost and all(found[kind, "DAY"][0].startswith("FILLED ") for kind in ("market", "limit")) else 1)
PYTHON
