"""A table as a file holds it: columns alone."""

import pandas as pd


def flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` with its named index as the first column; row numbers, named or not, are none."""
    numbered = isinstance(frame.index, pd.RangeIndex)
    return frame.reset_index(drop=numbered) if numbered or frame.index.name is not None else frame
