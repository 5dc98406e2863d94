"""Stage 5: drawdown, kill tiers, cool-off and way back, against the ruling told again in plain Python."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support.book_run import UNBOUND, Book, Steady, build_book, run_book, walk_panel
from support.panels import make_panel

from plimsoll.engine.config.stages import GovernorSection
from plimsoll.engine.execution.broker import Account
from plimsoll.engine.portfolio.integrator import Mark
from plimsoll.engine.portfolio.stages import s5_governor as s5
from plimsoll.engine.types import Bools, Floats

RAW = s5.Params(
    d0=0.05, d_hard=0.12, m_min=0.2, flat=0.15, cooloff_sessions=20, reentry_sessions=40, day_loss=0.03,
    day_reentry_sessions=10, sigma_ref=0.10, vol_adjusted=False, warn=0.05, throttle=0.10, throttle_to=0.5, no_new=0.12,
    product=False,
)  # fmt: skip
PLAIN = RAW._replace(throttle_to=1.0)  # the taper alone
ADJUSTED = PLAIN._replace(vol_adjusted=True)


def run(navs: list[float], p: s5.Params = RAW, sigma: float = 0.10) -> list[dict[str, float]]:
    """What each close calls for."""
    memory, seen = s5.init(), []
    for nav in navs:
        s5.observe(nav, sigma, p, memory)
        seen.append(
            {
                "m": memory[s5.MULTIPLIER],
                "tier": memory[s5.TIER],
                "flat": memory[s5.FLAT],
                "raw": memory[s5.DRAWDOWN],
                "peak": memory[s5.PEAK],
            }
        )
    return seen


def slide(to: float, steps: int = 12) -> list[float]:
    """A fall from 1 to `to` slow enough not to be a day loss."""
    return list(np.linspace(1.0, to, steps))


# ------------------------------------------------------------------------------------------------------------ the taper
@pytest.mark.parametrize(
    ("drawdown", "m"),
    [(0.0, 1.0), (0.05, 1.0), (0.06, 0.8857), (0.085, 0.6), (0.10, 0.4286), (0.12, 0.2), (0.14, 0.2), (0.15, 0.0)],
)
def test_the_multiplier_at_the_tabled_drawdowns(drawdown: float, m: float) -> None:
    assert run(slide(1.0 - drawdown), PLAIN)[-1]["m"] == pytest.approx(m, abs=5e-5)


@given(st.floats(0.0, 0.1499), st.floats(0.0, 0.1499))
def test_the_taper_is_continuous_never_rises_and_stays_within_its_ends(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    assert 0.2 <= s5.taper(high, PLAIN) <= s5.taper(low, PLAIN) <= 1.0
    assert s5.taper(low, PLAIN) - s5.taper(high, PLAIN) <= (high - low) * 0.8 / 0.07 + 1e-12


def test_there_is_one_jump_and_it_is_at_the_hard_limit() -> None:
    assert run(slide(1.0 - 0.149999), PLAIN)[-1]["m"] == 0.2
    assert run(slide(1.0 - 0.150001), PLAIN)[-1]["m"] == 0.0


@pytest.mark.parametrize(("sigma", "begins", "ends"), [(0.08, 0.040, 0.096), (0.10, 0.05, 0.12), (0.12, 0.060, 0.144)])
def test_thresholds_are_in_units_of_the_volatility_aimed_at(sigma: float, begins: float, ends: float) -> None:
    def m(drawdown: float) -> float:
        return run(slide(1.0 - drawdown, 20), ADJUSTED, sigma)[-1]["m"]

    assert m(begins - 1e-6) == 1.0
    assert m(begins + 1e-4) < 1.0
    assert m(ends - 1e-4) > 0.2
    assert m(ends + 1e-6) == pytest.approx(0.2, abs=1e-12)
    assert m(0.1501) == 0.0  # the hard limit stays raw


@pytest.mark.parametrize(
    ("drawdown", "tier"),
    [(0.049, "normal"), (0.051, "warn"), (0.101, "throttle"), (0.121, "no_new"), (0.151, "flatten")],
)
def test_tiers_go_by_raw_drawdown(drawdown: float, tier: str) -> None:
    assert s5.TIERS[int(run(slide(1.0 - drawdown), RAW, 0.12)[-1]["tier"])] == tier


@pytest.mark.parametrize("drawdown", [0.03, 0.07, 0.11, 0.13])
def test_governor_and_throttle_do_not_count_one_drawdown_twice_unless_asked_to(drawdown: float) -> None:
    brake = 0.5 if drawdown >= 0.10 else 1.0
    smooth = s5.taper(drawdown, RAW)
    assert run(slide(1.0 - drawdown), RAW)[-1]["m"] == pytest.approx(min(smooth, brake), rel=1e-9)
    product = run(slide(1.0 - drawdown), RAW._replace(product=True))[-1]["m"]
    assert product == pytest.approx(smooth * brake, rel=1e-9)
    assert product <= run(slide(1.0 - drawdown), RAW)[-1]["m"]


# ------------------------------------------------------------------------------------- flat, cool-off, the way back
def test_flat_at_the_decision_that_sees_the_limit_and_the_twenty_after_it_then_back_over_forty() -> None:
    down = slide(0.84)
    seen = run([*down, *[0.84] * 70], PLAIN)
    breach = next(k for k, row in enumerate(seen) if row["raw"] >= 0.15)
    assert all(row["m"] == 0.0 and row["tier"] == s5.FLATTEN for row in seen[breach : breach + 21])
    back = [row["m"] for row in seen[breach + 21 :]]
    assert back[0] == 0.2
    expected = [min(0.2 + 0.8 * k / 40.0, 1.0) for k in range(len(back))]
    assert back == pytest.approx(expected)
    assert back[40] == 1.0


def test_it_does_come_back_where_the_seeds_rule_would_stay_out_for_good() -> None:
    navs = [*slide(0.84), *[0.84] * 200]
    seen = run(navs, PLAIN)
    forever = 1.0 - np.array(navs) / np.maximum.accumulate(navs) >= 0.15
    assert forever[-1]  # a flat account cannot make its drawdown good
    assert seen[-1]["m"] == 1.0


def test_the_mark_to_measure_from_is_that_of_the_last_flat_close_for_governor_tiers_and_limit() -> None:
    down = slide(0.84)
    waiting = [0.84 - 0.001 * k for k in range(1, 21)]  # fees, say
    low = waiting[-1]
    seen = run([*down, *waiting, low, low * 0.985, low * 0.97, low * 0.955, low * 0.93, low * 0.91], PLAIN)
    breach = next(k for k, row in enumerate(seen) if row["raw"] >= 0.15)
    assert seen[breach + 20]["peak"] == pytest.approx(low)
    assert seen[breach + 21]["raw"] == 0.0
    assert s5.TIERS[int(seen[-1]["tier"])] == "warn"
    assert seen[-1]["raw"] == pytest.approx(0.09)
    again = run([*down, *waiting, *list(low * np.linspace(1.0, 0.84, 12))], PLAIN)
    assert again[-1]["flat"] == 1.0


def test_no_cool_off_is_one_flat_decision() -> None:
    seen = run([*slide(0.84), 0.84, 0.84], PLAIN._replace(cooloff_sessions=0))
    breach = next(k for k, row in enumerate(seen) if row["flat"])
    assert [row["m"] for row in seen[breach : breach + 2]] == [0.0, pytest.approx(0.2)]


def test_a_day_loss_is_flat_for_one_decision_keeps_the_mark_and_comes_back_over_ten() -> None:
    seen = run([1.0, 1.01, 1.01 * 0.969, *[1.01 * 0.969] * 14], PLAIN)
    assert seen[2]["m"] == 0.0
    assert s5.TIERS[int(seen[2]["tier"])] == "flatten"
    assert [row["m"] for row in seen[3:14]] == pytest.approx([0.2 + 0.08 * k for k in range(11)])
    assert seen[-1]["m"] == 1.0
    assert all(row["peak"] == 1.01 for row in seen[1:])
    assert seen[-1]["raw"] == pytest.approx(0.031)


@pytest.mark.parametrize(("fall", "flat"), [(0.0299, False), (0.03001, True)])
def test_the_breaker_trips_at_three_per_cent_of_one_close_to_close(fall: float, flat: bool) -> None:
    assert bool(run([1.0, 1.0 - fall])[-1]["flat"]) is flat
    two_days = run([1.0, 1.0 - 0.02, 1.0 - 0.04])
    assert not any(row["flat"] for row in two_days)


def test_a_second_day_loss_starts_the_way_back_again() -> None:
    navs = [1.0, 0.965, *[0.965] * 4, 0.93, *[0.93] * 4]
    seen = run(navs, PLAIN._replace(d0=0.3, d_hard=0.4, flat=0.5, warn=0.3, throttle=0.3, no_new=0.3))
    assert [row["m"] for row in seen[6:9]] == pytest.approx([0.0, 0.2, 0.28])


class Told:
    """The ruling as a story: what is due at each close, kept in words rather than slots."""

    def __init__(self, p: s5.Params) -> None:
        self.p = p
        self.high = self.last = 0.0
        self.flat_left = 0
        self.since: dict[str, int] = {}

    def close(self, nav: float, sigma: float) -> tuple[float, str]:
        p = self.p
        self.last = self.last or nav
        day, self.last = nav / self.last - 1.0, nav
        self.high = max(self.high, nav)
        raw = 1.0 - nav / self.high
        if self.flat_left:
            self.flat_left -= 1
            if not self.flat_left:
                self.high, self.since = nav, {"hard": 0}
            return 0.0, "flatten"
        if raw >= p.flat:
            self.flat_left, self.since = p.cooloff_sessions, {}
            return 0.0, "flatten"
        if day <= -p.day_loss:
            self.since["day"] = 0
            return 0.0, "flatten"
        x = raw * 0.10 / sigma if p.vol_adjusted else raw
        m = float(np.interp(x, [p.d0, p.d_hard], [1.0, p.m_min]))
        names = ["normal", "warn", "throttle", "no_new"]
        tier = names[int(raw >= p.warn) + int(raw >= p.throttle) + int(raw >= p.no_new)]
        m = min(m, p.throttle_to) if raw >= p.throttle else m
        for kind, span in (("hard", p.reentry_sessions), ("day", p.day_reentry_sessions)):
            if kind in self.since:
                m = min(m, p.m_min + (1.0 - p.m_min) * self.since[kind] / span)
                self.since[kind] += 1
        return m, tier


@given(st.integers(0, 2**32 - 1), st.floats(0.004, 0.03), st.booleans())
@settings(max_examples=120)
def test_any_path_is_governed_as_the_ruling_tells_it(seed: int, daily: float, adjusted: bool) -> None:
    rng = np.random.default_rng(seed)
    p = RAW._replace(vol_adjusted=adjusted)
    told, memory = Told(p), s5.init()
    for nav in np.cumprod(1.0 + rng.normal(-0.0005, daily, 250)):
        sigma = float(rng.uniform(0.08, 0.12))
        s5.observe(nav, sigma, p, memory)
        m, tier = told.close(float(nav), sigma)
        assert memory[s5.MULTIPLIER] == pytest.approx(m, abs=1e-12)
        assert s5.TIERS[int(memory[s5.TIER])] == tier


# --------------------------------------------------------------------------------------------------------- what it does
vectors = arrays(np.float64, 5, elements=st.floats(-1.0, 1.0))


@given(vectors, vectors, st.floats(0.0, 1.0), st.sampled_from(range(5)))
def test_the_overlay_never_raises_a_weight_or_changes_its_side(w: Floats, held: Floats, m: float, tier: int) -> None:
    memory, out = s5.init(), w.copy()
    memory[[s5.MULTIPLIER, s5.TIER]] = m, tier
    s5.apply(memory[s5.MULTIPLIER], memory[s5.TIER], held, out)
    assert (np.abs(out) <= np.abs(w)).all()
    assert (out * w >= 0.0).all()
    for i in range(5):
        if tier != s5.NO_NEW:
            assert out[i] == w[i] * m
        elif w[i] * m * held[i] <= 0.0:
            assert out[i] == 0.0  # a change of side becomes an exit
        else:
            assert abs(out[i]) == min(abs(w[i] * m), abs(held[i]))


def crash_book(day: float, at: int = 120, n_bars: int = 300, **sections: object) -> Book:
    """Two calm symbols, fully held; from `at` on both fall by `day` a session until the book has left them."""
    closes = np.full((n_bars, 2), 100.0)
    wiggle = np.where(np.arange(n_bars)[:, None] % 2 == 0, [1.0, 1.001], [1.004, 0.997])
    fall = np.ones(n_bars)
    fall[at : at + 12] = 1.0 + day
    closes = closes * np.cumprod(fall)[:, None] * wiggle
    panel = make_panel(closes, closes.copy(), symbols=("AAA", "BBB"))
    sleeves = {"a": Steady({"AAA": 1.0}), "b": Steady({"BBB": 1.0})}
    stages = {"preset": "book", **UNBOUND, "vol_target": {"l_max": 2.0, "half_life_sessions": 1e6}}
    stages["normalize"] = {"half_life_sessions": 1e6}
    return run_book(panel, sleeves, first=100, integrator={**stages, **sections})


def test_a_book_in_a_crash_is_flattened_waits_and_comes_back() -> None:
    book = crash_book(-0.025, governor={"day_loss": 0.5})
    m, tier = book.fact("multiplier"), book.fact("tier")
    out = np.flatnonzero(tier == s5.FLATTEN)
    assert len(out) == 21
    assert (np.diff(out) == 1).all()
    assert not book.targets[out].any()
    assert m[out[-1] + 1] == pytest.approx(0.2)
    assert book.targets[out[-1] + 1].any()
    assert m[-1] == 1.0
    assert book.equity["drawdown"].iloc[-1] < -0.10  # what is reported knows the true high


def test_a_day_loss_in_a_book_sells_everything_at_the_next_open_and_only_once() -> None:
    book = crash_book(-0.06, n_bars=160)
    flat = np.flatnonzero(book.fact("tier") == s5.FLATTEN)
    held = book.result.weights.to_numpy()  # after the fill of each decision but the last
    assert not held[flat[0]].any()
    assert held[flat[0] - 1].any()


def fallen(m: Floats) -> Bools:
    """At which decisions m is more than 0.005 below what was last sent, or a higher m since; told from the ruling."""
    sent, found = 1.0, []
    for now in m.tolist():
        found.append(sent - now > 0.005)
        if found[-1] or now > sent:
            sent = now
    return np.array(found)


@given(st.lists(st.floats(-0.02, 0.02), min_size=1, max_size=60))
@settings(max_examples=100)
def test_a_fall_of_m_counts_from_what_was_last_sent_and_small_ones_add_up(days: list[float]) -> None:
    memory, m, seen = s5.init(), [], []
    for nav in np.cumprod(1.0 + np.array(days)).tolist():
        s5.observe(nav, 0.10, RAW, memory)
        m.append(memory[s5.MULTIPLIER])
        seen.append(s5.has_fallen(memory, m[-1]))
    assert seen == fallen(np.array(m)).tolist()


def test_a_slow_slide_is_sent_every_time_that_half_a_percent_of_m_has_come_together() -> None:
    m = np.array([1.0, 0.997, 0.994, 0.991, 0.9895, 0.988, 0.9885, 0.984, 0.983])
    assert fallen(m).tolist() == [False, False, True, False, False, True, False, False, True]
    memory, calm = s5.init(), PLAIN._replace(day_loss=0.5)
    s5.observe(1.0, 0.10, calm, memory)
    for now, expected in zip(m.tolist(), fallen(m).tolist(), strict=True):
        s5.observe(0.95 - (1.0 - now) * 0.07 / 0.8, 0.10, calm, memory)  # the drawdown at which the taper is `now`
        assert s5.has_fallen(memory, memory[s5.MULTIPLIER]) == expected


@pytest.mark.parametrize("lift", ["falling", "below_one"])
def test_reductions_go_through_inside_the_band_where_m_falls_or_to_the_letter_all_the_while_it_is_below_one(
    lift: str,
) -> None:
    panel = walk_panel(6, ("AAA", "BBB", "CCC"), (0.10, 0.12, 0.14), 400, drift=-0.05)
    sleeves = {n: Steady({n: 1.0}) for n in panel.symbols}
    stages = {"preset": "book", **UNBOUND, "governor": {"d0": 1e-6, "d_hard": 0.9, "flat": 0.95, "warn": 0.9,
              "throttle": 0.9, "no_new": 0.9, "day_loss": 0.9}, "turnover": {"band": 0.05, "lift": lift}}  # fmt: skip
    book = run_book(panel, sleeves, first=120, integrator=stages)
    m = book.fact("multiplier")
    lifted = fallen(m) if lift == "falling" else m < 1.0
    held = np.vstack((np.zeros(book.targets.shape[1]), book.result.weights.to_numpy()[: len(m) - 1]))
    less = np.abs(held) - np.abs(book.targets)
    reduces = (less > 1e-12) & (less <= 0.05)
    traded = np.array([decision.target.trade for decision in book.decisions])
    assert (reduces & lifted[:, None]).sum() > 5
    assert traded[reduces & lifted[:, None]].all()
    assert not traded[reduces & ~lifted[:, None]].any()
    assert lift == "below_one" or (reduces & (m < 1.0)[:, None] & ~lifted[:, None]).sum() > 20
    grows = (less < -1e-12) & (less >= -0.05) & (held != 0.0)
    assert grows.sum() > 10
    assert not traded[grows].any()


@pytest.mark.parametrize(("adopt", "trades"), [(False, False), (True, True)])
def test_an_account_that_missed_decisions_is_brought_down_to_m_at_once(adopt: bool, trades: bool) -> None:
    panel = walk_panel(6, ("AAA", "BBB"), (0.10, 0.10), 160)
    sleeves = {n: Steady({n: 1.0}) for n in panel.symbols}
    setup = build_book(panel, sleeves, first=120, integrator={"preset": "book", **UNBOUND, "turnover": {"band": 0.5}})
    for t in range(160):  # m fell to 0.89 twenty sessions ago: others have sent that long since
        nav = 1.0 if t < 140 else 0.94
        setup.system.observe(t, Mark(250_000.0 * nav, nav) if t >= 119 else None)
    n = setup.panel.n_symbols
    flat = Account(250_000.0, 250_000.0, 0.0, np.zeros(n), np.zeros(n))
    target = setup.system.decide(flat).target.weights
    value = np.where(target > 0.0, (target + 0.01) * 250_000.0, 0.0)
    holds = Account(250_000.0 - value.sum(), 250_000.0, 0.0, value / 100.0, value)
    decision = setup.system.decide(holds, adopt=adopt)
    assert decision.target.trade[target > 0.0].tolist() == [trades, trades]


def test_the_governor_reads_a_time_weighted_index_that_deposits_and_withdrawals_leave_alone(tmp_path: Path) -> None:
    panel = walk_panel(7, ("AAA", "BBB"), (0.15, 0.2), 260, drift=-0.3)
    sleeves = {"a": Steady({"AAA": 1.0}), "b": Steady({"BBB": 1.0})}
    file = tmp_path / "flows.csv"
    session = panel.clock.session
    file.write_text(f"date,amount\n{session[140]},150000\n{session[141]},-120000\n")
    still = run_book(panel, sleeves, first=110, integrator={"preset": "book", **UNBOUND})
    moved = run_book(panel, sleeves, first=110, integrator={"preset": "book", **UNBOUND}, account={"flows": str(file)})
    assert still.fact("multiplier").min() < 1.0
    # on the flow's own day what was bought before is a different fraction of the account
    before = still.bars < 140
    np.testing.assert_allclose(moved.fact("drawdown")[before], still.fact("drawdown")[before], atol=1e-12)
    jump = np.abs(moved.fact("drawdown") - still.fact("drawdown"))
    assert jump.max() < 0.01
    assert (np.diff(moved.equity["flow"].to_numpy()) != 0.0).any()


def test_the_settings_of_the_section_are_those_tested_here() -> None:
    d = GovernorSection()
    assert (d.d0, d.d_hard, d.m_min, d.flat, d.cooloff_sessions, d.reentry_sessions) == RAW[:6]
    assert (d.day_loss, d.day_reentry_sessions, d.warn, d.throttle, d.throttle_to, d.no_new) == (*RAW[6:8], *RAW[10:14])
    assert d.vol_adjusted
    assert d.combine == "min"
