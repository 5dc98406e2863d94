"""What is left of a sweep's Sharpe ratios after all the settings that were tried in it.

Only its own settings count here, so that the folder does not depend on what else was ever run; the ledger, which knows
that, is asked by the command.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from plimsoll.engine.kernels.overfit.effective import effective_trials
from plimsoll.engine.report.metrics.luck import (
    PER_YEAR,
    Luck,
    Moments,
    Tries,
    luck_facts,
    luck_of,
    luck_text,
    tries_of,
)
from plimsoll.engine.report.metrics.returns import NAN
from plimsoll.engine.report.sweep.table import OK
from plimsoll.engine.types import Floats

COLUMN = "deflated_sharpe"


class SweepLuck(NamedTuple):
    """A sweep's settings as tries, and the probabilities of each setting (n,), NaN where it failed."""

    tries: Tries
    each: tuple[Luck, ...]

    def facts(self, setting: int) -> dict[str, Any]:
        """Return them for one setting as plain values, in words too."""
        return {**luck_facts(self.each[setting], self.tries), "setting": setting, "text": self.text(setting)}

    def text(self, setting: int) -> str:
        """Return them for the best setting in a sentence."""
        whose = f"the true Sharpe of setting {setting}, the best,"
        return luck_text(whose, self.each[setting], self.tries, "settings of this sweep")


def sweep_luck(table: pd.DataFrame, returns: pd.DataFrame | None) -> SweepLuck:
    """Return the luck of the settings in a sweep's table that ran; a failed one is no try.

    returns : a row per session and a column per setting; None = too large to be at hand, and how many independent tries
    they are worth is then not known.
    """
    ran = (table["status"] == OK).to_numpy(dtype=np.bool_)
    columns = ("sharpe", "skew", "kurtosis")
    ratio, g3, g4 = (table[name].to_numpy(dtype=np.float64) for name in columns)
    lengths = table["sessions"].to_numpy(dtype=np.int64)
    matrix: Floats | None = None
    if returns is not None and np.count_nonzero(ran) > 1:
        whole = returns.to_numpy(dtype=np.float64)
        matrix = whole if ran.all() else whole[:, ran]
    tries = tries_of(ratio[ran] / PER_YEAR, lengths[ran], None if matrix is None else effective_trials(matrix))
    nothing = Luck(NAN, NAN, NAN)
    each = (
        luck_of(Moments(float(s) / PER_YEAR, int(n), float(a), float(b)), tries) if ok else nothing
        for ok, s, n, a, b in zip(ran, ratio, lengths, g3, g4, strict=True)
    )
    return SweepLuck(tries, tuple(each))


def with_luck(table: pd.DataFrame, luck: SweepLuck) -> pd.DataFrame:
    """Return the table with what is left of each setting after all of them, beside its probability by itself."""
    out = table.copy(deep=False)
    at = list(out.columns).index("probabilistic_sharpe") + 1
    out.insert(at, COLUMN, np.array([one.after_all for one in luck.each]))
    return out
