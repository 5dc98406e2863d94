"""What keeps tests apart from each other and from whoever started them; a pytest plugin."""

import gc
import signal
import sys
import traceback
import warnings
from collections.abc import Generator
from typing import Any

import pytest

# A job started in the background ignores the first two, one started by nohup the third; programs inherit that.
_SIGNALS = ("SIGINT", "SIGQUIT", "SIGHUP", "SIGTERM")
_FAILED = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """Take no signal disposition from the parent: what tests start is interrupted and killed as at a terminal."""
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: "pytest.CallInfo[Any]") -> Generator[None, Any, Any]:
    """Remember which test has failed."""
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Throw away what a failed test has left open, so that no later one is blamed for it."""
    done = yield
    if item.stash.get(_FAILED, False):
        _forget_the_failure()
    return done


def _forget_the_failure() -> None:
    """Let go of the frames that the traceback holds, and collect; the failure itself has been reported."""
    last = getattr(sys, "last_traceback", None)
    sys.last_type = sys.last_value = sys.last_traceback = None
    if hasattr(sys, "last_exc"):
        del sys.last_exc
    if last is not None:
        traceback.clear_frames(last)
    del last
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
