"""What is kept of kernels and their parts is found again by other processes, whole, and is nobody else's."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plimsoll.engine.kernels import jit, release

ROOT = Path(__file__).parents[2]
PLAIN = "from plimsoll.engine.kernels import release\nrelease.KNOWN = ()\n"
ANSWERS = """
import sys
import numpy as np
from plimsoll.engine.kernels import release
from plimsoll.engine.kernels.allocate.erc import risk_budget_weights
from plimsoll.engine.kernels.allocate.hrp import hrp_weights
from plimsoll.engine.kernels.allocate.min_variance import min_variance
from plimsoll.engine.kernels.estimate.ledoit_wolf import constant_correlation

draws = np.random.default_rng(11).standard_normal((300, 17)) @ np.random.default_rng(12).standard_normal((17, 17))
cov = constant_correlation(draws).cov
print(release.fits(), "plimsoll.engine.kernels.parts" in sys.modules)
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
NEEDS = """
from typing import NamedTuple

import numpy as np
from numba import njit, prange
from plimsoll.engine.kernels.jit import kernel


@kernel
def plain(x):
    return np.full(2, x).sum() + 2.0 * x


@kernel
def solved(x):
    return np.linalg.solve(np.eye(3) / x, np.ones(3)).sum() + x


@kernel
def of_words(x):
    found = {"one": x}
    found["two"] = 3.0 * x
    return found["one"] + found["two"]


@njit(parallel=True)
def in_threads(x):
    s = 0.0
    for i in prange(4):
        s += x
    return s


@kernel
def of_threads(x):
    return in_threads(x)


class Pair(NamedTuple):
    a: np.ndarray
    b: np.ndarray


@kernel
def below(pair, n):
    pair.a[0] += n
    return pair.a.sum() + n if n > 0 else pair.b.sum()


@kernel
def above(pair, n):
    return below(pair, n) + 1.0
"""
FILLED = "cpu_target.target_context._registries"
MANY = """
import numpy as np
from numba import njit, objmode, prange
from plimsoll.engine.kernels.jit import kernel


@kernel
def filled(n, value):
    return np.full(n, value)


@kernel
def total(n):
    return filled(n, 2.0).sum()


@njit(parallel=True)
def in_threads(x):
    s = 0.0
    for i in prange(x.size):
        s += x[i]
    return s


@kernel
def of_threads(x):
    return in_threads(x) + 1.0


@kernel
def above_threads(x):
    return of_threads(x) + 1.0


@kernel
def steps(n):
    for i in range(n):
        yield i


@kernel
def of_steps(n):
    s = 0
    for i in steps(n):
        s += i
    return s


@kernel
def anew_of_steps(n):
    s = 1
    for i in steps(n):
        s += i
    return s


@kernel
def by_python(x):
    with objmode(y="float64"):
        y = float(sum(x.tolist()))
    return y


@kernel
def refuses(x):
    if x > 5:
        raise ValueError("too much", x)
    return x


@kernel
def middle(x):
    return refuses(x)


@njit
def anew(x):
    return middle(x)


@njit(cache=True)
def theirs(x):
    return refuses(x)


@kernel
def applied(f, x):
    return f(x)


def made(k):
    @kernel
    def closed(x):
        return x + k

    return closed


def zeros(of):
    @kernel
    def empty(n):
        return np.zeros(n, of)

    return empty


def both(a, b):
    @kernel
    def pair(x):
        return a(x), b(x)

    return pair


def told(refusing, x):
    try:
        return refusing(x)
    except ValueError as error:
        return error.args
"""
ALL_OF_MANY = """
import warnings
from many import *
warnings.simplefilter("ignore")  # numba warns of Python that holds others up
x = np.arange(4.0)
print(told(anew, 9))
print(total(3), filled(3, 1.0), of_threads(x), by_python(x), told(theirs, 7), told(refuses, 8), applied(refuses, 2))
print(of_steps(4), list(steps(3)))
"""
OF_ONE_NAME = """
from many import *
kernels = [made(k) for k in {numbers}]
arrays = [zeros(np.dtype(of)) for of in {types}]
print([one(1) for one in kernels], both(kernels[0], kernels[-1])(1), [one(1).dtype.name for one in arrays])
"""
NUMBERS = """
import os
from numba.core.bytecode import FunctionIdentity
from plimsoll.engine.kernels import parts
def number():
    return FunctionIdentity.from_function(number).unique_id
mine, then = number(), number()
read, write = os.pipe()
if not os.fork():
    os.write(write, str(number()).encode())
    os._exit(0)
print(mine > 1000, then - mine, abs(int(os.read(read, 100)) - mine) > 1000)
"""


def python(folder: Path, code: str) -> list[str]:
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT / "src")]), "PYTHONDONTWRITEBYTECODE": "1"}
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


@pytest.mark.slow
def test_the_plain_way_of_compiling_gives_the_same_bits_and_is_kept_apart(tmp_path: Path) -> None:
    ours, plain = python(tmp_path, ANSWERS), python(tmp_path, PLAIN + ANSWERS)
    assert (ours[0], plain[0]) == ("True True", "False False")
    assert ours[1:] == plain[1:]
    assert len({len(line) for line in ours[1:]}) == 2  # a matrix and three rows of weights
    assert python(tmp_path, ANSWERS) == ours  # from disk
    assert python(tmp_path, PLAIN + ANSWERS) == plain


@pytest.mark.slow
def test_a_second_process_loads_the_one_kernel_that_is_called_and_no_part(chain: Path) -> None:
    assert python(chain, COUNTS) == ["17 [0, 0, 1] [1, 1, 1] [0, 0, 0]"]
    assert python(chain, COUNTS) == ["17 [0, 0, 0] [0, 0, 0] [0, 0, 0]"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "filled"),
    [("plain(2.0)", False), ("solved(2.0)", False), ("of_words(2.0)", False), ("of_threads(2.0)", True)],
)
def test_what_only_compiling_needs_is_left_alone_where_nothing_is_compiled(
    tmp_path: Path, call: str, *, filled: bool
) -> None:
    """Threads need what numba brings to the process once its registries are filled; words bring their secret along."""
    (tmp_path / "needs.py").write_text(NEEDS)
    asked = f"from numba.core.registry import cpu_target\nfrom needs import *\nprint({call}, bool({FILLED}))"
    assert python(tmp_path, asked) == ["8.0 True"]
    assert python(tmp_path, asked) == [f"8.0 {filled}"]


@pytest.mark.slow
def test_a_new_caller_links_the_parts_on_disk(chain: Path) -> None:
    python(chain, COUNTS)
    (chain / "high.py").write_text(CHAIN["high.py"].replace("- 3", "- 4"))
    assert python(chain, COUNTS) == ["16 [0, 0, 1] [0, 0, 1] [0, 1, 0]"]  # `middle` has `low` in it
    assert not list((chain / "theirs").rglob("*.nb*"))  # where nothing tells of an edit in another file
    assert list((chain / "cache").rglob(release.PART_FILES + "*"))


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
def test_an_entry_is_made_of_a_part_on_disk_by_a_process_that_has_compiled_nothing(tmp_path: Path) -> None:
    """Every kernel it called before was whole on disk, so that nothing is there that only compiling needs."""
    (tmp_path / "needs.py").write_text(NEEDS)
    assert python(tmp_path, "from needs import *\nprint(above(Pair(np.ones(2), np.ones(2)), 3))") == ["9.0"]
    asked = "from needs import *\nprint(above(Pair(np.ones(2), np.ones(2)), 3), below(Pair(np.ones(2), np.ones(2)), 3))"
    assert python(tmp_path, asked) == ["9.0 8.0"]
    assert python(tmp_path, asked) == ["9.0 8.0"]


@pytest.mark.slow
def test_a_users_own_numba_function_calls_kernels_and_is_cached_by_numba(chain: Path) -> None:
    asked = "from theirs import theirs\nprint(theirs(1), sum(theirs.stats.cache_hits.values()))"
    assert python(chain, asked) == ["20.5 0"]
    assert python(chain, asked) == ["20.5 1"]


@pytest.mark.slow
def test_what_is_on_disk_is_whole(tmp_path: Path) -> None:
    """Constants of the entry, threads to start, steps of a generator, a kernel as an argument, Python's own code."""
    (tmp_path / "many.py").write_text(MANY)
    by_hand = ["('too much', 9)", "6.0 [1. 1. 1.] 7.0 6.0 ('too much', 7) ('too much', 8) 2", "6 [0, 1, 2]"]
    above = "from many import *\nprint(above_threads(np.arange(4.0)), anew_of_steps(4))"
    assert python(tmp_path, ALL_OF_MANY) == by_hand
    assert python(tmp_path, ALL_OF_MANY) == by_hand
    assert python(tmp_path, above) == ["8.0 7"]  # of a part on disk, and then from disk
    assert python(tmp_path, above) == ["8.0 7"]


@pytest.mark.slow
def test_kernels_of_one_name_that_several_processes_kept_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "many.py").write_text(MANY)
    assert python(tmp_path, OF_ONE_NAME.format(numbers=(1,), types=("f8",))) == ["[2] (2, 2) ['float64']"]
    assert python(tmp_path, OF_ONE_NAME.format(numbers=(10,), types=("i4",))) == ["[11] (11, 11) ['int32']"]
    together = python(tmp_path, OF_ONE_NAME.format(numbers=(1, 10), types=("f8", "i4")))
    assert together == ["[2, 11] (2, 11) ['float64', 'int32']"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_every_process_numbers_its_functions_apart(tmp_path: Path) -> None:
    assert python(tmp_path, NUMBERS) == ["True 1 True"]


@pytest.mark.parametrize("damage", [b"", None, b"short"])
@pytest.mark.parametrize("what", ["*.nbc", "*.nbi"])
def test_a_damaged_file_or_a_full_disk_costs_compiling_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes | None, what: str
) -> None:
    monkeypatch.setenv("PLIMSOLL_CACHE_DIR", str(tmp_path))

    def defined() -> tuple[Any, Any]:
        @jit.kernel
        def low(x: int) -> int:
            return x + 1

        @jit.kernel
        def high(x: int) -> int:
            return 10 * low(x)

        return low, high

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    assert [one(1) for one in defined()] == [2, 20]
    files = sorted(tmp_path.rglob(what))
    assert len(files) == 4  # two parts and two entries
    for file in files:
        file.write_bytes(file.read_bytes()[:-20] if damage is None else damage)
    with monkeypatch.context() as patched:
        patched.setattr("numba.core.caching.IndexDataCacheFile._open_for_write", full)
        low, high = defined()
        assert (low(1), high(1)) == (2, 20)
    for misses in (1, 0):
        low, high = defined()
        assert (low(1), high(1)) == (2, 20)
        assert sum(low.stats.cache_misses.values()) == misses
