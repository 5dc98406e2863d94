"""The Kalman overlay: every session against plain pandas; its configurations."""

import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.panels import make_panel
from support.plain_market import assert_same_answers, market_of_files, market_of_panel
from support.plain_overlay import DEFAULTS, overlay, trend_strength
from support.sampled import panel_of
from support.scripted import plain_config, run_config

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import ConfigError, DataError
from plimsoll.engine.kernels.estimate import kalman, kalman_preset
from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.runtime.resolve import make_strategy
from plimsoll.strategies.kalman_overlay import KalmanOverlay

NAME = "plimsoll.strategies.kalman_overlay:KalmanOverlay"
LEGS = ["QQQ", "TQQQ", "SQQQ"]
CASES = [
    pytest.param({}, {}, id="literal"),
    pytest.param({"mode": "derisk"}, {"mode": "derisk"}, id="derisk"),
    pytest.param(
        {"dd_gate": "bear_only", "dd_anchor": "one", "k_short": 0.4, "p_min": 0.3, "e_min": 0.6},
        {"gate": "bear_only", "anchor": "one", "k_short": 0.4, "p_min": 0.3, "e_min": 0.6},
        id="gated to one",
    ),
    pytest.param(
        {"mode": "derisk", "dd_gate": "bear_only", "rebalance_threshold": 0.02, "sigma_lookback": 60},
        {"mode": "derisk", "gate": "bear_only", "threshold": 0.02, "lookback": 60},
        id="derisk gated",
    ),
]


def check(panel: Panel, ret: pd.DataFrame, listed: pd.DataFrame, strength: pd.Series, vix: pd.Series,
          params: dict[str, Any], changed: dict[str, Any]) -> pd.DataFrame:  # fmt: skip
    ran = run_config(panel, plain_config(NAME, params))
    said, seen = overlay(ret, listed, strength, vix, DEFAULTS | changed)
    noted = ran.result.diagnostics.pivot_table(index="session", columns="name", values="value")
    seen["trend_strength"] = strength
    for name in seen.columns:
        theirs = seen[name].reindex(noted.index)
        np.testing.assert_allclose(noted[name], theirs, rtol=1e-9, atol=1e-10, err_msg=name)
    assert_same_answers(ran, said, 1e-9)
    return ran.result.targets


@cache
def strength_of_sample() -> pd.Series:
    panel = panel_of(42)
    at = panel.column("QQQ")
    market = market_of_panel(panel, LEGS)
    volume = pd.Series(panel.volume[:, at] / np.cumprod(panel.split[:, at]), market.index)
    return trend_strength(market.close["QQQ"], volume)


@cache
def strength_of_files(folder: Path) -> pd.Series:
    table = pd.read_csv(folder / "QQQ.csv", index_col="date", parse_dates=True)
    return trend_strength(table["close"], table["volume"])


@pytest.mark.parametrize(("params", "changed"), CASES[::3])
def test_every_session_of_the_sample_equals_plain_pandas(params: dict[str, Any], changed: dict[str, Any]) -> None:
    panel = panel_of(42)
    market = market_of_panel(panel, LEGS)
    targets = check(panel, market.ret, market.listed, strength_of_sample(), market.vix, params, changed)
    before = targets.loc[:"2010-02-10"]
    assert len(before) > 10
    assert before[["TQQQ", "SQQQ"]].to_numpy().max() == 0.0  # not listed yet: exposure stays within [0, 1]


@pytest.mark.realdata
@pytest.mark.parametrize(("params", "changed"), CASES[1:3])
def test_every_session_of_real_data_equals_plain_pandas(
    real_daily: Path, params: dict[str, Any], changed: dict[str, Any]
) -> None:
    panel = load_csv(real_daily, LEGS, ("VIX",))
    market = market_of_files(real_daily, LEGS, "2026-05-01")
    strength = strength_of_files(real_daily)
    targets = check(panel, market.ret, market.listed, strength, market.vix, params, changed)
    if params.get("mode") == "derisk":
        assert targets["SQQQ"].max() > 0.0
    else:
        assert targets["SQQQ"].max() == 0.0


def test_the_filter_follows_total_returns_where_asked() -> None:
    panel = panel_of(42)
    market = market_of_panel(panel, LEGS)
    at = panel.column("QQQ")
    volume = pd.Series(panel.volume[:, at] / np.cumprod(panel.split[:, at]), market.index)
    ran = run_config(panel, plain_config(NAME, {"price": "tr"}))
    noted = ran.result.diagnostics.query("name == 'trend_strength'").set_index("session")["value"]
    theirs = trend_strength(100.0 * market.tr["QQQ"], volume).reindex(noted.index)
    np.testing.assert_allclose(noted, theirs, rtol=1e-7, atol=1e-8)
    assert np.abs(noted - strength_of_sample().reindex(noted.index)).max() > 0.1


def test_without_vix_it_says_that_it_cannot_run() -> None:
    panel = make_panel(np.full((200, 3), 50.0), symbols=tuple(sorted(LEGS)))
    with pytest.raises(DataError, match="indicator VIX is not in the data"):
        run_config(panel, plain_config(NAME))


def test_without_the_levered_funds_exposure_stays_between_zero_and_one() -> None:
    rng = np.random.default_rng(9)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0005, 0.015, 700)))
    panel = replace(make_panel(close, symbols=("QQQ",)), indicators=("VIX",), indicator=np.full((700, 1), 20.0))
    noted = run_config(panel, plain_config(NAME, {"mode": "derisk"})).result.diagnostics
    assert noted.query("name == 'exposure'")["value"].between(0.0, 1.0).all()
    assert noted.query("name == 'e_dd'")["value"].max() > 1.0


def test_the_filter_settings_are_the_named_presets() -> None:
    def used(**params: Any) -> kalman.Params:
        return KalmanOverlay(KalmanOverlay.Params(**params)).settings.filter

    assert used() == kalman_preset.canonical()
    assert used(trend="zeiierman", measurement_noise=1000.0) == kalman_preset.zeiierman(
        noise=1000.0, osc=15, strength=15
    )
    assert used(trend="jutsu_v25_unsigned") == kalman_preset.jutsu_v25_unsigned()
    assert used(trend="jutsu_signed_double") == kalman_preset.jutsu_signed_double()


@pytest.mark.parametrize("trend", ["canonical", "zeiierman", "jutsu_v25_unsigned", "jutsu_signed_double"])
@pytest.mark.parametrize("noise_model", ["standard", "parkinson"])
def test_the_warm_up_ends_with_the_first_trend_strength(trend: str, noise_model: str) -> None:
    panel = panel_of(42)
    ran = run_config(panel, plain_config(NAME, {"trend": trend, "noise_model": noise_model}))
    noted = ran.result.diagnostics.pivot_table(index="session", columns="name", values="value")
    assert noted["trend_strength"].notna().all()
    first = ran.setup.first
    early = plain_config(
        NAME, {"trend": trend, "noise_model": noise_model}, run={"start": str(panel.clock.session[first - 1])}
    )
    with pytest.raises(Exception, match="the earliest possible start"):
        run_config(panel, early)


def panel_with_vix(close: np.ndarray, vix: np.ndarray) -> Panel:
    panel = make_panel(close, symbols=tuple(sorted(LEGS)))
    return replace(panel, indicators=("VIX",), indicator=vix[:, None])


def test_an_unknown_vix_leaves_the_last_ratio_in_force() -> None:
    rng = np.random.default_rng(4)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, (200, 3)), axis=0))
    vix = np.full(200, 20.0)
    vix[150] = 30.0
    vix[151:] = np.nan
    ran = run_config(panel_with_vix(close, vix), plain_config(NAME))
    ratio = ran.result.diagnostics.query("name == 'vix_ratio'").set_index("session")["value"]
    assert ratio.iloc[-1] == pytest.approx(30.0 / (20.0 + 10.0 * 2.0 / 51.0))


def test_nothing_trades_while_a_held_leg_has_no_row() -> None:
    rng = np.random.default_rng(5)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, (240, 3)), axis=0))
    close[:, 1] = 100.0 * np.exp(np.cumsum(np.abs(rng.normal(0.002, 0.003, 240))))  # SQQQ, irrelevant
    close[:, 0] = 100.0 * np.exp(np.cumsum(0.002 + rng.normal(0.0, 0.01, 240)))  # QQQ rises: TQQQ is held
    close[200:203, 2] = np.nan
    ran = run_config(panel_with_vix(close, np.full(240, 15.0)), plain_config(NAME))
    days = ran.setup.panel.clock.session
    targets = ran.result.targets
    assert targets["TQQQ"].loc[: str(days[199])].iloc[-1] > 0.0
    assert targets.loc[str(days[200]) : str(days[202])].empty


@pytest.mark.parametrize(
    ("params", "told"),
    [
        (
            {"k_long": 0.7},
            r"k_long 0\.7 is outside its published range \[0\.3, 0\.6\]; set allow_outside_ranges = true",
        ),
        ({"sigma_lookback": 10}, r"sigma_lookback 10 is outside its published range \[20, 60\]"),
        ({"process_noise_1": 0.02}, r"process_noise_1 0\.02 is outside its published range 0\.01;"),
        ({"dd_soft": 0.3}, "dd_soft 0.3 is not below dd_hard"),
        ({"e_min": -0.4, "allow_outside_ranges": True}, "e_short <= e_min <= e_max does not hold"),
        ({"e_short": 0.8, "e_min": 0.9, "allow_outside_ranges": True}, "exceeds 1 - k_short"),
        ({"k_lnog": 0.4}, "did you mean 'k_long'"),
    ],
)
def test_parameters_that_cannot_work_are_refused_in_one_line(params: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        make_strategy("kalman_overlay", params, where="sleeve 's'")


@pytest.mark.parametrize("name", ["kalman_overlay", "kalman_overlay_derisk", "kalman_overlay_run139"])
def test_the_configurations_are_whole(name: str) -> None:
    path = Path("config") / f"{name}.toml"
    config = load_config(path)
    params = tomllib.loads(path.read_text())["sleeve"][0]["params"]
    make_strategy("kalman_overlay", params, where=name)
    assert config.run.name == name


def test_the_reconstruction_never_goes_below_one() -> None:
    params = tomllib.loads(Path("config/kalman_overlay_run139.toml").read_text())["sleeve"][0]["params"]
    ran = run_config(panel_of(42), plain_config(NAME, params))
    assert ran.result.diagnostics.query("name == 'exposure'")["value"].min() >= 1.0
