"""The tree's own rules, read from its source: floors, circles, words, sizes, what an import may do."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("engine", "strategies", "brokers")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

# From the ground up, one floor each; the longest matching prefix decides. A file may import from its own floor and
# from those below. CONTRIBUTING.md draws them.
FLOORS = tuple(
    f"plimsoll.{name}"
    for name in (
        "engine.types",
        "engine.errors",
        "engine.state",
        "engine.garbage",
        "engine.kept",
        "engine.plugins",
        "engine.kernels",
        "engine.kernels.estimate",
        "engine.kernels.allocate",
        "engine.kernels.account",
        "engine.kernels.overfit",
        "engine.kernels.registry",
        "engine.config",
        "engine.market",
        "engine.market.csv",
        "engine.market.sample",
        "engine.market.gates",
        "engine.market.catalog",
        "engine.market.yahoo",
        "engine.market.alpaca",
        "engine.market.pull",
        "engine.market.imports",
        "engine.sleeve",
        "engine.execution",
        "engine.execution.sim",
        "engine.portfolio.stages",
        "engine.portfolio",
        "engine.portfolio.legacy",
        "engine.core",
        "strategies",
        "brokers",
        "engine.runtime",
        "engine.runtime.compiled",
        "engine.report.metrics",
        "engine.report.page",
        "engine.report.tearsheet",
        "engine.report.sweep",
        "engine.report.validate",
        "engine.report.prices",
        "engine.report",
        "engine.trials",
        "engine.research.proof",
        "engine.research.audit",
        "engine.research.sweep",
        "engine.research.stress",
        "engine.research.validate",
        "engine.research",
        "engine.live",
        "engine.verbs",
        "engine.cli",
    )
)
# Who alone may import what.
HOMES = {
    "numba": tuple(f"plimsoll.engine.kernels.{name}" for name in ("counted", "jit", "lent", "parts", "release")),
    "llvmlite": ("plimsoll.engine.kernels.lent", "plimsoll.engine.kernels.parts"),
    "alpaca": ("plimsoll.brokers.alpaca", "plimsoll.engine.market.alpaca"),
    "aiohttp": ("plimsoll.brokers.exchange",),
    "yfinance": ("plimsoll.engine.market.yahoo",),
    "curl_cffi": ("plimsoll.engine.market.yahoo",),
    "tenacity": ("plimsoll.engine.market.pull",),
    "scipy": (),
    "sklearn": (),
    "pickle": (),  # what is read back could run anything
    "typer": ("plimsoll.engine.cli",),
    "distributed": ("plimsoll.engine.research.sweep.cluster",),
}
MODELESS = (
    "plimsoll.engine.core",
    "plimsoll.engine.portfolio",
    "plimsoll.engine.execution.planner",
    "plimsoll.strategies",
)
MODE_WORDS = re.compile(r"(is_|in_|on_)?(live|paper|backtest|backtesting)(_mode)?|run_mode|dry_run")
MAX_FILE, SOFT_FILE = 400, 250
MAX_FUNCTION, SOFT_FUNCTION = 80, 40


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(("plimsoll", *(parts[:-1] if parts[-1] == "__init__" else parts)))


@cache
def _parsed(content: bytes) -> ast.Module:
    return ast.parse(content)


def _tree(path: Path) -> ast.Module:
    return _parsed(path.read_bytes())


MODULES = {_name(path): path for path in FILES}


def _typing_only(tree: ast.Module) -> set[ast.AST]:
    """Return the imports under `if TYPE_CHECKING:`; they never run."""
    guards = [n for n in ast.walk(tree) if isinstance(n, ast.If) and ast.unparse(n.test).endswith("TYPE_CHECKING")]
    return {inner for guard in guards for inner in ast.walk(guard)}


def _imports(path: Path) -> tuple[tuple[int, str], ...]:
    """Return (line, module) of everything a file imports at run time, inside functions too."""
    found = _found(path.read_bytes())
    assert not any(module.startswith(".") for _, module in found), f"{path} imports relatively"
    return found


@cache
def _found(content: bytes) -> tuple[tuple[int, str], ...]:
    tree = _parsed(content)
    skipped = _typing_only(tree)
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and node not in skipped:
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node not in skipped:
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                inner = f"{module}.{alias.name}"
                found.append((node.lineno, inner if inner in MODULES else module))
    return tuple(found)


def _floor(module: str) -> int:
    matching = [floor for floor in FLOORS if module == floor or module.startswith(floor + ".")]
    return FLOORS.index(max(matching, key=len))


def _arrows_up(module: str, imported: Iterable[tuple[int, str]]) -> list[str]:
    """Return every import of a module that stands on a higher floor than the module itself."""
    return [
        f"{module} (floor {_floor(module)}) line {line} imports {found} (floor {_floor(found)})"
        for line, found in imported
        if found.startswith(tuple(f"plimsoll.{package}" for package in PACKAGES)) and _floor(found) > _floor(module)
    ]


def _within(module: str, homes: tuple[str, ...]) -> bool:
    return any(module == home or module.startswith(home + ".") for home in homes)


def test_imports_go_down_or_stay_on_their_floor() -> None:
    assert [arrow for name, path in MODULES.items() for arrow in _arrows_up(name, _imports(path))] == []


def test_every_file_stands_on_a_floor_and_every_floor_has_a_file() -> None:
    roots = {"plimsoll.engine"}  # a docstring alone
    assert {FLOORS[_floor(name)] for name in MODULES if name not in roots} == set(FLOORS)


@pytest.mark.parametrize(("lower", "upper"), list(pairwise(FLOORS)), ids=lambda floor: floor.removeprefix("plimsoll."))
def test_an_arrow_up_between_neighbouring_floors_is_seen(lower: str, upper: str, tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(f"def late() -> None:\n    from {upper} import anything\n")
    assert len(_arrows_up(f"{lower}.planted", _imports(planted))) == 1
    planted.write_text(f"import {lower}\n")
    assert _arrows_up(f"{upper}.planted", _imports(planted)) == []


def test_nobody_inside_imports_from_the_facade() -> None:
    wrong = [f"{n}:{line}" for n, path in MODULES.items() for line, found in _imports(path) if found == "plimsoll"]
    assert wrong == []


def test_no_module_reaches_itself_through_its_imports() -> None:
    edges = {name: {found for _, found in _imports(path) if found in MODULES} for name, path in MODULES.items()}
    done: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail[trail.index(name) :], name))
        if name not in done:
            for found in sorted(edges[name] - {name}):
                walk(found, (*trail, name))
            done.add(name)

    for name in edges:
        walk(name, ())


@pytest.mark.parametrize("package", HOMES)
def test_a_foreign_package_stays_in_its_home(package: str) -> None:
    wrong = [
        f"{name}:{line} imports {found}"
        for name, path in MODULES.items()
        for line, found in _imports(path)
        if found.split(".")[0] == package and not _within(name, HOMES[package])
    ]
    assert wrong == []


def test_the_engine_knows_no_strategy_and_no_broker_by_name() -> None:
    wrong = []
    for name, path in MODULES.items():
        if not name.startswith("plimsoll.engine"):
            continue
        wrong += [f"{name}:{line} imports {found}" for line, found in _imports(path) if not _foreign(found)]
        for node in ast.walk(_tree(path)):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if re.fullmatch(r"(plimsoll\.)?(strategies|brokers)\.\w+(\.\w+)*(:\w+)?", text):
                wrong.append(f"{name} names {text}")
    assert wrong == []


def _foreign(module: str) -> bool:
    return module.removeprefix("plimsoll.").split(".", 1)[0] not in {"strategies", "brokers"}


def test_a_data_source_is_known_by_its_name_alone() -> None:
    sources = ("plimsoll.engine.market.csv", "plimsoll.engine.market.sample")
    dated_rows = "plimsoll.engine.market.csv.cut"  # cuts any table of dated rows
    imports = "plimsoll.engine.market.imports"  # writes what the folder's reader reads
    wrong = [
        f"{name}:{line} imports {found}"
        for name, path in MODULES.items()
        for line, found in _imports(path)
        if _within(found, sources) and not _within(name, (*sources, imports)) and found != dated_rows
    ]
    assert wrong == []


def test_strategies_and_brokers_do_not_know_each_other() -> None:
    wrong = [
        f"{name}:{line} imports {found}"
        for name, path in MODULES.items()
        for line, found in _imports(path)
        if {*name.split(".")[:2], *found.split(".")[:2]} == {"plimsoll", "strategies", "brokers"}
    ]
    assert wrong == []


def _identifiers(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name", "asname"):
            word = getattr(node, field, None)
            if isinstance(word, str):
                yield getattr(node, "lineno", 0), word


def test_the_same_code_runs_everywhere_because_it_has_no_word_for_where_it_runs() -> None:
    wrong = [
        f"{name}:{line} {word}"
        for name, path in MODULES.items()
        if _within(name, MODELESS)
        for line, word in _identifiers(_tree(path))
        if MODE_WORDS.fullmatch(word)
    ]
    assert wrong == []


def _functions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, int(node.end_lineno or node.lineno) - node.lineno + 1


def test_no_file_and_no_function_is_too_long_to_read(record_property: Callable[[str, object], None]) -> None:
    lengths = {name: path.read_text().count("\n") for name, path in MODULES.items()}
    functions = {f"{name}.{fn}": n for name, path in MODULES.items() for fn, n in _functions(_tree(path))}
    record_property(f"files over {SOFT_FILE} lines", sorted(n for n, lines in lengths.items() if lines > SOFT_FILE))
    record_property(
        f"functions over {SOFT_FUNCTION} lines", sorted(n for n, k in functions.items() if k > SOFT_FUNCTION)
    )
    assert {name: lines for name, lines in lengths.items() if lines > MAX_FILE} == {}
    assert {name: lines for name, lines in functions.items() if lines > MAX_FUNCTION} == {}


def _undocumented(tree: ast.Module, name: str) -> Iterator[str]:
    if not ast.get_docstring(tree):
        yield name
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            if not ast.get_docstring(node):
                yield f"{name}.{node.name}"
            for inner in node.body if isinstance(node, ast.ClassDef) else ():
                if (
                    isinstance(inner, ast.FunctionDef)
                    and not inner.name.startswith("_")
                    and not ast.get_docstring(inner)
                ):
                    yield f"{name}.{node.name}.{inner.name}"


def test_everything_public_says_what_it_is() -> None:
    assert [found for name, path in MODULES.items() for found in _undocumented(_tree(path), name)] == []


def _python(code: str, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_engine_imports_next_to_nothing() -> None:
    code = "import sys; before = set(sys.modules); import plimsoll; print(sorted(set(sys.modules) - before))"
    roots = {name.split(".", 1)[0] for name in ast.literal_eval(_python(code)) if name != "plimsoll"}
    assert roots <= set(sys.stdlib_module_names)


def test_every_public_name_is_where_the_facade_says() -> None:
    code = "import plimsoll; print([getattr(plimsoll, name).__name__ for name in dir(plimsoll) if name.istitle()])"
    shown = ast.literal_eval(_python(code))
    assert {"Config", "Context", "Strategy", "Panel", "Result"} <= set(shown)
    code = "import plimsoll; print(sorted(plimsoll.__all__) == sorted(plimsoll._HOME) == dir(plimsoll))"
    assert _python(code) == "True"


WATCH = """
import importlib, os, sys
cache, modules = os.environ["PLIMSOLL_CACHE_DIR"], {modules!r}
seen = []
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
def watch(event, args):
    if event == "open" and (args[2] or 0) & WRITES and not str(args[0]).startswith((cache, os.devnull)):
        seen.append((event, str(args[0])))
    elif event in ("os.mkdir", "os.remove", "os.rename", "os.rmdir") and not str(args[0]).startswith(cache):
        seen.append((event, str(args[0])))
    elif event in ("socket.connect", "socket.bind", "socket.getaddrinfo"):
        seen.append((event, ""))
for name in {third!r}:
    importlib.import_module(name)
import logging, warnings, signal, random
import numpy as np
def world():
    handlers = [str(h) for h in logging.getLogger().handlers]
    return (dict(os.environ), list(sys.path), len(warnings.filters), handlers, os.getcwd(),
            signal.getsignal(signal.SIGINT), random.getstate(), repr(np.random.get_state()), sys.excepthook)
before = world()
sys.addaudithook(watch)
for name in modules:
    importlib.import_module(name)
after = world()
print(seen, [k for k, (a, b) in enumerate(zip(before, after)) if a != b])
"""


def test_importing_a_module_does_nothing(tmp_path: Path) -> None:
    third = ("numpy", "pandas", "numba", "pydantic", "structlog", "typer")
    modules = [
        name for name in MODULES if not name.startswith(("plimsoll.brokers.alpaca", "plimsoll.brokers.exchange"))
    ]
    code = WATCH.format(modules=modules, third=third)
    assert _python(code, PLIMSOLL_CACHE_DIR=str(tmp_path / "cache")) == "[] []"
    assert not any((tmp_path / "cache").rglob("*.nbc"))  # nothing was compiled either


def test_the_rules_see_what_they_forbid(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numba\n"
        "def f(is_live):\n    import scipy.stats\n    from plimsoll.strategies.trend import Trend\n"
    )
    found = [module for _, module in _imports(path)]
    assert "numba" not in found
    assert {"scipy.stats", "plimsoll.strategies.trend"} <= set(found)
    assert [word for _, word in _identifiers(_tree(path)) if MODE_WORDS.fullmatch(word)] == ["is_live"]
    assert not MODE_WORDS.fullmatch("delivered")
    assert list(_undocumented(_tree(path), "bad")) == ["bad", "bad.f"]
