"""Stage 6: the regime detector against plain numpy, and how little it may do."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.book_run import UNBOUND, UNGOVERNED, Book, Steady, run_book
from support.panels import make_panel

from plimsoll.engine.portfolio.stages import s6_regime as s6
from plimsoll.engine.types import Floats

DECAY = 0.5 ** (1.0 / 63.0)
P = s6.Params(
    neutral=0.10, risk_on=0.12, transition=0.09, crisis=0.08, low=0.08, high=0.12, dwell_sessions=5, decay=DECAY
)


def market(seed: int, n_bars: int = 420) -> tuple[Floats, Floats, Floats, Floats]:
    """VIX, stock closes, stock and bond returns whose moods change every few weeks."""
    rng = np.random.default_rng(seed)
    mood = np.repeat(rng.normal(0, 1, n_bars // 25 + 1), 25)[:n_bars]
    stock = rng.normal(-0.003 * mood, 0.012)
    bond = rng.normal(0, 0.006, n_bars) + 0.4 * np.repeat(rng.choice([-1, 1], n_bars // 70 + 1), 70)[:n_bars] * stock
    vix = 16.0 * np.exp(np.cumsum(rng.normal(0.01 * mood, 0.04)) * 0.5)
    return vix, 100.0 * np.cumprod(1.0 + stock), stock, bond


def walked(vix: Floats, close: Floats, stock: Floats, bond: Floats, p: s6.Params = P) -> Floats:
    state, out = s6.init(p.neutral), []
    for t in range(len(vix)):
        s6.gather(stock[t], bond[t], state)
        s6.observe(vix[t], close[t], p, state)
        out.append(state.memory.copy())
    return np.array(out)


def plain_signal(vix: Floats, close: Floats, stock: Floats, bond: Floats, t: int, *, signed: bool = False) -> float:
    ema = vix[0]
    for v in vix[1 : t + 1]:
        ema += 2.0 / 51.0 * (v - ema)
    w = DECAY ** np.arange(t + 1)[::-1]
    rho = np.sum(w * stock[: t + 1] * bond[: t + 1]) / np.sqrt(
        np.sum(w * stock[: t + 1] ** 2) * np.sum(w * bond[: t + 1] ** 2)
    )
    rho = rho if signed else max(rho, 0.0)
    parts = [(vix[t] / ema - 1.0) / 0.2, -(close[t] / close[t - 199 : t + 1].mean() - 1.0) / 0.1, rho / 0.3]
    return float(np.clip(parts, -1, 1).mean())


SEVERITY = ("risk_on", "neutral", "transition", "crisis")
SIGMA = {"neutral": 0.10, "risk_on": 0.12, "transition": 0.09, "crisis": 0.08}


def wanted(x: float) -> str:
    return "risk_on" if x <= -0.25 else "crisis" if x >= 0.5 else "transition" if x >= 0.25 else "neutral"


def assert_walked(series: tuple[Floats, ...], memory: Floats, rule: Any, confidence: Any, *, signed: bool) -> None:
    """Hold every session's memory against plain rules: (labels wanted so far) -> label, (label, x) -> confidence."""
    labels: list[str] = []
    for t in range(len(series[0])):
        x = plain_signal(*series, t, signed=signed) if t >= 199 else 0.0
        labels.append(wanted(x))
        label = rule(labels)
        assert memory[t, s6.SIGNAL] == pytest.approx(x, abs=1e-9)
        assert s6.REGIMES[int(memory[t, s6.LABEL])] == label
        c = confidence(label, x)
        assert memory[t, s6.CONFIDENCE] == pytest.approx(c, abs=1e-9)
        expected = np.clip((1 - c) * 0.10 + c * SIGMA[label], 0.08, 0.12)
        assert memory[t, s6.SIGMA_P] == pytest.approx(expected, abs=1e-10)


def worst_of_five(labels: list[str]) -> str:
    return max(labels[-5:], key=SEVERITY.index)


def own_side(label: str, x: float) -> float:
    return {"risk_on": max(0.0, -x), "neutral": 0.0}.get(label, max(0.0, x))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=12)
def test_signal_label_confidence_and_target_equal_the_plain_computation(seed: int) -> None:
    series = market(seed)
    assert_walked(series, walked(*series), worst_of_five, own_side, signed=False)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=8)
def test_to_the_letter_every_label_waits_and_confidence_is_the_size_of_a_signed_signal(seed: int) -> None:
    series, held = market(seed), ["neutral", 10_000]

    def each_holds_five(labels: list[str]) -> str:
        held[1] += 1
        if labels[-1] != held[0] and held[1] >= 5:
            held[:] = labels[-1], 0
        return str(held[0])

    letter = P._replace(signed=True, by_signal=True, all_dwell=True)
    assert_walked(series, walked(*series, letter), each_holds_five, lambda _, x: abs(x), signed=True)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15)
def test_a_worse_label_comes_at_once_a_better_one_after_five_sessions_and_the_target_stays_in_its_band(
    seed: int,
) -> None:
    wild = P._replace(risk_on=0.5, crisis=0.01, transition=0.02)
    memory = walked(*market(seed), wild)
    now = np.array([SEVERITY.index(s6.REGIMES[int(k)]) for k in memory[:, s6.LABEL]])
    signal = np.array([SEVERITY.index(wanted(x)) for x in memory[:, s6.SIGNAL]])
    assert (now >= signal).all()
    for t in np.flatnonzero(np.diff(now) > 0) + 1:
        assert now[t] == signal[t]
    for t in np.flatnonzero(np.diff(now) < 0) + 1:
        assert (signal[t - 4 : t + 1] <= now[t]).all()
    assert (memory[:, s6.SIGMA_P] >= 0.08).all()
    assert (memory[:, s6.SIGMA_P] <= 0.12).all()


def test_a_flight_from_stocks_into_bonds_is_a_crisis_too_unless_the_letter_counts_the_sign() -> None:
    rng = np.random.default_rng(1)
    stock = rng.normal(0.0, 0.01, 260)
    stock[250:] -= 0.03
    vix = np.where(np.arange(260) < 250, 15.0, 45.0)
    series = (vix, 100.0 * np.cumprod(1.0 + stock), stock, -0.5 * stock)
    assert s6.REGIMES[int(walked(*series)[-1, s6.LABEL])] == "crisis"
    assert s6.REGIMES[int(walked(*series, P._replace(signed=True))[-1, s6.LABEL])] == "transition"


def test_the_target_of_the_decision_before_is_kept_for_the_governor() -> None:
    memory = walked(*market(3))
    assert memory[1:, s6.SIGMA_BEFORE].tolist() == memory[:-1, s6.SIGMA_P].tolist()
    assert memory[0, s6.SIGMA_BEFORE] == 0.10


@pytest.mark.parametrize("missing", ["vix", "close", "bond"])
def test_until_every_input_exists_the_regime_is_neutral_and_certain_of_nothing(missing: str) -> None:
    vix, close, stock, bond = market(4)
    gone = {"vix": vix, "close": close, "bond": bond}[missing]
    gone[:] = np.nan
    memory = walked(vix, close, stock, bond)
    assert not memory[:, [s6.LABEL, s6.CONFIDENCE, s6.SIGNAL]].any()
    assert (memory[:, s6.SIGMA_P] == 0.10).all()


def test_a_session_without_an_input_keeps_the_last_signal() -> None:
    vix, close, stock, bond = market(5)
    whole = walked(vix, close, stock, bond)
    vix[300] = np.nan
    memory = walked(vix, close, stock, bond)
    assert memory[300, s6.SIGNAL] == whole[299, s6.SIGNAL]


@given(st.floats(0.0, 1.0), st.sampled_from(range(4)), st.floats(0.0, 0.2))
def test_tilts_are_bounded_proportional_to_confidence_and_for_a_crisis_only(c: float, label: int, most: float) -> None:
    state = s6.init(0.10)
    state.memory[[s6.LABEL, s6.CONFIDENCE]] = label, c
    got = s6.tilts(np.array([1.0, -1.0, 0.0]), most, state)
    by = c * most if label == s6.CRISIS else 0.0
    np.testing.assert_allclose(got, [1.0 + by, 1.0 - by, 1.0], rtol=1e-15)


def storm(n_bars: int = 330, split_at: int | None = None, vix_from: int = 0) -> object:
    """A market that turns into a crisis at bar 280; the stock index may split."""
    rng = np.random.default_rng(0)
    z = rng.normal(0, 0.01, (n_bars, 3))
    z[:, 2] = 0.8 * z[:, 1] + 0.4 * z[:, 2]
    z[280:, 1:] -= 0.006
    closes = 100.0 * np.cumprod(1.0 + z, axis=0)
    split = np.ones_like(closes)
    if split_at is not None:
        closes[split_at:, 1] /= 2.0
        split[split_at, 1] = 2.0
    panel = make_panel(closes, closes.copy(), symbols=("GLD", "SPY", "TLT"), split=split)
    vix = np.where(np.arange(n_bars) < 280, 15.0, 15.0 + 2.0 * (np.arange(n_bars) - 280))
    vix[:vix_from] = np.nan
    return replace(panel, indicators=("VIX",), indicator=vix[:, None])


def storm_book(first: int = 250, stages: Mapping[str, Any] | None = None, **panel: int) -> Book:
    sleeves = {
        "defence": Steady({"GLD": 1.0}, role="defensive"),
        "growth": Steady({"SPY": 1.0}, role="cyclical"),
        "rest": Steady({"TLT": 1.0}),
    }
    allocate = {"smoothing": 0.0, "apply_threshold": 0.0, "cap": 1.0, "ramp_start": 1.0, "skill_kappa": 0.0}
    loose: dict[str, Any] = {
        "preset": "book",
        **UNBOUND,
        **UNGOVERNED,
        "vol_target": {"l_max": 20.0},
        "allocate": allocate,
    }
    return run_book(storm(**panel), sleeves, first=first, integrator={**loose, **(stages or {})})


def test_in_a_crisis_a_book_aims_lower_and_leans_to_defensive_sleeves() -> None:
    book = storm_book()
    crisis = book.fact("regime") == s6.CRISIS
    assert crisis.sum() > 10
    c = book.fact("confidence")
    np.testing.assert_allclose(book.fact("sigma_p")[crisis], (0.10 - 0.02 * c)[crisis], rtol=1e-12)
    np.testing.assert_allclose(book.fact("leverage") * book.fact("sigma_ex"), book.fact("sigma_p"), rtol=1e-9)
    lean = book.fact("share.defence") / book.fact("share.growth") / (book.fact("hrp.defence") / book.fact("hrp.growth"))
    expected = np.where(crisis, (1.0 + 0.2 * c) / (1.0 - 0.2 * c), 1.0)
    known = ~np.isnan(lean)
    assert (known & crisis).any()
    np.testing.assert_allclose(lean[known], expected[known], rtol=1e-9)


def test_a_split_of_the_stock_index_is_not_a_crash() -> None:
    whole, split = storm_book(), storm_book(split_at=260)
    np.testing.assert_allclose(split.fact("confidence"), whole.fact("confidence"), rtol=1e-9)
    assert split.fact("regime").tolist() == whole.fact("regime").tolist()


@pytest.mark.parametrize("how", ["switched off", "no VIX"])
def test_a_book_without_the_detector_is_neutral(how: str) -> None:
    off = {"regime": {"enabled": False}} if how == "switched off" else {"regime": {"fear": "VXX"}}
    book = storm_book(stages=off)
    assert not book.fact("regime").any()
    assert (book.fact("sigma_p") == 0.10).all()


def test_the_governor_measures_drawdowns_against_the_target_of_the_decision_before() -> None:
    gentle = {"governor": {"d0": 0.001, "d_hard": 0.9, "flat": 0.95, "warn": 0.9, "throttle": 0.9, "no_new": 0.9,
                           "day_loss": 0.9}}  # fmt: skip
    book = storm_book(stages=gentle)
    sigma, raw = book.fact("sigma_p"), book.fact("drawdown")
    assert len(np.unique(sigma)) > 20
    x = raw[1:] * 0.10 / sigma[:-1]
    expected = np.interp(x, [0.001, 0.9], [1.0, 0.2])
    np.testing.assert_allclose(book.fact("multiplier")[1:], expected, rtol=1e-10)
    assert expected.min() < 0.95
