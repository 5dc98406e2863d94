"""Stage 6 on real prices: which months it calls a crisis, and what it never does while VIX is high."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from plimsoll.engine.portfolio.stages import s6_regime as s6

pytestmark = pytest.mark.realdata

RULED = s6.Params(
    neutral=0.10, risk_on=0.12, transition=0.09, crisis=0.08, low=0.08, high=0.12, dwell_sessions=5,
    decay=0.5 ** (1.0 / 63.0),
)  # fmt: skip


@lru_cache(maxsize=2)
def regimes(folder: Path, p: s6.Params = RULED) -> pd.DataFrame:
    """Label, target volatility and VIX of each session."""
    spy, tlt, vix = (pd.read_csv(folder / f"{s}.csv", index_col=0, parse_dates=True) for s in ("SPY", "TLT", "VIX"))
    table = pd.DataFrame({"stock": spy["adj_close"], "bond": tlt["adj_close"], "vix": vix["close"]}).loc[spy.index]
    ret = table[["stock", "bond"]].pct_change(fill_method=None).to_numpy()
    state, rows = s6.init(p.neutral), []
    for (stock, bond), fear, close in zip(ret, table["vix"].to_numpy(), spy["close"].to_numpy(), strict=True):
        s6.gather(stock, bond, state)
        s6.observe(fear, close, p, state)
        rows.append((s6.REGIMES[int(state.memory[s6.LABEL])], state.memory[s6.SIGMA_P]))
    return pd.DataFrame(rows, index=spy.index, columns=["label", "sigma_p"]).assign(vix=table["vix"])


@pytest.mark.parametrize("month", ["2008-10", "2011-08", "2020-03"])
def test_a_crash_is_called_a_crisis(real_daily: Path, month: str) -> None:
    assert (regimes(real_daily).loc[month, "label"] == "crisis").any()


@pytest.mark.parametrize("year", ["2013", "2017"])
def test_a_calm_year_has_no_crisis(real_daily: Path, year: str) -> None:
    found = regimes(real_daily).loc[year, "label"]
    assert len(found) > 240
    assert not (found == "crisis").any()


def test_while_vix_is_above_35_nothing_is_risk_on_and_no_target_above_neutral(real_daily: Path) -> None:
    high = regimes(real_daily).query("vix > 35")
    assert len(high) > 200
    assert not (high["label"] == "risk_on").any()
    assert high["sigma_p"].max() <= 0.10


def test_to_the_letter_the_same_months_are_no_crisis_and_targets_rise_while_vix_is_above_35(real_daily: Path) -> None:
    letter = regimes(real_daily, RULED._replace(signed=True, by_signal=True, all_dwell=True))
    for month in ("2008-10", "2011-08", "2020-03"):
        assert not (letter.loc[month, "label"] == "crisis").any()
    assert np.max(letter.query("vix > 35")["sigma_p"]) > 0.10
