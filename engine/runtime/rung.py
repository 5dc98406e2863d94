"""The ladder of a book: what its sleeves would have come to if stage 1 had shared the book in other ways."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from plimsoll.engine.config.schema import Config
from plimsoll.engine.types import Floats

# What each rung asks of stage 1, in the order they are shown. Two of them share equally: 1/N-risk between sleeves that
# stage 0 has brought to one volatility ("equal-vol/1/N across sleeves"), 1/N between sleeves that keep their own, so
# that shares are equal in dollars: the naive one of DeMiguel, Garlappi & Uppal (2009).
METHODS: Final[Mapping[str, str]] = {
    "hrp": "hrp",
    "erc": "erc",
    "inverse_vol": "inverse_vol",
    "equal_risk": "equal",
    "equal": "equal",
    "nco": "nco",
}
# What every other one has to beat.
BENCHMARK: Final = "equal_risk"
TITLES: Final[Mapping[str, str]] = {
    "hrp": "HRP",
    "erc": "ERC",
    "inverse_vol": "inverse vol",
    "equal_risk": "1/N-risk",
    "equal": "1/N",
    "nco": "NCO",
    "min_variance": "minimum variance",
}


@dataclass(frozen=True, slots=True, eq=False)
class Rung:
    """One way of sharing the book.

    ret (T,) : time-weighted net return of each bar the run traded; of none where it failed. traded, costs : sums over
    the bars of traded notional and of trading costs, over the equity each bar began with. decided : decisions by what
    their weights came from, as stage 1 names it: where an estimate cannot be trusted, it is something simpler than was
    asked. config_hash, config_toml : of the configuration that is this rung alone. why : it failed, "" = it did not.
    """

    name: str
    ret: Floats
    traded: float
    costs: float
    decided: Mapping[str, int]
    config_hash: str
    config_toml: str
    why: str = ""

    @property
    def asked(self) -> str:
        """What stage 1 was asked for, as it names it."""
        return METHODS.get(self.name, self.name)


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """The rungs of a run, in the order of `METHODS`.

    own : the rung that the run itself is; one more where it is none of `METHODS`. seed : of the run. why : there are no
    rungs, "" = there are.
    """

    rungs: tuple[Rung, ...]
    own: str
    seed: int
    why: str = ""


def rung_config(base: Config, name: str) -> Config:
    """Return the configuration of a rung: the book's own, but for how stage 1 shares it.

    And, for 1/N and 1/N-risk, whether stage 0 brings the sleeves to one volatility.
    """
    stage = base.integrator
    normalize = stage.normalize
    if name == "equal":
        normalize = normalize.model_copy(update={"scaling": "none"})
    elif name == BENCHMARK and normalize.scaling == "none":
        normalize = normalize.model_copy(update={"scaling": "sleeve_vol"})
    allocate = stage.allocate.model_copy(update={"method": METHODS[name]})
    changed = stage.model_copy(update={"allocate": allocate, "normalize": normalize})
    return base.model_copy(update={"integrator": changed})
