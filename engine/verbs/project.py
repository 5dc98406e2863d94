"""A first project that runs."""

from importlib.resources import files
from pathlib import Path
from typing import Final

from plimsoll.engine.errors import OutputError

# What is written, and the template it comes from.
_FILES: Final = {
    "my_strategy.py": "my_strategy.py.txt",
    "my_kernel_strategy.py": "my_kernel_strategy.py.txt",
    "my_strategy.toml": "my_strategy.toml",
    "my_kernel_strategy.toml": "my_kernel_strategy.toml",
    "test_my_strategy.py": "test_my_strategy.py.txt",
}


def write_project(folder: Path | str) -> tuple[str, ...]:
    """Write a strategy in plain Python, one with a kernel, their configurations and a test; return the files' names.

    Nothing that exists is touched.

    Parameters
    ----------
    folder : path
        Made if missing.

    Raises
    ------
    OutputError
        If one of the files exists already, or the folder cannot be written.
    """
    target = Path(folder)
    for name in _FILES:
        if (target / name).exists():
            raise OutputError(
                "exists already", where=str(target / name), fix="choose another folder: plimsoll init DIR"
            )
    templates = files("plimsoll.engine.verbs") / "templates"
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, template in _FILES.items():
            (target / name).write_text((templates / template).read_text(encoding="utf-8"), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror or error}", where=str(target)) from error
    return tuple(_FILES)
