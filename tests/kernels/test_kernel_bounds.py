"""The kernel tests once more with every index checked: out-of-bounds reads are silent otherwise."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FLAG = "NUMBA_BOUNDSCHECK"
# Checked code need not be fast: less time for the optimiser.
PLAIN_CODE = {"NUMBA_OPT": "1", "NUMBA_LOOP_VECTORIZE": "0", "NUMBA_SLP_VECTORIZE": "0"}

# The checked code has a cache key of its own; the others start processes of their own or never index.
LEFT_OUT = ("test_kernel_bounds.py", "test_jit_cache.py", "test_parts_on_disk.py")


@pytest.mark.slow
def test_no_kernel_reads_or_writes_beyond_its_arrays() -> None:
    env = {**os.environ, **PLAIN_CODE, FLAG: "1", "HYPOTHESIS_PROFILE": "default"}
    ignored = [f"--ignore={HERE / name}" for name in LEFT_OUT]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(HERE), *ignored]
    command += [
        "--deselect",
        f"{HERE.relative_to(ROOT)}/test_kernel_battery.py::test_interpreted_kernels_give_the_bytes_of_compiled_ones",
    ]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


@pytest.mark.slow
def test_the_check_is_on_under_that_flag(tmp_path: Path) -> None:
    (tmp_path / "beyond.py").write_text(
        "from plimsoll.engine.kernels.jit import kernel\n\n\n@kernel\ndef read(x, i):\n    return x[i]\n"
    )
    script = "import numpy as np\nfrom beyond import read\nread(np.zeros(3), 7)"
    env = {
        **os.environ,
        FLAG: "1",
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT / 'src'}",
        "PLIMSOLL_CACHE_DIR": str(tmp_path),
    }
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "IndexError" in done.stderr
