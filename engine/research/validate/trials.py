"""What a validation runs: the configuration as it stands, the family, its perturbations, the ladder; each once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from plimsoll.engine.config.report import ReportSection
from plimsoll.engine.config.schema import Config, IntegratorSection
from plimsoll.engine.config.validate import GateSection, ValidateSection
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.span import until
from plimsoll.engine.research.sweep.grid import Axis, Combination, axes_of, combinations
from plimsoll.engine.research.sweep.maker import Maker
from plimsoll.engine.research.sweep.plan import Load, SweepPlan, fitted
from plimsoll.engine.research.sweep.settings import Given, Setting, SettingMaker, loads_of
from plimsoll.engine.research.sweep.window import window_of
from plimsoll.engine.research.validate.perturb import Perturbation, perturbations
from plimsoll.engine.runtime.rung import METHODS, rung_config
from plimsoll.engine.sleeve.strategy import Strategy

# A family of more settings is a search, not a family.
MOST_SETTINGS: Final = 2_000
FORMER: Final = "former"
MIN_VARIANCE: Final = "min_variance"


@dataclass(frozen=True, slots=True)
class ValidationPlan:
    """What runs, settled before anything does.

    sweep : every different configuration once, numbered. family : the number of each combination of the grid, in its
    order. configured : of the configuration itself. rungs : by the ladder's names; former the path before, or None.
    perturbed : what was moved, and the number of each. left_out : perturbations that are not valid, and why.
    """

    config: Config
    sweep: SweepPlan
    axes: tuple[Axis, ...]
    chosen: tuple[Combination, ...]
    family: tuple[int, ...]
    configured: int
    rungs: Mapping[str, int]
    former: Config | None
    perturbed: tuple[Perturbation, ...]
    perturbed_at: tuple[int, ...]
    left_out: tuple[str, ...]

    @property
    def section(self) -> ValidateSection:
        """What is asked of the validation."""
        return self.config.validation or ValidateSection()

    @property
    def gate(self) -> GateSection:
        """What is asked of its outcome."""
        return self.config.gate or GateSection()

    @property
    def panel(self) -> Panel:
        """The market that all of it runs on."""
        return self.sweep.panels[0]

    def definition(self) -> dict[str, Any]:
        """Return what makes this validation this one; the same definition has the same runs."""
        section = self.section.model_dump(mode="json")
        settings = [setting.config.digest for setting in self.sweep.settings]
        former = None if self.former is None else self.former.digest
        return {**self.sweep.definition(), "validate": section, "configurations": settings, "former": former}


@dataclass(slots=True)
class _Listed:
    """Configurations, each different one once."""

    base: Config
    settings: list[Setting] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def add(self, config: Config, strategies: Mapping[str, Strategy], chosen: Combination = ()) -> int:
        key = config.digest
        if key not in self._numbers:
            self._numbers[key] = len(self.settings)
            loads = loads_of(config, strategies)
            self.settings.append(Setting(len(self.settings), chosen, loads, Given(config, strategies)))
        return self._numbers[key]


def plan_validation(config: Config, load: Load) -> ValidationPlan:
    """Check `[validate]`, make every configuration of it, and load what they need.

    All of them are measured over one window, the sessions that every one can trade on.

    Raises
    ------
    ConfigError
        If a key of the grid or of the sensitivity makes no sense, or settings need different data.
    DataError
        If the data cannot be read.
    """
    section = config.validation or ValidateSection()
    base = config.of_run().model_copy(update={"report": ReportSection()})
    strategies, listed = Maker().all(base), _Listed(base)
    configured = listed.add(base, strategies)
    axes, family = _family(base, section, listed)
    moved, moved_at, left_out = _perturbed(base, section, strategies, listed)
    rungs = {name: listed.add(one, strategies) for name, one in rung_configs(base).items()}
    panel = load(base, listed.settings[0].loads.needs)
    _refuse_other_data(listed.settings)
    keys = [axis.key for axis in axes]
    window = window_of(listed.settings, [panel], [0] * len(listed.settings), keys, "accept")
    if window.end is not None:
        panel = until(panel, date.fromisoformat(window.end))
    settings = fitted(listed.settings, window)
    sweep = SweepPlan(base, axes, None, settings, 0, (panel,), (0,) * len(settings), window, configured)
    former = window.put(former_config(base)) if section.former and base.integrator.preset == "book" else None
    return ValidationPlan(
        config, sweep, axes, tuple(combination for combination, _ in family), tuple(at for _, at in family), configured,
        rungs, former, moved, moved_at, left_out,
    )  # fmt: skip


def rung_configs(base: Config) -> dict[str, Config]:
    """Return the rungs of a book's ladder by name, minimum variance among them; none for another preset."""
    if base.integrator.preset != "book":
        return {}
    stage = base.integrator
    allocate = stage.allocate.model_copy(update={"method": MIN_VARIANCE})
    least = base.model_copy(update={"integrator": stage.model_copy(update={"allocate": allocate})})
    return {**{name: rung_config(base, name) for name in METHODS}, MIN_VARIANCE: least}


def former_config(base: Config) -> Config:
    """Return the same sleeves by the path that the nine stages replace."""
    return base.model_copy(update={"integrator": IntegratorSection(preset="legacy"), "restricted": {}})


def _family(
    base: Config, section: ValidateSection, listed: _Listed
) -> tuple[tuple[Axis, ...], list[tuple[Combination, int]]]:
    if not section.grid:
        return (), [((), 0)]
    try:
        axes = axes_of(section.grid, random=False)
        maker = SettingMaker(base, axes)
        found = combinations(axes, None, base.run.seed, MOST_SETTINGS)
        maker.check_values()
        settings, _ = maker.settings(found, skip_invalid=False)
    except ConfigError as error:
        fix = error.fix if "--" not in error.fix else "name fewer values, and only such as go together"
        raise ConfigError(error.what, where="[validate.grid]", cause=error.cause, fix=fix) from error
    return axes, [(one.chosen, listed.add(*one.made(), one.chosen)) for one in settings]


def _perturbed(
    base: Config, section: ValidateSection, strategies: Mapping[str, Strategy], listed: _Listed
) -> tuple[tuple[Perturbation, ...], tuple[int, ...], tuple[str, ...]]:
    made, left_out = perturbations(base, strategies, section)
    numbers = tuple(listed.add(one.config, one.strategies) for one in made)
    return made, numbers, left_out


def _refuse_other_data(settings: Sequence[Setting]) -> None:
    """Refuse settings that load something else than the configuration does: they would not be one experiment."""
    first = settings[0]
    for setting in settings:
        run = setting.config.run
        if setting.loads.needs != first.loads.needs or (run.start, run.end) != (
            first.config.run.start,
            first.config.run.end,
        ):
            raise ConfigError(
                "a setting loads other data, or runs over other sessions, than the configuration itself",
                where="[validate.grid]",
                fix="vary nothing that changes universe, indicators, run.start or run.end",
            )
