"""The diagnostics of a run as curves: a series for each name that a sleeve notes."""

from typing import TypeAlias

import numpy as np
import pandas as pd

from plimsoll.engine.types import Dates, Floats

# (sleeve, name) -> (days, last value of each session).
Curves: TypeAlias = dict[tuple[str, str], tuple[Dates, Floats]]


def curves_of(table: pd.DataFrame) -> Curves:
    """Return (sleeve, name) -> (dates, last value of each session), in the order of first appearance.

    table : columns session, sleeve, name, value; the rows of each name in the order of their stamps.
    """
    if len(table) == 0:
        return {}
    sleeve_of, sleeves = pd.factorize(table["sleeve"])
    name_of, names = pd.factorize(table["name"])
    code = sleeve_of * len(names) + name_of
    order = np.argsort(code, kind="stable")  # the rows of a name mostly stand together: little to do
    code = code[order]
    begins = np.append(0, np.flatnonzero(code[1:] != code[:-1]) + 1)
    ends = np.append(begins[1:], len(code))
    stamps = np.asarray(table["session"].to_numpy(), dtype="datetime64[s]")[order]
    days = stamps.astype("datetime64[D]")
    values = table["value"].to_numpy(dtype=np.float64)[order]
    out: Curves = {}
    for group in np.argsort(order[begins]).tolist():
        rows = slice(int(begins[group]), int(ends[group]))
        day = days[rows]
        last = np.append(day[1:] != day[:-1], True)
        sleeve, name = divmod(int(code[rows.start]), len(names))
        out[str(sleeves[sleeve]), str(names[name])] = (day[last], values[rows][last])
    return out
