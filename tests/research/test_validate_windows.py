"""The windows of a walk forward, against a count of sessions one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.engine.config.validate import ValidateSection
from plimsoll.engine.errors import DataError
from plimsoll.engine.research.validate.windows import WALKS, Walk, Window, windows_of


def section_of(train: int, test: int, step: int | None, purge: int, embargo: int) -> ValidateSection:
    return ValidateSection(
        train_sessions=train, test_sessions=test, step_sessions=step, purge_sessions=purge, embargo_sessions=embargo
    )


def session_by_session(n: int, train: int, test: int, step: int, gap: int, *, expanding: bool) -> list[Window]:
    """Walk over the sessions and open a window at each that is due one."""
    found: list[list[int]] = []
    due = train + gap
    for session in range(n):
        if session == due:
            trained = [s for s in range(session) if s < session - gap and (expanding or s >= session - gap - train)]
            tested = [s for s in range(session, session + test) if s < n]
            found.append([trained[0], trained[-1] + 1, tested[0], tested[-1] + 1])
            due += step
    held = [window[2] for window in found[1:]] + [min(found[-1][2] + step, n)]
    return [Window(*window, to) for window, to in zip(found, held, strict=True)]


shapes = st.tuples(
    st.integers(21, 60),
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(0, 8),
    st.integers(0, 8),
    st.integers(0, 90),
)


@given(shapes, st.sampled_from(WALKS))
def test_windows_are_those_found_by_walking_over_the_sessions(shape: tuple[int, ...], walk: Walk) -> None:
    train, test, step, purge, embargo, more = shape
    step = min(step, test)
    n = train + purge + embargo + test + more
    found = windows_of(n, section_of(train, test, step, purge, embargo), walk)
    expected = session_by_session(n, train, test, step, purge + embargo, expanding=walk == "expanding")
    assert list(found) == expected


@given(shapes, st.sampled_from(WALKS))
def test_no_session_is_trained_on_within_the_gap_and_what_is_held_has_no_hole(
    shape: tuple[int, ...], walk: Walk
) -> None:
    train, test, step, purge, embargo, more = shape
    n = train + purge + embargo + test + more
    found = windows_of(n, section_of(train, test, min(step, test), purge, embargo), walk)
    assert all(window.test_from - window.train_to == purge + embargo for window in found)
    assert all(window.train_to - window.train_from >= train for window in found)
    held = [session for window in found for session in range(window.test_from, window.held_to)]
    assert held == list(range(train + purge + embargo, n))


def test_the_defaults_are_five_years_one_year_one_year() -> None:
    found = windows_of(1260 + 5 + 2 * 252, ValidateSection(), "rolling")
    assert found == (Window(0, 1260, 1265, 1517, 1517), Window(252, 1512, 1517, 1769, 1769))


@pytest.mark.parametrize("walk", WALKS)
def test_a_history_too_short_for_one_window_says_how_many_sessions_it_takes(walk: Walk) -> None:
    with pytest.raises(DataError) as caught:
        windows_of(1516, ValidateSection(), walk)
    line = str(caught.value)
    assert "1,516 sessions" in line
    assert "takes 1,517: 1,260 to train, 5 between, 252 to test" in line
    assert "\n" not in line


def test_a_step_that_would_leave_sessions_to_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="step_sessions 11 exceeds test_sessions 10"):
        section_of(21, 10, 11, 0, 0)
