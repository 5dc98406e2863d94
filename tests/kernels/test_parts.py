"""A kernel linked into its callers answers to the bit as numba's own way of compiling it does, and is kept as well."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import njit
from numba.core.runtime import _nrt_python, rtsys

from plimsoll.engine.kernels import jit, parts
from plimsoll.engine.kernels.allocate import waterfill
from plimsoll.engine.kernels.linalg import cholesky

ROOT = Path(__file__).parents[2]
PLAIN = "from plimsoll.engine.kernels import parts\nparts.KNOWN = ()\n"
ANSWERS = """
import numpy as np
from plimsoll.engine.kernels import parts
from plimsoll.engine.kernels.allocate.erc import risk_budget_weights
from plimsoll.engine.kernels.allocate.hrp import hrp_weights
from plimsoll.engine.kernels.allocate.min_variance import min_variance
from plimsoll.engine.kernels.estimate.ledoit_wolf import constant_correlation

draws = np.random.default_rng(11).standard_normal((300, 17)) @ np.random.default_rng(12).standard_normal((17, 17))
cov = constant_correlation(draws).cov
print(parts.fits())
for answer in (cov, hrp_weights(cov), risk_budget_weights(cov), min_variance(cov)):
    print(np.asarray(answer).tobytes().hex())
"""
CHAIN = {
    "low.py": "from plimsoll.engine.kernels.jit import kernel\n\n\n@kernel\ndef low(x):\n    return x + 1\n",
    "middle.py": "from plimsoll.engine.kernels.jit import kernel\nfrom low import low\n\n\n"
    "@kernel\ndef middle(x):\n    return 10 * low(x)\n",
    "high.py": "from plimsoll.engine.kernels.jit import kernel\nfrom middle import middle\n\n\n"
    "@kernel\ndef high(x):\n    return middle(x) - 3\n",
    "theirs.py": "from numba import njit\nfrom middle import middle\n\n\n"
    "@njit(cache=True)\ndef theirs(x):\n    return middle(x) + 0.5\n",
}
COUNTS = """
from low import low
from middle import middle
from high import high
print(high(1), [sum(one.stats.cache_misses.values()) for one in (low, middle, high)],
      [sum(one.part.stats.cache_misses.values()) for one in (low, middle, high)],
      [sum(one.part.stats.cache_hits.values()) for one in (low, middle, high)])
"""


def python(folder: Path, code: str) -> list[str]:
    env = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    env |= {"PLIMSOLL_CACHE_DIR": str(folder / "cache"), "NUMBA_CACHE_DIR": str(folder / "theirs")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # numba says on standard error what it could not keep
    return done.stdout.splitlines()


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    for name, text in CHAIN.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_installed_numba_is_one_that_parts_were_tried_with() -> None:
    assert parts.fits()
    assert isinstance(cholesky, parts.Kernel)


@pytest.mark.slow
def test_the_plain_way_of_compiling_gives_the_same_bits_and_is_kept_apart(tmp_path: Path) -> None:
    ours, plain = python(tmp_path, ANSWERS), python(tmp_path, PLAIN + ANSWERS)
    assert (ours[0], plain[0]) == ("True", "False")
    assert ours[1:] == plain[1:]
    assert len({len(line) for line in ours[1:]}) == 2  # a matrix and three rows of weights
    assert python(tmp_path, ANSWERS) == ours  # from disk
    assert python(tmp_path, PLAIN + ANSWERS) == plain


@pytest.mark.slow
def test_a_second_process_loads_the_one_kernel_that_is_called_and_no_part(chain: Path) -> None:
    assert python(chain, COUNTS) == ["17 [0, 0, 1] [1, 1, 1] [0, 0, 0]"]
    assert python(chain, COUNTS) == ["17 [0, 0, 0] [0, 0, 0] [0, 0, 0]"]


@pytest.mark.slow
def test_a_new_caller_links_the_parts_on_disk(chain: Path) -> None:
    python(chain, COUNTS)
    (chain / "high.py").write_text(CHAIN["high.py"].replace("- 3", "- 4"))
    assert python(chain, COUNTS) == ["16 [0, 0, 1] [0, 0, 1] [0, 1, 0]"]  # `middle` has `low` in it


@pytest.mark.slow
def test_a_part_on_disk_is_not_taken_for_machine_code(chain: Path) -> None:
    asked = "from plimsoll.engine.kernels.jit import is_compiled\nfrom middle import middle\n"
    python(chain, COUNTS)
    assert python(chain, asked + "print(is_compiled(middle)); middle(1); print(is_compiled(middle))") == [
        "False",
        "True",
    ]
    assert python(chain, asked + "print(is_compiled(middle))") == ["True"]


@pytest.mark.slow
def test_a_users_own_numba_function_calls_kernels_and_is_cached_by_numba(chain: Path) -> None:
    asked = "from theirs import theirs\nprint(theirs(1), sum(theirs.stats.cache_hits.values()))"
    assert python(chain, asked) == ["20.5 0"]
    assert python(chain, asked) == ["20.5 1"]


def test_a_kernel_is_called_from_python_and_from_compiled_code_alike() -> None:
    @njit
    def lowest(cov: np.ndarray) -> float:
        code = cholesky(cov)
        return cov[-1, -1] if code == 0 else np.nan

    cov = np.array([[4.0, 2.0], [2.0, 5.0]])
    by_python, by_kernel = cov.copy(), cov.copy()
    assert cholesky(by_python) == 0
    assert lowest(by_kernel) == by_python[1, 1] == 2.0  # by hand: 5 - (2 / 2)^2, its root
    np.testing.assert_array_equal(by_kernel, by_python)


def test_default_arguments_and_other_types_are_compiled_as_numba_does() -> None:
    @jit.kernel
    def inner(x: float, by: float = 3.0) -> float:
        return x * by

    @jit.kernel
    def outer(x: float) -> float:
        return inner(x) + inner(x, 2.0) + inner(x, by=1.0)

    assert outer(2.0) == 12.0
    assert outer(2) == 12.0
    assert inner(2.0) == 6.0
    assert inner(2, by=5) == 10
    assert len(outer.signatures) == 2


def test_a_call_that_cannot_be_typed_is_told_as_numba_tells_it() -> None:
    @jit.kernel
    def inner(x: float) -> float:
        return x.nothing

    @jit.kernel
    def outer(x: float) -> float:
        return inner(x)

    for _ in range(2):
        with pytest.raises(Exception, match="nothing"):
            outer(1.0)


def test_a_kernel_can_be_sent_to_another_process() -> None:
    again = pickle.loads(pickle.dumps(waterfill.cap_project))
    weights = np.array([0.7, 0.2, 0.1])
    assert again(0.5, weights) == 0
    np.testing.assert_allclose(weights, [0.5, 1.0 / 3.0, 1.0 / 6.0], rtol=1e-15)


def test_what_a_kernel_returns_is_pythons_and_is_freed_with_it() -> None:
    @jit.kernel
    def filled(n: int, value: float) -> np.ndarray:
        out = np.empty(n)
        for i in range(n):
            out[i] = value
        return out

    @jit.kernel
    def parts_of(x: np.ndarray, n: int) -> tuple[np.ndarray, int, bool]:
        more = filled(n, x[0])
        return more[1:], n, x[0] > 0.0

    @jit.kernel
    def last(x: np.ndarray, n: int) -> np.ndarray:
        return x[x.shape[0] - n :]

    own = np.arange(5.0)
    view = last(own, 2)
    np.testing.assert_array_equal(view, [3.0, 4.0])
    view[0] = -1.0
    assert own[3] == -1.0  # a view, as in Python
    _nrt_python.memsys_enable_stats()
    before = rtsys.get_allocation_stats()
    for _ in range(100):
        rest, n, positive = parts_of(np.array([2.5]), 4)
        np.testing.assert_array_equal(rest, [2.5, 2.5, 2.5])
        assert (n, positive) == (4, True)
    del rest
    after = rtsys.get_allocation_stats()
    _nrt_python.memsys_disable_stats()
    assert after.alloc - before.alloc == after.free - before.free >= 100
