"""What installed packages register with Plimsoll: the entry points of a group, by name.

Reading them looks into every installed distribution, and a book asks once for each of its sleeves at each slot; so they
are read once for as long as the import path stays the same.
"""

import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType


def plugins(group: str) -> Mapping[str, EntryPoint]:
    """Return the entry points of a group by name, sorted."""
    return _read(group, tuple(sys.path))


@lru_cache(maxsize=32)
def _read(group: str, _path: tuple[str, ...]) -> Mapping[str, EntryPoint]:
    found = sorted(entry_points(group=group), key=lambda point: point.name)
    return MappingProxyType({point.name: point for point in found})
