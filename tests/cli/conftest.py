"""A small data folder, a configuration that reads it, and the command itself, run in this process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.data_folder import write_data

from plimsoll.engine.cli.main import main

CONFIG = """\
[run]
name = "tried"
[data]
source = "csv"
path = "data"
[[sleeve]]
name = "s"
strategy = "equal_weight"
[sleeve.params]
symbols = ["SPY", "TLT"]
rebalance = "5"
"""


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


Cli = Callable[..., Ran]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with a configuration `run.toml` and a data folder `data`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "run.toml").write_text(CONFIG)
    write_data(tmp_path / "data")
    return tmp_path


@pytest.fixture
def cli(here: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run `plimsoll` with arguments in the working folder."""

    def run(*argv: str) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in argv])
        captured = capsys.readouterr()
        return Ran(int(left.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def refused(cli: Cli, here: Path) -> Callable[..., str]:
    """Run `plimsoll`, expect exit code 2, one line on stderr, no output, nothing written; return the line."""

    def run(*argv: str) -> str:
        before = tree(here)
        ran = cli(*argv)
        assert ran.code == 2, ran
        assert ran.out == ""
        assert ran.err.startswith("error: "), ran.err
        assert ran.err.endswith("\n")
        assert ran.err.count("\n") == 1, ran.err
        assert tree(here) == before
        return ran.err.removeprefix("error: ").rstrip("\n")

    return run


def tree(folder: Path) -> set[str]:
    """Return every path below a folder, caches of the interpreter aside."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if "__pycache__" not in path.parts}
