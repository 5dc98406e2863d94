"""One session in the simulator is the bar of a backtest that holds the same: by the digit, with every cost there is."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from support.live_book import market
from support.scripted import plain_config

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.kernels import layout
from plimsoll.engine.live.day_plan import Decided
from plimsoll.engine.live.positions import Split
from plimsoll.engine.live.simulate import simulate
from plimsoll.engine.runtime.assemble import build
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.runtime.prepare import make_strategies

PARAMS = {"symbols": ["AAA", "BBB", "CCC"], "seed": 11, "most": 0.6, "often": 0.7}
CASES: dict[str, tuple[bool, dict[str, Mapping[str, Any]]]] = {
    "free": (False, {}),
    "short, every cost, interest and borrow": (
        True,
        {
            "costs": {"preset": "us_etf"},
            "financing": {"cash_rate": 0.03, "margin_spread_bps": 150.0, "borrow_bps": 50.0},
            "account": {"type": "reg_t"},
        },
    ),
    "a cash account at the closes": (False, {"account": {"type": "cash"}, "execution": {"fill": "next_close"}}),
    "a venue's rules": (True, {"execution": {"venue": "alpaca"}, "account": {"type": "reg_t"}}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_session_is_the_bar_of_its_backtest(name: str) -> None:
    short, sections = CASES[name]
    values = plain_config("support.restless:Restless", {**PARAMS, "short": short}, **sections)
    values["execution"]["max_participation"] = 0.0
    config = load_config({**values, "run": {"name": "t", "start": "2024-10-01"}})
    setup = build(config, market(), make_strategies(config))
    before: dict[int, tuple[dict[str, Decimal], float]] = {}

    def note(t: int) -> None:
        shares = {symbol: Decimal(repr(qty)) for symbol, qty in setup.broker.positions().items()}
        before[t] = shares, float(setup.broker.book.scal[layout.CASH])

    track = run_loop(setup, before_bar=note)
    made = {one.t: one for one in track.decisions}
    compared = 0
    for t in range(setup.first + 1, setup.panel.n_bars):
        if (setup.panel.split[t] != 1.0).any():  # decided in the share units of the day before: live never does
            continue
        shares, cash = before[t]
        account: Any = type("Held", (), {"cash": cash, "equity": 0.0, "shares": np.zeros(3)})()
        decision = made.get(t - 1)
        decided = Decided(account, False, decision is not None, decision, {}, Split({}, {}), ())
        found = simulate(replace(setup, desk=None), decided, shares, cash, t)  # the loop has legalised its decisions
        row = setup.broker.rec[t]
        assert found.equity == pytest.approx(row[layout.R_EQUITY], rel=1e-13)
        assert float(found.dividends.sum()) == pytest.approx(row[layout.R_DIVIDENDS], abs=1e-9)
        carry = row[layout.R_INTEREST] - row[layout.R_FINANCING] - row[layout.R_BORROW]
        assert found.carry == pytest.approx(carry, abs=1e-12)
        costs = float(row[layout.R_COSTS : layout.R_COSTS_STOP].sum())
        paid = float(found.charged.sum() + (found.filled * found.price).sum())
        fills = setup.broker.fills
        fills = fills[fills[:, layout.F_BAR] == t]
        bought = float((fills[:, layout.F_QTY] * fills[:, layout.F_PRICE]).sum())
        assert paid == pytest.approx(bought + costs, abs=1e-6)
        compared += decision is not None
    assert compared > 10
