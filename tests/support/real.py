"""Real prices read with pandas alone."""

from pathlib import Path

import pandas as pd

FIELDS = ("open", "close", "volume", "dividend", "split")


def read(folder: Path, symbols: list[str], last: str) -> dict[str, pd.DataFrame]:
    """Return a table per field, sessions by symbols; a fund without a dividend table gets its dividends derived."""
    files = {s: pd.read_csv(folder / f"{s}.csv", index_col="date", parse_dates=True).loc[:last] for s in symbols}
    for table in files.values():
        table["split"] = 1.0  # the files are adjusted for splits
        if "adj_close" in table and table["close"].isna().any() and not pd.isna(table["close"].iloc[0]):
            for field in ("open", "high", "low"):
                table[field] = table[field].fillna(supplied(table["close"], table["adj_close"]))
            table["close"] = supplied(table["close"], table["adj_close"])
        if "dividend" not in table:
            table["dividend"] = derived(table["close"], table["adj_close"])
    return {name: pd.DataFrame({s: table[name] for s, table in files.items()}) for name in FIELDS}


def supplied(close: pd.Series, adjusted: pd.Series) -> pd.Series:
    """Closes with the missing ones carried on by the adjusted close: C_t = C_(t-1) A_t / A_(t-1)."""
    out = close.copy()
    for k in range(1, len(out)):
        if pd.isna(out.iloc[k]) and not pd.isna(adjusted.iloc[k]):
            out.iloc[k] = out.iloc[k - 1] * adjusted.iloc[k] / adjusted.iloc[k - 1]
    return out


def derived(close: pd.Series, adjusted: pd.Series) -> pd.Series:
    """Dividend per share from the gap between price and total return; steps below a basis point are rounding."""
    paid = close.shift(1) - close * adjusted.shift(1) / adjusted
    return paid.where(paid / close.shift(1) > 1e-4, 0.0).fillna(0.0)
