"""Parameters moved by a half, one at a time and in pairs: a result that lives on one value of one of them is luck."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from plimsoll.engine.config.schema import Config
from plimsoll.engine.config.validate import ValidateSection
from plimsoll.engine.errors import ConfigError, did_you_mean
from plimsoll.engine.research.sweep.grid import Axis
from plimsoll.engine.research.sweep.settings import SettingMaker, path_of
from plimsoll.engine.sleeve.strategy import Strategy

# What the portfolio layer's own plan moves: look-back, shrinkage, volatility target, smoothing of the shares.
OF_A_BOOK: Final = (
    "integrator.allocate.half_life_sessions",
    "integrator.allocate.max_shrinkage",
    "integrator.vol_target.target",
    "integrator.allocate.smoothing",
)
# Pairs of more keys than this would be most of the run.
MOST_IN_PAIRS: Final = 6
# A strategy that keeps its parameters within published ranges lets go of them where this is true.
LOOSE: Final = "allow_outside_ranges"
DIGITS: Final = 12

Move = tuple[str, float, float]


@dataclass(frozen=True, slots=True)
class Perturbation:
    """A configuration with one or two numbers moved: (key, what it was, what it is) of each."""

    moves: tuple[Move, ...]
    config: Config
    strategies: Mapping[str, Strategy]


def perturbations(
    base: Config, strategies: Mapping[str, Strategy], section: ValidateSection
) -> tuple[tuple[Perturbation, ...], tuple[str, ...]]:
    """Return every single move and every pair of moves, and what could not be made, in words.

        v -> v (1 - p), v (1 + p)
        1 - v -> (1 - v)(1 + p), (1 - v)(1 - p)    where v (1 + p) is not valid and 0 < v < 1

    A share near 1, such as a smoothing of 0.8, has no half more; its complement has. Whole numbers are rounded.

    Raises
    ------
    ConfigError
        If a key does not exist or holds no number.
    """
    keys = section.sensitivity if section.sensitivity is not None else default_keys(base, strategies)
    found: list[Perturbation] = []
    left_out: list[str] = []
    singles = {}
    for key in keys:
        value = number_at(base, strategies, key)
        singles[key] = _moves(base, key, value, section.perturb, left_out)
    for moves in singles.values():
        found += [one for move in moves if (one := _made(base, (move,), left_out)) is not None]
    for first, second in combinations(singles, 2) if len(singles) <= MOST_IN_PAIRS else ():
        pairs = [(a, b) for a in singles[first] for b in singles[second]]
        found += [one for pair in pairs if (one := _made(base, pair, left_out)) is not None]
    return tuple(found), tuple(left_out)


def default_keys(base: Config, strategies: Mapping[str, Strategy]) -> tuple[str, ...]:
    """Return the four of a book, or the numbers among a lone sleeve's parameters; none for the path before."""
    if base.integrator.preset == "book":
        return OF_A_BOOK
    if base.integrator.preset != "direct":
        return ()
    name, strategy = next(iter(strategies.items()))
    values = strategy.params.model_dump(mode="json")
    return tuple(f"sleeve.{name}.params.{key}" for key, value in values.items() if _is_number(value) and value != 0)


def number_at(base: Config, strategies: Mapping[str, Strategy], key: str) -> float:
    """Return the number that a key has, a strategy's own default where the configuration says nothing.

    Raises
    ------
    ConfigError
        If there is none.
    """
    where = "[validate] sensitivity"
    path = path_of(base, key)
    if len(path) == 4 and path[0] == "sleeve" and path[2] == "params":
        current: Any = strategies[base.sleeve[int(path[1])].name].params.model_dump(mode="json")
        path = path[3:]
    else:
        current = base.plain()
    for part in path:
        entries = current if isinstance(current, Mapping) else dict(enumerate(current)) if _is_list(current) else {}
        at: Any = int(part) if _is_list(current) and part.isdigit() else part
        if at not in entries:
            raise ConfigError(f"{key} has no value", where=where, fix=did_you_mean(part, [str(k) for k in entries]))
        current = entries[at]
    if not _is_number(current):
        raise ConfigError(f"{key} is {current!r}, no number", where=where, fix="name keys that hold numbers")
    number: float = current
    return number


def _moves(base: Config, key: str, value: float, by: float, left_out: list[str]) -> list[Move]:
    """Return the moves down and up of one key that are valid and change it."""
    plain = [_rounded(value, value * factor) for factor in (1.0 - by, 1.0 + by)]
    found = plain
    if 0.0 < value < 1.0 and _refusal(base, ((key, value, plain[1]),)):
        found = [_rounded(value, 1.0 - (1.0 - value) * factor) for factor in (1.0 + by, 1.0 - by)]
    moves = []
    for moved in found:
        why = "it stays what it is" if moved == value else _refusal(base, ((key, value, moved),))
        if why:
            left_out.append(f"{key} = {moved:g}: {why}")
        else:
            moves.append((key, value, moved))
    return moves


def _refusal(base: Config, moves: Sequence[Move]) -> str:
    try:
        _configured(base, moves)
    except ConfigError as error:
        return error.what
    return ""


def _made(base: Config, moves: tuple[Move, ...], left_out: list[str]) -> Perturbation | None:
    try:
        config, strategies = _configured(base, moves)
    except ConfigError as error:
        left_out.append(f"{', '.join(f'{key} = {to:g}' for key, _, to in moves)}: {error.what}")
        return None
    return Perturbation(moves, config, strategies)


def _configured(base: Config, moves: Sequence[Move]) -> tuple[Config, dict[str, Strategy]]:
    axes = [Axis(key, (to,)) for key, _, to in moves]
    for sleeve in dict.fromkeys(key.split(".")[1] for key, _, _ in moves if ".params." in key):
        loose = f"sleeve.{sleeve}.params.{LOOSE}"
        maker = SettingMaker(base, [*axes, Axis(loose, (True,))])
        try:
            return maker.made(dict(enumerate([*(to for _, _, to in moves), True])))
        except ConfigError as error:
            if LOOSE not in error.what:
                raise
    return SettingMaker(base, axes).made(dict(enumerate(to for _, _, to in moves)))


def _rounded(value: float, moved: float) -> float:
    return round(moved) if isinstance(value, int) else float(f"{moved:.{DIGITS}g}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))
