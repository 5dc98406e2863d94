"""The wide table of a run: its sums, its prices against the source, its names, what a plain reader makes of it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.panels import make_panel
from support.scripted import Ran, run_script

from plimsoll import backtest, sample_panel
from plimsoll.engine.errors import DataError, OutputError
from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.report.daily import daily_summary, daily_table
from plimsoll.engine.report.result import Result, record_of
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.verbs.export import Exported, export

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = [
    "port_ret",
    "port_ret_tc",
    "equity",
    "equity_tc",
    "turnover",
    "tc_cost",
    "risk_off",
    "eq_vol_ann",
    "eq_cum_ret",
]
STATS = ["start", "end", "n_days", "ann_return", "ann_vol", "sharpe", "max_drawdown", "risk_off_days", "risk_off_ratio"]


@pytest.fixture(scope="module")
def level61(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result, Exported]:
    """Level-61 on the sample through the autumn of 2008: folder, result, what was exported."""
    folder = tmp_path_factory.mktemp("daily")
    result = backtest(ROOT / "config/level61.toml", start="2007-06-01", end="2008-12-31", trials="off")
    result.save(folder / "run")
    return folder, result, export(folder / "run", folder / "daily.csv")


def read(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "daily.csv", index_col="session", parse_dates=True)


def test_one_line_of_pandas_reads_the_table_with_the_published_names(level61: tuple[Path, Result, Exported]) -> None:
    folder, result, made = level61
    table = read(folder)
    assert list(table.index) == list(result.equity.index)
    assert set(PUBLISHED) <= set(table.columns)
    for symbol in result.weights.columns:
        assert {f"px_{symbol}", f"ret_{symbol}", f"w_{symbol}"} <= set(table.columns)
    assert table.columns.is_unique
    assert made.files == (folder / "daily.csv", folder / "daily_summary.json")
    pd.testing.assert_frame_equal(table, made.table, check_dtype=False, check_index_type=False, rtol=1e-12)


def test_what_is_earned_less_what_is_paid_is_what_is_left(level61: tuple[Path, Result, Exported]) -> None:
    folder, result, _ = level61
    table = read(folder)
    np.testing.assert_allclose(table["port_ret"] - table["tc_cost"], table["port_ret_tc"], atol=1e-14)
    np.testing.assert_allclose(table["equity"], (1.0 + table["port_ret"]).cumprod(), rtol=1e-12)
    np.testing.assert_allclose(table["equity_tc"], table["equity_usd"] / result.cash, rtol=1e-12)  # no deposits here
    before = table["equity_usd"].shift(1, fill_value=result.cash)
    np.testing.assert_allclose(table["tc_cost"] * before, table["costs_usd"], rtol=1e-12)
    assert table["costs_usd"].sum() == pytest.approx(
        result.fills.filter(regex="spread|impact|fee|commission").sum().sum()
    )
    notional = (result.fills["qty"] * result.fills["price"]).abs().groupby(result.fills["session"]).sum()
    np.testing.assert_allclose((table["turnover"] * before)[notional.index], notional, rtol=1e-12)


def test_weights_times_returns_are_the_return_of_a_session_without_trades(
    level61: tuple[Path, Result, Exported],
) -> None:
    table = read(level61[0])
    symbols = [name[2:] for name in table.columns if name.startswith("w_")]
    weights = table[[f"w_{s}" for s in symbols]].shift(1).iloc[1:].to_numpy()
    earned = np.nansum(weights * table[[f"ret_{s}" for s in symbols]].iloc[1:].to_numpy(), axis=1)
    gap = (earned + table["cash_ret"].iloc[1:] - table["port_ret"].iloc[1:]).abs()
    quiet = table["turnover"].iloc[1:] == 0.0
    assert quiet.sum() > 300
    assert gap[quiet].max() < 1e-12
    assert 1e-6 < gap[~quiet].max() < 0.02  # what a fill at the open makes of it


def test_prices_and_returns_are_those_of_the_source(level61: tuple[Path, Result, Exported]) -> None:
    _, result, made = level61
    panel = sample_panel(["SPY", "TLT", "GLD"])
    days = pd.DatetimeIndex(panel.clock.session)
    for symbol in ("SPY", "TLT", "GLD"):
        k = panel.column(symbol)
        close, paid, split = (pd.Series(x[:, k], days) for x in (panel.close, panel.dividend, panel.split))
        ret = (close + paid) * split / close.shift(1) - 1.0
        np.testing.assert_array_equal(made.table[f"px_{symbol}"], close[made.table.index])
        np.testing.assert_allclose(made.table[f"ret_{symbol}"], ret[made.table.index], rtol=1e-12, atol=1e-15)
        np.testing.assert_array_equal(made.table[f"w_{symbol}"], result.weights[symbol])


def test_the_summary_has_the_published_names_and_their_figures(level61: tuple[Path, Result, Exported]) -> None:
    folder, result, _ = level61
    told, table = json.loads((folder / "daily_summary.json").read_text()), read(folder)
    stats = told["stats"]
    assert set(STATS) <= set(stats)
    assert told["config"] == json.loads(json.dumps(result.config))
    ret = table["port_ret_tc"]
    assert stats["n_days"] == len(table)
    assert stats["ann_return"] == pytest.approx((1.0 + ret).prod() ** (252.0 / len(ret)) - 1.0, rel=1e-9)
    assert stats["ann_vol"] == pytest.approx(ret.std() * np.sqrt(252.0), rel=1e-9)
    assert stats["sharpe"] == pytest.approx(ret.mean() / ret.std() * np.sqrt(252.0), rel=1e-9)
    assert stats["ret_over_vol"] == pytest.approx(stats["ann_return"] / stats["ann_vol"], rel=1e-12)
    peak = np.maximum(table["equity_tc"].cummax(), 1.0)
    assert stats["max_drawdown"] == pytest.approx((table["equity_tc"] / peak - 1.0).min(), rel=1e-9)
    assert stats["risk_off_days"] == table["risk_off"].sum() > 0
    assert stats["risk_off_days"] == result.metrics["diagnostics"]["level61"]["risk_off_days"]
    assert stats["risk_off_ratio"] == pytest.approx(table["risk_off"].mean())
    assert told["run"]["synthetic"] is True


def test_the_numbers_in_the_file_are_those_of_the_run_to_the_bit(level61: tuple[Path, Result, Exported]) -> None:
    _, result, made = level61
    assert made.table["port_ret_tc"].to_numpy().tobytes() == result.returns.to_numpy().tobytes()
    assert made.table["equity_usd"].to_numpy().tobytes() == result.equity["equity"].to_numpy().tobytes()


def walk(n: int, k: int, seed: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 50.0 * np.exp(np.cumsum(rng.normal(0.0003, 0.01, (n, k)), axis=0))


def table_of(ran: Ran) -> pd.DataFrame:
    return daily_table(record_of(ran.result), ran.setup.feed)


def test_a_session_without_a_row_has_neither_price_nor_return_and_the_next_return_spans_it() -> None:
    closes = walk(40, 2)
    closes[20, 1] = np.nan
    table = table_of(run_script(make_panel(closes, symbols=("AAA", "BBB")), {2: {"AAA": 0.5, "BBB": 0.4}}, first=1))
    day = table.index[20 - 1]
    assert table.loc[day, ["px_BBB", "ret_BBB"]].isna().all()
    assert table["w_BBB"].notna().all()
    assert table["ret_BBB"].iloc[20] == pytest.approx(closes[21, 1] / closes[19, 1] - 1.0)
    assert table[["px_AAA", "ret_AAA"]].notna().all().all()


def test_a_deposit_is_no_return_and_stands_in_its_own_column(tmp_path: Path) -> None:
    closes = walk(40, 1)
    panel = make_panel(closes, symbols=("AAA",))
    day = str(panel.clock.session[20])
    (tmp_path / "flows.csv").write_text(f"date,amount\n{day},50000\n")
    account = {"flows": str(tmp_path / "flows.csv")}
    table = table_of(run_script(panel, {2: {"AAA": 0.5}}, first=1, account=account))
    assert table["flow_usd"].sum() == table.loc[day, "flow_usd"] == 50_000.0
    assert table["equity_usd"].iloc[-1] / 100_000.0 > 1.3
    assert table["equity_tc"].iloc[-1] == pytest.approx((1.0 + table["port_ret_tc"]).prod())
    assert abs(table.loc[day, "port_ret_tc"]) < 0.05


@pytest.mark.parametrize("interval", ["130min", "195min"])
def test_an_intraday_run_has_a_row_a_session(interval: str) -> None:
    clock = build_clock(date(2019, 1, 2), date(2019, 3, 29), interval)
    n = len(clock)
    closes = walk(n, 2)
    closes[30:34, 1] = np.nan
    panel = make_panel(closes, closes.copy(), symbols=("AAA", "BBB"), clock=clock, interval=interval)
    script = {t: {"AAA": 0.3 + 0.4 * (t % 3 == 0), "BBB": 0.2} for t in range(4, n, 3)}
    costs = {"preset": "flat", "flat_bps": 5.0}
    ran = run_script(panel, script, data={"interval": interval}, costs=costs)
    table, bars = table_of(ran), ran.result.equity
    by_day = bars.groupby(bars.index.normalize())
    assert list(table.index) == list(by_day.groups)
    np.testing.assert_allclose(table["equity_usd"], by_day["equity"].last())
    np.testing.assert_allclose(table["port_ret_tc"], by_day["ret"].apply(lambda r: (1.0 + r).prod() - 1.0), rtol=1e-9)
    np.testing.assert_allclose(table["costs_usd"], by_day["costs"].sum())
    np.testing.assert_allclose(table["equity_tc"], table["equity_usd"] / 100_000.0, rtol=1e-12)
    np.testing.assert_allclose(table["port_ret"] - table["tc_cost"], table["port_ret_tc"], atol=1e-5)
    prices = pd.DataFrame(closes, clock.stamp, ["AAA", "BBB"]).loc[bars.index]
    days = prices.groupby(prices.index.normalize())
    np.testing.assert_array_equal(table[["px_AAA", "px_BBB"]], days.last())
    change = pd.DataFrame(closes, clock.stamp, ["AAA", "BBB"]).ffill().pct_change(fill_method=None)
    change = change.where(~np.isnan(closes)).loc[bars.index]
    grown = change.groupby(change.index.normalize()).apply(lambda r: (1.0 + r).prod(min_count=1) - 1.0)
    np.testing.assert_allclose(table[["ret_AAA", "ret_BBB"]], grown, rtol=1e-9, atol=1e-15)


def notes(result: Result, **values: tuple[str, str, list[float]]) -> pd.DataFrame:
    days = result.equity.index
    parts = [
        pd.DataFrame({"session": days[: len(v)], "sleeve": sleeve, "name": name, "value": v})
        for sleeve, name, v in values.values()
    ]
    return pd.concat(parts, ignore_index=True)


def with_notes(ran: Ran, table: pd.DataFrame) -> Record:
    return replace(record_of(ran.result), diagnostics=table)


@pytest.fixture(scope="module")
def plain() -> Ran:
    return run_script(make_panel(walk(30, 1), symbols=("AAA",)), {2: {"AAA": 0.5}}, first=1)


def test_a_flag_lasts_until_it_is_noted_again_and_is_unknown_before(plain: Ran) -> None:
    table = notes(plain.result, a=("s", "risk_off", [0.0, 1.0])).iloc[1:]
    flags = daily_table(with_notes(plain, table), plain.setup.feed)["risk_off"]
    assert flags.isna().tolist() == [True] + [False] * (len(flags) - 1)
    assert (flags.iloc[1:] == 1.0).all()


def test_flags_of_several_sleeves_and_names_that_are_taken_are_told_apart(plain: Ran) -> None:
    several = notes(plain.result, a=("s", "risk_off", [1.0]), b=("r", "risk_off", [0.0]))
    table = daily_table(with_notes(plain, several), plain.setup.feed)
    assert {"s.risk_off", "r.risk_off"} <= set(table.columns)
    assert "risk_off" not in table
    told = daily_summary(table, record_of(plain.result), plain.result.metrics)["stats"]
    assert (told["risk_off_days"], told["risk_off_ratio"]) == (None, None)
    clashing = notes(plain.result, a=("s", "equity", [7.0]), b=("s", "w_AAA", [7.0]), c=("s", "mine", [7.0]))
    table = daily_table(with_notes(plain, clashing), plain.setup.feed)
    assert table.columns.is_unique
    assert {"s.equity", "s.w_AAA", "mine"} <= set(table.columns)
    assert table["equity"].iloc[0] != 7.0


def test_a_run_of_no_session_has_an_empty_table(make_panel: Callable[..., Any]) -> None:
    ran = run_script(make_panel(walk(30, 1), symbols=("AAA",)), {2: {"AAA": 0.5}}, first=1)
    none = {"equity", "weights", "targets", "orders", "fills", "sleeves", "diagnostics"}
    cut = {name: getattr(ran.result, name).iloc[:0] for name in none}
    empty = replace(record_of(ran.result), session_last=np.empty(0, dtype=np.bool_), **cut)
    table = daily_table(empty, ran.setup.feed)
    assert len(table) == 0
    assert "w_AAA" in table


# ------------------------------------------------------------------------------------------------ what cannot be done
def test_a_run_whose_tables_are_gone_or_odd_is_refused(level61: tuple[Path, Result, Exported], tmp_path: Path) -> None:
    level61[1].save(tmp_path / "run")
    for name, content in (("weights.csv", None), ("metrics.json", "{"), ("metrics.json", None)):
        kept = (tmp_path / "run" / name).read_bytes()
        (tmp_path / "run" / name).unlink() if content is None else (tmp_path / "run" / name).write_text(content)
        with pytest.raises(DataError, match="not a whole run folder"):
            export(tmp_path / "run", tmp_path / "x.csv")
        (tmp_path / "run" / name).write_bytes(kept)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_a_failure_while_writing_leaves_what_was_there(
    level61: tuple[Path, Result, Exported], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = level61[0] / "run"
    for old in ("x.csv", "x_summary.json"):
        (tmp_path / old).write_text("earlier")
    original, calls = Path.write_bytes, []

    def broken(self: Path, data: Any) -> int:
        calls.append(self)
        if len(calls) == 2:
            original(self, data[: len(data) // 2])
            raise OSError(28, "No space left on device")
        return original(self, data)

    monkeypatch.setattr(Path, "write_bytes", broken)
    with pytest.raises(OutputError, match="No space left on device"):
        export(run, tmp_path / "x.csv", force=True)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(
        ("x.csv", "x_summary.json"), "earlier"
    )


def test_a_failure_between_the_two_files_never_leaves_an_earlier_summary_beside_a_later_table(
    level61: tuple[Path, Result, Exported], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for old in ("x.csv", "x_summary.json"):
        (tmp_path / old).write_text("earlier")
    original = Path.replace

    def broken(self: Path, target: Path) -> Path:
        if str(target).endswith("_summary.json"):
            raise OSError(5, "Input/output error")
        return original(self, target)

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OutputError, match="Input/output error"):
        export(level61[0] / "run", tmp_path / "x.csv", force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]
    assert len(pd.read_csv(tmp_path / "x.csv")) == len(level61[1].equity)


@pytest.mark.parametrize("suffix", [".parquet", ".PARQUET"])
def test_parquet_holds_the_same_table(level61: tuple[Path, Result, Exported], tmp_path: Path, suffix: str) -> None:
    made = export(level61[0] / "run", tmp_path / f"daily{suffix}")
    back = pd.read_parquet(made.files[0]).set_index("session")
    np.testing.assert_array_equal(back.to_numpy(dtype=float), level61[2].table.to_numpy(dtype=float))
