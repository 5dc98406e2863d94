"""Profit by sleeve and by stage: the parts of a decision, held until the next one, add up to what the account made."""

import numpy as np
import pytest
from support.book_run import Book, Replay, run_book, walk_panel
from support.money import market, settled

from plimsoll.engine.runtime.sleeve_pnl import EXECUTION
from plimsoll.engine.runtime.symbol_pnl import CASH, PNL_COLUMNS

SYMBOLS = ("AAA", "BBB", "CCC")


@pytest.fixture(scope="module")
def book() -> Book:
    """A book of two sleeves that share a symbol, with costs and interest."""
    rng = np.random.default_rng(5)
    paths = {name: rng.dirichlet(np.ones(2), 200) * rng.uniform(0.3, 1.0, (200, 1)) for name in "ab"}
    sleeves = {"a": Replay(("AAA", "BBB"), paths["a"]), "b": Replay(("BBB", "CCC"), paths["b"])}
    return run_book(
        walk_panel(3, SYMBOLS, (0.2, 0.1, 0.3)), sleeves, first=120, costs={"preset": "flat", "flat_bps": 5.0},
        financing={"cash_rate": 0.03, "margin_spread_bps": 150.0},
    )  # fmt: skip


def test_sleeves_stages_execution_and_cash_sum_to_the_profit(book: Book) -> None:
    result = book.result
    table, equity = result.pnl_by_sleeve, result.equity
    made = equity["equity"].iloc[-1] - result.cash
    assert abs(made) > 1_000.0
    assert table["pnl"].sum() == pytest.approx(made, abs=0.005)
    for name in PNL_COLUMNS:
        assert table[name].sum() == pytest.approx(result.pnl_by_symbol[name].sum(), abs=0.005), name
    assert table.index.tolist() == [
        "a", "b", "s2_net", "s3_vol_target", "s4_caps", "s5_governor", "s7_turnover", EXECUTION, CASH,
    ]  # fmt: skip


def test_a_sleeves_part_is_its_allocated_weight_times_what_prices_did_until_the_next_decision(book: Book) -> None:
    close, equity = book.setup.panel.close, book.result.equity["equity"].to_numpy()
    first, decisions = book.setup.first, book.decisions
    made = dict.fromkeys(("a", "b", "all"), 0.0)
    for decision, following in zip(decisions, [*decisions[1:], None], strict=True):
        t = decision.t
        until = following.t if following is not None else book.track.last
        money = book.result.cash if t < first else equity[t - first]
        assert decision.target.parts is not None
        rows = {**dict(zip("ab", decision.target.parts, strict=True)), "all": decision.target.trace[:, 1]}
        for name, weights in rows.items():
            for i in np.flatnonzero(weights):
                made[name] += money * weights[i] * (close[until, i] / close[t, i] - 1.0)
    table = book.result.pnl_by_sleeve
    assert table.loc["a", "price"] == pytest.approx(made["a"], rel=1e-9)
    assert table.loc["b", "price"] == pytest.approx(made["b"], rel=1e-9)
    assert made["a"] + made["b"] == pytest.approx(made["all"], rel=1e-9)


def test_a_sleeve_that_never_holds_a_symbol_bears_none_of_its_costs(book: Book) -> None:
    table, fills = book.result.pnl_by_sleeve, book.result.fills
    paid = fills["commission"] + fills["spread"] + fills["impact"] + fills["fees"]
    of_symbol = paid.groupby(fills["symbol"]).sum()
    assert table.loc["a", "costs"] >= of_symbol["AAA"] * (1.0 - 1e-9)
    assert table.loc["b", "costs"] >= of_symbol["CCC"] * (1.0 - 1e-9)
    assert table["costs"].sum() == pytest.approx(paid.sum())


def test_where_fills_are_at_the_decisions_own_prices_execution_makes_nothing() -> None:
    closes = 100.0 * np.cumprod(1.0 + np.random.default_rng(1).normal(0.0, 0.02, 30))
    split, dividend = np.ones((30, 1)), np.zeros((30, 1))
    split[12], dividend[17] = 2.0, 0.4  # not between a decision and its fill
    closes[12:] /= 2.0
    opens = np.concatenate((closes[:1], closes[:-1] / split[1:, 0]))[:, None]
    panel = market({"AAA": closes}, open_=opens, split=split, dividend=dividend)
    ran = settled(panel, {0: {"AAA": 0.8}, 10: {"AAA": 0.3}, 14: {"AAA": 0.9}, 20: {}})
    table = ran.result.pnl_by_sleeve
    made = ran.equity["equity"].iloc[-1] - ran.result.cash
    assert table.loc["s", "dividends"] > 100.0
    assert table.loc["s", "pnl"] == pytest.approx(made, abs=1e-6)
    assert table.loc[EXECUTION, "pnl"] == pytest.approx(0.0, abs=1e-6)


def test_financing_goes_by_gross_and_a_debit_of_nobody_to_cash() -> None:
    panel = market({"AAA": np.full(6, 10.0)})
    terms = {"cash_rate": 0.0, "margin_spread_bps": 252.0, "borrow_bps": 0.0}
    ran = settled(panel, {0: {"AAA": 1.5}}, account={"type": "reg_t"}, financing=terms)
    table, paid = ran.result.pnl_by_sleeve, ran.equity["financing"].sum()
    assert paid > 15.0
    assert table.loc["s", "financing"] == pytest.approx(paid)
    assert table.loc[CASH, "financing"] == 0.0
