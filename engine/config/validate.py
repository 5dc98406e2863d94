"""What a validation runs, and what has to hold before a sleeve may be given capital."""

from collections.abc import Mapping
from math import comb
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, field_validator, model_validator

from plimsoll.engine.config.section import Section

MOST_SPLITS: Final = 1000  # each holds its sessions: more are memory, and no news


class ValidateSection(Section):
    """Walk-forward, sensitivity, and the family of settings that both choose from; no run depends on it."""

    window: Literal["rolling", "expanding"] = "rolling"
    """Which of the two walks is judged; both are shown."""
    train_sessions: int = Field(1260, ge=21)
    """Sessions of a training window, five years; the least of an expanding one."""
    test_sessions: int = Field(252, ge=1)
    """Sessions of a test window."""
    step_sessions: int | None = Field(None, ge=1)
    """Sessions between two windows, at most test_sessions; None = test_sessions."""
    purge_sessions: int = Field(0, ge=0)
    """Sessions left out at the end of training: as long as a decision's outcome is open."""
    embargo_sessions: int = Field(5, ge=0)
    """Sessions left out besides, between training and test."""
    cpcv_groups: int = Field(10, ge=2, le=100)
    """Combinatorial purged cross-validation: the past in so many groups, every choice of so many of them a test."""
    cpcv_test_groups: int = Field(2, ge=1)
    """How many groups are a test at a time."""
    sensitivity: tuple[str, ...] | None = None
    """Keys moved by +-perturb, one at a time and in pairs; None = the portfolio layer's four, or a lone sleeve's
    numbers."""
    perturb: float = Field(0.5, gt=0, lt=1)
    """By how much keys are moved, fraction of their value."""
    former: bool = True
    """The path that the nine stages replace, beside the ladder: preset 'book'."""
    grid: dict[str, Any] = Field(default_factory=dict)
    """"section.key" = values, or text as for `sweep --grid`."""

    @field_validator("grid", mode="before")
    @classmethod
    def _dotted(cls, value: Any) -> Any:
        """Accept keys with and without quotes: TOML makes tables of those without."""
        return _flat(value) if isinstance(value, Mapping) else value

    @model_validator(mode="after")
    def _no_gap(self) -> "ValidateSection":
        if self.step_sessions is not None and self.step_sessions > self.test_sessions:
            raise ValueError(
                f"step_sessions {self.step_sessions} exceeds test_sessions {self.test_sessions}: "
                "sessions between two tests would be held by nobody"
            )
        return self

    @model_validator(mode="after")
    def _splits(self) -> "ValidateSection":
        groups, tested = self.cpcv_groups, self.cpcv_test_groups
        if tested >= groups:
            raise ValueError(f"cpcv_test_groups {tested} of cpcv_groups {groups} leave nothing to train on")
        if comb(groups, tested) > MOST_SPLITS:
            raise ValueError(
                f"cpcv_test_groups {tested} of cpcv_groups {groups} are {comb(groups, tested):,} splits, "
                f"at most {MOST_SPLITS:,}: fewer of either"
            )
        return self

    @property
    def step(self) -> int:
        """Sessions between two windows."""
        return self.test_sessions if self.step_sessions is None else self.step_sessions

    @property
    def gap(self) -> int:
        """Sessions between training and test."""
        return self.purge_sessions + self.embargo_sessions


class GateSection(Section):
    """The promotion gate. A threshold of 0 asks for nothing, but for those of the drawdown and of sensitivity: 1, 10.

    required : a promoted sleeve runs only with a verdict that passed and fits strategy source, configuration and data.
    """

    required: bool = False
    """Whether a promoted sleeve needs a verdict to run."""
    verdict: Path | None = None
    """The verdict.json of a validation."""
    min_sharpe: float = Field(0.3, ge=0)
    """Least Sharpe ratio out of sample, over bills, a year."""
    min_dsr: float = Field(0.95, ge=0, lt=1)
    """Least probability that the Sharpe ratio is more than the best of as much luck."""
    max_pbo: float = Field(0.5, gt=0, le=1)
    """Most probability of backtest overfitting; the requirement's bound, its aim is 0.2."""
    max_drawdown: float = Field(0.25, gt=0, le=1)
    """Most drawdown out of sample."""
    max_sensitivity: float = Field(0.25, gt=0)
    """Most that a perturbed Sharpe ratio may lie below the one configured."""
    min_capacity_usd: float = Field(1_000_000.0, ge=0)
    """Least assets at which costs eat cost_share of what is earned."""
    cost_share: float = Field(0.25, gt=0, le=1)
    """Part of the return over bills before costs."""

    @model_validator(mode="after")
    def _named(self) -> "GateSection":
        if self.required and self.verdict is None:
            raise ValueError("required without a verdict: name the file in 'verdict'")
        return self


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{before}{key}.")
        else:
            found[f"{before}{key}"] = value
    return found
