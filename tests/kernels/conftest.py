"""What the kernel tests share."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parents[3] / "shared" / "golden"


@pytest.fixture(scope="session")
def golden() -> Callable[[str], dict[str, Any]]:
    """Read one file of recorded answers of other libraries, or skip where they are not at hand."""

    def read(name: str) -> dict[str, Any]:
        path = GOLDEN / f"{name}.json"
        if not path.exists():
            pytest.skip(f"{path.name} is not at hand")
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    return read
