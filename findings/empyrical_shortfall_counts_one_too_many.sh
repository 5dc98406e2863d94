#!/usr/bin/env bash
# empyrical's conditional value at risk averages int((n - 1) * cutoff) + 1 returns: of 21 returns the worst 2 at 5%, where 5% of
# them are 1.05. One loss of 30% among 21 days is told as 15%; the fractional tail says 28.57%.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages empyrical-reloaded==0.7.1 pytz==2026.6 <<'PYTHON'
import sys
from importlib.metadata import version

import empyrical
import numpy as np

returns = np.zeros(21)
returns[7] = -0.30
said = float(empyrical.conditional_value_at_risk(returns, 0.05))
tail = 0.05 * len(returns)
fractional = -0.30 * min(1.0, tail) / tail
print("empyrical-reloaded", version("empyrical-reloaded"), f"says {said:.4f}, the worst 5% average {fractional:.4f}")
sys.exit(0 if abs(said - -0.15) < 1e-12 and abs(fractional - -0.285714) < 1e-6 else 1)
PYTHON
