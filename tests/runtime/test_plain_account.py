"""The engine against an account kept by hand, on random markets."""

import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.compare import assert_same_account, market_of
from support.market_lists import Market, notional
from support.panels import random_panel
from support.plain_account import PlainAccount
from support.plain_desk import Terms
from support.scripted import Ran, run_script

Answers = dict[int, dict[str, float]]


def random_answers(market: Market, seed: int, *, gross: float, shorts: bool) -> Answers:
    """Target weights at random bars for what is listed there; now and then all cash, now and then leveraged."""
    rng = np.random.default_rng(seed)
    answers: Answers = {}
    for t in range(len(market)):
        if rng.random() > 0.25:
            continue
        listed = [s for s in market.symbols if market.trades(s, t)]
        raw = rng.normal(size=len(listed)) if shorts else rng.exponential(size=len(listed))
        raw[rng.random(len(listed)) < 0.2] = 0.0
        total = np.abs(raw).sum()
        scale = rng.uniform(0.2, gross) if rng.random() > 0.1 else 0.0
        answers[t] = {s: float(scale * w / total) if total > 0.0 else 0.0 for s, w in zip(listed, raw, strict=True)}
    return answers


def both(
    seed: int, first: int = 20, gross: float = 1.0, shorts: bool = False, **knobs: Any
) -> tuple[Ran, PlainAccount]:
    """Run engine and hand-kept account on the same random market and the same random answers."""
    panel = random_panel(seed, **knobs.pop("panel", {}))
    market = market_of(panel)
    rate = knobs.pop("cash_rate", 0.03)
    market.bill = [rate / 252.0] * panel.n_bars
    answers = random_answers(market, seed + 1, gross=gross, shorts=shorts)
    flows = knobs.pop("flows", None)
    terms = Terms(**knobs)
    costs: dict[str, Any] = {"preset": "flat", "flat_bps": terms.flat_rate * 1e4}
    if terms.fees:  # unknown symbols are of tier 3
        terms.half_spread = dict.fromkeys(panel.symbols, 6e-4)
        costs = {"preset": "us_etf", "impact": terms.impact}
    account: dict[str, Any] = {"type": "reg_t" if terms.margin else "cash"}
    if flows is not None:
        rng = np.random.default_rng(seed + 2)
        market.flow = {
            int(t): float(rng.choice([9e3, -4e3])) for t in rng.choice(np.arange(first, len(market)), 6, False)
        }
        lines = [f"{market.date[t]},{amount}" for t, amount in market.flow.items()]
        account["flows"] = str(flows)
        flows.write_text("\n".join(["date,amount", *lines]))
    ran = run_script(
        panel, answers, first=first,
        run={"cash": terms.cash},
        execution={
            "fill": "next_close" if terms.at_close else "next_open",
            "fractional": terms.fractional,
            "min_notional": terms.min_notional,
            "max_participation": terms.participation,
            "unfilled": "carry" if terms.carry else "expire",
        },
        integrator={"turnover": {"band": terms.band}},
        costs=costs,
        account=account,
        financing={
            "cash_rate": rate, "margin_spread_bps": terms.margin_spread * 1e4, "borrow_bps": terms.borrow * 1e4,
            "short_rebate": terms.rebate,
        },
    )  # fmt: skip
    plain = PlainAccount(market, terms)
    plain.run(answers, first, notional(market, answers, first - 1))
    return ran, plain


seeds = st.integers(0, 2**32)


@given(seed=seeds, rate=st.sampled_from([0.0, 5e-4]), at_close=st.booleans())
@example(seed=35171, rate=0.0, at_close=False)  # a split leaves less of an order than the smallest lot
@settings(max_examples=60)
def test_a_long_only_cash_account_equals_the_one_kept_by_hand(seed: int, rate: float, at_close: bool) -> None:
    ran, plain = both(seed, margin=False, flat_rate=rate, at_close=at_close)
    assert_same_account(ran, plain)


@given(seed=seeds, rate=st.sampled_from([0.0, 5e-4]), at_close=st.booleans(), spread=st.sampled_from([0.0, 0.015]),
       rebate=st.sampled_from([0.0, 0.6]))  # fmt: skip
@example(seed=2335029076, rate=5e-4, at_close=False, spread=0.015, rebate=0.0)  # called while a cover has no price
@settings(max_examples=80)
def test_a_leveraged_long_short_account_equals_the_one_kept_by_hand(
    seed: int, rate: float, at_close: bool, spread: float, rebate: float
) -> None:
    ran, plain = both(
        seed, gross=3.5, shorts=True, flat_rate=rate, at_close=at_close, margin_spread=spread, borrow=0.01,
        rebate=rebate,
    )  # fmt: skip
    assert_same_account(ran, plain)


@given(seed=seeds, carry=st.booleans(), fractional=st.booleans(), band=st.sampled_from([0.0, 0.03]))
@example(seed=52375996, carry=True, fractional=True, band=0.0)  # a split ends a short being covered
@settings(max_examples=80)
def test_capped_whole_and_carried_orders_equal_the_ones_kept_by_hand(
    seed: int, carry: bool, fractional: bool, band: float
) -> None:
    ran, plain = both(
        seed, gross=1.8, shorts=True, participation=0.01, carry=carry, fractional=fractional, band=band,
        min_notional=200.0, flat_rate=5e-4,
    )  # fmt: skip
    assert_same_account(ran, plain)
    assert ran.result.counts["expired_orders"] == plain.counts["expired_orders"]


@given(seed=seeds, cash=st.sampled_from([50.0, 3_000.0, 2e6]))
@settings(max_examples=40)
def test_small_and_large_accounts_of_whole_shares_equal_the_ones_kept_by_hand(seed: int, cash: float) -> None:
    ran, plain = both(seed, cash=cash, fractional=False, margin=False, flat_rate=5e-4, min_notional=1.0)
    assert_same_account(ran, plain)


@given(seed=seeds, at_close=st.booleans(), impact=st.sampled_from([0.0, 1.0]))
@example(seed=7806450, at_close=False, impact=0.0)  # adds cut by a factor where fees are due
@example(seed=11, at_close=False, impact=0.0)  # cut at the decision already
@example(seed=99, at_close=True, impact=1.0)
@example(seed=3597154402, at_close=False, impact=1.0)  # a fee of a billionth of a dollar
@settings(max_examples=40)
def test_spreads_impact_and_fees_equal_the_ones_kept_by_hand(seed: int, at_close: bool, impact: float) -> None:
    ran, plain = both(
        seed, first=30, gross=1.4, shorts=True, fees=True, impact=impact, at_close=at_close, carry=True,
        participation=0.05, panel={"start": date(2026, 3, 2)},
    )  # fmt: skip
    assert_same_account(ran, plain)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("margin", [True, False], ids=["reg_t", "cash"])
def test_deposits_and_withdrawals_equal_the_ones_kept_by_hand(seed: int, margin: bool, tmp_path: Path) -> None:
    ran, plain = both(
        seed, gross=1.5 if margin else 0.9, shorts=margin, margin=margin, at_close=seed % 3 == 0,
        fractional=seed % 2 == 0, flat_rate=5e-4, flows=tmp_path / "flows.csv",
    )  # fmt: skip
    assert sum(row["flow"] != 0.0 for row in plain.rows) >= 6
    assert_same_account(ran, plain)


@pytest.mark.parametrize("seed", range(12))
def test_counters_equal_the_ones_kept_by_hand(seed: int) -> None:
    ran, plain = both(seed, gross=3.5, shorts=True, flat_rate=5e-4, panel={"volatility": 0.05})
    for name in ("negative_cash_closes", "margin_calls"):
        assert ran.result.counts[name] == plain.counts[name]
    assert ran.result.counts["delisted_positions_sold"] == plain.counts["delisted"]
    assert ran.result.ruined == plain.ruined


def test_the_random_markets_hold_what_they_are_meant_to_hold() -> None:
    seen = dict.fromkeys(("split", "dividend", "hole", "delisted", "ruined", "called", "debit", "short", "quiet"), 0)
    for seed in range(40):
        panel = random_panel(seed)
        ran, plain = both(seed, gross=3.5, shorts=True, panel={"volatility": 0.12})
        seen["split"] += bool((panel.split != 1.0).any())
        seen["dividend"] += bool((panel.dividend != 0.0).any())
        seen["hole"] += bool(np.isnan(panel.close[20:-1]).any())
        seen["quiet"] += bool((panel.volume == 0.0).any())
        seen["delisted"] += plain.counts["delisted"] > 0
        seen["ruined"] += plain.ruined
        seen["called"] += plain.counts["margin_calls"] > 0
        seen["debit"] += plain.counts["negative_cash_closes"] > 0
        seen["short"] += any(row["short"] > 0.0 for row in plain.rows)
    assert min(seen.values()) >= 1, seen
    assert not math.isnan(ran.equity["equity"].iloc[-1])
