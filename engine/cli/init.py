"""`plimsoll init`: a first project that runs."""

import sys
from pathlib import Path

from plimsoll.engine.verbs.project import write_project


def run_init(folder: Path) -> None:
    """Write the files and say what to do next; nothing that exists is touched.

    Raises
    ------
    OutputError
        If one of them exists already, or the folder cannot be written.
    """
    names = write_project(folder)
    shown = "" if folder == Path() else f"cd {folder} && "
    sys.stdout.write(
        f"wrote {', '.join(names)}\n"
        f"next: {shown}plimsoll backtest my_strategy.toml\n"
        f"      {shown}python -m pytest test_my_strategy.py\n"
    )
