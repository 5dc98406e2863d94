#!/usr/bin/env bash
# The first call of a numba function in a process, x + 1 loaded from numba's cache on disk, imports numpy's Fortran interface generator
# and unittest, if scipy is installed: numba looks for a BLAS by importing scipy.linalg, whose array layer star-imports numpy, which
# loads numpy.f2py and numpy.testing lazily. It is a tenth of a second of each command that starts with warm kernels. Without scipy
# none of them is loaded.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages numba==0.68.1 numpy==2.4.6 scipy==1.17.1 <<'PYTHON'
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

CALL = """
import sys
if "without" in sys.argv:
    sys.modules["scipy"] = None  # as if it were not installed
from plus import plus
before = set(sys.modules)
plus(1)
new = set(sys.modules) - before
print(sum(plus.stats.cache_hits.values()), "scipy.linalg" in new, *(name in new for name in ("numpy.f2py", "unittest")))
"""
FUNCTION = "from numba import njit\n\n\n@njit(cache=True)\ndef plus(x):\n    return x + 1\n"

with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "plus.py").write_text(FUNCTION)

    def run(*more: str) -> str:
        command = [sys.executable, "-c", CALL, *more]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()

    first, warm, without = run(), run(), run("without")
print(", ".join(f"{name} {version(name)}" for name in ("numba", "numpy", "scipy")))
print("from cache, scipy.linalg, numpy.f2py, unittest:", warm, "| without scipy:", without)
sys.exit(0 if first.startswith("0 ") and warm == "1 True True True" and without == "1 False False False" else 1)
PYTHON
