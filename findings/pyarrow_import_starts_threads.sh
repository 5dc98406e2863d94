#!/usr/bin/env bash
# `import pyarrow` starts a thread of its allocator before anything was computed: a process that forks afterwards, to try what
# becomes of a killed one, forks from several threads. JE_ARROW_MALLOC_CONF=background_thread:false keeps that thread away, although
# the pool in use is mimalloc, not jemalloc.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages pyarrow==26.0.1 <<'PYTHON'
import os
import subprocess
import sys
from importlib.metadata import version

CODE = """
import os
import pyarrow
names = sorted(open(f"/proc/self/task/{t}/comm").read().strip() for t in os.listdir("/proc/self/task"))
print(pyarrow.default_memory_pool().backend_name, *names)
"""


def threads(**more: str) -> list[str]:
    env = {**os.environ, "OMP_NUM_THREADS": "1", **more}
    return subprocess.run([sys.executable, "-c", CODE], env=env, capture_output=True, text=True, check=True).stdout.split()


plain = threads()
quiet = threads(JE_ARROW_MALLOC_CONF="background_thread:false")
print("pyarrow", version("pyarrow"), "plain:", plain, "with background_thread:false:", quiet)
started = "jemalloc_bg_thd" in plain and plain[0] == "mimalloc"
sys.exit(0 if started and "jemalloc_bg_thd" not in quiet else 1)
PYTHON
