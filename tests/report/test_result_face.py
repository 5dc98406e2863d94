"""What a result shows of itself: what a user wants of a run, and nothing of how it is made."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from support.named_index import pandas_within, unnamed

from plimsoll import Context, DataError, Result, Strategy, Weights, backtest, compare
from plimsoll.engine.report.result import record_of
from plimsoll.engine.runtime.run_facts import RunFacts

ROOT = Path(__file__).resolve().parents[2]
Make = Callable[..., Result]
# README's words for what completion offers: the account, its causes, its origin, its figures, what to do with it.
PUBLIC = {
    "equity", "weights", "targets", "orders", "fills", "sleeves", "diagnostics", "trace", "trades", "round_trips",
    "pnl_by_symbol", "pnl_by_sleeve", "returns", "returns_gross", "benchmark", "bill", "cash", "ruined",
    "name", "run_id", "config", "config_toml", "config_hash", "data_hash", "env", "source", "interval", "synthetic",
    "warnings", "counts", "spans", "certificate", "verdict",
    "metrics", "plot", "summary", "save", "load", "to_quantstats", "to_pyfolio",
}  # fmt: skip


class Idle(Strategy):
    """Never trades."""

    universe = ("SPY",)

    def on_bar(self, ctx: Context) -> Weights | None:
        return None


@pytest.fixture(scope="module")
def runs() -> dict[str, Result]:
    alone = ("report.ladder=false", "report.regime_off=false")
    return {
        "trend": backtest("trend", start="2023-06-01", trials="off"),
        "idle": backtest(Idle(), start="2025-06-02", trials="off"),
        "book": backtest(ROOT / "config" / "book.toml", start="2024-06-03", sets=alone, trials="off"),
    }


def test_completion_offers_what_a_user_wants_and_nothing_else(result: Result) -> None:
    assert {name for name in dir(result) if not name.startswith("_")} == PUBLIC


def test_everything_offered_says_what_it_is() -> None:
    text = f"{Result.__doc__} {RunFacts.__doc__}"
    for name in PUBLIC:
        own = getattr(Result, name, None)
        assert (getattr(own, "__doc__", "") if hasattr(own, "__doc__") else "") or f"{name}" in text, name


def test_a_result_that_is_changed_is_changed_in_all_that_is_made_of_it(runs: dict[str, Result], tmp_path: Path) -> None:
    one = runs["trend"]
    other = replace(one, name="other", ruined=True)
    assert (other.metrics["run"]["name"], record_of(other).name, other.returns.name) == ("other",) * 3
    assert other.metrics["run"]["ruined"] is True
    assert "RUINED" in repr(other)
    assert record_of(one).name == "trend"
    assert Result.load(other.save(tmp_path / "run")).name == "other"


@pytest.mark.parametrize("config", ["trend", "idle", "loaded", "book"])
def test_every_table_has_a_named_index(config: str, runs: dict[str, Result], tmp_path: Path) -> None:
    result = Result.load(runs["trend"].save(tmp_path / "run")) if config == "loaded" else runs[config]
    handed = {"result": result, "elsewhere": result.to_pyfolio(), "quantstats": result.to_quantstats()}
    if config != "loaded":
        handed["average"] = result.round_trips("average")
    assert len(pandas_within(handed)) >= 18
    assert unnamed(handed) == []


@pytest.mark.parametrize("config", ["trend", "idle", "book"])
def test_a_run_read_back_tells_the_same_trades_or_that_it_cannot(
    config: str, runs: dict[str, Result], tmp_path: Path
) -> None:
    made = runs[config]
    back = Result.load(made.save(tmp_path / "run"))
    assert config == "idle" or made.trades["dividends"].abs().sum() > 1.0
    for trades in (back.trades, back.round_trips(), back.round_trips("fifo")):
        pd.testing.assert_frame_equal(trades, made.trades, check_dtype=False, check_exact=True)
    pd.testing.assert_frame_equal(back.pnl_by_symbol, made.pnl_by_symbol, check_dtype=False, check_exact=True)
    pd.testing.assert_frame_equal(back.pnl_by_sleeve, made.pnl_by_sleeve, check_dtype=False, check_exact=True)
    with pytest.raises(DataError, match="run the backtest again"):
        back.round_trips("average")


def test_every_table_of_a_comparison_has_a_named_index(runs: dict[str, Result]) -> None:
    for focus in ((), ("2024",)):
        found = compare(runs["trend"], runs["book"], focus=focus)
        assert len(pandas_within(found)) >= 6
        assert unnamed(found) == []


def test_row_numbers_are_in_no_file(runs: dict[str, Result], tmp_path: Path) -> None:
    folder = runs["trend"].save(tmp_path / "run")
    for name in ("orders", "fills", "trades", "diagnostics", "trace"):
        text, packed = folder / f"{name}.csv", folder / f"{name}.parquet"
        read = pd.read_csv(text, nrows=0) if text.exists() else pd.read_parquet(packed)
        assert list(read.columns) == list(getattr(runs["trend"], name).columns)
