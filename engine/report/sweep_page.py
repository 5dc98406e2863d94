"""The HTML page of a sweep: placeholder for the merge, replaced there by the page with heat map and coordinates."""

import html
from collections.abc import Mapping, Sequence

import pandas as pd


def sweep_html(*, name: str, table: pd.DataFrame, keys: Sequence[str], metric: str, facts: Mapping[str, str]) -> str:
    """Return a plain page: the facts and the settings, best first."""
    told = "".join(f"<li>{html.escape(key)}: {html.escape(value)}</li>" for key, value in facts.items())
    best = table.sort_values(metric, ascending=False, kind="stable").head(20)
    rows = best[["setting", *keys, metric, "status"]].to_html(index=False, escape=True)
    return f"<!doctype html><meta charset='utf-8'><title>{html.escape(name)}</title><ul>{told}</ul>{rows}\n"
