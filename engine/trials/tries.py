"""What the ledger says of a family's Sharpe ratios: how many were tried, and what is left of each after that."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels.overfit.effective import effective_trials
from plimsoll.engine.report.metrics.luck import Moments, Tries, brief_text, luck_of, luck_text, moments, tries_of
from plimsoll.engine.trials.ledger import open_ledger, side_by_side
from plimsoll.engine.trials.row import TrialRow
from plimsoll.engine.types import Floats


def tries_in(rows: Sequence[TrialRow]) -> tuple[list[Moments], Tries]:
    """Return the moments of each of a family's trials, and what they are as tries.

    The returns of the ledger are net of costs; it keeps no bill rate, so the ratios are those against 0.
    """
    records = [moments(row.returns) for row in rows]
    ratios = np.array([record.ratio for record in records])
    lengths = np.array([record.n for record in records], dtype=np.int64)
    effective = effective_trials(side_by_side(rows).matrix) if len(rows) > 1 else None
    return records, tries_of(ratios, lengths, effective)


def luck_in_ledger(
    family: str,
    returns: Floats,
    bill: Floats | None,
    setting: str | Path | None,
    env: Mapping[str, str],
    *,
    told: int = 0,
) -> list[str]:
    """Return sentences on the luck of a run, its family's trials in the ledger in force being what was tried.

    returns (n,) of the run, which is recorded by now; bill (n,) of the bill series, None = none. With one a second
    sentence is of the ratio over bills, the scatter of the tries being that of their ratios against 0. Reads the
    family's trials and groups them: for people, on demand, never in a loop.
    told : so many of its trials the reader has been told of already; nothing is added where there are no more.
    """
    tries: Tries | None = None
    of = f"tries of {family} in the ledger"
    try:
        ledger = open_ledger(setting, env)
        if ledger is not None:
            rows = ledger.rows(family)
            if not rows:
                return [f"How many were tried is not known: no trial of {family} is in {ledger.path}."]
            if len(rows) <= told:
                return []
            _, tries = tries_in(rows)
    except InputError as error:
        return [f"How many were tried is not known: {error}"]
    lines = [luck_text("the true Sharpe", luck_of(moments(returns), tries), tries, of)]
    over = "" if bill is None else brief_text("Over bills", luck_of(moments(returns, bill), tries))
    return [*lines, over] if over else lines
