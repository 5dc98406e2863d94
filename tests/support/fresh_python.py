"""Python as a user has it: nothing of this tree on its path but what a test puts there."""

import os
import subprocess
import sys
from pathlib import Path


def fresh_python(folder: Path, *arguments: str | Path, **env: str) -> str:
    """Run the interpreter with arguments in a folder and return what it prints; it must succeed."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=folder, env={**kept, **env}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
