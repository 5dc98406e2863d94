"""The source `sample`: the generated market, daily bars, another one for every seed."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.said import NOTHING, Said
from plimsoll.engine.market.sample.source import DEFAULT_SEED, INDICATORS, sample_panel
from plimsoll.engine.market.sample.universe import SYMBOLS
from plimsoll.engine.market.source import Offer


class Generated:
    """The generated market; see `plimsoll.engine.market.source.Source`. It lies nowhere: a path says nothing to it."""

    seeded = True

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def offers(self, interval: str) -> Offer:
        """Return the funds and the indicators."""
        _check_interval(interval)
        return Offer(frozenset(SYMBOLS), frozenset(INDICATORS))

    def load(
        self,
        symbols: Sequence[str],
        indicators: Sequence[str],
        *,
        interval: str,
        start: date | None = None,
        end: date | None = None,
        seed: int = DEFAULT_SEED,
        said: Said = NOTHING,
    ) -> Panel:
        """Generate them; see `sample_panel`."""
        _check_interval(interval)
        if said.prices or said.confirmed:
            what = "prices and confirmed have no effect on the sample: its prices are known to be as traded"
            raise ConfigError(what, where="data", fix="leave them out")
        return sample_panel(symbols, indicators, start=start, end=end, seed=seed)

    def cut(self, names: Sequence[str], folder: Path, *, interval: str, last: str) -> bool:
        """Lay out nothing: what is generated up to a day does not depend on later ones."""
        return False


def _check_interval(interval: str) -> None:
    if interval != "1d":
        raise ConfigError(f"the sample source has daily bars only, not {interval!r}", where="data.interval")
