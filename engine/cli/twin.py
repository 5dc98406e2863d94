"""`plimsoll twin`: what it prints."""

import json
import sys
from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import Any

from plimsoll.engine.cli.options import command_host
from plimsoll.engine.cli.progress import progress_bar
from plimsoll.engine.live.compare import Comparison
from plimsoll.engine.live.track import Twin
from plimsoll.engine.live.twin import CAUSES, Gap
from plimsoll.engine.verbs.twin import twin

_FIGURES = (
    ("vol_ann", "volatility a year", "percent"),
    ("vol_target", "its target", "percent"),
    ("turnover_per_year", "turnover a year", "ratio"),
    ("gross_mean", "gross, mean", "percent"),
    ("gross_max", "gross, most", "percent"),
    ("return", "return", "percent"),
)
_TRACKING = (
    ("difference_bps", "difference", "bps"),
    ("error_ann", "tracking error a year", "percent"),
    ("error_expected_ann", "expected by weights", "percent"),
    ("largest_bps", "largest session", "bps"),
    ("active_share", "active share", "percent"),
)


def run_twin(
    what: Path, other: Path | None, session: str | None, shadow: Path | None, sets: tuple[str, ...], *, as_json: bool
) -> bool:
    """Print how the two sides differ; return whether nothing asks for a look."""
    with progress_bar("replay", shown=not as_json) as progress:
        found = twin(
            what, other, session=session, shadow=shadow, sets=sets, progress=progress, host=command_host(quiet=False)
        )
    if as_json:
        sys.stdout.write(json.dumps(found.plain(), indent=2, allow_nan=False) + "\n")
    elif isinstance(found, Twin):
        _print_twin(found)
    else:
        _print_comparison(found)
    return found.ok if isinstance(found, Twin) else True


def _print_twin(found: Twin) -> None:
    gap, out = found.gap, sys.stdout.write
    out(
        f"{found.book}, {gap.session}, decided at the close of {gap.decided}"
        + (" (carried)\n" if gap.carried else "\n")
    )
    _print_table(("dollars", "wished", "filled", "price", "twin", "its price", *CAUSES, "total", "bps"), _rows(gap))
    out(f"account {gap.account:z.2f}, twin {gap.twin:z.2f}: {gap.dollars:+z.2f} dollars, {gap.bps:+z.2f} bps")
    out(f" (band {found.band_bps:g})\n" if found.inside else f", OUTSIDE the band of {found.band_bps:g}\n")
    if gap.flow:
        out(f"deposits less withdrawals {gap.flow:+z.2f}, no part of it\n")
    for line in gap.lines:
        if "unfilled" in line.causes and line.sent != line.filled:
            out(f"{line.symbol}: {line.filled:g} of {line.sent:g} filled ({line.state})\n")
    first, left = found.history[0].session, found.left_out
    out(f"since {first}: {len(found.history)} sessions, {found.total_bps:+z.2f} bps in all")
    out(f"; {left} under another configuration left out\n" if left else "\n")
    for why in found.check.why:
        out(f"NIGHTLY  {why}\n")


def _rows(gap: Gap) -> list[tuple[str, ...]]:
    rows = []
    for line in gap.lines:
        shares = (f"{line.wished:g}", f"{line.filled:g}", _price(line.price), f"{line.simulated:g}")
        causes = [_cents(line.causes.get(name, 0.0)) for name in CAUSES]
        rows.append((line.symbol, *shares, _price(line.simulated_price), *causes, _cents(line.total)))
    rows.append(("all", *[""] * 5, *[_cents(gap.of(name)) for name in CAUSES], _cents(gap.dollars)))
    bps = [value / gap.equity * 1e4 for value in (*[line.total for line in gap.lines], gap.dollars)]
    return [(*row, _cents(value)) for row, value in zip(rows, bps, strict=True)]


def _cents(value: float) -> str:
    return f"{value:z.2f}"


def _price(value: float) -> str:
    return "-" if isnan(value) else f"{value:z.4f}"


def _print_comparison(found: Comparison) -> None:
    told = found.plain()
    one, two = told["books"]
    sys.stdout.write(f"{told['sessions']} sessions, {told['first']} to {told['last']}\n")
    rows = [(label, _shown(one[key], kind), _shown(two[key], kind)) for key, label, kind in _FIGURES]
    _print_table(("", one["name"], two["name"]), rows)
    for key, label, kind in _TRACKING:
        sys.stdout.write(f"{label:22s} {_shown(told['tracking'][key], kind)}\n")


def _shown(value: Any, kind: str) -> str:
    if value is None:
        return "-"
    return {"percent": f"{value:z.2%}", "bps": f"{value:z.2f} bps", "ratio": f"{value:z.2f}"}[kind]


def _print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    cells = [head, *rows]
    widths = [max(len(line[at]) for line in cells) for at in range(len(head))]
    for line in cells:
        name, *rest = (
            text.ljust(width) if at == 0 else text.rjust(width)
            for at, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        sys.stdout.write("  ".join((name, *rest)).rstrip() + "\n")
