"""Is everything in place?"""

import os
import platform
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from plimsoll.engine.errors import PlimsollError
from plimsoll.engine.verbs.host import PROGRAM, Host

_PACKAGES = (
    *("numpy", "pandas", "numba", "pydantic", "structlog", "exchange_calendars", "typer", "rich", "pyarrow", "plotly"),
    *("jinja2", "yfinance", "alpaca-py"),
)
_NEEDED = "needed for paper trading and for data from Alpaca"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: `ok` decides the exit code, `detail` says what was seen and, if not ok, what to do."""

    name: str
    ok: bool
    detail: str


def doctor(data: Path | str | None = None, *, host: Host = PROGRAM) -> list[Check]:
    """Check the installation, and a folder of data files if one is named; one that raises is a failed check."""
    return list(_checks(None if data is None else Path(data), host.env))


def _checks(data: Path | None, env: Mapping[str, str]) -> Iterator[Check]:
    named: list[tuple[str, Callable[[], Check]]] = [
        ("python", _python),
        ("packages", _packages),
        ("kernel cache", _cache),
        ("kernels compile", _compile),
        ("calendar", _calendar),
        ("strategies", _strategies),
        ("sample data", _sample),
        ("credentials", lambda: _credentials(env)),
    ]
    if data is not None:
        named.append(("data folder", lambda: _data(data)))
    for name, check in named:
        try:
            yield check()
        except PlimsollError as error:
            yield Check(name, False, str(error))
        except Exception as error:  # noqa: BLE001  (whatever is broken here is what the user came to learn)
            yield Check(name, False, f"{type(error).__name__}: {error}")


def _python() -> Check:
    ok = sys.version_info >= (3, 11)
    return Check(
        "python", ok, f"{platform.python_version()} on {platform.machine()}" + ("" if ok else "; 3.11 is needed")
    )


def _packages() -> Check:
    found, missing = [], []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    detail = f"missing: {', '.join(missing)}; run scripts/setup" if missing else ", ".join(found)
    return Check("packages", not missing, detail)


def _cache() -> Check:
    from plimsoll.engine.kernels.jit import cache_root

    root = cache_root()
    root.mkdir(parents=True, exist_ok=True)
    ok = os.access(root, os.W_OK)
    size = sum(file.stat().st_size for file in root.rglob("*") if file.is_file()) / 1e6
    detail = f"{root}, {size:.1f} MB" if ok else f"{root} is not writable; set PLIMSOLL_CACHE_DIR"
    return Check("kernel cache", ok, detail)


def _compile() -> Check:
    from plimsoll.engine.kernels.cost import round_up_cent
    from plimsoll.engine.kernels.jit import flags

    interpreted = not hasattr(round_up_cent, "signatures")
    ok = round_up_cent(1.001) == 1.01
    return Check("kernels compile", ok, "interpreted: NUMBA_DISABLE_JIT is set" if interpreted else flags()[:60])


def _calendar() -> Check:
    from datetime import date

    from plimsoll.engine.market.calendar import day_kind, sessions

    count = len(sessions(date(2024, 1, 1), date(2024, 12, 31)))
    ok = count == 252 and day_kind(date(2025, 1, 9)) == "holiday"  # a day of mourning, announced eleven days before
    detail = f"XNYS, {count} sessions in 2024" if ok else "XNYS lacks 2025-01-09; upgrade exchange_calendars"
    return Check("calendar", ok, detail)


def _strategies() -> Check:
    from plimsoll.engine.runtime.resolve import registered, strategy_class

    names = list(registered())
    for name in names:
        strategy_class(name)()
    return Check("strategies", bool(names), ", ".join(names) or "none is registered; install the package")


def _sample() -> Check:
    from plimsoll.engine.market.source import open_source

    panel = open_source("sample", None).load(("SPY", "TLT"), (), interval="1d", seed=42)
    return Check("sample data", panel.n_bars > 5000, f"{panel.n_bars} synthetic sessions, {panel.data_hash[:12]}")


def _credentials(env: Mapping[str, str]) -> Check:
    from plimsoll.engine.market.alpaca.client import NAMES

    for key, secret in NAMES:
        if env.get(key) and env.get(secret):
            return Check("credentials", True, f"{key} is set (…{env[key][-2:]}); {_NEEDED}")
    return Check("credentials", True, f"no Alpaca keys in the environment; {_NEEDED}")


def _data(folder: Path) -> Check:
    from plimsoll.engine.market.source import FOLDER, open_source

    symbols = sorted(open_source(FOLDER, folder).offers("1d").symbols)
    loose = " and world-writable" if folder.stat().st_mode & stat.S_IWOTH else ""
    return Check("data folder", bool(symbols), f"{folder}{loose}: {len(symbols)} symbols: {' '.join(symbols)}")
