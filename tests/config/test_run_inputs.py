"""What `backtest` can be handed in Python, and how it refuses the rest."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from plimsoll import (
    ConfigError,
    Context,
    DataError,
    Strategy,
    StrategyError,
    StrategyParams,
    Weights,
    backtest,
    sample_panel,
)
from plimsoll.engine.config.schema import load_config
from plimsoll.engine.types import Unlisted
from plimsoll.strategies.sixty_forty import SixtyForty

SPAN = {"start": "2012-01-03", "end": "2012-06-29"}


class _Quiet(Strategy):
    """A private name, and never an answer."""

    universe = ("SPY",)

    def on_bar(self, ctx: Context) -> Weights | None:
        return None


def test_a_class_an_object_a_mapping_a_config_and_a_file_are_the_same_run(tmp_path: Path) -> None:
    values = {"sleeve": [{"name": "sixty_forty", "strategy": "sixty_forty"}], "run": {"name": "sixty_forty"}}
    path = tmp_path / "run.toml"
    path.write_text(load_config(values).toml())
    runs = [backtest(what, **SPAN) for what in (SixtyForty, SixtyForty(), values, load_config(values), path, str(path))]
    for run in runs[1:]:
        assert run.equity.equals(runs[0].equity)
        assert run.fills.drop(columns="order_id").equals(runs[0].fills.drop(columns="order_id"))


def test_a_run_on_a_panel_ends_where_it_is_told_to() -> None:
    whole, cut = sample_panel(("IEF", "SPY")), sample_panel(("IEF", "SPY"), end=date(2012, 6, 29))
    ours, theirs = backtest(SixtyForty, data=whole, **SPAN), backtest(SixtyForty, data=cut, start=SPAN["start"])
    assert str(ours.equity.index[-1].date()) == SPAN["end"]
    assert ours.equity.equals(theirs.equity)
    assert ours.data_hash == theirs.data_hash
    with pytest.raises(
        DataError, match=r"^run.end: end 1999-12-31 is before the first session of the data, 2006-01-03"
    ):
        backtest(SixtyForty, data=whole, end="1999-12-31")


def test_a_private_class_runs_under_a_plain_name() -> None:
    assert backtest(_Quiet, **SPAN).name == "quiet"


@pytest.mark.parametrize("name", ['it\'s "quoted"', "back\\slash", "ünïcode 😀", "equals=sign"])
def test_a_data_folder_may_have_any_name(name: str, tmp_path: Path) -> None:
    panel = sample_panel(("IEF", "SPY"), end=date(2006, 12, 29))
    folder = tmp_path / name
    folder.mkdir()
    for i, symbol in enumerate(panel.symbols):
        rows = ["date,open,high,low,close,volume,dividend"]
        for t in range(panel.n_bars):
            prices = (panel.open[t, i], panel.high[t, i], panel.low[t, i], panel.close[t, i], panel.volume[t, i])
            rows.append(
                f"{panel.clock.session[t]},{','.join(map(repr, map(float, prices)))},{panel.dividend[t, i]!r:.0}0"
            )
        (folder / f"{symbol}.csv").write_text("\n".join(rows) + "\n")
    result = backtest(SixtyForty, data=folder)
    assert result.source == f"csv {folder}"


def test_what_cannot_be_run_is_told() -> None:
    every: tuple[Any, ...] = (None, 3, ["sixty_forty"], int)
    for nonsense in every:
        with pytest.raises(
            ConfigError, match=r"^backtest: cannot run \w+; pass a configuration, its path, or a strategy$"
        ):
            backtest(nonsense)
    with pytest.raises(ConfigError, match=r"^Strategy: making Strategy raised TypeError: Can't instantiate abstract"):
        backtest(Strategy)
    # a registered name runs, see tests/runtime/test_named.py; one that is none is answered
    with pytest.raises(
        ConfigError, match="sixty_fourty: neither a configuration nor a strategy; did you mean 'sixty_forty'"
    ):
        backtest("sixty_fourty")


def test_required_parameters_are_asked_for() -> None:
    class Needy(_Quiet):
        class Params(StrategyParams):
            speed: float

    with pytest.raises(ConfigError, match=r"^Needy params: key 'speed' is missing; add it$"):
        backtest(Needy)


def test_unlisted_weight_can_be_held_in_cash_or_spread() -> None:
    class Early(Strategy):
        universe = ("SPY", "QQQ", "BIL")  # BIL lists in 2007

        def __init__(self, unlisted: Unlisted) -> None:
            super().__init__()
            self.unlisted = unlisted

        def on_bar(self, ctx: Context) -> Weights | None:
            chosen = {"SPY": 0.5, "QQQ": -0.1, "BIL": 0.3}
            return ctx.weights(chosen, unlisted=self.unlisted) if ctx.bar_index == 5 else None

    run = {"end": "2006-03-31"}
    assert backtest(Early("cash"), **run).targets.iloc[-1].to_dict() == {"BIL": 0.0, "QQQ": -0.1, "SPY": 0.5}
    spread = backtest(Early("renormalise"), **run).targets.iloc[-1]
    assert spread.to_numpy() == pytest.approx([0.0, -0.15, 0.75], rel=1e-12)
    with pytest.raises(StrategyError, match=re.escape("answered 0.3 for BIL, which is not listed")):
        backtest(Early("error"), **run)
