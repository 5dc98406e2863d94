"""A table of a page: finished text."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageTable:
    """Rows of text under a head; the first column names the row."""

    caption: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""
