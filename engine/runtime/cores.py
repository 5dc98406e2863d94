"""How many processor cores this process may use."""

import os


def cores() -> int:
    """Return the cores that the system lets this process run on, at least 1; all there are where it cannot be asked."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
