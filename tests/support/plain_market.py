"""Prices in plain pandas, from files or from a panel: what the oracles of the strategies read."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from support.plain_targets import total_returns
from support.real import derived, supplied
from support.scripted import Ran

from plimsoll.engine.market.panel import Panel


@dataclass(frozen=True)
class Market:
    """Sessions by symbols. close in first-bar units, ret the return since the last row, tr 1.0 at a life's first row.

    life numbers a symbol's listings from 1.
    """

    close: pd.DataFrame
    ret: pd.DataFrame
    tr: pd.DataFrame
    vix: pd.Series
    life: pd.DataFrame

    @property
    def listed(self) -> pd.DataFrame:
        return self.close.notna()

    @property
    def index(self) -> pd.DatetimeIndex:
        return pd.DatetimeIndex(self.close.index)

    def due(self, schedule: str) -> pd.DatetimeIndex:
        """Sessions of a schedule: "D" all, "M" the last of a month, "W-FRI" the last of a week that ends on Friday."""
        if schedule == "D":
            return self.index
        periods = self.index.append(self.index[-1:] + pd.offsets.BDay(1)).to_period(schedule)
        return self.index[periods[1:] != periods[:-1]]


def _market(close: pd.DataFrame, dividend: pd.DataFrame, vix: pd.Series) -> Market:
    ret = total_returns(close, dividend)
    life = (close.notna() & ret.isna()).cumsum()  # a first row, or the first after a gap, begins a life
    grown = {s: (1.0 + ret[s].fillna(0.0)).groupby(life[s]).cumprod() for s in close}
    tr = pd.DataFrame(grown, close.index)[close.columns].where(close.notna())
    return Market(close, ret, tr, vix.reindex(close.index), life)


def market_of_files(folder: Path, symbols: list[str], last: str) -> Market:
    """Read files; a close that is missing follows the adjusted closes."""
    close, dividend = {}, {}
    for symbol in symbols:
        table = pd.read_csv(folder / f"{symbol}.csv", index_col="date", parse_dates=True).loc[:last]
        if table["close"].isna().any() and not pd.isna(table["close"].iloc[0]):
            table["close"] = supplied(table["close"], table["adj_close"])
        if table["close"].isna().any():
            close[symbol], dividend[symbol] = table["adj_close"], table["adj_close"] * 0.0
        elif "dividend" in table:
            close[symbol], dividend[symbol] = table["close"], table["dividend"]
        else:
            close[symbol], dividend[symbol] = table["close"], derived(table["close"], table["adj_close"])
    vix = pd.read_csv(folder / "VIX.csv", index_col="date", parse_dates=True)["close"]
    index = pd.DatetimeIndex(sorted(set().union(*(series.index for series in close.values()))))
    return _market(pd.DataFrame(close).reindex(index), pd.DataFrame(dividend).reindex(index), vix)


def market_of_panel(panel: Panel, symbols: list[str]) -> Market:
    """Take the columns of a panel; splits are undone forward."""
    index = pd.DatetimeIndex(panel.clock.session)
    columns = [panel.column(symbol) for symbol in symbols]
    factor = np.cumprod(panel.split[:, columns], axis=0)
    close = pd.DataFrame(panel.close[:, columns] * factor, index, symbols)
    dividend = pd.DataFrame(panel.dividend[:, columns] * factor, index, symbols)
    vix = panel.indicator[:, panel.indicators.index("VIX")] if "VIX" in panel.indicators else np.nan
    return _market(close, dividend, pd.Series(vix, index))


def assert_same_answers(ran: Ran, expected: pd.DataFrame, tolerance: float = 1e-10) -> None:
    """Compare every answer after the first traded session, dates and weights; symbols not expected must be at zero.

    The first decision adopts what stood before.
    """
    theirs = expected.loc[expected.index >= ran.result.equity.index[0]]
    ours = ran.result.targets.iloc[1:]
    assert len(ours) > 0
    assert list(ours.index) == list(theirs.index)
    np.testing.assert_allclose(ours[theirs.columns], theirs, rtol=tolerance, atol=tolerance)
    assert not ours.drop(columns=theirs.columns).to_numpy().any()
