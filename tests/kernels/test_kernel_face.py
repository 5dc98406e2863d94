"""What the contributor's page offers of the kernels is there and says what it is."""

import importlib
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
FACE = re.findall(r"^\| `(\w+)` \| `(engine\.kernels\.[\w.]+)` \|$", PAGE, re.MULTILINE)


def test_the_page_names_some() -> None:
    assert len(FACE) >= 7


@pytest.mark.parametrize(("name", "module"), FACE)
def test_a_function_of_the_face_is_there_and_documented(name: str, module: str) -> None:
    found = getattr(importlib.import_module(f"plimsoll.{module}"), name)
    assert callable(found)
    assert (found.__doc__ or "").strip()
