"""What pages are made of is kept between processes, and never taken for what it has since become."""

import base64
import gzip
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader

from plimsoll.engine import kept
from plimsoll.engine.report.page import frame
from plimsoll.engine.report.page.compiled_template import KeptTemplates


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLIMSOLL_CACHE_DIR", str(tmp_path / "cache"))


def rendered(folder: Path, **options: Any) -> str:
    """Return the page as a process makes it that has compiled nothing yet."""
    loader = FileSystemLoader(folder)
    environment = Environment(loader=loader, bytecode_cache=KeptTemplates(repr(options)), **options)
    return environment.get_template("page.j2").render(x="<b>")


def test_a_template_is_compiled_once_and_anew_when_its_text_or_its_options_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.j2"
    page.write_text("one {{ x }}")
    assert rendered(tmp_path, autoescape=True) == "one &lt;b&gt;"
    with monkeypatch.context() as patch:
        patch.delattr(Environment, "_generate")  # nothing is compiled
        assert rendered(tmp_path, autoescape=True) == "one &lt;b&gt;"
    assert rendered(tmp_path, autoescape=False) == "one <b>"
    page.write_text("two {{ x }}")
    assert rendered(tmp_path, autoescape=True) == "two &lt;b&gt;"


def test_the_drawing_library_is_packed_once_and_anew_when_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame, "FOLDER", tmp_path)
    library = tmp_path / frame.KEPT
    library.parent.mkdir(parents=True)

    def unpacked() -> bytes:
        frame.plotly_packed.cache_clear()  # another process
        return gzip.decompress(base64.b64decode(frame.plotly_packed()))

    library.write_bytes(b"draw = 1")
    assert unpacked() == b"draw = 1"
    with monkeypatch.context() as patch:
        patch.delattr(frame, "packed")
        assert unpacked() == b"draw = 1"
    library.write_bytes(b"draw = 2")
    assert unpacked() == b"draw = 2"
    for torn in kept.facts_folder().iterdir():
        torn.write_bytes(torn.read_bytes()[:-1])
    assert unpacked() == b"draw = 2"
    frame.plotly_packed.cache_clear()
