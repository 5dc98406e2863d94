"""`plimsoll init`: a first project that runs."""

import sys
from importlib.resources import files
from pathlib import Path

from plimsoll.engine.errors import OutputError

# What is written, and the template it comes from.
FILES = {
    "my_strategy.py": "my_strategy.py.txt",
    "my_kernel_strategy.py": "my_kernel_strategy.py.txt",
    "my_strategy.toml": "my_strategy.toml",
    "my_kernel_strategy.toml": "my_kernel_strategy.toml",
    "test_my_strategy.py": "test_my_strategy.py.txt",
}


def write_project(folder: Path) -> None:
    """Write the files; nothing that exists is touched.

    Raises
    ------
    OutputError
        If one of them exists already, or the folder cannot be written.
    """
    for name in FILES:
        if (folder / name).exists():
            raise OutputError(
                "exists already", where=str(folder / name), fix="choose another folder: plimsoll init DIR"
            )
    templates = files("plimsoll.engine.cli") / "templates"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, template in FILES.items():
            (folder / name).write_text((templates / template).read_text(encoding="utf-8"), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror or error}", where=str(folder)) from error
    shown = "" if folder == Path() else f"cd {folder} && "
    sys.stdout.write(
        f"wrote {', '.join(FILES)}\n"
        f"next: {shown}plimsoll backtest my_strategy.toml\n"
        f"      {shown}python -m pytest test_my_strategy.py\n"
    )
