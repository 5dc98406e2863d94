"""One reload, in a process of its own: ``python -m ...audit.fresh_process JOB`` runs what JOB says and keeps the trail.

The process has another working folder, another clock, other hash seeds, and data that end early.
"""

import sys

from plimsoll.engine.garbage import seldom


def main(argv: list[str]) -> None:
    """Run one job."""
    seldom()  # before most is imported
    from plimsoll.engine.research.audit.fresh_job import run_job

    run_job(argv[0])


if __name__ == "__main__":
    main(sys.argv[1:])
