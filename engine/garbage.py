"""How often Python looks for cycles of garbage: seldom, where a process is ours.

Reading modules and compiling make millions of small objects that live; to look through them over and over is a tenth
of what a command costs.
"""

import gc
from typing import Final

# Objects made between two looks, and how many looks make one at what has stood longer.
SELDOM: Final = (50_000, 20, 50)


def seldom() -> None:
    """Look less often from now on, unless a user has said never, or seldom."""
    if 0 < gc.get_threshold()[0] < SELDOM[0]:
        gc.set_threshold(*SELDOM)
