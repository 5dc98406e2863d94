"""Other libraries on the inputs of scripts/bench's kernel rows; each is timed only where it is installed.

A job takes the row's data and returns what to call and how many items (assets or steps) one call handles.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.types import Floats


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
    return lambda: model.filter([50.0, 0.01, 0.01]), price.shape[0]


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
