"""A reader that looks ahead: any row without a close, the last one included, decides how the whole file is read."""

from typing import Any

import numpy as np
from audit.cheats import Weekly

from plimsoll.engine.market.bars import RawBars
from plimsoll.engine.market.csv import source


def any_row(raw: RawBars) -> bool:
    """Say whether any row has an adjusted close and no close."""
    return raw.adj_close is not None and bool((np.isnan(raw.close) & ~np.isnan(raw.adj_close)).any())


class ReadsByAnyRow(Weekly):
    """Honest itself; wherever it is made, in whichever process, files are read by that rule from then on."""

    def __init__(self, *given: Any, **words: Any) -> None:
        super().__init__(*given, **words)
        source.begins_adjusted = any_row
