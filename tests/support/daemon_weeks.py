"""Two weeks of the real programs: `plimsoll exchange` and `plimsoll daemon`, killed as often as one likes.

Real processes, real HTTP on this machine, files of prices; the exchange's clock passes while the daemon waits for it.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import requests

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.market.calendar import next_session, previous_session, sessions
from plimsoll.engine.runtime.assemble import build
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.runtime.load import load_run
from plimsoll.engine.runtime.prepare import make_strategies

SYMBOLS = ("AAA", "BBB", "CCC")
CASH = 100_000.0
PAPER = Path(__file__).resolve().parents[2] / "config" / "paper.toml"
PROGRAM = str(Path(sys.executable).parent / "plimsoll")


@dataclass(frozen=True)
class Weeks:
    """A span of sessions, its split and its dividend."""

    first: date
    last: date
    split: date
    dividend: date


# One with a half day, one over the end of daylight saving time.
HALF_DAY = Weeks(date(2024, 11, 18), date(2024, 11, 29), date(2024, 11, 20), date(2024, 11, 26))
CLOCK_CHANGE = Weeks(date(2024, 10, 28), date(2024, 11, 8), date(2024, 10, 30), date(2024, 11, 6))


def write_prices(folder: Path, weeks: Weeks) -> None:
    """Write random walks on cents with one 2-for-1 split and one dividend."""
    days = sessions(date(2024, 6, 3), next_session(next_session(weeks.last)))
    dice = np.random.default_rng(11)
    shape = (len(days), len(SYMBOLS))
    level = np.array([90.0, 45.0, 160.0]) * np.exp(np.cumsum(dice.normal(0.0, 0.01, shape), axis=0))
    opened = level * np.exp(dice.normal(0.0, 0.004, shape))
    split, dividend = np.ones(shape), np.zeros(shape)
    split[np.searchsorted(days, np.datetime64(weeks.split)), 0] = 2.0
    dividend[np.searchsorted(days, np.datetime64(weeks.dividend)), 1] = 0.5
    factor = np.cumprod(split, axis=0)
    close, open_ = np.round(level / factor, 2), np.round(opened / factor, 2)
    folder.mkdir()
    for i, symbol in enumerate(SYMBOLS):
        lines = ["date,open,high,low,close,volume,dividend,split"]
        for t, day in enumerate(days):
            top, bottom = max(open_[t, i], close[t, i]), min(open_[t, i], close[t, i])
            cells = (open_[t, i], top, bottom, close[t, i], 1e9, dividend[t, i], split[t, i])
            lines.append(",".join([str(day), *(repr(float(cell)) for cell in cells)]))
        (folder / f"{symbol}.csv").write_text("\n".join(lines) + "\n")


def config(folder: Path, url: str, start: str) -> dict[str, Any]:
    """Return a book that rebalances every Friday."""
    return {
        "run": {"name": "weeks", "start": start, "cash": CASH},
        "data": {"source": "csv", "path": str(folder / "prices")},
        "sleeve": [
            {"name": "s", "strategy": "equal_weight", "params": {"symbols": list(SYMBOLS), "rebalance": "W-FRI"}}
        ],
        "integrator": {"preset": "direct"},
        "execution": {"venue": "alpaca", "min_notional": 1.0, "max_participation": 0.0},
        "costs": {"preset": "none"},
        "financing": {"cash_rate": 0.0, "margin_spread_bps": 0.0, "borrow_bps": 0.0},
        "account": {"type": "reg_t"},
        "broker": {"url": url, "account": "PA0000000000", "manage": "account"},
        "live": {
            "state": str(folder / "state"), "collar": 0.2, "max_quote_age_seconds": 1e9, "max_spread_bps": 500.0,
            "refresh_loss": 0.0, "refresh_vix": 0.0,
        },
    }  # fmt: skip


def as_toml(values: Mapping[str, Any]) -> str:
    """Write nested values; JSON's strings, numbers and lists are TOML's."""
    lines: list[str] = []
    for name, section in values.items():
        tables = section if isinstance(section, list) else [section]
        for table in tables:
            lines.append(f"[[{name}]]" if isinstance(section, list) else f"[{name}]")
            plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
            lines += [f"{key} = {json.dumps(value)}" for key, value in plain.items()]
            for key, value in table.items():
                if isinstance(value, dict):
                    lines.append(f"[{name}.{key}]")
                    lines += [f"{inner} = {json.dumps(one)}" for inner, one in value.items()]
    return "\n".join(lines) + "\n"


class OfOurOwn:
    """A book of three funds from files, with a split and a dividend, that rebalances every Friday."""

    def prepare(self, folder: Path, weeks: Weeks) -> list[str]:
        """Write what is traded; return what an exchange has to be told of it."""
        write_prices(folder / "prices", weeks)
        return ["--data", str(folder / "prices")]

    def started(self, folder: Path, url: str) -> list[str]:
        """Write the configuration; return what a daemon has to be told."""
        (folder / "book.toml").write_text(as_toml(config(folder, url, "2024-07-01")))
        return [str(folder / "book.toml")]

    def simulated(self, folder: Path, weeks: Weeks) -> Config:
        """Return what a backtest of the weeks is made from."""
        return load_config(config(folder, "http://127.0.0.1:1", weeks.first.isoformat()))


class Paper:
    """`config/paper.toml` as it ships, every Friday instead of every month, an account that costs and owes nothing.

    Limits and the cash account are off: of a purchase they leave to later slots what the backtest leaves out.
    """

    sets = (
        "sleeve.0.params.rebalance='W-FRI'", "execution.limits=false", "account.type='reg_t'", "costs.preset='none'",
        "financing.cash_rate=0.0", "financing.margin_spread_bps=0.0", "live.cash_buffer=0.0", "live.collar=0.2",
        "live.max_quote_age_seconds=1e9",
    )  # fmt: skip

    def prepare(self, _folder: Path, _weeks: Weeks) -> list[str]:
        """Return what an exchange has to be told of it: the sample's funds."""
        return ["--symbols", "SPY,IEF,BIL"]

    def started(self, folder: Path, url: str) -> list[str]:
        """Return what a daemon has to be told."""
        own = (f"broker.url='{url}'", f"live.state='{folder / 'state'}'")
        return [str(PAPER), *(word for one in (*self.sets, *own) for word in ("--set", one))]

    def simulated(self, _folder: Path, weeks: Weeks) -> Config:
        """Return what a backtest of the weeks is made from."""
        return load_config(PAPER, sets=[*self.sets, f"run.start={weeks.first}"])


Traded = OfOurOwn | Paper


def simulated(folder: Path, weeks: Weeks, book: Traded) -> dict[str, Decimal]:
    """Return what the backtest holds after the last session."""
    loaded, panel, _ = load_run(book.simulated(folder, weeks), end=weeks.last)
    setup = build(loaded, panel, make_strategies(loaded))
    run_loop(setup)
    held = {symbol: round(Decimal(repr(qty)), 9) for symbol, qty in setup.broker.positions().items()}
    return {symbol: qty for symbol, qty in held.items() if qty}


@contextmanager
def exchange(what: list[str], weeks: Weeks, env: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Run the exchange from the evening before; what it says of itself."""
    command = [
        PROGRAM, "exchange", *what, "--prices", "open",
        "--half-spread", "0", "--rate-limit", "0", "--json", "--at", f"{previous_session(weeks.first)}T17:00",
    ]  # fmt: skip
    with subprocess.Popen(
        command, env={**env}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as running:
        try:
            assert running.stdout is not None
            told: dict[str, str] = json.loads(running.stdout.readline())
            yield told
        finally:
            running.terminate()


def trade(folder: Path, weeks: Weeks, book: Traded, *, kills: int = 0, seed: int = 0) -> tuple[dict[str, Decimal], int]:
    """Let a daemon trade the weeks; return what the account holds, and how often the daemon was killed."""
    dice = Random(seed)
    what = book.prepare(folder, weeks)
    env = {**os.environ, "XDG_STATE_HOME": str(folder / "home"), "PLIMSOLL_TRIALS": "off"}
    with ExitStack() as stack:
        told = stack.enter_context(exchange(what, weeks, env))
        asked = book.started(folder, told["url"])
        env |= {"APCA_API_KEY_ID": told["key_id"], "APCA_API_SECRET_KEY": told["secret_key"]}
        headers = {"APCA-API-KEY-ID": told["key_id"], "APCA-API-SECRET-KEY": told["secret_key"]}
        killed, clock = 0, partial(_now, stack.enter_context(requests.Session()), told["url"], headers)
        while clock() <= weeks.last:
            with _daemon(asked, folder, env) as running:
                mortal = killed < kills
                ends = time.monotonic() + (1.0 + dice.random() * 2.5 if mortal else 600.0)
                while time.monotonic() < ends and running.poll() is None:
                    if clock() > weeks.last:
                        break
                    time.sleep(0.05 if mortal else 0.3)  # each look is a request that the exchange answers
                over = clock() > weeks.last
                running.send_signal(signal.SIGTERM if over else signal.SIGKILL)
                killed += not over
        rows = requests.get(f"{told['url']}/v2/positions", headers=headers, timeout=10).json()
    return {row["symbol"]: round(Decimal(row["qty"]), 9) for row in rows}, killed


def halts(folder: Path) -> list[str]:
    """Return why the daemon stopped sending, at any time of the weeks."""
    with closing(sqlite3.connect(f"file:{folder / 'state' / 'journal.sqlite'}?mode=ro", uri=True)) as journal:
        return [reason for (reason,) in journal.execute("SELECT reason FROM halt ORDER BY id")]


def splits(folder: Path) -> list[dict[str, str]]:
    """Return the splits that the journal tells of, in their order."""
    with closing(sqlite3.connect(f"file:{folder / 'state' / 'journal.sqlite'}?mode=ro", uri=True)) as journal:
        rows = journal.execute("SELECT body FROM event WHERE kind = 'split' ORDER BY seq")
        return [json.loads(body) for (body,) in rows]


@contextmanager
def _daemon(asked: list[str], folder: Path, env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [PROGRAM, "daemon", *asked]
    with (
        (folder / "daemon.log").open("ab") as log,
        subprocess.Popen(command, env={**env}, stdout=log, stderr=log) as running,
    ):
        try:
            yield running
        finally:
            if running.poll() is None:
                try:
                    running.wait(20)
                except subprocess.TimeoutExpired:
                    running.kill()


def _now(line: requests.Session, url: str, headers: Mapping[str, str]) -> date:
    """Return the exchange's date; after the last session it is a later one."""
    told = line.get(f"{url}/v2/clock", headers=dict(headers), timeout=10).json()
    return datetime.fromisoformat(told["timestamp"]).date()
