"""Real prices read with pandas alone."""

from pathlib import Path

import pandas as pd

FIELDS = ("open", "close", "volume", "dividend", "split")


def read(folder: Path, symbols: list[str], last: str) -> dict[str, pd.DataFrame]:
    """Return a table per field, sessions by symbols; a fund without a dividend table gets its dividends derived."""
    files = {s: pd.read_csv(folder / f"{s}.csv", index_col="date", parse_dates=True).loc[:last] for s in symbols}
    for table in files.values():
        table["split"] = 1.0  # the files are adjusted for splits
        if "dividend" not in table:
            table["dividend"] = derived(table["close"], table["adj_close"])
    return {name: pd.DataFrame({s: table[name] for s, table in files.items()}) for name in FIELDS}


def derived(close: pd.Series, adjusted: pd.Series) -> pd.Series:
    """Dividend per share from the gap between price and total return; steps below a basis point are rounding."""
    paid = close.shift(1) - close * adjusted.shift(1) / adjusted
    return paid.where(paid / close.shift(1) > 1e-4, 0.0).fillna(0.0)
