"""`plimsoll data`: pull, check, show."""

import json
import math
import os
import random
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from plimsoll.engine.cli.progress import progress_bar
from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import ConfigError, DataError
from plimsoll.engine.market.alpaca.client import NAMES, AlpacaClient, Keys
from plimsoll.engine.market.catalog.store import Catalog, default_catalog
from plimsoll.engine.market.fetching import Route
from plimsoll.engine.market.gates.session import holes
from plimsoll.engine.market.pull.budget import Budget
from plimsoll.engine.market.pull.completed import last_completed
from plimsoll.engine.market.pull.pull import Client, Puller, PullOutcome, Second
from plimsoll.engine.market.ticker import canonical
from plimsoll.engine.market.yahoo.client import YahooClient
from plimsoll.engine.runtime.needs import needs_of
from plimsoll.engine.runtime.prepare import make_strategies


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to pull, from where, and since when (ISO date, None = all there is)."""

    symbols: Sequence[str]
    config: Path | None
    source: str
    start: str | None
    confirm: Sequence[str]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Shown:
    """Where the catalog is (None = the user's), and how to print."""

    catalog: Path | None
    as_json: bool

    def open(self) -> Catalog:
        """Return the catalog."""
        return Catalog(self.catalog if self.catalog is not None else default_catalog(os.environ, Path.home()))


def run_pull(wanted: Wanted, shown: Shown) -> bool:
    """Pull, print what became of each symbol; return whether everything is in the store.

    Raises
    ------
    InputError
        If a symbol or a date is none, the source cannot be reached, or the catalog cannot be used.
    """
    symbols = _symbols(wanted)
    start = None if wanted.start is None else _day(wanted.start, "--from")
    confirm = frozenset(_day(text, "--confirm") for text in wanted.confirm)
    if confirm and len(symbols) > 1:
        raise ConfigError(f"it would speak of {len(symbols)} symbols", where="--confirm", fix="pull one symbol with it")
    outcomes: list[PullOutcome] = []
    with ExitStack() as stack:
        client, second = _clients(wanted, stack)
        puller = Puller(
            catalog=shown.open(),
            client=client,
            budget=Budget(time.sleep, random.random),
            now=_now,
            second=second,
            second_budget=Budget(time.sleep, random.random, attempts=2),
            start=start,
            confirm=confirm,
        )
        with progress_bar("pull", shown=not shown.as_json, unit="symbols") as progress:
            for outcome in puller.run(symbols):
                outcomes.append(outcome)
                if progress is not None:
                    progress(len(outcomes), len(symbols))
    if puller.stopped is not None and all(one.state in ("failed", "not_tried") for one in outcomes):
        raise puller.stopped
    _print_outcomes(outcomes, shown)
    if puller.stopped is not None:
        raise puller.stopped
    return all(one.state in ("stored", "current") for one in outcomes)


def run_check(symbols: Sequence[str], shown: Shown) -> bool:
    """Print a line per symbol: span, rows, holes, source, gates; return whether nothing is in quarantine.

    Raises
    ------
    DataError
        If the catalog is empty, a symbol is not in it, or a file is damaged.
    """
    catalog = shown.open()
    asked = [canonical(symbol) for symbol in symbols] or sorted({*catalog.symbols(), *catalog.quarantined()})
    if not asked:
        raise DataError("the catalog is empty", where=str(catalog.root), fix="run `plimsoll data pull SYMBOL` first")
    list(catalog.log.events())  # a damaged log is an error here, not at the next pull
    rows = [_checked(catalog, symbol) for symbol in asked]
    if shown.as_json:
        completed = str(last_completed(_now()))
        sys.stdout.write(json.dumps({"last_completed": completed, "symbols": rows}, indent=2) + "\n")
    else:
        columns = ("symbol", "source", "first", "last", "rows", "revised", "holes", "state")
        _print_table(columns, rows)
        _print_findings(finding for row in rows for finding in (*row["refused"], *row["notes"]))
    return not any(row["refused"] for row in rows)


def run_show(symbol: str, rows: int, shown: Shown) -> None:
    """Print the last rows of a symbol as traded, with their source and when they became known.

    Raises
    ------
    DataError
        If it is not in the catalog, or its file is damaged.
    """
    versions = shown.open().read(canonical(symbol))
    history, first = versions.history, max(0, len(versions.history) - rows)
    names = ("open", "high", "low", "close", "volume", "dividend", "split")
    table = [
        {
            "session": str(history.session[at]),
            **{name: _number(float(history.column(name)[at])) for name in names},
            "source": str(history.source[at]),
            "known_at": f"{versions.known_at[at].astype('datetime64[s]')}Z",
        }
        for at in range(first, len(history))
    ]
    if shown.as_json:
        sys.stdout.write(json.dumps(table, indent=2) + "\n")
    else:
        _print_table(("session", *names, "source", "known_at"), table)


def _symbols(wanted: Wanted) -> list[str]:
    names = list(wanted.symbols)
    if wanted.config is not None:
        config = load_config(wanted.config, env=os.environ)
        needs = needs_of(config, make_strategies(config))
        names += [*needs.symbols, *needs.optional, *needs.required_indicators, *needs.indicators]
    if not names:
        raise ConfigError("nothing to pull", where="data pull", fix="name symbols, or pass --for CONFIG")
    return list(dict.fromkeys(canonical(name) for name in names))


def _clients(wanted: Wanted, stack: ExitStack) -> tuple[Client, Second | None]:
    """Return the way to the source asked for, and to the other one if it is open."""
    env = os.environ
    proxy = env.get("HTTPS_PROXY") or env.get("https_proxy") or ""
    route = Route(proxy=proxy, ca_file=env.get("SSL_CERT_FILE", ""), timeout_s=wanted.timeout_s)
    keys = Keys.of(env)
    alpaca = AlpacaClient(keys, route, _now) if keys is not None else None
    if wanted.source == "yahoo":
        return stack.enter_context(YahooClient(route)), alpaca
    if alpaca is None:
        names = " and ".join(NAMES[0])
        raise ConfigError("Alpaca needs keys", where="data pull", fix=f"set {names} in the environment")
    return alpaca, stack.enter_context(YahooClient(route))


def _checked(catalog: Catalog, symbol: str) -> dict[str, Any]:
    found = catalog.find(symbol)
    refused = catalog.refusal(symbol).notes if symbol in catalog.quarantined() else ()
    if found is None:
        if not refused:
            catalog.read(symbol)  # says that there is none
        state, span = "quarantined", ("", "")
        return _row(symbol, "", span, (0, 0, 0), state) | {"refused": [f.plain() for f in refused], "notes": []}
    history = found.current()
    sources = sorted(set(history.source.tolist()))
    span = (str(history.session[0]), str(history.session[-1])) if len(history) else ("", "")
    counts = (len(history), len(found.history) - len(history), len(holes(history)))
    row = _row(symbol, "+".join(sources), span, counts, "quarantined" if refused else "ok")
    return row | {"refused": [f.plain() for f in refused], "notes": [f.plain() for f in found.notes]}


def _row(symbol: str, source: str, span: tuple[str, str], counts: tuple[int, int, int], state: str) -> dict[str, Any]:
    names = ("symbol", "source", "first", "last", "rows", "revised", "holes", "state")
    return dict(zip(names, (symbol, source, *span, *counts, state), strict=True))


def _print_outcomes(outcomes: Sequence[PullOutcome], shown: Shown) -> None:
    plain = [asdict(one) for one in outcomes]
    if shown.as_json:
        sys.stdout.write(json.dumps(plain, indent=2) + "\n")
        return
    _print_table(("symbol", "state", "source", "added", "revised", "last"), plain)
    for one in outcomes:
        if one.state == "failed":
            sys.stdout.write(f"{one.error}\n")
    _print_findings(finding.plain() for one in outcomes for finding in one.findings)


def _print_findings(findings: Iterable[dict[str, str]]) -> None:
    for one in findings:
        what = {"note": "note", "row": "this session is in quarantine", "symbol": "the pull is in quarantine"}
        when = f", {one['session']}" if one["session"] else ""
        line = f"{one['symbol']}{when}: {one['gate']}: {one['text']} ({what[one['severity']]})"
        if one["severity"] != "note" and one["session"]:
            line += f"; if it is right: plimsoll data pull {one['symbol']} --confirm {one['session']}"
        sys.stdout.write(f"{line}\n")


def _print_table(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    cells = [list(columns), *([str(row[name]) for name in columns] for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(columns))]
    for line in cells:
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        sys.stdout.write(text.rstrip() + "\n")


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text!r} is not a date", where=option, fix="write YYYY-MM-DD") from None


def _now() -> datetime:
    return datetime.now(UTC)
