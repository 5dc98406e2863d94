#!/usr/bin/env bash
# PyPortfolioOpt's semicovariance counts a day without a price as a day without a fall, and divides by all days: a share that has been
# listed for half of the time has half of its semivariance, one listed for a tenth a tenth, and its covariances with the others
# shrink alike. sample_cov leaves such days out and tells the same whether the share is young or old. So an optimisation on
# semicovariance prefers what was listed last, and without a warning. Start the table at the youngest share's first price.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages pyportfolioopt==1.6.0 cvxpy==1.9.3 numpy==2.4.6 pandas==3.1.1 packaging==26.4 <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import pandas as pd
from pypfopt import EfficientFrontier, risk_models

generator = np.random.default_rng(11)
DAYS = 1001
returns = generator.normal(0.0, 0.01, (DAYS, 2))
twins = pd.DataFrame(100 * (1 + returns).cumprod(axis=0), index=pd.bdate_range("2020-01-01", periods=DAYS), columns=["old", "young"])


def risk(model, missing):
    """Variance of both a year, and the share of the young one in the least risky portfolio, if its first prices are missing."""
    prices = twins.copy()
    prices.iloc[:missing, 1] = np.nan
    matrix = getattr(risk_models, model)(prices)
    alone = getattr(risk_models, model)(prices[["young"]].dropna()).iloc[0, 0]
    frontier = EfficientFrontier(None, matrix)
    frontier.min_volatility()
    return round(matrix.loc["young", "young"] / alone, 2), round(float(frontier.clean_weights()["young"]), 2)


found = {(model, missing): risk(model, missing) for model in ("semicovariance", "sample_cov") for missing in (0, 500, 900)}
print("PyPortfolioOpt", version("pyportfolioopt"), "- two shares alike, 1,001 days, the first prices of the young one missing")
for (model, missing), (ratio, weight) in found.items():
    print(f"{model}, {missing} missing: its variance is {ratio} of what its own prices alone give; its share in the least risky portfolio {weight}")
ratios = {key: ratio for key, (ratio, _) in found.items()}
weights = {key: weight for key, (_, weight) in found.items()}
same = [ratios["semicovariance", missing] for missing in (0, 500, 900)] == [1.0, 0.5, 0.1]
same = same and all(ratios["sample_cov", missing] == 1.0 for missing in (0, 500, 900))
sys.exit(0 if same and weights["semicovariance", 900] > 0.8 and weights["sample_cov", 900] < 0.7 else 1)
PYTHON
