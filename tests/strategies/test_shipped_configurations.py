"""Every shipped configuration of one sleeve runs as it stands, on the built-in sample."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.runtime.resolve import make_strategy
from plimsoll.engine.verbs.backtest import backtest

FOLDER = Path(__file__).parents[2] / "config"
NAMES = (
    "trend", "carry", "vol_premium", "macro_regime", "pairs",
    "inverse_vol", "equal_weight", "sixty_forty", "buy_and_hold", "paper",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_on_the_sample_from_its_own_start_and_takes_positions(name: str) -> None:
    path = FOLDER / f"{name}.toml"
    start = load_config(path).run.start
    assert start is not None
    result = backtest(path, end=start + timedelta(days=900))
    first = result.equity.index[0]
    assert 0 <= (first.date() - start).days < 5
    assert np.isfinite(result.equity["equity"]).all()
    assert result.weights.abs().to_numpy().any()
    assert not [w for w in result.warnings if w.kind in {"no_bill_rate", "sleeve_disabled", "not_in_data"}]


@pytest.mark.parametrize("name", NAMES)
def test_it_spells_out_the_defaults_of_its_strategy(name: str) -> None:
    sleeve = load_config(FOLDER / f"{name}.toml").sleeve[0]
    configured = make_strategy(sleeve.strategy, sleeve.params, where=name)
    assert configured.params == type(configured.params)()
    assert set(sleeve.params) >= set(type(configured.params).model_fields) - {"noise"}  # TOML cannot write "none"
