"""The kernel tests once more with every index checked: in compiled code a read beyond an array is silent.

Interpreted, arrays are numpy's, which checks each index as numba's own check would, negative ones counted from the end
in both; nothing is compiled a second time. That interpreted kernels take the same way is the battery's to show.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
INTERPRETED = {"NUMBA_DISABLE_JIT": "1"}

# About compiled code itself, or about processes of their own.
LEFT_OUT = (
    "test_kernel_bounds.py",
    "test_jit_cache.py",
    "test_parts_on_disk.py",
    "test_parts.py",
    "test_lent.py",
    "test_kernel_battery.py::test_no_kernel_allocates_per_bar_or_per_asset",
    "test_kernel_battery.py::test_interpreted_kernels_give_the_bytes_of_compiled_ones",
    # Loops over 200 and 3,000 assets, of which the other tests of the same kernels make a few.
    "test_erc.py::test_factors_that_nearly_cancel_are_still_solved",
    "test_linkage.py::test_a_chain_needs_no_recursion",
)


@pytest.mark.slow
def test_no_kernel_reads_or_writes_beyond_its_arrays() -> None:
    env = {**os.environ, **INTERPRETED, "HYPOTHESIS_PROFILE": "default"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(HERE)]
    command += ["-W", "ignore::RuntimeWarning"]  # x / 0 and 0 / 0 are values to compiled code
    for name in LEFT_OUT:
        assert (HERE / name.split("::")[0]).is_file()
        command += ["--deselect", f"{HERE.relative_to(ROOT)}/{name}"]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert " passed" in done.stdout


@pytest.mark.parametrize("index", [3, 7, -4])
def test_an_index_beyond_an_array_is_told_under_that_flag(index: int, tmp_path: Path) -> None:
    (tmp_path / "beyond.py").write_text(
        "from plimsoll.engine.kernels.jit import kernel\n\n\n@kernel\ndef read(x, i):\n    return x[i]\n"
    )
    script = f"import numpy as np\nfrom beyond import read\nread(np.zeros(3), 2)\nread(np.zeros(3), {index})"
    path = f"{tmp_path}{os.pathsep}{ROOT / 'src'}"
    env = {**os.environ, **INTERPRETED, "PYTHONPATH": path, "PLIMSOLL_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "IndexError" in done.stderr
