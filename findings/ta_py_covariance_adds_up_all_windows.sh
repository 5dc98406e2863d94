#!/usr/bin/env bash
# ta_py's covariance, "the rolling covariance between two series", never sets its sum back to zero: the first window is right, and each
# one after it has all the windows before it added. That of a market with itself is at last the sum of all 481 variances of the windows,
# 640 times the last of them, and the beta of a share, by ta_py's own variance of the same days, goes from 0.76 to 447 where 0.47 is
# right. One window alone, a length that is that of the data, is right, and is the way around.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages ta-py==2.1.0 numpy==2.4.6 <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import ta_py

LENGTH, DAYS = 20, 500
rng = np.random.default_rng(4)
market = rng.normal(0, 0.01, DAYS)
share = 0.8 * market + rng.normal(0, 0.01, DAYS)
told = np.array(ta_py.covariance(share.tolist(), market.tolist(), LENGTH))
starts = range(DAYS - LENGTH + 1)
right = np.array([np.cov(share[at : at + LENGTH], market[at : at + LENGTH], ddof=0)[0, 1] for at in starts])
single = np.array([ta_py.covariance(share[at : at + LENGTH].tolist(), market[at : at + LENGTH].tolist(), LENGTH)[0] for at in starts])
variance = np.array(ta_py.variance(market.tolist(), LENGTH))
itself = np.array(ta_py.covariance(market.tolist(), market.tolist(), LENGTH))
print("ta_py", version("ta-py"), "- covariance over", LENGTH, "days, and beta by ta_py's variance of the same days")
for at in (0, 1, 100, len(told) - 1):
    here, there = (f"{value[at]:.6f} beta {value[at] / variance[at]:.2f}" for value in (told, right))
    print(f"window {at + 1}: told {here} - by numpy {there}")
print(f"of the market with itself, at last: covariance {itself[-1]:.6f} variance {variance[-1]:.6f}", end=" ")
print(f"- sum of all variances {variance.sum():.6f}")
sys.exit(
    0
    if np.allclose(told, np.cumsum(right))
    and np.allclose(single, right)
    and np.allclose(variance, [np.var(market[at : at + LENGTH]) for at in starts])
    and np.allclose(itself, np.cumsum(variance))
    and told[-1] > 100 * right[-1]
    else 1
)
PYTHON
