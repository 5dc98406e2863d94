"""Classes of one's own are found beside the configuration, apart from other folders', and nothing is left behind."""

import sys
from pathlib import Path

import pytest

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.runtime.modules import find_object
from plimsoll.engine.runtime.prepare import make_strategies

STRATEGY = """\
from helper import SYMBOLS
from plimsoll import Strategy


class Mine(Strategy):
    universe = SYMBOLS

    def on_bar(self, ctx):
        return None
"""


def project(folder: Path, symbol: str, module: str = "my_strategy") -> Path:
    """Write a strategy, a neighbour it imports and a configuration; return the latter."""
    folder.mkdir(parents=True)
    file = folder.joinpath(*module.split(".")).with_suffix(".py")
    file.parent.mkdir(exist_ok=True)
    file.write_text(STRATEGY)
    (folder / "helper.py").write_text(f"SYMBOLS = ({symbol!r},)\n")
    (folder / "run.toml").write_text(f'[[sleeve]]\nname = "s"\nstrategy = "{module}:Mine"\n')
    return folder / "run.toml"


def universe(config: Path) -> tuple[str, ...]:
    return make_strategies(load_config(config))["s"].universe


def test_two_folders_with_modules_of_the_same_names_are_kept_apart(tmp_path: Path) -> None:
    one, two = project(tmp_path / "one", "SPY"), project(tmp_path / "two", "TLT")
    assert [universe(config) for config in (one, two, one, two)] == [("SPY",), ("TLT",), ("SPY",), ("TLT",)]


def test_the_same_folder_gives_the_same_class(tmp_path: Path) -> None:
    config = project(tmp_path / "one", "SPY")
    project(tmp_path / "two", "TLT")
    found = find_object("my_strategy:Mine", config.parent, "here")
    find_object("my_strategy:Mine", tmp_path / "two", "here")
    assert find_object("my_strategy:Mine", config.parent, "here") is found
    assert sys.modules["my_strategy"].__file__ is not None


def test_where_modules_are_looked_for_is_left_as_it_was(tmp_path: Path) -> None:
    before = list(sys.path)
    universe(project(tmp_path / "one", "SPY"))
    with pytest.raises(ConfigError, match="cannot import 'nowhere'"):
        find_object("nowhere:Mine", tmp_path / "one", "here")
    assert sys.path == before


def test_what_is_importable_goes_first_and_is_left_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = project(tmp_path / "one", "SPY")
    project(tmp_path / "installed", "GLD")
    universe(config)
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    for name in ("my_strategy", "helper"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert universe(config) == ("GLD",)


@pytest.mark.parametrize("taken", ["json", "engine"], ids=["of Python", "imported before"])
def test_a_module_of_a_name_that_is_taken_is_found_and_the_other_one_stays(taken: str, tmp_path: Path) -> None:
    sys.modules.setdefault(taken, type(sys)(taken))
    before = sys.modules[taken]
    assert universe(project(tmp_path / "one", "SPY", taken)) == ("SPY",)
    assert universe(project(tmp_path / "two", "TLT", f"{taken}.mine")) == ("TLT",)
    assert sys.modules[taken] is before
    assert f"{taken}.mine" not in sys.modules
    assert universe(tmp_path / "two/run.toml") == ("TLT",)
    if not hasattr(before, "__file__"):
        del sys.modules[taken]


def test_a_folder_without_an_init_file_is_a_package_too(tmp_path: Path) -> None:
    one = project(tmp_path / "one", "SPY", "strategies.mine")
    two = project(tmp_path / "two", "TLT", "strategies.mine")
    assert [universe(config) for config in (one, two, one)] == [("SPY",), ("TLT",), ("SPY",)]


def test_an_import_that_fails_inside_the_module_is_not_taken_for_its_absence(tmp_path: Path) -> None:
    config = project(tmp_path / "one", "SPY")
    (config.parent / "my_strategy.py").write_text("import a_package_nobody_has\n")
    with pytest.raises(ConfigError, match="cannot import 'my_strategy': No module named 'a_package_nobody_has'"):
        universe(config)
    (config.parent / "my_strategy.py").write_text(STRATEGY)
    assert universe(config) == ("SPY",)


def test_packages_installed_below_the_folder_are_not_its_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = project(tmp_path / "one", "SPY")
    packages = tmp_path / "one/venv/packages"
    packages.mkdir(parents=True)
    (packages / "installed_there.py").write_text("")
    (config.parent / "my_strategy.py").write_text("import installed_there\n" + STRATEGY)
    monkeypatch.syspath_prepend(str(packages))
    universe(config)
    kept = sys.modules["installed_there"]
    universe(project(tmp_path / "two", "TLT"))
    assert sys.modules.pop("installed_there") is kept


def test_a_configuration_says_where_its_modules_lie_only_if_they_lie_beside_it(tmp_path: Path) -> None:
    config = project(tmp_path / "one", "SPY")
    assert load_config(config).run.modules == tmp_path / "one"
    (tmp_path / "one/registered.toml").write_text('[[sleeve]]\nname = "s"\nstrategy = "trend"\n')
    assert load_config(tmp_path / "one/registered.toml").run.modules is None
    (tmp_path / "elsewhere").mkdir()
    copy = tmp_path / "elsewhere/run.toml"
    copy.write_text(load_config(config).toml())
    assert universe(copy) == ("SPY",)
    assert load_config(copy).digest == load_config(config).digest
