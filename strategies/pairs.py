"""Pairs: trade the gap of two funds that move together, while a test says that they do."""

from typing import Annotated, ClassVar, NamedTuple

import numpy as np
from pydantic import Field, StringConstraints, model_validator

from plimsoll.engine.kernels.derive import DELIST_SESSIONS
from plimsoll.engine.kernels.estimate import kalman_regression
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.sleeve.strategy import Available, Context, Strategy, StrategyParams
from plimsoll.engine.types import Bools, Floats, Ints, Weights
from plimsoll.strategies import cointegration
from plimsoll.strategies.schedule import Schedule, is_due

PairName = Annotated[str, StringConstraints(pattern=r"^[^/\s]+/[^/\s]+$")]


class State(NamedTuple):
    """P pairs. coefficient, reading (P, 5): regressions and what they wrote last; test (P, 8): the last tests.

    noise, drift (P,): variances of the regressions, NaN before a pair's first test. passed, armed (P,): test passed;
    free to enter. side (P,): +1 long the gap, -1 short, 0 flat. weight (P, 2): as at entry. age, absent (P,): bars
    held, bars without a row of both. limit (P,): bars it may be held. pending (1,): an answer is due.
    """

    coefficient: Floats
    reading: Floats
    test: Floats
    noise: Floats
    drift: Floats
    passed: Bools
    armed: Bools
    side: Floats
    weight: Floats
    age: Ints
    absent: Ints
    limit: Floats
    pending: Bools


class Rules(NamedTuple):
    """What the step needs of the parameters."""

    enter: float
    exit: float
    stop: float
    stop_half_lives: float
    least_beta: float
    most_beta: float
    gross: float  # of one pair


class Pairs(Strategy):
    """Trade the gap between cointegrated funds: short the rich one against the cheap one, out when they agree again.

    Needs a year of total returns; a pair with a missing fund is left out, and without any whole pair the strategy is
    not available. Fails when the link breaks for good: the gap widens until the stop, or the next test.

        test      Engle-Granger on log total-return indices over `test_bars`, 5%, residual half-life within bounds;
                  again on the schedule, and it rules from the next bar on
        gap       y_t = alpha_t + beta_t x_t + noise, coefficients wander with variance delta / (1 - delta) noise;
                  z = predicted surprise / its standard deviation
        enter     |z| > enter and passed;  exit  |z| < exit;  stop  |z| > stop, too long, or the test no longer passes
        weights   +-(1, -beta) scaled to the pair's share of `gross`: neutral to the common move in dollars

    The noise is the residual variance of the last test and the filter starts from its coefficients, so z is in
    deviations of the gap that was tested. A stopped pair waits until |z| < exit before it may enter again. Weights stay
    as they were at entry.

    Source: Engle & Granger (1987); MacKinnon (2010); Gatev, Goetzmann & Rouwenhorst (2006); Chan (2013), Algorithmic
    trading, ch. 3, for the filter; his fixed noise of 1e-3, meant for prices in dollars, can be set as `noise`, but
    on log prices it dwarfs nearly every gap and next to nothing trades. Re-entry rule and bounds of beta are ours.
    """

    class Params(StrategyParams):
        """Pairs as "Y/X", the test, the filter, the rules."""

        pairs: tuple[PairName, ...] = Field(("GLD/SLV", "GDX/GLD", "EWA/EWC", "XLE/USO", "SPY/QQQ"), min_length=1)
        test_bars: int = Field(252, ge=60)
        retest: Schedule = "M"
        least_half_life: float = Field(2.0, ge=0)
        most_half_life: float = Field(40.0, gt=0)
        delta: float = Field(1e-4, ge=0, lt=1)  # how fast the coefficients wander
        noise: float | None = Field(None, gt=0)  # fixed variance of the observation; delta is then absolute
        enter: float = Field(2.0, gt=0)
        exit: float = Field(0.5, ge=0)
        stop: float = Field(4.0, gt=0)
        stop_half_lives: float = Field(3.0, gt=0)
        least_beta: float = Field(0.2, gt=0)
        most_beta: float = Field(5.0, gt=0)
        gross: float = Field(1.0, gt=0, le=2)  # with every pair open

        @model_validator(mode="after")
        def _consistent(self) -> "Pairs.Params":
            for pair in self.pairs:
                y, x = pair.split("/")
                if y == x:
                    raise ValueError(f"{pair} pairs a fund with itself")
            if len(set(self.pairs)) < len(self.pairs):
                raise ValueError("a pair is named twice")
            if not self.exit < self.enter < self.stop:
                raise ValueError("exit < enter < stop is needed")
            if self.least_half_life >= self.most_half_life or self.least_beta >= self.most_beta:
                raise ValueError("a lower bound is not below its upper one")
            return self

    diagnostics: ClassVar[tuple[str, ...]] = ("passed_pairs", "open_pairs", "widest_z")

    def __init__(self, params: StrategyParams | None = None) -> None:
        super().__init__(params)
        self.optional = self.universe

    @property
    def universe(self) -> tuple[str, ...]:
        """Every fund of every pair once, in order of appearance."""
        return tuple(dict.fromkeys(symbol for pair in self.params.pairs for symbol in pair.split("/")))

    @property
    def warmup_bars(self) -> int:
        """Bars until the first test."""
        return int(self.params.test_bars) + 1

    def unavailable(self, data: Available) -> str:
        """Refuse data without a single whole pair."""
        whole = [pair for pair in self.params.pairs if set(pair.split("/")) <= data.symbols]
        return "" if whole else f"no pair of {', '.join(self.params.pairs)} is whole in the data"

    def init(self, n_symbols: int) -> State:
        """Nothing known, nothing held."""
        n, start = len(self.params.pairs), kalman_regression.init(kalman_regression.params(self.params.delta))
        state = State(
            np.tile(start.x, (n, 1)), np.full((n, kalman_regression.COLUMNS), np.nan),
            np.full((n, cointegration.COLUMNS), np.nan), np.empty(n), np.empty(n),
            np.zeros(n, dtype=np.bool_), np.ones(n, dtype=np.bool_), np.zeros(n), np.zeros((n, 2)),
            np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), np.zeros(n), np.zeros(1, dtype=np.bool_),
        )  # fmt: skip
        for k in range(n):
            self._begin(k, state)
        return state

    def _begin(self, pair: int, state: State) -> None:
        """Let a pair wait for its first test: at the start, and where one of its funds comes back as a new one."""
        p = self.params
        noise = np.nan if p.noise is None else p.noise
        state.coefficient[pair] = kalman_regression.init(kalman_regression.params(p.delta)).x
        state.reading[pair], state.test[pair] = np.nan, np.nan
        state.noise[pair], state.drift[pair] = noise, noise / noise * p.delta / (1.0 - p.delta)
        state.passed[pair], state.armed[pair] = False, True

    def on_bar(self, ctx: Context) -> Weights | None:
        """Take in the bar, trade by the last test, test anew on the schedule."""
        p, state, member = self.params, ctx.state, self._members(ctx.symbols)
        rules = Rules(p.enter, p.exit, p.stop, p.stop_half_lives, p.least_beta, p.most_beta, p.gross / len(member))
        for k in np.flatnonzero(ctx.listed_anew[member].any(axis=1)):
            self._begin(int(k), state)
        pairs_step(ctx.past.tr(1)[0], member, rules, state)
        self._note(ctx)
        answer = self._answer(ctx, member)
        if is_due(ctx, p.retest):
            self._test(np.log(ctx.past.tr(p.test_bars)), member, state)
        return answer

    def _members(self, symbols: tuple[str, ...]) -> Ints:
        return np.array([[symbols.index(symbol) for symbol in pair.split("/")] for pair in self.params.pairs])

    def _answer(self, ctx: Context, member: Ints) -> Weights | None:
        """Return the open pairs' weights if something changed; while an open pair has no row the answer waits."""
        state = ctx.state
        is_open = state.side != 0.0
        if not state.pending[0] or (state.absent[is_open] > 0).any():
            return None
        state.pending[0] = False
        w = np.zeros(len(ctx.symbols))
        for pair in np.flatnonzero(is_open):
            w[member[pair]] += state.weight[pair]
        return w

    def _test(self, level: Floats, member: Ints, state: State) -> None:
        p = self.params
        for k, columns in enumerate(member):
            test = state.test[k]
            cointegration.engle_granger(np.ascontiguousarray(level[:, columns]), np.empty(len(level)), test)
            n = test[cointegration.COUNT]
            known = 10.0 * n >= 9.0 * p.test_bars and not np.isnan(test[cointegration.VARIANCE])
            significant = test[cointegration.STATISTIC] <= cointegration.critical_value(n)
            closes = p.least_half_life <= test[cointegration.HALF_LIFE] <= p.most_half_life
            state.passed[k] = known and significant and closes
            if known and p.noise is None:
                calibrate(k, p.delta, state)

    def _note(self, ctx: Context) -> None:
        state = ctx.state
        z = state.reading[state.passed, kalman_regression.SCORE]
        ctx.note("passed_pairs", float(state.passed.sum()))
        ctx.note("open_pairs", float(np.abs(state.side).sum()))
        if not np.isnan(z).all():
            ctx.note("widest_z", z[np.nanargmax(np.abs(z))])


@kernel
def pairs_step(level: Floats, member: Ints, rules: Rules, state: State) -> None:
    """Advance every pair by one bar; mutates state.

    level (K,) total-return indices, NaN where there is no row; member (P, 2) columns of y and x.
    """
    for k in range(member.shape[0]):
        if np.isnan(state.noise[k]):
            continue
        regression = kalman_regression.State(state.coefficient[k])
        filter_ = kalman_regression.Params(state.drift[k], state.noise[k], 1.0)
        y, x = np.log(level[member[k, 0]]), np.log(level[member[k, 1]])
        kalman_regression.step(regression, filter_, y, x, state.reading[k])
        z = state.reading[k, kalman_regression.SCORE]
        beta = state.reading[k, kalman_regression.BETA]
        if np.isnan(z):
            state.absent[k] += 1
            if state.side[k] != 0.0 and state.absent[k] >= DELIST_SESSIONS:
                state.side[k] = 0.0
                state.armed[k] = False
                state.pending[0] = True
            continue
        state.absent[k] = 0
        if state.side[k] != 0.0:
            state.age[k] += 1
            done = abs(z) < rules.exit
            if done or abs(z) > rules.stop or state.age[k] >= state.limit[k] or not state.passed[k]:
                state.side[k] = 0.0
                state.armed[k] = done
                state.pending[0] = True
            continue
        state.armed[k] = state.armed[k] or abs(z) < rules.exit
        wide = rules.enter < abs(z) <= rules.stop
        if wide and state.armed[k] and state.passed[k] and rules.least_beta <= beta <= rules.most_beta:
            state.side[k] = -np.sign(z)
            state.weight[k, 0] = state.side[k] * rules.gross / (1.0 + beta)
            state.weight[k, 1] = -beta * state.weight[k, 0]
            state.age[k] = 0
            state.limit[k] = rules.stop_half_lives * state.test[k, cointegration.HALF_LIFE]
            state.pending[0] = True


def calibrate(k: int, delta: float, state: State) -> None:
    """Set the variances of pair k from its last test; the first time, its coefficients and their covariance too.

    covariance of least squares: s^2 (X'X)^-1 with X = [1, x]. Mutates state.
    """
    _, _, _, _, variance, mean, spread, n = state.test[k]
    if np.isnan(state.noise[k]):
        slope = variance / spread
        alpha, beta = state.test[k, cointegration.ALPHA], state.test[k, cointegration.BETA]
        state.coefficient[k] = alpha, beta, variance / n + mean * mean * slope, -mean * slope, slope
    state.noise[k] = variance
    state.drift[k] = delta / (1.0 - delta) * variance
