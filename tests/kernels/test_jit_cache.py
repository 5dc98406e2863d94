"""Compiled code on disk is used again, and never after its source or a flag has changed."""

import ast
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plimsoll.engine import kept
from plimsoll.engine.kernels import jit, sources

ROOT = Path(__file__).parents[2]
INNER = "from plimsoll.engine.kernels.jit import kernel\n\n\n@kernel\ndef inner(x):\n    return x + {add}\n"
OUTER = "from plimsoll.engine.kernels.jit import kernel\n{how}\n\n\n@kernel\ndef outer(x):\n    return 10 * {call}(x)\n"
RUN = """
from {module} import outer
print(outer(1), sum(outer.stats.cache_hits.values()))
"""


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def python(folder: Path, code: str, **flags: str) -> str:
    """Run a program in a process of its own, its kernels cached in `folder`; return what it prints."""
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT / "src")]),
        "PLIMSOLL_CACHE_DIR": str(folder / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
        **flags,
    }
    script = [sys.executable, "-c", code]
    done = subprocess.run(script, env=env, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(folder: Path, module: str = "outer", **flags: str) -> tuple[int, int]:
    """Return the outer kernel's answer to 1 and how often its machine code came from disk."""
    answer, hits = python(folder, RUN.format(module=module), **flags).split()
    return int(answer), int(hits)


LAYOUTS = {
    "two files side by side": ("inner.py", "outer.py", "outer", "from inner import inner", "inner"),
    "module attribute": ("inner.py", "outer.py", "outer", "import inner as other", "other.inner"),
    "one package": ("pack/inner.py", "pack/outer.py", "pack.outer", "from pack.inner import inner", "inner"),
    "relative import": ("pack/inner.py", "pack/outer.py", "pack.outer", "from .inner import inner", "inner"),
    "relative module": ("pack/inner.py", "pack/outer.py", "pack.outer", "from . import inner as other", "other.inner"),
    "another folder": ("pack/b/inner.py", "pack/a/outer.py", "pack.a.outer", "from pack.b.inner import inner", "inner"),
    "another package": ("other/inner.py", "pack/outer.py", "pack.outer", "from other.inner import inner", "inner"),
}


RUN_ALL = """
import importlib, sys
for folder, module in {where!r}:
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    before = set(sys.modules)
    outer = importlib.import_module(module).outer
    print(outer(1), sum(outer.stats.cache_hits.values()))
    sys.path.remove(folder)
    for name in set(sys.modules) - before:
        if name.split(".")[0] in ("inner", "outer", "pack", "other"):
            del sys.modules[name]
"""


ODD = (
    "import a",
    "import a.b, c as d",
    "def f():\n    import a\n    from b import (c,\n  d)",
    "from a import (  # one ) of them\n    b,\n    # (c\n    d,\n)\nimport e",
    "from a import b; import c",
    "x = 1; import a",
    "if True: from a import b\nimport c",
    "from a import \\\n    b\nimport c",
    "import a, \\\r\n    b",
    "from a \\\n    import b",
    "try:\n\timport a\nexcept ImportError:\n\tfrom . import b\nelse:\n\tfrom .. import (c)",
    '"""\nfrom here on it says\nimport (\n"""\nfrom a import b\nx = (1)',
    '"""\nfrom a import (\n"""\nfrom b import c\nx = ")"',
    "raise ValueError(\n) \\\nfrom a\nimport b",
    "def f():\n    yield (\n        1)\n    yield \\\n      from a\nimport b",
    "\fimport a",
    "import a\rimport b",
    "match x:\n    case 1:\n        import a\n    case _:\n        from a import b",
)


@pytest.mark.parametrize("text", ODD)
def test_no_import_is_overlooked_however_it_is_written(text: str) -> None:
    content = text.encode()
    assert said(sources.import_tree(content)) >= said(ast.parse(content))


def test_the_imports_of_every_file_of_the_package_are_found_and_no_others() -> None:
    files = sorted((ROOT / "engine").rglob("*.py"))
    assert len(files) > 200
    for path in files:
        content = path.read_bytes()
        assert said(sources.import_tree(content)) == said(ast.parse(content)), path


def said(tree: ast.Module) -> set[tuple[str, ...]]:
    """Return what a parsed file imports, by each name and with its dots."""
    found: set[tuple[str, ...]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {("", alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {("." * node.level + (node.module or ""), alias.name) for alias in node.names}
    return found


@pytest.mark.slow
def test_an_edit_in_an_inner_kernel_of_another_file_is_seen(tmp_path: Path) -> None:
    """However the outer file imports it; every step in a process of its own that sees all ways one by one."""
    folders = {layout: tmp_path / layout.replace(" ", "_") for layout in LAYOUTS}
    for layout, (inner, outer, _, how, call) in LAYOUTS.items():
        files = {inner: INNER.format(add=1), outer: OUTER.format(how=how, call=call)}
        for path in {*Path(inner).parents, *Path(outer).parents} - {Path()}:
            files[str(path / "__init__.py")] = '"""A user\'s package."""\n'
        write(folders[layout], files)

    def run_all() -> dict[str, str]:
        where = [(str(folders[layout]), LAYOUTS[layout][2]) for layout in LAYOUTS]
        lines = python(tmp_path, RUN_ALL.format(where=where)).splitlines()
        return dict(zip(LAYOUTS, lines, strict=True))

    assert run_all() == dict.fromkeys(LAYOUTS, "20 0")
    assert run_all() == dict.fromkeys(LAYOUTS, "20 1")
    for layout, (inner, *_) in LAYOUTS.items():
        write(folders[layout], {inner: INNER.format(add=2)})
    assert run_all() == dict.fromkeys(LAYOUTS, "30 0")


@pytest.mark.slow
def test_an_edit_two_files_away_is_seen(tmp_path: Path) -> None:
    middle = OUTER.format(how="from inner import inner", call="inner").replace("outer", "middle").replace("10 * ", "")
    write(tmp_path, {"inner.py": INNER.format(add=1), "middle.py": middle})
    write(tmp_path, {"outer.py": OUTER.format(how="from middle import middle", call="middle")})
    assert run(tmp_path) == (20, 0)
    write(tmp_path, {"inner.py": INNER.format(add=2)})
    assert run(tmp_path) == (30, 0)


@pytest.mark.slow
def test_a_changed_flag_never_runs_the_old_code(tmp_path: Path) -> None:
    write(tmp_path, {"inner.py": INNER.format(add=1)})
    write(tmp_path, {"outer.py": OUTER.format(how="from inner import inner", call="inner")})
    assert run(tmp_path) == (20, 0)
    for flags in ({"NUMBA_BOUNDSCHECK": "1"}, {"NUMBA_OPT": "1"}, {"NUMBA_CPU_NAME": "generic"}):
        assert run(tmp_path, **flags) == (20, 0)
    assert run(tmp_path, NUMBA_CPU_NAME="generic") == (20, 1)
    assert run(tmp_path) == (20, 1)


@pytest.mark.slow
def test_a_pasted_kernel_is_followed_too(tmp_path: Path) -> None:
    pasted = INNER.replace("kernel", "inline_kernel").replace("engine.inline_kernels", "engine.kernels")
    write(tmp_path, {"inner.py": pasted.format(add=1)})
    write(tmp_path, {"outer.py": OUTER.format(how="from inner import inner", call="inner")})
    assert run(tmp_path) == (20, 0)
    write(tmp_path, {"inner.py": pasted.format(add=2)})
    assert run(tmp_path) == (30, 0)


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("PLIMSOLL_CACHE_DIR", str(blocked))

    def double(x: float) -> float:
        return 2.0 * x

    assert jit.kernel(double)(3.0) == 6.0
    beside = Path(__file__).parent / "__pycache__"  # where numba goes on to, and finds what it once made of this file
    assert not list(beside.glob("*double*"))


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that counts as this package's own, with three files of kernels in a chain that settled long ago."""
    monkeypatch.setenv("PLIMSOLL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(sources, "_ENGINE", tmp_path.resolve())
    imports = {"inner.py": "", "middle.py": "from inner import x\n", "outer.py": "from middle import x\n"}
    write(tmp_path, {name: f"{text}x = 1\n" for name, text in imports.items()})
    for name in imports:
        os.utime(tmp_path / name, ns=(10**18, 10**18))
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def key_in_a_new_process(folder: Path, flag_text: str = "flags") -> str:
    """Return the key of the outer file as a process finds it that has looked at nothing yet."""
    for known in (sources.cache_key, sources._fingerprint):
        known.cache_clear()
    sources._KNOWN.clear()
    key = sources.cache_key(str(folder / "outer.py"), flag_text)
    sources.keep_keys()
    return key


def test_the_key_of_a_package_s_own_file_is_found_out_once(ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = key_in_a_new_process(ours)
    with monkeypatch.context() as patch:
        patch.delattr(sources, "import_closure")
        assert key_in_a_new_process(ours) == first
    for torn in kept.facts_folder().iterdir():
        torn.write_bytes(torn.read_bytes()[:-1])
    assert key_in_a_new_process(ours) == first
    shutil.rmtree(kept.facts_folder())
    monkeypatch.setattr(sources, "keep", lambda *_: None)
    assert key_in_a_new_process(ours) == first


@pytest.mark.parametrize("file", ["inner.py", "middle.py", "outer.py"])
@pytest.mark.parametrize("settled", [True, False])
def test_a_kept_key_is_not_taken_for_a_changed_source(ours: Path, file: str, *, settled: bool) -> None:
    """One that is changed in place to another of the same length, even at the same moment as before."""
    before = key_in_a_new_process(ours)
    path = ours / file
    now = time.time_ns() - (10**10 if settled else 0)
    seen = set()
    for content in ("2", "3"):
        path.write_text(path.read_text()[:-2] + content + "\n")
        os.utime(path, ns=(now + settled * int(content), now + settled * int(content)))
        seen.add(key_in_a_new_process(ours))
    assert len(seen | {before}) == 3


def test_a_kept_key_is_of_its_flags_and_of_the_files_that_are_there(ours: Path) -> None:
    before = key_in_a_new_process(ours)
    assert key_in_a_new_process(ours, "other flags") not in {before, ""}
    assert key_in_a_new_process(ours) == before
    (ours / "inner.py").unlink()
    assert key_in_a_new_process(ours) != before


def test_the_key_of_a_users_own_file_is_never_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it imports depends on where modules are looked for, of which its files tell nothing."""
    monkeypatch.setenv("PLIMSOLL_CACHE_DIR", str(tmp_path / "cache"))
    write(tmp_path, {"a/helper.py": "x = 1\n", "b/helper.py": "x = 2\n", "mine/outer.py": "from helper import x\n"})
    keys = []
    for folder in "ab":
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(tmp_path / folder))
            keys.append(key_in_a_new_process(tmp_path / "mine"))
    assert keys[0] != keys[1]
    assert not kept.facts_folder().exists()


def test_the_closure_of_a_kernel_file_names_the_kernels_it_stands_on_and_nothing_else() -> None:
    names = {path.stem for path in sources.import_closure(ROOT / "engine" / "kernels" / "allocate" / "hrp.py")}
    assert {"hrp", "linkage", "linalg", "jit", "code"} <= names
    assert not names & {"types", "errors", "kalman", "numpy"}


def test_the_place_of_the_cache_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLIMSOLL_CACHE_DIR", str(tmp_path))
    assert jit.cache_root() == tmp_path / "kernels"
    monkeypatch.delenv("PLIMSOLL_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    if sys.platform.startswith("linux"):
        assert jit.cache_root() == tmp_path / "xdg" / "plimsoll" / "kernels"


def test_a_loop_above_the_kernels_is_keyed_by_the_stages_it_calls_and_not_by_what_holds_no_kernel() -> None:
    names = {
        path.relative_to(ROOT).as_posix()
        for path in sources.import_closure(ROOT / "engine/runtime/compiled/book_loop.py")
    }
    stages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "engine/portfolio/stages").glob("s*.py")}
    assert stages <= names
    assert {"engine/portfolio/book_decide.py", "engine/portfolio/gate.py", "engine/kernels/account/ledger.py"} <= names
    assert not {"engine/core.py", "engine/portfolio/settings.py", "engine/config/schema.py"} & names


def test_whether_a_kernel_is_compiled_is_known_before_it_is_called(tmp_path: Path) -> None:
    write(tmp_path, {"outer.py": OUTER.format(how="", call="")})
    code = (
        "from outer import outer; from plimsoll.engine.kernels.jit import is_compiled\n"
        "print(is_compiled(outer)); outer(1); print(is_compiled(outer))"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT / "src")])}
    env |= {"PLIMSOLL_CACHE_DIR": str(tmp_path / "cache")}
    said = [
        subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout.split()
        for _ in range(2)
    ]
    assert said == [["False", "True"], ["True", "True"]]  # the second process finds it on disk


def test_an_environment_within_a_users_folder_is_not_the_users_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / ".venv" / "lib"
    write(installed, {"their_library.py": "x = 1\n"})
    write(tmp_path, {"my_kernels.py": "import their_library\nimport my_other\n", "my_other.py": "x = 1\n"})
    monkeypatch.syspath_prepend(str(installed))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sources, "_libraries", lambda: (installed.resolve(),))
    names = [path.name for path in sources.import_closure(tmp_path / "my_kernels.py")]
    assert names == ["my_kernels.py", "my_other.py"]
    write(
        installed, {"my_package/__init__.py": "", "my_package/a.py": "from my_package import b\nimport their_library\n"}
    )
    write(installed, {"my_package/b.py": "x = 1\n"})  # a package of kernels that is installed is followed
    names = [path.name for path in sources.import_closure(installed / "my_package" / "a.py")]
    assert "their_library.py" not in names
    assert {"a.py", "b.py"} <= set(names)
