"""What holds of every account's money, whatever the market, the targets and the settings; in both loops."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from support.identity import bars_of
from support.random_accounts import FIRST, SETTINGS, case
from support.scripted import Ran
from support.twins import both

from plimsoll.engine.kernels.layout import MAINT_LONG, MAINT_SHORT
from plimsoll.engine.types import Floats

ONE_FOLDER = [HealthCheck.function_scoped_fixture]
TIGHT = {
    "preset": "us_etf", "account": "cash", "fill": "next_open", "sizing": "decision", "unfilled": "carry",
    "fractional": True, "max_participation": 0.002, "band": 0.0, "min_notional": 0.0, "gross": 5.0, "often": 0.9,
    "volatility": 0.12, "rate": -0.02, "rebate": 0.0, "flows": False,
}  # fmt: skip


@given(s=SETTINGS)
@example(s=TIGHT | {"seed": 3})
@example(s=TIGHT | {"seed": 4, "volatility": 0.01, "flows": True, "gross": 0.9})
@settings(max_examples=40, suppress_health_check=ONE_FOLDER)
def test_a_cash_account_never_owes(s: dict[str, Any], tmp_path: Path) -> None:
    ran = case(s | {"account": "cash"}, tmp_path).run()
    assert ran.equity["cash"].min() >= -1e-6
    assert ran.equity["gross"].max() <= 1.0 + 1e-9
    assert ran.equity["financing"].max() <= 1e-9 or s["rate"] < 0.0  # sums miss each other by less


@given(s=SETTINGS)
@example(s=TIGHT | {"seed": 5, "account": "reg_t"})
@settings(max_examples=40, suppress_health_check=ONE_FOLDER)
def test_what_opens_or_adds_stays_within_initial_margin_at_its_fill(s: dict[str, Any], tmp_path: Path) -> None:
    ran = case(s | {"account": "reg_t"}, tmp_path).run()
    panel, acct = ran.setup.panel, ran.setup.broker.book.acct
    fills = bars_of(ran.result.fills, panel)
    for t in range(FIRST, ran.track.last + 1):
        before = ran.shares_after(t - 1) * panel.split[t] if t > FIRST else np.zeros(panel.n_symbols)
        of_bar = fills[(fills["bar"] == t) & (fills["order_id"] != "")]
        after = before.copy()
        np.add.at(after, of_bar["column"].to_numpy(), of_bar["qty"].to_numpy())
        if not ((np.abs(after) > np.abs(before) + 1e-6) | ((after * before < 0.0) & (np.abs(after) > 1e-6))).any():
            continue
        held = after + _unordered(ran, t)
        price = (panel.open if s["fill"] == "next_open" else panel.close)[t]
        price = np.where(np.isnan(price), _marks(ran, t), price)
        value = np.where(held != 0.0, held * price, 0.0)
        row = ran.equity.iloc[t - FIRST]
        equity = row["cash"] - row["interest"] + row["financing"] + row["borrow"] + value.sum()
        needed = np.where(held > 0.0, np.maximum(acct[MAINT_LONG], 0.5), np.maximum(acct[MAINT_SHORT], 0.5))
        assert (needed * np.abs(value)).sum() <= equity + 1e-6 + 1e-9 * abs(equity), f"bar {t}"


def _unordered(ran: Ran, t: int) -> Floats:
    """Shares that bar t brought without an order and without ruin: sold for a withdrawal, paid out, delisted."""
    if ran.track.ruined and t == ran.track.last:
        return np.zeros(ran.setup.panel.n_symbols)
    found = np.zeros(ran.setup.panel.n_symbols)
    for row in ran.setup.broker.fills[ran.setup.broker.fills[:, 0] == t]:
        found[int(row[1])] += row[2] if row[10] < 0.0 else 0.0
    return found


def _marks(ran: Ran, t: int) -> Floats:
    """Last known closes before bar t, in its shares."""
    panel = ran.setup.panel
    known = np.full(panel.n_symbols, np.nan)
    for k in range(t):
        known = np.where(np.isnan(panel.close[k]), known / panel.split[k], panel.close[k])
    return known / panel.split[t]


@given(s=SETTINGS)
@settings(max_examples=40, suppress_health_check=ONE_FOLDER)
def test_fills_sum_to_what_is_held(s: dict[str, Any], tmp_path: Path) -> None:
    ran = case(s, tmp_path).run()
    shares = ran.shares_after(ran.track.last)
    held = ran.setup.broker.positions()
    expected = [held.get(symbol, 0.0) for symbol in ran.setup.panel.symbols]
    assert shares == pytest.approx(expected, rel=1e-9, abs=1e-7)
    assert not ran.result.ruined or held == {}


@given(s=SETTINGS)
@example(s=TIGHT | {"seed": 6, "flows": True, "volatility": 0.01, "gross": 2.0})
@settings(max_examples=30, suppress_health_check=ONE_FOLDER)
def test_both_loops_leave_the_same_bytes(s: dict[str, Any], tmp_path: Path) -> None:
    made = case(s, tmp_path)
    both(made.values, made.panel, {"s": made.strategy()})
