"""The workloads of scripts/bench: seeded inputs, our engine on them, a single-purpose loop as the floor beside it."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.kernels.account.track import Answers, Notional, answer, answer_of
from plimsoll.engine.kernels.estimate import kalman_level
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.market.panel import BarClock, Panel
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.sleeve.scan import BlockScan, Scan
from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Bools, Floats, Weights
from plimsoll.strategies.inverse_vol import InverseVol
from plimsoll.strategies.regime_risk_parity import RegimeRiskParity

FLAT = {"preset": "flat", "flat_bps": 5.0}
KALMAN = kalman_level.params(q_level=0.01, q_slope=0.0001, noise=50.0)


class LongFlatState(NamedTuple):
    """filter (5,) of the Kalman filter, out (2,) its level and slope, held (1,) what is held."""

    filter: Floats
    out: Floats
    held: Floats


class KalmanLongFlat(Strategy):
    """Long while a level-and-slope Kalman filter sees a rising slope, else flat; answers when that changes."""

    class Params(StrategyParams):
        """Noise of the filter."""

        q_level: float = KALMAN.q_level
        q_slope: float = KALMAN.q_slope
        noise: float = KALMAN.noise

    universe = ("AAA",)

    def __init__(self, params: StrategyParams | None = None) -> None:
        super().__init__(params)
        p = self.params
        self.filter = kalman_level.params(q_level=p.q_level, q_slope=p.q_slope, noise=p.noise)

    def init(self, n_symbols: int) -> LongFlatState:
        """An empty filter, nothing held."""
        return LongFlatState(kalman_level.init().x, np.full(2, np.nan), np.zeros(n_symbols))

    def on_bar(self, ctx: Context) -> Weights | None:
        """Feed one close."""
        state: LongFlatState = ctx.state
        return state.held if long_flat(state, self.filter, ctx.past.close()[0, 0]) else None

    def scan(self, run: Scan) -> None:
        """Feed all of them."""
        long_flat_scan(run.close, self.filter, run.state, run.notional)

    @classmethod
    def scan_block(cls, settings: Sequence["KalmanLongFlat"], run: BlockScan) -> None:
        """Feed all of them to many filters."""
        params = np.array([setting.filter for setting in settings]).T.copy()
        state = np.full((kalman_level.STATE_SIZE, len(settings)), np.nan)
        long_flat_block(run.close, params, state, np.zeros((len(settings), 1)), run.answers)


@kernel
def long_flat(state: LongFlatState, p: kalman_level.Params, close: float) -> bool:
    """Advance the filter; True where what is held, `state.held`, changes."""
    kalman_level.step(kalman_level.State(state.filter), p, close, state.out)
    want = 1.0 if state.out[1] > 0.0 else 0.0
    moved = want != state.held[0]
    state.held[0] = want
    return moved


@kernel
def long_flat_scan(close: Floats, p: kalman_level.Params, state: LongFlatState, notional: Notional) -> None:
    """Run `long_flat` over all bars."""
    for t in range(close.shape[0]):
        if long_flat(state, p, close[t, 0]) and not answer(t, state.held, notional):
            return


@kernel
def long_flat_block(close: Floats, params: Floats, x: Floats, held: Floats, answers: Answers) -> None:
    """Run `long_flat` over all bars for B settings: params (3, B), x (5, B) as in the filter, held (B, 1)."""
    for t in range(close.shape[0]):
        kalman_level.block_step(x, params, close[t, 0])
        for b in range(held.shape[0]):
            want = 1.0 if x[kalman_level.SLOPE, b] > 0.0 else 0.0
            if want != held[b, 0]:
                held[b, 0] = want
                answer_of(b, t, held[b], answers)


class WalkState(NamedTuple):
    """walk (rows, K) the weights of every session, over and over."""

    walk: Floats


def random_panel(clock: BarClock, n_symbols: int, seed: int, vol: float) -> Panel:
    """Return random walks with gaps between close and open; high and low are the extremes of the two."""
    rng = np.random.default_rng(seed)
    shape = (len(clock), n_symbols)
    block = np.zeros((5, *shape))  # dividends stay untouched zeros
    np.exp(np.cumsum(rng.normal(0.0, vol, shape), axis=0), out=block[1])
    block[1] *= 100.0
    np.exp(rng.normal(0.0, vol / 3.0, shape), out=block[0])
    block[0] *= block[1]
    block[2], block[4] = 1e9, 1.0
    symbols = ("AAA",) if n_symbols == 1 else tuple(f"S{i:03d}" for i in range(n_symbols))
    return Panel(clock, symbols, block, block[1], block[1])


def w1() -> tuple[Config, Panel]:
    """Level-61: 8 assets, 4,000 sessions."""
    clock = build_clock(date(2009, 1, 2), date(2024, 11, 22), "1d")
    panel = random_panel(cut(clock, 4000), 8, 1, 0.01)
    first = str(panel.clock.session[61 + int(np.argmax(panel.clock.month_last[60:]))])
    symbols = list(panel.symbols)
    params = {"risky": symbols[:5], "defensive": symbols[5:], "min_obs": 60}
    return configured("w1", "plimsoll.strategies.regime_risk_parity:RegimeRiskParity", params, first), panel


def w2() -> tuple[Config, Panel]:
    """Kalman long/flat: one asset, a million minute bars."""
    clock = build_clock(date(2009, 1, 2), date(2019, 6, 28), "1min")
    return configured("w2", "workloads:KalmanLongFlat", {}, None), random_panel(cut(clock, 1_000_000), 1, 2, 0.0005)


def w3() -> tuple[Config, Panel]:
    """Inverse volatility every 21 sessions: 500 assets, 5,040 sessions."""
    clock = build_clock(date(2004, 1, 2), date(2024, 1, 12), "1d")
    panel = random_panel(cut(clock, 5040), 500, 3, 0.01)
    params = {"symbols": list(panel.symbols), "lookback_bars": 60, "rebalance": "21"}
    return configured("w3", "plimsoll.strategies.inverse_vol:InverseVol", params, str(panel.clock.session[64])), panel


def configured(name: str, strategy: str, params: dict[str, object], start: str | None) -> Config:
    """Return the settings all workloads share: 5 bps of traded notional, sized at the close, filled at the next open.

    No order is too small, as for a floor and a peer.
    `start` is the session after the first rebalance with a full window, where the floors start too.
    """
    run = {"name": name, "cash": 1e6} | ({"start": start} if start else {})
    sleeve = {"name": name, "strategy": strategy, "params": params}
    shared = {"costs": FLAT, "financing": {"margin_spread_bps": 0.0}, "execution": {"min_notional": 0.0}}
    return load_config({"run": run, "sleeve": [sleeve], **shared})


def cut(clock: BarClock, n: int) -> BarClock:
    """Return the first n bars of a clock."""
    arrays = [getattr(clock, name)[:n] for name in BarClock.__slots__[:8]]
    return BarClock(*arrays, bars_per_session=clock.bars_per_session, interval=clock.interval)


OURS: dict[str, tuple[Callable[[], tuple[Config, Panel]], type[Strategy]]] = {
    "W1": (w1, RegimeRiskParity),
    "W2": (w2, KalmanLongFlat),
    "W3": (w3, InverseVol),
}


def run_on_bar(config: Config, panel: Panel, cls: type[Strategy]) -> Setup:
    """Build and run: everything but reading files and writing the run folder."""
    strategy = cls(cls.Params.model_validate(config.sleeve[0].params))
    setup = build(config, panel, make_strategies(config, {config.sleeve[0].name: strategy}))
    run_loop(setup)
    return setup


@kernel
def floor_rebalance(
    open_: Floats,
    close: Floats,
    due: Bools,
    lookback: int,
    level61: bool,
    weights: Floats,
    shares: Floats,
    equity: Floats,
) -> None:
    """The least work that gives W1's and W3's equity: windows, weights, fills at the next open, marks."""
    cash, pending = 1e6, False
    for t in range(close.shape[0]):
        if pending:
            for i in range(close.shape[1]):
                cash -= weights[i] * open_[t, i] + abs(weights[i]) * open_[t, i] * 0.0005
                shares[i] += weights[i]
            pending = False
        total = cash
        for i in range(close.shape[1]):
            total += shares[i] * close[t, i]
        equity[t] = total
        if due[t] and t >= lookback:
            floor_weights(t, close, lookback, level61, weights)
            for i in range(close.shape[1]):
                weights[i] = weights[i] * total / close[t, i] - shares[i]
            pending = True


@kernel
def floor_weights(t: int, close: Floats, lookback: int, level61: bool, weights: Floats) -> None:
    """Inverse volatility over the window; scaled to 10% volatility, at most 2x, for Level-61."""
    total = 0.0
    for i in range(close.shape[1]):
        s, q = 0.0, 0.0
        for k in range(t - lookback + 1, t + 1):
            r = close[k, i] / close[k - 1, i] - 1.0
            s += r
            q += r * r
        weights[i] = 1.0 / np.sqrt((q - s * s / lookback) / (lookback - 1))
        total += weights[i]
    for i in range(close.shape[1]):
        weights[i] /= total
    if level61:
        s, q, growth = 0.0, 0.0, 1.0
        for k in range(t - lookback + 1, t + 1):
            r = 0.0
            for i in range(5):
                r += (close[k, i] / close[k - 1, i] - 1.0) / 5.0
            s += r
            q += r * r
            growth *= 1.0 + r
        if np.sqrt(252.0 * (q - s * s / lookback) / (lookback - 1)) > 0.25 or growth < 0.90:
            freed, safe = 0.0, 0.0
            for i in range(close.shape[1]):
                if i < 5:
                    weights[i] *= 0.5
                    freed += weights[i]
                else:
                    safe += weights[i]
            for i in range(5, close.shape[1]):
                weights[i] *= (safe + freed) / safe
        s, q = 0.0, 0.0
        for k in range(t - lookback + 1, t + 1):
            r = 0.0
            for i in range(close.shape[1]):
                r += weights[i] * (close[k, i] / close[k - 1, i] - 1.0)
            s += r
            q += r * r
        scale = min(2.0, 0.10 / np.sqrt(252.0 * (q - s * s / lookback) / (lookback - 1)))
        for i in range(close.shape[1]):
            weights[i] *= scale


@kernel
def floor_kalman(open_: Floats, close: Floats, q0: float, q1: float, noise: float, equity: Floats) -> None:
    """The least work that gives W2's equity."""
    x0, x1, p00, p01, p11 = close[0], 0.0, 1.0, 0.0, 1.0
    cash, shares, want, order = 1e6, 0.0, 0.0, 0.0
    for t in range(close.shape[0]):
        if order != 0.0:
            cash -= order * open_[t] + abs(order) * open_[t] * 0.0005
            shares += order
            order = 0.0
        equity[t] = cash + shares * close[t]
        if t == 0:
            continue
        m00, m01, m11 = p00 + 2.0 * p01 + p11 + q0, p01 + p11, p11 + q1
        k0, k1 = m00 / (m00 + noise), m01 / (m00 + noise)
        nu = close[t] - x0 - x1
        x0, x1 = x0 + x1 + k0 * nu, x1 + k1 * nu
        p00, p01, p11 = (1.0 - k0) * m00, (1.0 - k0) * m01, m11 - k1 * m01
        wish = 1.0 if x1 > 0.0 else 0.0
        if wish != want:
            want = wish
            order = equity[t] / close[t] if wish == 1.0 else -shares


def floor(work: str, panel: Panel) -> Callable[[], Floats]:
    """Lay out the inputs of a workload's floor and return what runs it, once a call, to its equity."""
    if work.startswith("W2"):
        known = ~np.isnan(panel.close[:, 0])  # the real minutes have bars without a trade
        open_, close = (np.ascontiguousarray(panel.block[k, known, 0]) for k in (0, 1))

        def kalman() -> Floats:
            equity = np.empty(len(close))
            floor_kalman(open_, close, KALMAN.q_level, KALMAN.q_slope, KALMAN.noise, equity)
            return equity

        return kalman
    due = panel.clock.month_last if work == "W1" else panel.clock.session_index % 21 == 0

    def rebalance() -> Floats:
        equity, scratch = np.empty(panel.n_bars), np.zeros((2, panel.n_symbols))
        floor_rebalance(panel.open, panel.close, due, 60, work == "W1", scratch[0], scratch[1], equity)
        return equity

    return rebalance


class RandomWalkSleeve(Strategy):
    """Targets that walk: every symbol's weight moves a little each session (for timing a book, not for trading)."""

    class Params(StrategyParams):
        """Which walk."""

        seed: int = 0
        symbols: tuple[str, ...] = ()
        rows: int = 4096

    @property
    def universe(self) -> tuple[str, ...]:
        """All symbols of the workload."""
        symbols: tuple[str, ...] = self.params.symbols
        return symbols

    def init(self, n_symbols: int) -> WalkState:
        """The whole walk, drawn once."""
        rng = np.random.default_rng(self.params.seed)
        steps = rng.normal(0.0, 0.01, (self.params.rows, n_symbols))
        return WalkState(np.clip(np.cumsum(steps, axis=0) + rng.uniform(0.0, 0.2, n_symbols), -0.2, 0.5))

    def on_bar(self, ctx: Context) -> Weights | None:
        """Answer today's row."""
        row: Weights = ctx.state.walk[ctx.bar_index % len(ctx.state.walk)]
        return row

    def scan(self, run: Scan) -> None:
        """Answer every row."""
        walk_scan(run.state.walk, run.notional)


@kernel
def walk_scan(walk: Floats, notional: Notional) -> None:
    """Answer every bar's row."""
    for t in range(notional.answered.shape[0]):
        if not answer(t, walk[t % walk.shape[0]], notional):
            return


def book() -> tuple[Config, Panel]:
    """Eight sleeves, 30 assets, 4,000 sessions, all nine stages at their defaults."""
    clock = build_clock(date(2009, 1, 2), date(2024, 11, 22), "1d")
    return book_of(random_panel(cut(clock, 4000), 30, 4, 0.01), 8)


def book_of(panel: Panel, sleeves: int, rows: int = 4096) -> tuple[Config, Panel]:
    """Return a book of that many sleeves over all assets of a panel; rows : of each walk, then it begins anew."""
    shared = {"symbols": list(panel.symbols), "rows": rows}
    sleeve = [
        {"name": f"walk{k}", "strategy": "workloads:RandomWalkSleeve", "params": {"seed": k, **shared}}
        for k in range(sleeves)
    ]
    run = {"name": "book", "cash": 2.5e5}
    return load_config({"run": run, "sleeve": sleeve, "costs": FLAT, "integrator": {"preset": "book"}}), panel


def run_book(config: Config, panel: Panel) -> Setup:
    """Build and run a book."""
    setup = build(config, panel, make_strategies(config))
    run_loop(setup)
    return setup
