"""`plimsoll data diff`."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from plimsoll.engine.cli.data import data_host, print_table
from plimsoll.engine.market.catalog.rewrites import GROWTH, Rewrite
from plimsoll.engine.research.rerun import RunChange
from plimsoll.engine.verbs.data_diff import DataDiff, diff_data

_KINDS: Final = ("kind", "entries", "rows", "symbols", "first", "last", "largest")
_ENTRIES: Final = ("known_at", "symbol", "kind", "first", "last", "rows", "field", "before", "after", "size")
_ORDERS: Final = ("session", "symbol", "then", "now")
# More entries than this are in --json only.
_SHOWN: Final = 40
_IN_DOLLARS: Final = ("late_dividend", "corrected_dividend", "withdrawn_dividend")


def run_diff(
    catalog: Path | None, since: str | None, until: str | None, symbols: Sequence[str], run: Path | None, *,
    as_json: bool,
) -> bool:  # fmt: skip
    """Print what was told anew by kind, then one by one, then what of the run is different; return whether nothing is.

    Raises
    ------
    InputError
        As `diff_data`.
    """
    found = diff_data(catalog, since=since, until=until, symbols=symbols, run=run, host=data_host())
    if as_json:
        sys.stdout.write(json.dumps(found.plain(), indent=2, allow_nan=False) + "\n")
        return found.same
    _show(found)
    if found.run is not None:
        _show_run(found.run, reproduced=bool(found.reproduced))
    return found.same


def _show(found: DataDiff) -> None:
    sys.stdout.write(f"known after {found.since or 'the beginning'} and through {found.until}\n")
    if found.rewrites:
        rows = [{**one._asdict(), "largest": _size(one.kind, one.largest)} for one in found.kinds]
        print_table(_KINDS, rows)
    told = [one for one in found.rewrites if one.kind not in GROWTH]
    if not told:
        sys.stdout.write("nothing that was stored is told otherwise\n")
        return
    sys.stdout.write("\n")
    print_table(_ENTRIES, [_entry(one) for one in told[-_SHOWN:]])
    if len(told) > _SHOWN:
        sys.stdout.write(f"the last {_SHOWN} of {len(told)}; --json has all\n")


def _entry(one: Rewrite) -> dict[str, object]:
    return {
        **one._asdict(),
        "known_at": one.known_at[:19] + "Z",
        "field": " ".join(one.fields),
        "size": _size(one.kind, one.size),
    }


def _size(kind: str, size: float | None) -> str | None:
    if size is None:
        return None
    return f"{size:+z.4f} USD" if kind in _IN_DOLLARS else f"{size:+z.4%}"


def _shares(quantity: float) -> str:
    """Return shares with all decimals that an order has: two that differ look different."""
    return np.format_float_positional(round(quantity, 9), trim="-")


def _show_run(run: RunChange, *, reproduced: bool) -> None:
    sys.stdout.write("\n")
    if not reproduced:
        sys.stdout.write(
            "the engine or a strategy has changed since this run: both sides are as the present one makes them\n"
        )
    if run.same:
        sys.stdout.write("every target, order and equity of the run would be the same\n")
        return
    sys.stdout.write(
        f"{run.decisions_changed} of {run.decisions} decisions differ, first {run.first_decision or '-'}, "
        f"a weight by {run.target_change:z.6f} at most\n"
        f"{run.orders_changed} of {run.orders} orders differ, first {run.first_order or '-'}\n"
        f"equity differs from {run.first_equity or '-'} on; at the end {run.equity_then:z,.2f} then, "
        f"{run.equity_now:z,.2f} now\n"
    )
    moved = [one._asdict() | {"then": _shares(one.then), "now": _shares(one.now)} for one in run.moved[:_SHOWN]]
    print_table(_ORDERS, moved)
    if len(run.moved) > _SHOWN:
        sys.stdout.write(f"the first {_SHOWN} of {len(run.moved)}; --json has all\n")
