"""Every numerical kernel with what is needed to try it out: the list that the test battery runs over.

A new family is added here and thereby gets the whole battery: scan equals repeated step, interpreted equals compiled,
save and restore in mid-stream, gaps, and no allocation per bar.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np

from plimsoll.engine.kernels import linalg
from plimsoll.engine.kernels.allocate import black_litterman, erc, gap, hrp, linkage, min_variance, nco, waterfill
from plimsoll.engine.kernels.estimate import (
    correlation,
    ewma,
    extreme,
    kalman,
    kalman_level,
    kalman_preset,
    kalman_regression,
    moments,
    psd,
    shrinkage,
    smooth,
    stats,
)
from plimsoll.engine.types import Floats

Kind: TypeAlias = Literal["price", "high", "low", "volume", "return"]

# Columns of the tables that families for many assets are tried with.
N_ASSETS = 5


@dataclass(frozen=True, slots=True)
class Recursion:
    """A family that advances one bar at a time.

    `step(state, *params, *inputs of the bar, out)` and `scan(state, *params, *inputs, out)`; without `out` where the
    family shows nothing per bar.
    """

    name: str
    init: Callable[[], Any]
    step: Callable[..., Any]
    scan: Callable[..., Any]
    params: tuple[Any, ...]
    inputs: tuple[tuple[Kind, int], ...]  # kind and columns, 0 = a plain number per bar
    out: tuple[int, ...] | None  # shape per bar


@dataclass(frozen=True, slots=True)
class Solver:
    """A kernel without memory; `arguments` makes fresh ones from a covariance, arrays to be filled included."""

    name: str
    kernel: Callable[..., Any]
    arguments: Callable[[Floats], tuple[Any, ...]]


_SCALAR: tuple[tuple[Kind, int], ...] = (("price", 0),)
_TABLE: tuple[tuple[Kind, int], ...] = (("return", N_ASSETS),)
_LEVELS: tuple[tuple[Kind, int], ...] = (("price", N_ASSETS),)
_BAR: tuple[tuple[Kind, int], ...] = (("price", 0), ("high", 0), ("low", 0), ("volume", 0))


def _trend(name: str, params: kalman.Params) -> Recursion:
    init = partial(kalman.init, params)
    return Recursion(name, init, kalman.step, kalman.scan, (params,), _BAR, (kalman.COLUMNS,))


def recursions() -> tuple[Recursion, ...]:
    """Return every family that advances one bar at a time, in settings that reach all of its code."""
    n = N_ASSETS
    level, pairs = kalman_level.params(noise=50.0), kalman_regression.params()
    std, wma, peak = stats.std_params(20, min_obs=5), smooth.wma_params(7), extreme.max_params(9)
    corr, fade, half = correlation.params(15, min_obs=5), ewma.params(21.0), moments.params(21.0)
    return (
        _trend("trend_strength", kalman_preset.canonical(norm_lookback=40, norm_min=20)),
        _trend("trend_strength_pine", kalman_preset.canonical(volume_mode="pine", norm_lookback=40, norm_min=20)),
        _trend("trend_strength_parkinson", kalman_preset.canonical("parkinson", norm_lookback=40, norm_min=20)),
        _trend("trend_strength_zeiierman", kalman_preset.zeiierman()),
        _trend("trend_strength_jutsu_v25", kalman_preset.jutsu_v25_unsigned()),
        _trend("trend_strength_jutsu_signed", kalman_preset.jutsu_signed_double()),
        Recursion("level_slope", kalman_level.init, kalman_level.step, kalman_level.scan, (level,), _SCALAR, (2,)),
        Recursion(
            "regression",
            partial(kalman_regression.init, pairs),
            kalman_regression.step,
            kalman_regression.scan,
            (pairs,),
            (("price", 0), ("price", 0)),
            (kalman_regression.COLUMNS,),
        ),
        Recursion("rolling_std", partial(stats.std_init, std, n), stats.std_step, stats.std_scan, (std,), _TABLE, (n,)),
        Recursion(
            "expanding_std",
            partial(stats.expanding_init, n),
            stats.expanding_step,
            stats.expanding_scan,
            (),
            _TABLE,
            (n,),
        ),
        Recursion(
            "rolling_corr",
            partial(correlation.init, corr),
            correlation.step,
            correlation.scan,
            (corr,),
            (("return", 0), ("return", 0)),
            (1,),
        ),
        Recursion("wma", partial(smooth.wma_init, wma, n), smooth.wma_step, smooth.wma_scan, (wma,), _LEVELS, (n,)),
        Recursion(
            "ema",
            partial(smooth.ema_init, n),
            smooth.ema_step,
            smooth.ema_scan,
            (smooth.ema_params(10),),
            _LEVELS,
            (n,),
        ),
        Recursion(
            "rolling_max",
            partial(extreme.max_init, peak, n),
            extreme.max_step,
            extreme.max_scan,
            (peak,),
            _LEVELS,
            (n,),
        ),
        Recursion(
            "drawdown",
            partial(extreme.drawdown_init, n),
            extreme.drawdown_step,
            extreme.drawdown_scan,
            (),
            _LEVELS,
            (n,),
        ),
        Recursion("ewma", partial(ewma.init, n), ewma.step, ewma.scan, (fade,), _TABLE, (ewma.OUTPUTS, n)),
        Recursion("ewma_cov", partial(ewma.cov_init, n), ewma.cov_step, ewma.cov_scan, (fade,), _TABLE, (n, n)),
        Recursion("moments", partial(moments.init, n), moments.step, moments.scan, (half,), _TABLE, None),
    )


def _correlation(cov: Floats) -> Floats:
    deviation = np.sqrt(np.diag(cov))
    corr: Floats = cov / np.outer(deviation, deviation)
    return corr


def _moments(cov: Floats) -> moments.State:
    n = cov.shape[0]
    state = moments.init(n)
    moments.scan(state, moments.params(21.0), np.ascontiguousarray(cov * np.cos(np.arange(n))[:, None]))
    return state


def _normals(n: int) -> Floats:
    numbers: Floats = np.random.default_rng(1).standard_normal(gap.normals_needed(n))
    return numbers


def _view(cov: Floats) -> tuple[Any, ...]:
    n = cov.shape[0]
    view = np.zeros((1, n))
    view[0, 0] = 1.0
    work = black_litterman.init(1, n)
    return cov, np.diag(cov).copy(), view, np.array([0.1]), np.array([0.5]), 0.05, work, np.empty(n)


def solvers() -> tuple[Solver, ...]:
    """Return every kernel without memory that allocates weights, factors or repairs a matrix."""
    return (
        Solver("hrp", hrp.hrp, lambda c: (c, hrp.CORR, hrp.init(len(c)), np.empty(len(c)))),
        Solver("hrp_paper", hrp.hrp, lambda c: (c, hrp.PAPER, hrp.init(len(c), hrp.PAPER), np.empty(len(c)))),
        Solver("linkage", linkage.single_linkage, lambda c: (1.0 - _correlation(c), linkage.init(len(c)))),
        Solver("risk_budget", erc.risk_budget, lambda c: (c, np.ones(len(c)), erc.init(len(c)), np.empty(len(c)))),
        Solver("nco", nco.nco, lambda c: (c, nco.init(len(c)), np.empty(len(c)))),
        Solver("least_variance", min_variance.least_variance, lambda c: (c, np.empty(len(c)))),
        Solver("gap_threshold", gap.threshold, lambda c: (c, 50.0, 0.1, 1.0, _normals(len(c)), gap.init(len(c)))),
        Solver("cap_project", waterfill.cap_project, lambda c: (0.3, np.diag(c).copy())),
        Solver("fill_up", waterfill.fill_up, lambda c: (0.3, 1.0, np.diag(c) / (2.0 * np.trace(c)))),
        Solver(
            "bound_project",
            waterfill.bound_project,
            lambda c: (np.full(len(c), 0.02), np.full(len(c), 0.6), np.diag(c).copy()),
        ),
        Solver("posterior", black_litterman.posterior, _view),
        Solver(
            "tilted_budget",
            black_litterman.tilted_budget,
            lambda c: (
                np.full(len(c), 1.0 / len(c)),
                np.diag(c).copy(),
                np.full(len(c), 0.02),
                np.full(len(c), 0.6),
                np.empty(len(c)),
            ),
        ),
        Solver(
            "shrink_pairs",
            shrinkage.shrink_pairs,
            lambda c: (
                _moments(c),
                2,
                1.0,
                shrinkage.init(len(c)),
                np.zeros(shrinkage.INFO_SIZE),
                np.empty_like(c),
            ),
        ),
        Solver(
            "least_intensity",
            psd.least_intensity,
            lambda c: (_correlation(c) * 1.2, 0.1, 0.0, np.empty_like(c), np.zeros((4, len(c)))),
        ),
        Solver("cholesky", linalg.cholesky, lambda c: (c.copy(),)),
        Solver("covariance_fault", linalg.covariance_fault, lambda c: (c,)),
        Solver("window_std", stats.window_std, lambda c: (0, len(c), c, 1, 2, np.zeros((3, len(c))), np.empty(len(c)))),
    )
