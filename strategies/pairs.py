"""Pairs: trade the gap of two funds that move together, while a test says that they do."""

from typing import Annotated, ClassVar, NamedTuple

import numpy as np
from pydantic import Field, StringConstraints, model_validator

from plimsoll.engine.kernels.account.track import Notional, answer, last_rows
from plimsoll.engine.kernels.derive import DELIST_SESSIONS
from plimsoll.engine.kernels.estimate import kalman_regression
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Available, Context, Strategy, StrategyParams
from plimsoll.engine.types import Bools, Floats, Ints, Weights
from plimsoll.strategies import cointegration
from plimsoll.strategies.schedule import Schedule, due_bars, is_due

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
    """What the kernels need of the parameters."""

    enter: float
    exit: float
    stop: float
    stop_half_lives: float
    least_beta: float
    most_beta: float
    gross: float  # of one pair
    test_bars: int
    least_half_life: float
    most_half_life: float
    delta: float
    noise: float  # NaN = that of the last test


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
        n, p = len(self.params.pairs), self.params
        start = kalman_regression.init(kalman_regression.params(p.delta))
        noise = np.nan if p.noise is None else p.noise
        drift_ = noise / noise * p.delta / (1.0 - p.delta)
        return State(
            np.tile(start.x, (n, 1)), np.full((n, kalman_regression.COLUMNS), np.nan),
            np.full((n, cointegration.COLUMNS), np.nan), np.full(n, noise), np.full(n, drift_),
            np.zeros(n, dtype=np.bool_), np.ones(n, dtype=np.bool_), np.zeros(n), np.zeros((n, 2)),
            np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), np.zeros(n), np.zeros(1, dtype=np.bool_),
        )  # fmt: skip

    def on_bar(self, ctx: Context) -> Weights | None:
        """Take in the bar, trade by the last test, test anew on the schedule."""
        p, state, member = self.params, ctx.state, self._members(ctx.symbols)
        rules, note, w = self.rules, np.empty(len(self.diagnostics)), np.empty(len(ctx.symbols))
        answers = step(ctx.past.tr(1)[0], ctx.listed_anew, member, rules, state, note, w)
        for name, value in zip(self.diagnostics, note, strict=True):
            ctx.note(name, value)
        if is_due(ctx, p.retest):
            test(np.log(ctx.past.tr(p.test_bars)), member, rules, state)
        return w if answers else None

    def scan(self, run: Scan) -> None:
        """Run through the whole span."""
        scan(
            run.tr, np.log(run.tr), run.listed_anew, due_bars(run.clock, self.params.retest),
            self._members(run.symbols), self.rules, run.state, run.notes, run.notional,
        )  # fmt: skip

    def _members(self, symbols: tuple[str, ...]) -> Ints:
        return np.array([[symbols.index(symbol) for symbol in pair.split("/")] for pair in self.params.pairs])

    @property
    def rules(self) -> Rules:
        """What the kernels are told."""
        p = self.params
        return Rules(
            p.enter, p.exit, p.stop, p.stop_half_lives, p.least_beta, p.most_beta, p.gross / len(p.pairs), p.test_bars,
            p.least_half_life, p.most_half_life, p.delta, np.nan if p.noise is None else p.noise,
        )  # fmt: skip


@kernel
def step(level: Floats, anew: Bools, member: Ints, rules: Rules, state: State, note: Floats, w: Floats) -> bool:
    """Take in one bar; True if weights (K,) are to be answered. Mutates state.

    level (K,) total-return indices, NaN where there is no row; anew (K,); member (P, 2) columns of y and x; note (3,)
    receives passed and open pairs and the widest z, NaN = none known. While an open pair has no row the answer waits.
    """
    for k in range(member.shape[0]):
        if anew[member[k, 0]] or anew[member[k, 1]]:
            begin(k, rules, state)
    pairs_step(level, member, rules, state)
    note[0], note[1], note[2] = 0.0, 0.0, np.nan
    waits = False
    for k in range(member.shape[0]):
        z = state.reading[k, kalman_regression.SCORE]
        if state.passed[k]:
            note[0] += 1.0
            if not np.isnan(z) and not abs(z) <= abs(note[2]):
                note[2] = z
        note[1] += abs(state.side[k])
        waits = waits or (state.side[k] != 0.0 and state.absent[k] > 0)
    if not state.pending[0] or waits:
        return False
    state.pending[0] = False
    for i in range(w.shape[0]):
        w[i] = 0.0
    for k in range(member.shape[0]):
        if state.side[k] != 0.0:
            w[member[k, 0]] += state.weight[k, 0]
            w[member[k, 1]] += state.weight[k, 1]
    return True


@kernel
def begin(k: int, rules: Rules, state: State) -> None:
    """Let pair k wait for its first test, where one of its funds comes back as a new one. Mutates state."""
    for i in range(state.coefficient.shape[1]):
        state.coefficient[k, i] = 1.0 if i in (kalman_regression.P00, kalman_regression.P11) else 0.0
        state.reading[k, i] = np.nan
    for i in range(cointegration.COLUMNS):
        state.test[k, i] = np.nan
    state.noise[k] = rules.noise
    state.drift[k] = rules.noise / rules.noise * rules.delta / (1.0 - rules.delta)
    state.passed[k], state.armed[k] = False, True


@kernel
def test(level: Floats, member: Ints, rules: Rules, state: State) -> None:
    """Test every pair on log total-return indices level (n, K); what passes rules from the next bar on."""
    pair, gap = np.empty((level.shape[0], 2)), np.empty(level.shape[0])
    for k in range(member.shape[0]):
        for t in range(level.shape[0]):
            pair[t, 0], pair[t, 1] = level[t, member[k, 0]], level[t, member[k, 1]]
        found = state.test[k]
        cointegration.engle_granger(pair, gap, found)
        n = found[cointegration.COUNT]
        known = 10.0 * n >= 9.0 * rules.test_bars and not np.isnan(found[cointegration.VARIANCE])
        significant = found[cointegration.STATISTIC] <= cointegration.critical_value(n)
        closes = rules.least_half_life <= found[cointegration.HALF_LIFE] <= rules.most_half_life
        state.passed[k] = known and significant and closes
        if known and np.isnan(rules.noise):
            calibrate(k, rules.delta, state)


@kernel
def scan(
    level: Floats, log_level: Floats, anew: Bools, due: Bools, member: Ints, rules: Rules, state: State,
    notes: Floats, notional: Notional,
) -> None:  # fmt: skip
    """Run `step` over all bars and `test` on those that are due (T,); series (T, K), notes (T, 3)."""
    w = np.empty(level.shape[1])
    for t in range(level.shape[0]):
        stands = not step(level[t], anew[t], member, rules, state, notes[t], w) or answer(t, w, notional)
        if not stands:
            return
        if due[t]:
            test(last_rows(log_level, t, rules.test_bars, notional), member, rules, state)


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


@kernel
def calibrate(k: int, delta: float, state: State) -> None:
    """Set the variances of pair k from its last test; the first time, its coefficients and their covariance too.

    covariance of least squares: s^2 (X'X)^-1 with X = [1, x]. Mutates state.
    """
    found = state.test[k]
    variance, n = found[cointegration.VARIANCE], found[cointegration.COUNT]
    if np.isnan(state.noise[k]):
        mean, slope = found[cointegration.MEAN_X], variance / found[cointegration.SPREAD_X]
        row = state.coefficient[k]
        row[kalman_regression.ALPHA] = found[cointegration.ALPHA]
        row[kalman_regression.BETA] = found[cointegration.BETA]
        row[kalman_regression.P00] = variance / n + mean * mean * slope
        row[kalman_regression.P01], row[kalman_regression.P11] = -mean * slope, slope
    state.noise[k] = variance
    state.drift[k] = delta / (1.0 - delta) * variance
