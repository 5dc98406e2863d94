"""The numerical kernels' rows of scripts/bench: ours, a single-purpose loop as the floor, peers where installed."""

import resource
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from peer_rows import kernel_rows

from plimsoll.engine.kernels.allocate import erc, hrp
from plimsoll.engine.kernels.estimate import kalman, kalman_level, kalman_preset, ledoit_wolf, moments, shrinkage
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats

# DESIGN's budgets, seconds of CPU.
BUDGETS = {
    "HRP N=500": 0.003,
    "ERC N=200": 0.0006,
    "Ledoit-Wolf N=500 T=252": 0.02,
    "Kalman level+slope 1M": 0.025,
    "trend strength 1M": 0.1,
    "EWMA moments N=30 T=4000": 0.02,
    "shrunk covariance N=30": None,
}
N_STEPS = 1_000_000


def timed(call: Callable[[], Any], least: float = 0.3) -> tuple[float, float]:
    """Return (CPU, wall) seconds of the fastest of 3 to 50 runs in `least` seconds, after one that warms up."""
    call()
    times: list[tuple[float, float]] = []
    while len(times) < 3 or (sum(wall for _, wall in times) < least and len(times) < 50):
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        times.append((time.process_time() - cpu, time.perf_counter() - wall))
    return min(times)


def row(work: str, mode: str, call: Callable[[], Any], size: int, floor: float | None) -> dict[str, Any]:
    """Return one line of the table; `rate` is items (assets, rows or steps) per second."""
    cpu, wall = timed(call)
    return {
        "work": work,
        "mode": mode,
        "cpu_s": round(cpu, 6),
        "wall_s": round(wall, 6),
        "rate": round(size / cpu),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "floor_s": None if floor is None else round(floor, 6),
        "budget_s": BUDGETS[work] if mode == "ours" else None,
    }


def one_factor_returns(n_rows: int, n_assets: int, seed: int) -> Floats:
    """Return seeded daily returns with one common factor."""
    rng = np.random.default_rng(seed)
    beta = rng.uniform(0.3, 1.5, n_assets)
    made: Floats = 0.009 * rng.normal(size=(n_rows, 1)) * beta + 0.01 * rng.normal(size=(n_rows, n_assets))
    return made


@kernel
def floor_kalman(price: Floats, q: float, noise: float, out: Floats) -> None:
    """Run the bare filter with its state in registers."""
    x0, x1, p00, p01, p11 = price[0], 0.0, 1.0, 0.0, 1.0
    for t in range(1, price.shape[0]):
        m00 = p00 + 2.0 * p01 + p11 + q
        m01 = p01 + p11
        m11 = p11 + q
        k0 = m00 / (m00 + noise)
        k1 = m01 / (m00 + noise)
        e = price[t] - x0 - x1
        x0 += x1 + k0 * e
        x1 += k1 * e
        p00, p01, p11 = (1.0 - k0) * m00, (1.0 - k0) * m01, m11 - k1 * m01
        out[t, 0] = x0
        out[t, 1] = x1


@kernel
def floor_trend(price: Floats, volume: Floats, noise: float, window: int, n: int, out: Floats) -> None:
    """Run the canonical oscillator without gaps, modes or saved state; the maximum is searched only when it leaves."""
    x0, x1, p00, p01, p11 = price[0], 0.0, 1.0, 0.0, 1.0
    size = price.shape[0]
    signal = np.zeros(size)
    raw = np.zeros(size)
    first = np.zeros(size)
    best, at = -1.0, -1
    for t in range(1, size):
        factor = min(max(volume[t - 1] / volume[t], 0.1), 10.0)
        m00 = p00 + 2.0 * p01 + p11 + 0.01
        m01 = p01 + p11
        m11 = p11 + 0.01
        k0 = m00 / (m00 + noise * factor)
        k1 = m01 / (m00 + noise * factor)
        e = price[t] - x0 - x1
        x0 += x1 + k0 * e
        x1 += k1 * e
        p00, p01, p11 = (1.0 - k0) * m00, (1.0 - k0) * m01, m11 - k1 * m01
        signal[t] = abs(x1)
        if signal[t] >= best:
            best, at = signal[t], t
        elif at <= t - window:
            best = -1.0
            for s in range(t - window + 1, t + 1):
                if signal[s] >= best:
                    best, at = signal[s], s
        raw[t] = 100.0 * x1 / best
        if t >= 2 * n:
            a = b = 0.0
            for k in range(n):
                a += (n - k) * raw[t - k]
            first[t] = a / (0.5 * n * (n + 1))
            for k in range(n):
                b += (n - k) * first[t - k]
            out[t] = b / (0.5 * n * (n + 1))


@kernel
def floor_erc(corr: Floats, y: Floats, cy: Floats) -> None:
    """Run twenty sweeps of coordinate descent and nothing else."""
    n = y.shape[0]
    for i in range(n):
        y[i] = 1.0 / n
        cy[i] = 0.0
        for j in range(n):
            cy[i] += corr[i, j] / n
    for _ in range(20):
        for i in range(n):
            rest = cy[i] - y[i]
            change = 0.5 * (np.sqrt(rest * rest + 4.0 / n) - rest) - y[i]
            y[i] += change
            for j in range(n):
                cy[j] += change * corr[i, j]


@kernel
def floor_hrp(cov: Floats, sd: Floats, best: Floats, out: Floats) -> float:
    """Do the work that no implementation can skip: a distance per pair, a spanning tree, a sum over half the pairs."""
    n = cov.shape[0]
    for i in range(n):
        sd[i] = 1.0 / np.sqrt(cov[i, i])
        best[i] = np.inf
        out[i] = 0.0
    x = 0
    for _ in range(n - 1):
        out[x] = np.inf
        for i in range(n):
            best[i] = min(best[i], np.sqrt(max(0.5 - 0.5 * cov[x, i] * sd[x] * sd[i], 0.0))) + out[i]
        y = 0
        for i in range(n):
            if best[i] < best[y]:
                y = i
        x = y
    total = 0.0
    for i in range(n):
        across = 0.0
        for j in range(i):
            across += cov[i, j]
        total += across
    return total


def floor_ledoit_wolf(returns: Floats) -> Floats:
    """Do scikit-learn's simpler target: two products in BLAS."""
    y = returns - returns.mean(axis=0)
    squares = y * y
    found: Floats = y.T @ y + 1e-9 * (squares.T @ squares)
    return found


def allocators(names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield HRP and ERC."""
    cov = np.cov(one_factor_returns(1500, 500, 1).T)
    work, out, line = hrp.init(500), np.empty(500), np.empty((2, 500))
    floor, _ = timed(lambda: floor_hrp(cov, line[0], line[1], out))
    yield row("HRP N=500", "ours", lambda: hrp.hrp(cov, hrp.CORR, work, out), 500, floor)
    yield from kernel_rows("HRP N=500", names, cov)
    small = np.ascontiguousarray(cov[:200, :200])
    room, weights, budget = erc.init(200), np.empty(200), np.full(200, 1.0 / 200)
    sd = np.sqrt(np.diag(small))
    corr = small / np.outer(sd, sd)
    floor, _ = timed(lambda: floor_erc(corr, line[0, :200], line[1, :200]))
    yield row("ERC N=200", "ours", lambda: erc.risk_budget(small, budget, room, weights), 200, floor)
    yield from kernel_rows("ERC N=200", names, small)


def covariances(names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield Ledoit-Wolf in batch and its recursive moments."""
    returns = one_factor_returns(252, 500, 2)
    floor, _ = timed(lambda: floor_ledoit_wolf(returns))
    yield row("Ledoit-Wolf N=500 T=252", "ours", lambda: ledoit_wolf.constant_correlation(returns), 500, floor)
    yield from kernel_rows("Ledoit-Wolf N=500 T=252", names, returns)
    table, params = one_factor_returns(4000, 30, 3), moments.params(63.0)
    yield row("EWMA moments N=30 T=4000", "ours", lambda: moments.scan(moments.init(30), params, table), 4000, None)
    state, work, out, info = moments.init(30), shrinkage.init(30), np.empty((30, 30)), np.zeros(shrinkage.INFO_SIZE)
    moments.scan(state, params, table)
    yield row(
        "shrunk covariance N=30", "ours", lambda: shrinkage.shrink_pairs(state, 20, 1.0, work, info, out), 30, None
    )


def filters(names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the two Kalman filters over a million bars."""
    rng = np.random.default_rng(4)
    price = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.0005, N_STEPS)))
    volume = rng.lognormal(10.0, 0.4, N_STEPS)
    two, one, seven = np.empty((N_STEPS, 2)), np.empty(N_STEPS), np.empty((N_STEPS, kalman.COLUMNS))
    bare = kalman_level.params(noise=50.0)
    floor, _ = timed(lambda: floor_kalman(price, 0.01, 50.0, two))
    work = "Kalman level+slope 1M"
    yield row(work, "ours", lambda: kalman_level.scan(kalman_level.init(), bare, price, two), N_STEPS, floor)
    yield from kernel_rows(work, names, price)
    params = kalman_preset.canonical()
    floor, _ = timed(lambda: floor_trend(price, volume, 2000.0, 252, 15, one))

    def trend() -> None:
        kalman.scan(kalman.init(params), params, price, price, price, volume, seven)

    yield row("trend strength 1M", "ours", trend, N_STEPS, floor)


def rows(names: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Yield a row per workload: ours beside its floor and budget, then the named peers on the same data."""
    for part in (allocators, covariances, filters):
        yield from part(names)
