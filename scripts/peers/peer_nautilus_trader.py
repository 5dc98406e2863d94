"""nautilus_trader: market orders sent when the next open is quoted.

1.221.0 fills a market order at once, at the price of the bar that has closed, and knows no order for the open ("market
auction ... is not currently supported"). So opens and closes come as quotes without a spread, and what a close decides
is sent when the last asset's open has come.
"""

from collections.abc import Callable
from decimal import Decimal

import numpy as np
from job import CASH, FEE, Job, Way
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, RiskEngineConfig, StrategyConfig
from nautilus_trader.model.currencies import Currency
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, CurrencyType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy
from signals import Floats

DIGITS = 12  # of prices, sizes and money; a dollar with two would round each fee and each gain to a cent
LEVERAGE = Decimal(100)  # a cash account would refuse what an overnight gap makes dearer than the cash there is
VENUE = Venue("PEER")


def currency(code: str) -> Currency:
    """Return a currency with as many digits as prices have."""
    made = Currency(code, DIGITS, 0, code, CurrencyType.FIAT)
    Currency.register(made, overwrite=True)
    return made


DOLLAR = currency("DLR")


def instrument(asset: int) -> CurrencyPair:
    """Return an asset that is traded in fractions: its `Equity` comes in whole shares."""
    name = f"S{asset:03d}"
    symbol, step = Symbol(f"{name}/{DOLLAR.code}"), 10.0**-DIGITS
    return CurrencyPair(
        InstrumentId(symbol, VENUE), symbol, currency(name), DOLLAR, DIGITS, DIGITS, Price(step, DIGITS),
        Quantity(step, DIGITS), 0, 0, margin_init=Decimal(0), margin_maint=Decimal(0), maker_fee=Decimal(str(FEE)),
        taker_fee=Decimal(str(FEE)),
    )  # fmt: skip


class NextOpen(Strategy):
    """Order q = w E / close - held, decided at a close with weights, at the open that follows."""

    def __init__(self, plan: dict[int, Floats], close: Floats, assets: list[CurrencyPair]) -> None:
        super().__init__(StrategyConfig(log_events=False, log_commands=False))
        self.plan, self.close, self.assets = plan, close, assets
        self.t, self.opens = -1, True
        self.sizes: Floats | None = None

    def on_start(self) -> None:
        """Listen to the last asset."""
        self.subscribe_quote_ticks(self.assets[-1].id)

    def equity(self) -> float:
        """Return cash and what the positions have gained."""
        gained = sum(money.as_double() for money in self.portfolio.unrealized_pnls(VENUE).values())
        return float(self.portfolio.account(VENUE).balance_total(DOLLAR).as_double() + gained)

    def on_quote_tick(self, _tick: QuoteTick) -> None:
        """Advance by an open or a close."""
        if self.opens:
            if self.sizes is not None:
                self.send(self.sizes)
        elif (weights := self.plan.get(self.t + 1)) is not None:
            held = np.array([float(self.portfolio.net_position(asset.id)) for asset in self.assets])
            self.sizes = weights * self.equity() / self.close[self.t + 1] - held
        self.t += not self.opens
        self.opens = not self.opens

    def send(self, sizes: Floats) -> None:
        """Send an order for each asset."""
        self.sizes = None
        for asset, size in zip(self.assets, sizes.tolist(), strict=True):
            quantity = Quantity(abs(size), DIGITS)
            if quantity > 0:
                side = OrderSide.BUY if size > 0.0 else OrderSide.SELL
                self.submit_order(self.order_factory.market(asset.id, side, quantity))


def quotes(job: Job, assets: list[CurrencyPair]) -> list[QuoteTick]:
    """Return the quotes of all opens and closes in the order of time."""
    size, found = Quantity(1e9, DIGITS), []
    times = job.ts.astype(np.int64)
    early = int(np.diff(times).min()) // 2  # an open comes between the closes before and after it
    for t, ts in enumerate(times.tolist()):
        for prices, at in ((job.open, ts - early), (job.close, ts)):
            for asset, value in zip(assets, prices[t].tolist(), strict=True):
                price = Price(value, DIGITS)
                found.append(QuoteTick(asset.id, price, price, size, size, at, at))
    return found


def prepare(job: Job) -> Callable[[], Floats]:
    """Prepare an engine with its data; it is reset between runs, which keeps them."""
    assets = [instrument(i) for i in range(job.close.shape[1])]
    engine = BacktestEngine(
        BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True), risk_engine=RiskEngineConfig(bypass=True), run_analysis=False
        )
    )
    engine.add_venue(
        VENUE, OmsType.NETTING, AccountType.MARGIN, [Money(CASH, DOLLAR)], base_currency=DOLLAR,
        default_leverage=LEVERAGE,
    )  # fmt: skip
    for asset in assets:
        engine.add_instrument(asset)
    engine.add_data(quotes(job, assets))

    def call() -> Floats:
        last = []
        for plan in job.plans():
            strategy = NextOpen(plan, job.close, assets)
            engine.add_strategy(strategy)
            engine.run()
            last.append(strategy.equity())
            engine.reset()
            engine.clear_strategies()
        return np.array(last)

    return call


def note(_job: Job) -> str:
    """Say how."""
    return "opens and closes as quotes, an order sent at each open, signals by our numba kernel; same semantics"


WAYS = (Way(200_000, prepare, note),)
