"""Margin, ruin, gaps, deposits: what becomes of an account as a whole."""

from pathlib import Path

import numpy as np
import pytest
from support.panels import make_panel
from support.scripted import Ran, run_script

from plimsoll.engine.errors import DataError, InputError
from plimsoll.engine.kernels.layout import MAINT_LONG, MAINT_SHORT

T = 12


def path(*moves: float, n: int = T) -> np.ndarray:
    """Closes from 100 that jump by the given factors, one a bar from bar 3 on, then stay."""
    close = np.full(n, 100.0)
    for k, move in enumerate(moves):
        close[3 + k :] *= move
    return close


def at_close(close: np.ndarray) -> np.ndarray:
    """Opens where the whole day's move has happened."""
    return close.copy()


def test_maintenance_is_a_quarter_times_leverage() -> None:
    panel = make_panel(np.full((T, 4), 50.0), symbols=("SPY", "SQQQ", "TMF", "TQQQ"))
    acct = run_script(panel, {}).setup.broker.book.acct
    assert acct[MAINT_LONG].tolist() == [0.25, 0.75, 0.75, 0.75]
    assert acct[MAINT_SHORT] == pytest.approx([0.30, 0.90, 0.90, 0.90])


def test_leverage_of_a_symbol_can_be_overridden_and_requirements_stop_at_the_whole_value() -> None:
    panel = make_panel(np.full((T, 2), 50.0), symbols=("FUND", "SPY"))
    acct = run_script(panel, {}, account={"leverage": {"FUND": -5.0, "SPY": 2.0}}).setup.broker.book.acct
    assert acct[MAINT_LONG].tolist() == [1.0, 0.5]
    assert acct[MAINT_SHORT].tolist() == [1.0, 0.6]


def test_a_misspelt_symbol_among_the_leverages_is_named() -> None:
    panel = make_panel(np.full((T, 1), 50.0), symbols=("TQQQ",))
    with pytest.raises(InputError, match=r"account.leverage.*'TQQ'.*did you mean 'TQQQ'"):
        run_script(panel, {}, account={"leverage": {"TQQ": 3.0}})


def test_a_margin_call_scales_what_is_held_to_the_limit_at_the_next_decision_and_is_counted() -> None:
    close = path(0.64)  # bought 2 x equity at 100: 36% down leaves 28,000 of equity against 32,000 required
    ran = run_script(make_panel(close, close), {1: {"S000": 2.0}}, first=2)
    called = 3
    row = ran.equity.iloc[called - 2]
    assert row["equity"] == pytest.approx(28_000.0)
    assert row["maintenance"] == pytest.approx(32_000.0)
    decision = ran.track.decisions[-1]
    assert decision.t == called
    assert decision.target.forced
    assert decision.target.weights[0] == pytest.approx(4.0, rel=1e-12)  # 25% of 4 x equity is all of it
    assert ran.result.counts["margin_calls"] == 1
    assert ran.result.counts["decisions_scaled_to_margin"] == 1
    after = ran.equity.iloc[called - 2 + 1]
    assert after["maintenance"] == pytest.approx(after["equity"], rel=1e-8)


def test_a_margin_call_scales_a_new_answer_too() -> None:
    close = path(0.64)
    ran = run_script(make_panel(close, close), {1: {"S000": 2.0}, 3: {"S000": 6.0}}, first=2)
    assert ran.track.decisions[-1].target.weights[0] == pytest.approx(4.0, rel=1e-12)
    calm = run_script(make_panel(close, close), {1: {"S000": 2.0}, 3: {"S000": 1.0}}, first=2)
    assert calm.track.decisions[-1].target.weights[0] == 1.0


def test_three_times_leveraged_funds_are_called_at_three_quarters() -> None:
    close = path(0.9)  # bought at 133% of equity, as much as their margin allows: any fall is a call
    ran = run_script(make_panel(close, close, symbols=("TQQQ",)), {1: {"TQQQ": 1.5}}, first=2)
    assert ran.result.weights["TQQQ"].iloc[0] == pytest.approx(1.0 / 0.75, rel=1e-9)
    assert ran.track.decisions[1].t == 3
    assert ran.track.decisions[1].target.weights[0] == pytest.approx(1.0 / 0.75, rel=1e-12)
    assert ran.result.counts["margin_calls"] == 1
    assert ran.result.weights["TQQQ"].iloc[-1] == pytest.approx(1.0 / 0.75, rel=1e-9)


def test_equity_at_or_below_zero_ends_the_run_ruined() -> None:
    close = path(0.98, 0.4)
    ran = run_script(make_panel(close, close), {1: {"S000": 2.0}}, first=2)
    assert ran.result.ruined
    assert ran.track.last == 4
    assert len(ran.equity) == 3
    assert ran.equity["equity"].iloc[-1] < 0.0
    assert ran.equity["drawdown"].iloc[-1] == -1.0
    told = next(warning for warning in ran.result.warnings if warning.kind == "ruined")
    assert told.session == str(ran.setup.panel.clock.session[4])
    assert ran.setup.broker.positions() == {}
    assert ran.result.metrics["run"]["ruined"] is True


def test_an_overnight_gap_leaves_a_margin_account_negative_cash_that_is_financed_and_counted() -> None:
    close = np.full(T, 100.0)
    opened = close.copy()
    opened[2] = 104.0
    ran = run_script(
        make_panel(close, opened), {1: {"S000": 1.0}}, first=2,
        financing={"cash_rate": 0.0252, "margin_spread_bps": 252.0},
    )  # fmt: skip
    assert ran.equity["cash"].iloc[0] == pytest.approx(-4_000.0)  # 1,000 shares were sized at 100
    assert ran.equity["financing"].iloc[0] == 0.0
    assert ran.equity["financing"].iloc[1] == pytest.approx(4_000.0 * (0.0252 + 0.0252) / 252.0, rel=1e-12)
    assert ran.result.counts["negative_cash_closes"] == T - 2


def test_the_share_price_alone_moves_a_held_account() -> None:
    close = path(1.1, 0.9, 1.05)
    ran = run_script(make_panel(close), {1: {"S000": 0.5}}, first=2)
    expected = 50_000.0 + 500.0 * close[2:]
    assert ran.equity["equity"].to_numpy() == pytest.approx(expected, rel=1e-12)


def with_flows(tmp_path: Path, rows: list[tuple[int, float]], close: np.ndarray, answers: dict) -> Ran:
    """Run with deposits and withdrawals given by bar."""
    panel = make_panel(close, close)
    file = tmp_path / "flows.csv"
    file.write_text("\n".join(["date,amount", *(f"{panel.clock.session[t]},{amount}" for t, amount in rows)]))
    return run_script(panel, answers, first=2, account={"flows": str(file)})


def test_a_deposit_moves_equity_but_neither_the_return_nor_the_drawdown(tmp_path: Path) -> None:
    close = path(0.9)
    still = with_flows(tmp_path, [], close, {1: {"S000": 0.5}})
    ran = with_flows(tmp_path, [(5, 25_000.0), (7, -10_000.0)], close, {1: {"S000": 0.5}})
    added = np.where(np.arange(2, T) >= 5, 25_000.0, 0.0) - np.where(np.arange(2, T) >= 7, 10_000.0, 0.0)
    assert ran.equity["equity"].to_numpy() == pytest.approx(still.equity["equity"].to_numpy() + added)
    assert ran.equity["ret"].to_numpy() == pytest.approx(still.equity["ret"].to_numpy(), abs=1e-15)
    assert ran.equity["drawdown"].to_numpy() == pytest.approx(still.equity["drawdown"].to_numpy(), abs=1e-15)


def test_a_deposit_at_a_loss_is_not_a_recovery(tmp_path: Path) -> None:
    ran = with_flows(tmp_path, [(6, 1e6)], path(0.5), {1: {"S000": 1.0}})
    assert ran.equity["drawdown"].iloc[-1] == pytest.approx(-0.5, rel=1e-12)
    assert (1.0 + ran.equity["ret"]).prod() == pytest.approx(0.5, rel=1e-12)


def test_several_flows_of_one_day_add_up(tmp_path: Path) -> None:
    ran = with_flows(tmp_path, [(5, 3_000.0), (5, -1_000.0)], path(), {})
    assert ran.equity["flow"].iloc[3] == 2_000.0


def test_a_withdrawal_beyond_the_account_is_refused_with_its_session(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="withdrawal on 2019-01-09 exceeds the account"):
        with_flows(tmp_path, [(5, -100_000.0)], path(), {})


def test_money_before_the_first_session_traded_is_refused_not_ignored(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"\+500\.00 on 2019-01-03.*before the first session traded.*2019-01-04"):
        with_flows(tmp_path, [(1, 500.0)], path(), {})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("day,amount\n", "header"),
        ("", "header"),
        ("date,amount\n2019-01-07,ten\n", "line 2.*not a date and an amount"),
        ("date,amount\n2019-01-07\n", "line 2.*not a date and an amount"),
        ("date,amount\n2019-01-07,nan\n", "line 2.*not finite"),
        ("date,amount\n2019-01-05,10\n", "line 2.*2019-01-05 is not a session"),
        ("date,amount\n2018-12-31,10\n", "line 2.*not a session of the data"),
        ("date,amount\n2031-01-05,10\n", "line 2.*not a session of the data"),
    ],
)
def test_a_wrong_file_of_flows_is_one_clear_line(tmp_path: Path, text: str, what: str) -> None:
    file = tmp_path / "flows.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=what):
        run_script(make_panel(path()), {}, first=2, account={"flows": str(file)})
    with pytest.raises(DataError, match="no such file"):
        run_script(make_panel(path()), {}, first=2, account={"flows": str(tmp_path / "other.csv")})


def test_a_schedule_may_reach_beyond_the_data(tmp_path: Path) -> None:
    file = tmp_path / "flows.csv"
    file.write_text("date,amount\n2019-01-09,500\n2031-01-07,-10\n")
    ran = run_script(make_panel(path()), {}, first=2, account={"flows": str(file)})
    assert ran.equity["flow"].sum() == 500.0
