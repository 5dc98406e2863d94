"""Move this process's wall clock by whole days, so that whoever asks what day it is answers differently."""

import datetime as dt
import time
from collections.abc import Callable
from typing import Any, Final

import pandas as pd  # must be loaded before the classes it is compiled against are replaced

DAY: Final = 86_400


def shift_clock(days: int) -> None:
    """Add `days` to what Python code is told by `time`, `datetime`, `date` and pandas from now on.

    Called before the code under audit is imported: a name taken from these modules earlier keeps the true time, and
    so does compiled code that asks the operating system itself (``np.datetime64("now")``).
    """
    _shift_time(days)  # date.today() asks time.time()
    moment, apart = dt.datetime, dt.timedelta(days=days)
    _shift_timestamp(apart)
    replaced: dict[str, Callable[..., Any]] = {
        "now": lambda tz=None: moment.now(tz) + apart,
        "today": lambda: moment.now() + apart,
        "utcnow": lambda: moment.now(dt.UTC).replace(tzinfo=None) + apart,
    }
    setattr(dt, "datetime", _stand_in(moment, replaced))  # noqa: B010  (assigning to a class is a type error)


def _shift_time(days: int) -> None:
    true: dict[str, Callable[..., Any]] = {name: getattr(time, name) for name in ("time", "time_ns")}
    split = {name: getattr(time, name) for name in ("gmtime", "localtime", "ctime")}
    shown = {name: getattr(time, name) for name in ("asctime", "strftime")}

    def now() -> float:
        return float(true["time"]()) + days * DAY

    replaced: dict[str, Callable[..., Any]] = {
        "time": now,
        "time_ns": lambda: true["time_ns"]() + days * DAY * 10**9,
        "asctime": lambda t=None: shown["asctime"](split["localtime"](now()) if t is None else t),
        "strftime": lambda text, t=None: shown["strftime"](text, split["localtime"](now()) if t is None else t),
    }
    for name, function in split.items():
        replaced[name] = lambda seconds=None, f=function: f(now() if seconds is None else seconds)
    for name, function in replaced.items():
        setattr(time, name, function)


def _shift_timestamp(apart: dt.timedelta) -> None:
    now = pd.Timestamp.now
    replaced: dict[str, Callable[..., Any]] = {
        "now": lambda tz=None: now(tz) + apart,
        "today": lambda tz=None: now(tz) + apart,
        "utcnow": lambda: now("UTC") + apart,
    }
    for name, function in replaced.items():
        setattr(pd.Timestamp, name, staticmethod(function))


def _stand_in(real: type, replaced: dict[str, Callable[..., Any]]) -> type:
    """Return a subclass that passes for `real` in every type test and answers the replaced questions itself."""

    class Passing(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, real) if cls is shown else super().__instancecheck__(instance)

        def __subclasscheck__(cls, subclass: type) -> bool:
            return issubclass(subclass, real) if cls is shown else super().__subclasscheck__(subclass)

    methods = {name: staticmethod(function) for name, function in replaced.items()}
    shown = Passing(real.__name__, (real,), {"__slots__": (), "__module__": real.__module__, **methods})
    return shown
