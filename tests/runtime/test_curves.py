"""Diagnostics as curves: every name's last value of each session, whatever the order of the table's rows."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.engine.runtime.curves import curves_of

NOTE = st.tuples(st.sampled_from("ab"), st.sampled_from(("x", "y", "nan")), st.integers(0, 30), st.floats(-9, 9))


@given(st.lists(NOTE, max_size=40))
def test_each_name_has_its_last_value_of_each_session(notes: list[tuple[str, str, int, float]]) -> None:
    notes.sort(key=lambda note: note[2])  # six notes of a session, rows of the names in any mixture
    start = np.datetime64("2024-01-02T09:30:00", "s")
    stamps = [start + np.timedelta64(86400 * (k // 6) + 60 * (k % 6), "s") for _, _, k, _ in notes]
    table = pd.DataFrame(
        {
            "session": np.array(stamps, dtype="datetime64[s]"),
            "sleeve": [sleeve for sleeve, *_ in notes],
            "name": [name for _, name, *_ in notes],
            "value": np.array([value for *_, value in notes]),
        }
    )
    wanted: dict[tuple[str, str], dict[np.datetime64, float]] = {}
    for (sleeve, name, _, value), stamp in zip(notes, stamps, strict=True):
        wanted.setdefault((sleeve, name), {})[stamp.astype("datetime64[D]")] = value
    found = curves_of(table)
    assert list(found) == list(wanted)  # in the order of first appearance
    for key, (days, values) in found.items():
        assert dict(zip(list(days), values.tolist(), strict=True)) == wanted[key]
        assert (days[1:] > days[:-1]).all()
