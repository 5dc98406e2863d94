"""Without a compiler the loops still agree with each other, and with themselves as compiled."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from support.sweeping import environment
from support.twin_leavings import leavings

N_BARS = 60
# Stages of a book call exp and its like, where two correct libraries may differ in the last bit.
EXACT = ("direct", "kernel", "relisted", "minutes")


def test_interpreted_loops_leave_what_compiled_ones_leave(tmp_path: Path) -> None:
    """Both processes hold the two loops against each other to the byte before they save anything."""
    ours = leavings(N_BARS)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "support.twin_leavings", "slow.npz", str(N_BARS)],
        cwd=tmp_path, env=environment(NUMBA_DISABLE_JIT="1"), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "NUMBA_DISABLE_JIT" not in os.environ
    with np.load(tmp_path / "slow.npz") as slow:
        assert set(slow.files) == set(ours)
        exact = [name for name in ours if name.startswith(EXACT)]
        assert len(exact) == 52
        assert [name for name in exact if slow[name].tobytes() != ours[name].tobytes()] == []
