"""Figures of round trips and the page's section on them."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from plimsoll.engine.errors import DataError
from plimsoll.engine.report.metrics.trades import longest, outcome_block
from plimsoll.engine.report.result import Result, record_of
from plimsoll.engine.report.tearsheet.page import tearsheet_html
from plimsoll.engine.report.tearsheet.trades import MAX_ROWS, money_table
from plimsoll.engine.runtime.symbol_pnl import CASH

Make = Callable[..., Result]


def test_outcomes_by_hand() -> None:
    block = outcome_block(np.array([100.0, -50.0, 25.0, 75.0, 0.0, 10.0, -30.0, -40.0]))
    assert block["closed"] == 8
    assert block["win_rate"] == 0.5
    assert block["expectancy"] == pytest.approx(90.0 / 8)
    assert block["profit_factor"] == pytest.approx(210.0 / 120.0)
    assert (block["mean_win"], block["mean_loss"]) == pytest.approx((52.5, 40.0))
    assert block["payoff"] == pytest.approx(52.5 / 40.0)
    assert (block["best"], block["worst"]) == (100.0, -50.0)
    assert block["longest_win_streak"] == 2  # the result of nothing stands between 25, 75 and 10
    assert block["longest_loss_streak"] == 2


@pytest.mark.parametrize(("pnl", "missing"), [([], "win_rate"), ([1.0], "profit_factor"), ([-1.0], "payoff")])
def test_what_cannot_be_divided_is_none(pnl: list[float], missing: str) -> None:
    assert outcome_block(np.array(pnl))[missing] is None


@pytest.mark.parametrize(("flags", "run"), [("", 0), ("0", 0), ("110111", 3), ("1101", 2)])
def test_the_longest_run(flags: str, run: int) -> None:
    assert longest(np.array([flag == "1" for flag in flags], dtype=bool)) == run


def test_the_blocks_sum_to_the_accounts_profit(result: Result) -> None:
    m = result.metrics
    made = m["run"]["final_equity"] - m["run"]["starting_cash"]
    assert sum(row["pnl"] for row in m["pnl_by_symbol"].values()) == pytest.approx(made, abs=0.005)
    assert set(m["pnl_by_symbol"]) == {*result.weights.columns, CASH}
    closed = m["trades"]["expectancy"] * m["trades"]["closed"]
    assert closed + m["trades"]["open_pnl"] + m["pnl_by_symbol"][CASH]["pnl"] == pytest.approx(made, abs=0.005)
    assert m["trades"]["positions"]["closed"] == 0  # nothing of it was ever flat
    assert m["trades"]["positions_open"] == len(result.weights.columns)


def test_without_its_prices_nothing_is_told_of_what_a_run_held(make_result: Make) -> None:
    unknown = make_result(sessions=60, prices=None)
    for asked in (lambda: unknown.trades, lambda: unknown.pnl_by_symbol, lambda: unknown.round_trips("average")):
        with pytest.raises(DataError, match="splits and dividends of what it held are not in a run folder"):
            asked()


def test_the_page_has_the_section_and_its_figures(result: Result) -> None:
    page = tearsheet_html(record_of(result), result.metrics)
    section = re.search(r'<section id="trades">.*?</section>', page, re.DOTALL)
    assert section is not None
    text = section.group()
    for words in ("Win rate", "Expectancy", "Profit factor", "Longest streak of wins", "Profit by symbol", CASH):
        assert words in text
    made = result.metrics["run"]["final_equity"] - result.metrics["run"]["starting_cash"]
    assert f"{made:,.2f}".replace("-", "−") in text


def test_a_run_that_never_traded_has_no_section(make_result: Make) -> None:
    idle = make_result(sessions=30, trade=False)
    assert len(idle.trades) == 0
    assert 'id="trades"' not in tearsheet_html(record_of(idle), idle.metrics)
    assert idle.metrics["trades"]["win_rate"] is None


def test_a_long_table_of_profit_keeps_its_ends_and_its_sum() -> None:
    names = [f"S{k:03d}" for k in range(100)]
    columns: Any = ("price", "dividends", "interest", "financing", "costs", "pnl")
    table = pd.DataFrame(np.arange(600.0).reshape(100, 6), index=names, columns=columns)
    shown = money_table("Profit", table, "Symbol").rows
    assert len(shown) == MAX_ROWS + 2
    assert [row[0] for row in shown[14:17]] == ["S014", "70 more", "S085"]
    assert shown[-1][0] == "Sum"
    assert shown[-1][6] == f"{table['pnl'].sum():,.2f}"
