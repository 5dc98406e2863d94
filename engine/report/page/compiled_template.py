"""Templates compiled once: what Jinja makes of them is kept between processes."""

import sys
from typing import Final

import jinja2
from jinja2.bccache import Bucket, BytecodeCache

from plimsoll.engine.kept import keep, recall


class KeptTemplates(BytecodeCache):
    """Keeps the code of a template by its text, by what compiled it and by how.

    options : what the environment is told; another environment makes other code of the same text.
    """

    def __init__(self, options: str) -> None:
        self._by: Final = (jinja2.__version__, sys.version, options)

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket from what was kept, if anything was."""
        found = recall(_name(bucket), self._key(bucket))
        if found is not None:
            bucket.bytecode_from_string(found)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what the bucket holds."""
        keep(_name(bucket), self._key(bucket), bucket.bytecode_to_string())

    def _key(self, bucket: Bucket) -> str:
        return repr((bucket.checksum, *self._by))


def _name(bucket: Bucket) -> str:
    return f"template-{bucket.key[:16]}"
