"""A market spread out into plain lists, and what anyone could read off it."""

import math
import statistics
from dataclasses import dataclass, field

Row = dict[str, float]


@dataclass
class Market:
    """Prices by symbol, a list over bars each; NaN = no row. day counts sessions, opening marks their first bars."""

    symbols: list[str]
    open: dict[str, list[float]]
    close: dict[str, list[float]]
    volume: dict[str, list[float]]
    dividend: dict[str, list[float]]
    split: dict[str, list[float]]
    day: list[int]
    opening: list[bool]
    bill: list[float]
    date: list[str]
    flow: dict[int, float] = field(default_factory=dict)

    def __len__(self) -> int:
        """Bars."""
        return len(self.day)

    def trades(self, symbol: str, t: int) -> bool:
        """Whether there is a row."""
        return not math.isnan(self.close[symbol][t])

    def delisted(self, symbol: str, t: int) -> bool:
        """Whether six sessions have passed since the last row."""
        for k in range(t, -1, -1):
            if self.trades(symbol, k):
                return self.day[t] - self.day[k] >= 6
        return False

    def total_return(self, symbol: str, t: int) -> float:
        """Return since the last known close, dividends and splits included; NaN where there is none.

        More than 20 sessions without a row are no halt: what trades then is new.
        """
        if not self.trades(symbol, t):
            return math.nan
        for k in range(t - 1, -1, -1):
            if self.trades(symbol, k):
                if self.day[t] - self.day[k] - 1 > 20:
                    return math.nan
                now = (self.close[symbol][t] + self.dividend[symbol][t]) * self.split[symbol][t]
                return now / self.close[symbol][k] - 1.0
        return math.nan

    def own_bars(self, symbol: str, t: int) -> list[int]:
        """Bars that say something of a symbol, latest first: 120 at most, none before it came back as a new one."""
        bars = []
        for k in range(t, max(t - 120, -1), -1):
            bars.append(k)
            if self.trades(symbol, k) and math.isnan(self.total_return(symbol, k)):
                break
        return bars

    def sigma(self, symbol: str, t: int) -> float:
        """Daily volatility from the last 60 known returns, at least 20."""
        known = [self.total_return(symbol, k) for k in self.own_bars(symbol, t)]
        known = [r for r in known if not math.isnan(r)][:60]
        return statistics.stdev(known) if len(known) >= 20 else math.nan

    def adv(self, symbol: str, t: int) -> float:
        """Median of the last 20 known volumes, in the shares of bar t."""
        known: list[float] = []
        units = 1.0
        for k in self.own_bars(symbol, t):
            if not math.isnan(self.volume[symbol][k]) and len(known) < 20:
                known.append(self.volume[symbol][k] * units)
            units *= self.split[symbol][k]
        return statistics.median(known) if known else math.nan


def notional(market: Market, answers: dict[int, Row], last: int) -> Row:
    """Weights of the answers' own portfolio as they have drifted to the close of bar `last`; cash earns the bill."""
    weight: Row = {}
    for t in range(last + 1):
        weight = {s: w for s, w in weight.items() if not market.delisted(s, t)}
        known = {s: market.total_return(s, t) for s in weight}
        growth = 1.0 + (1.0 - sum(weight.values())) * market.bill[t]
        growth += sum(w * known[s] for s, w in weight.items() if not math.isnan(known[s]))
        weight = {s: w * (1.0 if math.isnan(known[s]) else 1.0 + known[s]) / growth for s, w in weight.items()}
        if t in answers:
            weight = dict(answers[t])
    return weight
