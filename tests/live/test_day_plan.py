"""The day's plan is the backtest's decision for the same holdings, and says what became of every order."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.catalogs import catalog_of
from support.panels import make_panel

from plimsoll.engine.cli.main import main
from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.core import Decision
from plimsoll.engine.errors import DataError, OutputError
from plimsoll.engine.execution.broker import Account
from plimsoll.engine.execution.legal_batch import wishes_of
from plimsoll.engine.execution.legalise import Desk, legalise, rules_on
from plimsoll.engine.live.day_plan import day_plan, order_row, stand_at_last_bar
from plimsoll.engine.live.emit import alone, orders_csv, target_of, write_orders
from plimsoll.engine.live.positions import Holdings
from plimsoll.engine.live.prices import DecisionPrice
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.span import until
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.runtime.load import load_run
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.verbs.host import Host
from plimsoll.engine.verbs.plan import plan, stale_text

CONFIGS = Path(__file__).resolve().parents[2] / "config"
LIVE = LiveSection(cash_buffer=0.0)


def set_up(config: Config, panel: Panel) -> Setup:
    return build(config, panel, make_strategies(config))


def held_in(account: Account, symbols: tuple[str, ...]) -> Holdings:
    shares = {symbols[i]: Decimal(repr(float(account.shares[i]))) for i in np.flatnonzero(account.shares)}
    return Holdings(shares, Decimal(repr(account.cash)), "the backtest")


def held_by(setup: Setup) -> Holdings:
    return held_in(setup.broker.account(), setup.panel.symbols)


@dataclass(frozen=True)
class Ran:
    """A backtest: what it decided and what its account was, by bar."""

    setup: Setup
    decided: dict[int, Decision]
    accounts: dict[int, Account]

    def asked(self, most: int) -> list[int]:
        """Return the last `most` bars on which it decides, and up to two on which it does not."""
        still = [t for t in range(self.setup.first, self.setup.panel.n_bars) if t not in self.decided]
        return [t for t in sorted([*sorted(self.decided)[-most:], *still[-2:]]) if t >= self.setup.first]


def run_whole(config: Config, panel: Panel) -> Ran:
    setup, accounts = set_up(config, panel), dict[int, Account]()
    track = run_loop(setup, before_bar=lambda t: accounts.update({t - 1: setup.broker.account()}))
    accounts[panel.n_bars - 1] = setup.broker.account()
    return Ran(setup, {one.t: one for one in track.decisions}, accounts)


SHIPPED = sorted(path.stem for path in CONFIGS.glob("*.toml"))
BOOKS = ("book", "book_legacy", "book_seed")


def check_plans(config: Config, panel: Panel, most: int) -> tuple[int, int]:
    """Compare the plans of sessions that know no later one with what one backtest over all of them did there.

    Returns how many sessions, and how many of them decided.
    """
    ran, live, decided = run_whole(config, panel), LiveSection(cash_buffer=0.0), 0
    ends = ran.asked(most)
    for t in ends:
        short = until(panel, panel.clock.session[t].astype(object))
        account, taken = ran.accounts[t], ran.decided.get(t)
        held = held_in(account, panel.symbols)
        setup = set_up(config, short)
        blind = stand_at_last_bar(setup).blind
        made = day_plan(setup, held, live, adopt=False)
        assert blind == ()
        if taken is None:
            assert (made.due, made.orders) == (False, ())
            continue
        decided += 1
        bare = replace(setup, desk=None)
        decision = bare.system.decide(account, adopt=False)
        desk = Desk(rules_on("alpaca", made.executes), collar=Decimal(repr(live.collar)))
        wanted = legalise(wishes_of(decision.plan.orders, short.symbols, held.shares), desk)
        assert (made.orders, made.changes) == (wanted.orders, wanted.changes)
        if ran.setup.desk is None:  # and that decision is the one the backtest took
            ours = [column.tobytes() for column in taken.plan.orders.rows]
            assert ours == [column.tobytes() for column in decision.plan.orders.rows]
    return len(ends), decided


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_a_plan_is_the_decision_of_the_backtest_for_the_same_holdings(name: str) -> None:
    sets = ["data.source=sample", "run.start=2010-04-15", "run.end=2010-07-30", "live.cash_buffer=0.0"]
    config, panel, _ = load_run(CONFIGS / f"{name}.toml", sets=sets)
    sessions, decided = check_plans(config, panel, 3 if name in BOOKS else 12)
    assert decided >= min(sessions - 2, 1)


@pytest.fixture(scope="module")
def real_catalog(real_daily: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Catalog of the real prices since 2023: enough to warm everything up, and quick to replay."""
    sets = ["data.source=csv", f'data.path="{real_daily}"', "run.start=2026-01-05"]
    root = tmp_path_factory.mktemp("real")
    catalog_of(load_run(CONFIGS / "book.toml", sets=sets)[1], root, first=date(2023, 1, 3))
    return root


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.parametrize("name", SHIPPED)
def test_a_plan_on_real_prices_is_the_decision_of_the_backtest(name: str, real_catalog: Path) -> None:
    sets = ["data.source=catalog", f'data.path="{real_catalog}"', "run.start=2026-01-05", "live.cash_buffer=0.0"]
    config, panel, _ = load_run(CONFIGS / f"{name}.toml", sets=sets)
    sessions, decided = check_plans(config, panel, 2 if name in BOOKS else 6)
    assert decided >= min(sessions - 2, 1)


@pytest.mark.slow
def test_a_catalog_cut_at_the_last_completed_session_makes_the_same_plan(tmp_path: Path) -> None:
    sets = ["data.source=sample", "run.start=2008-02-01", "run.end=2008-06-30"]
    _, panel, _ = load_run(CONFIGS / "trend.toml", sets=sets)
    file = tmp_path / "p.csv"
    file.write_text("symbol,qty\nSPY,20\nGLD,5\nCASH,50000\n")
    plans = []
    for name, end in (("whole", "2008-06-30"), ("cut", "2008-04-30")):
        catalog_of(until(panel, date.fromisoformat(end)), tmp_path / name)
        chosen = ["data.source=catalog", f'data.path="{tmp_path / name}"', "run.start=2008-02-01"]
        plans.append(plan(CONFIGS / "trend.toml", positions=file, sets=chosen, end="2008-04-30"))
    assert plans[0].orders == plans[1].orders
    assert len(plans[0].orders) == 3
    assert orders_csv(plans[0]) == orders_csv(plans[1])


MARKET = np.column_stack([100.0 * 1.001 ** np.arange(30), 50.0 * 0.999 ** np.arange(30)])


def simple(**sections: Any) -> Config:
    sleeve = {"name": "half", "strategy": "equal_weight", "params": {"symbols": ["S000", "S001"], "rebalance": "D"}}
    base = {"sleeve": [sleeve], "costs": {"preset": "none"}, "account": {"type": "cash"}}
    return load_config(base | sections)


def planned(shares: dict[str, str], cash: str, config: Config | None = None, **wish: Any) -> Any:
    setup = set_up(config or simple(), make_panel(MARKET))
    blind = stand_at_last_bar(setup).blind
    held = {symbol: Decimal(qty) for symbol, qty in shares.items()}
    live = wish.pop("live", LIVE)
    return day_plan(setup, Holdings(held, Decimal(cash), "test"), live, blind=blind, **wish)


def test_an_account_of_cash_takes_over_the_standing_portfolio() -> None:
    made = planned({}, "10000")
    assert made.adopted
    assert [order.symbol for order in made.orders] == ["S000", "S001"]
    for order in made.orders:
        assert float(order.notional) == pytest.approx(5000.0, abs=1e-4)
        assert order.limit is not None


def test_sales_come_before_purchases_and_shares_beside_the_book_are_left_alone() -> None:
    made = planned({"S000": "90", "IBM": "7"}, "0")
    assert [(order.wave, order.symbol, order.side) for order in made.orders] == [
        (0, "S000", "sell"),
        (1, "S001", "buy"),
    ]
    assert made.beside == {"IBM": Decimal(7)}


def test_the_buffer_is_kept_and_what_it_cost_is_told() -> None:
    made = planned({}, "10000", live=LiveSection(cash_buffer=0.1))
    spent = sum(order.notional for order in made.orders)
    assert float(spent) <= 9000.0
    assert {change.rule for change in made.changes} == {"buying_power"}


def test_a_symbol_without_a_price_is_named_and_not_traded_and_the_others_are() -> None:
    def prices(symbols: tuple[str, ...], closes: Any) -> dict[str, DecisionPrice]:
        found = {symbol: DecisionPrice(symbol, closes[symbol], "quote") for symbol in symbols}
        return found | {"S001": DecisionPrice("S001", float("nan"), "none", "no quote")}

    made = planned({}, "10000", prices=prices)
    assert [order.symbol for order in made.orders] == ["S000"]
    assert [(one.symbol, one.why) for one in made.unpriced] == [("S001", "no quote")]


def test_an_account_worth_nothing_is_refused_in_one_line() -> None:
    with pytest.raises(DataError, match="nothing can be planned"):
        planned({}, "0")


def test_orders_on_disk_read_back_and_are_not_overwritten(tmp_path: Path) -> None:
    made = planned({}, "10000")
    file = target_of(tmp_path, made, "09:35")
    assert file.name == f"orders-run-{made.executes}-0935.csv"
    assert write_orders(file, orders_csv(made), force=False)
    assert not write_orders(file, orders_csv(made), force=False)  # the very same: nothing to do
    other = replace(made, orders=made.orders[:1])
    with pytest.raises(OutputError, match="may have been sent"):
        write_orders(file, orders_csv(other), force=False)
    assert file.read_bytes() == orders_csv(made)
    head, *lines = file.read_text().splitlines()
    assert head.startswith("wave,symbol,side,qty,type,limit")
    assert lines[0].split(",")[:4] == ["1", "S000", "buy", order_row(made.orders[0])["qty"]]


def test_two_plans_at_once_are_one_plan_and_one_refusal(tmp_path: Path) -> None:
    with alone(tmp_path / "a.csv"), pytest.raises(OutputError, match="another plan"), alone(tmp_path / "b.csv"):
        pass


def test_data_that_end_too_early_are_no_ground_for_a_decision() -> None:
    config = simple()
    now = datetime(2026, 11, 27, 23, 0, tzinfo=UTC)  # after the early close of that Friday
    assert stale_text(date(2026, 11, 27), now, config) == ""
    assert "last completed session is 2026-11-27" in stale_text(date(2026, 11, 25), now, config)
    assert stale_text(date(2026, 11, 25), datetime(2026, 11, 27, 15, 0, tzinfo=UTC), config) == ""


def test_a_sleeve_whose_indicator_is_missing_at_the_decision_is_not_asked() -> None:
    sets = ["data.source=sample", "run.start=2008-02-01", "run.end=2008-03-31"]
    config, panel, _ = load_run(CONFIGS / "kalman_overlay.toml", sets=sets)
    indicator = panel.indicator.copy()
    indicator[-1] = np.nan
    setup = set_up(config, replace(panel, indicator=indicator))
    blind = stand_at_last_bar(setup).blind
    assert blind == tuple(sleeve.name for sleeve in setup.system.sleeves)
    made = day_plan(setup, Holdings({"QQQ": Decimal(10)}, Decimal(1000), "test"), LIVE, blind=blind)
    assert (made.orders, made.due) == ((), False)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        file = tmp_path / "p.csv"
        file.write_text(text)
        return file

    return write


COMMAND = ("plan", str(CONFIGS / "sixty_forty.toml"), "--set", "data.source=sample", "--to", "2008-03-31")


def run_command(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main(list(words))
    told = capsys.readouterr()
    return int(left.value.code or 0), told.out, told.err


def test_the_command_prints_json_that_says_everything(
    written: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    file = written("symbol,qty\nCASH,10000\n")
    code, out, _ = run_command(capsys, *COMMAND, "--positions", str(file), "--json", "--explain")
    told = json.loads(out)
    assert (code, told["decided"], told["executes"], told["slot"]) == (0, "2008-03-31", "2008-04-01", "09:35")
    assert {order["symbol"] for order in told["orders"]} <= set(told["trace"])
    assert all(Decimal(order["qty"]) > 0 for order in told["orders"])


def test_the_command_refuses_stale_data_with_exit_1_and_bad_input_with_2(
    written: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    file = written("symbol,qty\nCASH,10000\n")
    code, out, _ = run_command(capsys, *COMMAND[:-2], "--positions", str(file))
    assert (code, "REFUSED" in out) == (1, True)
    code, _, err = run_command(capsys, *COMMAND)
    assert (code, "--positions" in err, err.count("\n")) == (2, True, 1)
    code, _, err = run_command(capsys, *COMMAND, "--account", "paper")
    assert (code, "[broker]" in err) == (2, True)


def test_the_verb_plans_for_a_given_clock(written: Callable[[str], Path]) -> None:
    file = written("symbol,qty\nCASH,10000\n")
    host = Host({}, clock=lambda: datetime(2030, 1, 7, 12, 0, tzinfo=UTC))
    made = plan(CONFIGS / "sixty_forty.toml", positions=file, sets=["data.source=sample"], host=host)
    assert made.orders == ()
    assert "the data end on" in made.refusal


def test_a_plan_as_of_a_day_that_the_data_do_not_reach_is_refused_as_one_of_now_is(
    written: Callable[[str], Path],
) -> None:
    """The generated market ends on 2025-12-31; 2030-01-05 is a Saturday."""
    file = written("symbol,qty\nCASH,10000\n")
    host = Host({}, clock=lambda: datetime(2030, 1, 7, 12, 0, tzinfo=UTC))

    def refusal(end: str) -> str:
        return plan(
            CONFIGS / "sixty_forty.toml", positions=file, sets=["data.source=sample"], end=end, host=host
        ).refusal

    told = refusal("2030-01-05")
    assert "the data end on 2025-12-31, the last session through 2030-01-05 is 2030-01-04" in told
    assert told.endswith("or pass --to 2025-12-31")
    assert "2030-01-04" in refusal("2031-06-30")  # nobody can be asked for what has not closed yet
    assert refusal("2026-01-01") == ""  # a holiday: the session before it is there


def test_orders_that_cannot_be_written_are_one_line(
    written: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    file = written("symbol,qty\nCASH,10000\n")
    code, _, err = run_command(capsys, *COMMAND, "--positions", str(file), "--out", str(file / "orders.csv"))
    assert (code, "cannot be written" in err, err.count("\n")) == (2, True, 1)


@pytest.mark.parametrize("word", ["25:99", "9:35", "noon", "../x"])
def test_a_slot_that_is_no_time_of_day_is_refused(
    written: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    file = written("symbol,qty\nCASH,10000\n")
    code, _, err = run_command(capsys, *COMMAND, "--positions", str(file), "--at", word, "--out", str(tmp_path / "out"))
    assert (code, "is no time; write HH:MM" in err, (tmp_path / "out").exists()) == (2, True, False)
