"""Where a configuration names no benchmark and no bill rate, the report looks beside the run; the run is the same."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.data_folder import write_data

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.report.result import Result
from plimsoll.engine.runtime.load import load_data
from plimsoll.engine.verbs.backtest import backtest

MARKET = ("BIL", "GLD", "SPY", "TLT")
TABLES = ("equity", "weights", "targets", "orders", "fills", "sleeves", "diagnostics", "trace")


def config(*symbols: str, **sections: Mapping[str, Any]) -> dict[str, Any]:
    base: dict[str, Any] = {
        "run": {"name": "t"},
        "sleeve": [{"name": "s", "strategy": "equal_weight", "params": {"symbols": list(symbols)}}],
    }
    for name, values in sections.items():
        base[name] = {**base.get(name, {}), **values}
    return base


OPEN = config("GLD", "TLT")
SHUT = config("GLD", "TLT", run={"benchmark": "none"}, report={"risk_free": "none"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("market") / "data"
    write_data(path, MARKET)
    return path


def returns_in(folder: Path, symbol: str, result: Result) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Total returns on the run's sessions, from the file alone."""
    table = pd.read_csv(folder / f"{symbol}.csv", parse_dates=["date"], index_col="date")
    made = (table["close"] + table["dividend"]) * table["split"] / table["close"].shift(1) - 1.0
    return made.loc[result.returns.index].to_numpy()


def said(result: Result, capsys: pytest.CaptureFixture[str]) -> str:
    result.summary()
    return " ".join(capsys.readouterr().out.split())


def test_a_run_is_held_against_spy_and_measured_over_bills_where_the_data_have_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = backtest(OPEN, data=folder)
    assert result.benchmark is not None
    assert result.bill is not None
    np.testing.assert_allclose(result.benchmark.to_numpy(), returns_in(folder, "SPY", result), rtol=1e-9)
    bills = returns_in(folder, "BIL", result)
    np.testing.assert_allclose(result.bill.to_numpy(), bills, rtol=1e-9)
    over = result.returns.to_numpy() - bills
    sharpe = over.mean() / over.std(ddof=1) * np.sqrt(252.0)
    assert result.metrics["sharpe_excess"] == pytest.approx(sharpe, rel=1e-9)
    assert [(span["role"], span["by_default"]) for span in result.metrics["spans"]] == [
        ("benchmark", True), ("bill", True),
    ]  # fmt: skip
    text = said(result, capsys)
    assert 'by default (run.benchmark = "none" without)' in text
    assert 'cash earns nothing (report.risk_free = "none" without)' in text


@pytest.mark.parametrize("engine", ["python", "compiled"])
def test_the_run_itself_is_the_same_to_the_byte_with_the_defaults_and_without(folder: Path, engine: Any) -> None:
    looked, alone = backtest(OPEN, data=folder, engine=engine), backtest(SHUT, data=folder, engine=engine)
    assert looked.data_hash == alone.data_hash
    for name in ("equity", "weights", "targets", "sleeves", "trace"):
        pd.testing.assert_frame_equal(getattr(looked, name), getattr(alone, name), check_exact=True)
    ours, theirs = (ran.fills.drop(columns=["order_id"]) for ran in (looked, alone))  # an id holds the settings' hash
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
    assert not looked.equity["interest"].any()


def test_both_loops_look_beside_the_run_alike(folder: Path) -> None:
    one, other = backtest(OPEN, data=folder), backtest(OPEN, data=folder, engine="compiled")
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)
    assert one.metrics == other.metrics


def test_what_is_taken_by_default_is_what_naming_it_gives(folder: Path) -> None:
    named = backtest(config("GLD", "TLT", run={"benchmark": "SPY"}, financing={"cash_rate": "BIL"}), data=folder)
    found = backtest(OPEN, data=folder)
    assert named.benchmark is not None
    assert named.bill is not None
    pd.testing.assert_series_equal(found.benchmark, named.benchmark, check_exact=True)
    pd.testing.assert_series_equal(found.bill, named.bill, check_exact=True)
    assert not any(span.by_default for span in named.spans)
    assert named.equity["interest"].any()  # a bill rate that is named is earned; one by default is not


def test_data_without_the_funds_change_nothing(tmp_path: Path) -> None:
    write_data(tmp_path / "data", ("GLD", "TLT"))
    result = backtest(OPEN, data=tmp_path / "data")
    assert result.benchmark is None
    assert result.bill is None
    assert result.spans == ()
    assert result.metrics["sharpe_excess"] == result.metrics["sharpe"]


def test_none_is_no_benchmark_and_no_rate(folder: Path, tmp_path: Path) -> None:
    result = backtest(OPEN, data=folder, benchmark="none", sets=["report.risk_free=none"], out=tmp_path / "run")
    assert (result.benchmark, result.bill, result.spans) == (None, None, ())
    assert not (tmp_path / "run" / "beside.csv").exists()
    again = backtest(tmp_path / "run" / "config.toml")  # what the folder says is what was asked
    assert again.benchmark is None
    assert again.config_hash == result.config_hash


def test_a_rate_that_the_configuration_states_is_left_alone(folder: Path) -> None:
    result = backtest(config("GLD", "TLT", financing={"cash_rate": 0.03}), data=folder)
    assert result.bill is None
    assert result.benchmark is not None


def test_a_run_of_spy_alone_is_held_against_itself(folder: Path) -> None:
    result = backtest(config("SPY"), data=folder, costs="none")
    ours, theirs = result.returns.to_numpy(), returns_in(folder, "SPY", result)
    relative = result.metrics["relative"]
    assert relative["beta"] == pytest.approx(np.cov(ours, theirs)[0, 1] / np.var(theirs, ddof=1))
    assert relative["correlation"] == pytest.approx(np.corrcoef(ours, theirs)[0, 1])
    assert result.weights.columns.tolist() == ["SPY"]


def test_a_panel_is_looked_into_and_nothing_is_fetched_beside_it(folder: Path) -> None:
    whole = backtest(OPEN, data=load_data(folder, MARKET))
    bare = backtest(OPEN, data=load_data(folder, ("GLD", "TLT")))
    assert whole.benchmark is not None
    assert whole.bill is not None
    assert (bare.benchmark, bare.bill) == (None, None)


def with_bills_gone(folder: Path, rows: slice) -> Result:
    panel = load_data(folder, MARKET)
    block = panel.block.copy()
    block[:3, rows, panel.column("BIL")] = np.nan
    return backtest(OPEN, data=replace(panel, block=block))


@pytest.mark.parametrize("rows", [slice(0, 40), slice(-6, None)], ids=["begins late", "ends early"])
def test_a_bill_fund_that_does_not_cover_the_run_is_not_its_rate_and_that_is_told(folder: Path, rows: slice) -> None:
    result = with_bills_gone(folder, rows)
    assert result.bill is None
    told = [warning for warning in result.warnings if warning.kind == "no_bill_rate"]
    assert [warning.symbol for warning in told] == ["BIL"]
    assert "does not cover the run" in told[0].text


def test_a_bill_fund_that_lacks_the_last_week_is_held_at_its_last_rate(folder: Path) -> None:
    assert with_bills_gone(folder, slice(-5, None)).bill is not None


def test_a_file_that_cannot_be_read_leaves_the_default_out_with_a_warning(tmp_path: Path) -> None:
    write_data(tmp_path / "data", MARKET)
    text = (tmp_path / "data" / "SPY.csv").read_text().splitlines()
    text[20] = text[20].replace(",", ",-", 1)
    (tmp_path / "data" / "SPY.csv").write_text("\n".join(text) + "\n")
    result = backtest(OPEN, data=tmp_path / "data")
    assert result.benchmark is None
    assert [(w.kind, w.symbol) for w in result.warnings if w.kind == "default_left_out"] == [
        ("default_left_out", "SPY")
    ]


def test_the_folder_gives_back_what_was_looked_at(folder: Path, tmp_path: Path) -> None:
    result = backtest(OPEN, data=folder, out=tmp_path / "run")
    back = Result.load(tmp_path / "run")
    pd.testing.assert_series_equal(back.benchmark, result.benchmark, check_exact=True, check_freq=False)
    assert back.spans == result.spans
    assert "by default" in (tmp_path / "run" / "report.html").read_text()


def test_a_misspelt_way_to_switch_it_off_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"report\.risk_free"):
        backtest(OPEN, data=folder, sets=["report.risk_free=off"])
