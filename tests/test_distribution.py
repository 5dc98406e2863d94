"""What is installed: one import name, everything behind it, from the sources as they are and from an sdist alike."""

import tarfile
import zipfile
from pathlib import Path

import pytest
from support.fresh_python import fresh_python

ROOT = Path(__file__).resolve().parents[1]


def _content(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("RECORD")}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from the sources as they are."""
    folder = tmp_path_factory.mktemp("wheel")
    fresh_python(ROOT, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    return next(folder.glob("*.whl"))


def test_a_wheel_holds_every_file_behind_the_links_and_nothing_else(wheel: Path) -> None:
    shipped = {".py", ".typed", ".txt", ".toml", ".css", ".js", ".j2"}
    expected = {"plimsoll/__init__.py", "plimsoll/py.typed"} | {
        f"plimsoll/{path.relative_to(ROOT)}"
        for package in ("engine", "strategies", "brokers")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {Path(name).suffix for name in expected} == shipped
    assert {name for name in _content(wheel) if ".dist-info/" not in name} == expected


def test_a_wheel_from_an_sdist_is_the_wheel_from_the_sources(wheel: Path, tmp_path: Path) -> None:
    fresh_python(ROOT, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        assert [member.name for member in archive.getmembers() if member.issym()] == []
        archive.extractall(tmp_path, filter="data")
    source = next(path for path in tmp_path.iterdir() if path.is_dir())
    fresh_python(source, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "again")
    assert _content(next((tmp_path / "again").glob("*.whl"))) == _content(wheel)


def test_what_is_installed_is_one_import_name_that_runs_by_itself(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "site"
    fresh_python(tmp_path, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", place, wheel)
    found = {path.name for path in place.iterdir() if not path.name.endswith(".dist-info")}
    assert found - {"bin", "__pycache__"} == {"plimsoll"}
    code = (
        "import plimsoll, importlib.util as u\n"
        "from plimsoll.engine.report.page import frame\n"
        "from plimsoll.engine.runtime.resolve import strategy_class\n"
        "from pathlib import Path\n"
        "plimsoll.write_project(Path('first'))\n"
        "strategy_class('plimsoll.strategies.trend:Trend')\n"
        "print(plimsoll.__file__, [n for n in ('engine', 'strategies', 'brokers') if u.find_spec(n)])\n"
    )
    told = fresh_python(tmp_path, "-c", code, PYTHONPATH=str(place))
    assert told.splitlines()[-1] == f"{place / 'plimsoll/__init__.py'} []"
    assert (tmp_path / "first/my_strategy.toml").is_file()
