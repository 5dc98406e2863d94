"""Other libraries on the inputs of scripts/bench's kernel rows: `bench_peers.py LIBRARY ROW data.npy` prints one line.

A job takes the row's data and returns what to call and how many items (assets or steps) one call handles. Needs no
part of the engine, so that it runs in whatever environment the library is installed in.
"""

import importlib.util
import json
import sys
from collections.abc import Callable
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray
from peers.run import fastest

Floats = NDArray[np.float64]


def _skfolio_hrp(cov: Floats) -> tuple[Callable[[], Any], int]:
    from skfolio.optimization import HierarchicalRiskParity

    returns = np.random.default_rng(5).multivariate_normal(np.zeros(len(cov)), cov, 600)
    return lambda: HierarchicalRiskParity().fit(returns), len(cov)


def _pypfopt_hrp(cov: Floats) -> tuple[Callable[[], Any], int]:
    import pandas as pd
    from pypfopt import HRPOpt

    frame = pd.DataFrame(cov)
    return lambda: HRPOpt(cov_matrix=frame).optimize("single"), len(cov)


def _skfolio_erc(cov: Floats) -> tuple[Callable[[], Any], int]:
    from skfolio.optimization import RiskBudgeting

    returns = np.random.default_rng(6).multivariate_normal(np.zeros(len(cov)), cov, 600)
    return lambda: RiskBudgeting().fit(returns), len(cov)


def _pypfopt_shrinkage(returns: Floats) -> tuple[Callable[[], Any], int]:
    import pandas as pd
    from pypfopt.risk_models import CovarianceShrinkage

    frame = pd.DataFrame(returns)
    return lambda: CovarianceShrinkage(frame, returns_data=True).ledoit_wolf("constant_correlation"), returns.shape[1]


def _sklearn_shrinkage(returns: Floats) -> tuple[Callable[[], Any], int]:
    from sklearn.covariance import LedoitWolf

    return lambda: LedoitWolf().fit(returns), returns.shape[1]


def _statsmodels_kalman(price: Floats) -> tuple[Callable[[], Any], int]:
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    model = UnobservedComponents(price, "local linear trend")
    return lambda: model.filter([50.0, 0.01, 0.01], low_memory=True, return_ssm=True), price.shape[0]


def _filterpy_kalman(price: Floats) -> tuple[Callable[[], Any], int]:
    from filterpy.kalman import KalmanFilter

    part = price[:20_000]

    def run() -> None:
        one = KalmanFilter(dim_x=2, dim_z=1)
        one.x, one.F, one.H = np.array([[part[0]], [0.0]]), np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[1.0, 0.0]])
        one.P, one.Q, one.R = np.eye(2), 0.01 * np.eye(2), np.array([[50.0]])
        for value in part:
            one.predict()
            one.update(value)

    return run, part.shape[0]


PEERS: dict[str, dict[str, Callable[[Floats], tuple[Callable[[], Any], int]]]] = {
    "skfolio": {"HRP N=500": _skfolio_hrp, "ERC N=200": _skfolio_erc},
    "pypfopt": {"HRP N=500": _pypfopt_hrp, "Ledoit-Wolf N=500 T=252": _pypfopt_shrinkage},
    "sklearn": {"Ledoit-Wolf N=500 T=252": _sklearn_shrinkage},
    "statsmodels": {"Kalman level+slope 1M": _statsmodels_kalman},
    "filterpy": {"Kalman level+slope 1M": _filterpy_kalman},
}
PACKAGES = {"pypfopt": "PyPortfolioOpt", "sklearn": "scikit-learn"}  # where a module is not named like its package
NOTES = {
    "skfolio": "fit on 600 returns drawn from the covariance, which it estimates first",
    "pypfopt": "from a DataFrame",
    "sklearn": "scaled identity as target, not constant correlation",
    "statsmodels": "UnobservedComponents.filter, bare and with low memory: its fastest",
    "filterpy": "predict and update per step in Python",
}


def timed(library: str, work: str, data: Floats) -> dict[str, Any]:
    """Return the row of a library; where a call handles a part of the items only, its time is scaled to all."""
    told: dict[str, Any] = {"work": work, "peer": library}
    if importlib.util.find_spec(library) is None:
        return told | {"note": "not installed"}
    call, size = PEERS[library][work](data)
    cpu, wall, _ = fastest(call, call, 10)
    times = data.shape[-1] / size
    return told | {
        "version": metadata.version(PACKAGES.get(library, library)), "cpu_s": round(cpu * times, 6),
        "wall_s": round(wall * times, 6), "items": size, "scaled": times > 1.0, "note": NOTES[library],
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(timed(sys.argv[1], sys.argv[2], np.load(sys.argv[3]))))
