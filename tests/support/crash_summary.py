"""The counts of the crash runs after all tests, from whichever processes ran them; a pytest plugin."""

from collections import Counter
from typing import Any

PROPERTY = "crash runs"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Add up what tests recorded, and print it."""
    rows: dict[str, Counter[str]] = {}
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, value in report.user_properties:
            if name == PROPERTY:
                rows.setdefault(value["name"], Counter()).update(value["counts"])
    if rows:
        from support.crash_matrix import table  # only where it has been loaded anyway

        terminalreporter.section(PROPERTY)
        terminalreporter.write_line(table(dict(sorted(rows.items()))))
