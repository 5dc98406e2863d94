"""The windows of a walk forward: where a setting is chosen, and where it is held without another look."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from plimsoll.engine.config.validate import ValidateSection
from plimsoll.engine.errors import DataError

Walk: TypeAlias = Literal["rolling", "expanding"]
WALKS: tuple[Walk, ...] = ("rolling", "expanding")


@dataclass(frozen=True, slots=True)
class Window:
    """Positions on the axis of n sessions: chosen on [train_from, train_to), held on [test_from, test_to).

    held_to : where the next window's test begins, or test_to of the last; what is stitched is [test_from, held_to).
    """

    train_from: int
    train_to: int
    test_from: int
    test_to: int
    held_to: int


def windows_of(n: int, section: ValidateSection, walk: Walk) -> tuple[Window, ...]:
    """Return the windows over n sessions, the first test as early as the training allows.

        test_from_k = train + purge + embargo + k step,   train_to_k = test_from_k - purge - embargo
        train_from_k = train_to_k - train (rolling) | 0 (expanding)

    Purge and embargo both lie between training and test: in a walk forward the training never follows the test, so
    that what Lopez de Prado (2018, ch. 7) embargoes behind a test does not arise; sessions whose outcome is still open
    when the test begins, and those correlated with it, do. The last test is as short as what is left.

    Raises
    ------
    DataError
        If there is not one whole window; the line says how many sessions that takes.
    """
    needed = section.train_sessions + section.gap + section.test_sessions
    if n < needed:
        raise DataError(
            f"{n:,} sessions are too few for one window, which takes {needed:,}: {section.train_sessions:,} to train, "
            f"{section.gap:,} between, {section.test_sessions:,} to test",
            where="[validate]",
            fix="start earlier, or shorten train_sessions",
        )
    return tuple(_walk(n, section, walk))


def _walk(n: int, section: ValidateSection, walk: Walk) -> Iterator[Window]:
    starts = range(section.train_sessions + section.gap, n, section.step)
    for at in starts:
        train_to = at - section.gap
        train_from = 0 if walk == "expanding" else train_to - section.train_sessions
        yield Window(train_from, train_to, at, min(at + section.test_sessions, n), min(at + section.step, n))
