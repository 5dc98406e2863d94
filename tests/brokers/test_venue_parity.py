"""One strategy, one configuration: a backtest, and the same sessions traded through the adapter."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from support.drive import Driven, after_close, drive
from support.houses import over_desk, over_http
from support.panels import make_panel
from support.restless import Restless
from support.scripted import plain_config
from support.venue import Venue as Running
from support.venue import make_desk

from plimsoll.brokers.exchange.hours import NEW_YORK
from plimsoll.engine.config.schema import load_config
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.backtest import Track, run_loop

Start = Callable[..., Running]
FIRST = 3


def market(seed: int, n_bars: int = 40) -> Panel:
    """Random walks on cents with dividends and 2-for-1 splits."""
    rng = np.random.default_rng(seed)
    shape = (n_bars, 4)
    level = rng.uniform(40.0, 300.0, 4) * np.exp(np.cumsum(rng.normal(0.0, 0.02, shape), axis=0))
    opened = level * np.exp(rng.normal(0.0, 0.01, shape))
    split = np.where(rng.random(shape) < 0.02, 2.0, 1.0)
    split[: FIRST + 1] = 1.0
    factor = np.cumprod(split, axis=0)
    dividend = np.where(rng.random(shape) < 0.05, 0.25, 0.0)
    return make_panel(np.round(level / factor, 2), np.round(opened / factor, 2), dividend=dividend, split=split)


@dataclass(frozen=True)
class Both:
    """A backtest, and a system that is still to be driven."""

    simulated: Setup
    track: Track
    to_drive: Setup

    @property
    def orders(self) -> dict[int, list[tuple[str, Decimal]]]:
        """What the backtest sent after each bar that decided, what frees money first."""
        symbols = self.simulated.panel.symbols
        found = {}
        for decision in self.track.decisions:
            rows = decision.plan.orders.rows
            order = np.lexsort((np.arange(len(rows.qty)), rows.wave))
            found[decision.t] = [(symbols[int(rows.col[k])], Decimal(repr(float(rows.qty[k])))) for k in order]
        return found


def both(panel: Panel, *, account: str, short: bool, seed: int, collar: float | None = None) -> Both:
    """Run the backtest; one strategy object serves both."""
    params = {"symbols": list(panel.symbols), "seed": seed, "most": 0.22, "short": short, "often": 0.5}
    values = plain_config(
        "support.restless:Restless",
        params,
        run={"name": "t", "start": str(panel.clock.session[FIRST]), "cash": 100_000.0},
        execution={
            "venue": "alpaca",
            "min_notional": 1.0,
            "max_participation": 0.0,
            "unfilled": "expire",
            "limits": collar is not None,
        },
        live={"collar": collar or 0.03},
        account={"type": account},
    )
    config = load_config(values)
    strategies = {"s": Restless(Restless.Params.model_validate(params))}
    simulated = build(config, panel, strategies)
    return Both(simulated, run_loop(simulated), build(config, panel, strategies))


def start_of(setup: Setup) -> str:
    """Return the New York time after the close before the first bar traded."""
    return after_close(setup, setup.first - 1).astimezone(NEW_YORK).replace(tzinfo=None).isoformat()


def assert_same(pair: Both, made: Driven) -> None:
    """Same orders, same shares, equity to the cent at every close."""
    assert made.sent == pair.orders
    record = pair.simulated.broker.rec
    for t, worth in made.equity.items():
        if t >= pair.simulated.first:
            assert abs(float(worth) - record[t, 0]) < 0.005, t
    assert_same_positions(pair, made)


def assert_same_positions(pair: Both, made: Driven) -> None:
    """Same shares at the end, to the ninth decimal."""
    held = {s: round(Decimal(repr(q)), 9) for s, q in pair.simulated.broker.positions().items()}
    assert {s: q for s, q in held.items() if q} == {s: round(q, 9) for s, q in made.shares.items()}
    assert made.shares


CASES = [("reg_t", True, 1), ("reg_t", False, 2), ("cash", False, 3)]


@pytest.mark.parametrize(("account", "short", "seed"), CASES)
def test_a_backtest_and_the_same_sessions_through_the_adapter_are_one(
    exchange: Start, account: str, short: bool, seed: int
) -> None:
    panel = market(seed)
    pair = both(panel, account=account, short=short, seed=seed)
    setup = pair.to_drive
    running = exchange(panel, at=start_of(setup), prices="open", multiplier=2 if account == "reg_t" else 1)

    def move(to: datetime) -> None:
        running.control("clock", {"at": to.isoformat()})

    assert_same(pair, drive(setup, over_http(running), move))
    assert len(running.transcript.happenings("filled")) > 20
    assert len(running.transcript.happenings("div")) > 0
    assert len(running.transcript.happenings("split")) > 0


@pytest.mark.parametrize("seed", range(4, 10))
def test_more_markets_at_the_counter(seed: int) -> None:
    panel = market(seed)
    pair = both(panel, account="reg_t", short=bool(seed % 2), seed=seed)
    desk = make_desk(panel, start_of(pair.to_drive), prices="open")
    assert_same(pair, drive(pair.to_drive, over_desk(desk), mover(desk)))


def mover(desk: Any) -> Callable[[datetime], None]:
    """Return what moves the clock of a counter."""

    def move(to: datetime) -> None:
        assert desk.clock.move(to)
        desk.exchange.advance(desk.clock.now())

    return move


@pytest.mark.parametrize("seed", [1, 2])
def test_slow_fills_in_parts_end_in_the_same_positions(seed: int) -> None:
    panel = market(seed)
    pair = both(panel, account="reg_t", short=True, seed=seed)
    desk = make_desk(panel, start_of(pair.to_drive), prices="open")
    desk.exchange.behaviour = desk.exchange.behaviour.model_validate(
        {"handling": {"delay_s": 45, "parts": ["0.3", "0.25"]}, "random_partials": 0.3}
    )
    made = drive(pair.to_drive, over_desk(desk), mover(desk))
    assert made.sent == pair.orders
    assert_same_positions(pair, made)
    assert len(desk.transcript.happenings("fill")) > 2 * len(desk.transcript.happenings("accepted"))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_with_the_collar_on_both_sides_leave_the_same_orders_unfilled(seed: int) -> None:
    panel = market(seed)
    pair = both(panel, account="reg_t", short=bool(seed % 2), seed=seed, collar=0.005)  # half the size of a usual gap
    desk = make_desk(panel, start_of(pair.to_drive), prices="open")
    assert_same(pair, drive(pair.to_drive, over_desk(desk), mover(desk)))
    assert len(desk.transcript.happenings("expired")) > 5
    assert len(desk.transcript.happenings("filled")) > 5
