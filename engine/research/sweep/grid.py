"""What a sweep varies: the words of `--grid`, and the combinations they make."""

import itertools
import json
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from plimsoll.engine.config.layers import parse_value
from plimsoll.engine.errors import ConfigError

Combination: TypeAlias = tuple[Any, ...]

WHERE: Final = "--grid"
# Beyond this a whole number is no longer exact as a float, and nobody means it.
_LARGEST: Final = 2**53
# Equally spaced values are rounded to this many digits, so that 0.1:0.3:3 has 0.2 in the middle and no tail.
_DIGITS: Final = 12
# Nobody runs more values of one key; they are refused before they are made.
_LONGEST: Final = 100_000
# Draws per setting asked for; a grid of finite size is at least 4 times as large, so it never needs that many.
_DRAWS: Final = 100
_OPENING, _CLOSING = "[{", "]}"


@dataclass(frozen=True, slots=True)
class Axis:
    """One key and what it takes: listed `values`, or anything within `span` (both ends included; random sweeps)."""

    key: str
    values: tuple[Any, ...] = ()
    span: tuple[float, float] | None = None

    @property
    def size(self) -> float:
        """How many values there are: infinite for a span of floats."""
        if self.span is None:
            return len(self.values)
        low, high = self.span
        return high - low + 1 if isinstance(low, int) and isinstance(high, int) else math.inf

    @property
    def samples(self) -> tuple[Any, ...]:
        """The values to check before anything runs: all that are listed, or the ends of the span."""
        return self.values if self.span is None else self.span

    def at(self, position: int) -> Any:
        """Return the value at a position of a finite axis."""
        return self.values[position] if self.span is None else int(self.span[0]) + position

    def draw(self, rng: np.random.Generator) -> Any:
        """Return a value drawn uniformly."""
        if self.size != math.inf:
            return self.at(int(rng.integers(int(self.size))))
        low, high = self.span or (0.0, 0.0)
        return float(rng.uniform(low, high))

    def plain(self) -> Any:
        """Return the values as JSON can hold them."""
        return [plain_value(value) for value in self.values] if self.span is None else {"span": list(self.span)}


def plain_value(value: Any) -> Any:
    """Return a value of a grid as JSON can hold it: dates and paths as text, everything else as it is."""
    return json.loads(json.dumps(value, default=str))


def parse_axes(items: Iterable[str], *, random: bool) -> tuple[Axis, ...]:
    """Read `KEY=V1,V2,...`, `KEY=lo:hi:n` and, for random sweeps, `KEY=lo:hi`.

    Raises
    ------
    ConfigError
        If one is not of that form, a list is empty or repeats a value, or there is none at all.
    """
    pairs = []
    for item in items:
        key, equals, text = item.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"{item!r} is not of the form a.b=1,2,3", where=WHERE)
        pairs.append((key.strip(), text))
    return _checked([_axis_of_text(key, text, random=random) for key, text in pairs])


def axes_of(grid: Mapping[str, Any], *, random: bool) -> tuple[Axis, ...]:
    """Return the axes of a mapping from key to a list of values, or to text as on the command line.

    Raises
    ------
    ConfigError
        As `parse_axes`.
    """
    axes = []
    for key, given in grid.items():
        if isinstance(given, str):
            axes.append(_axis_of_text(key, given, random=random))
            continue
        if not isinstance(given, Iterable) or isinstance(given, Mapping):
            raise ConfigError(f"{key}: a list of values is expected, got {given!r}", where="grid")
        values = [value.item() if isinstance(value, np.generic) else value for value in given]
        if any(value is None for value in values):
            raise ConfigError(f"{key}: None cannot be written into a configuration", where="grid", fix="leave it out")
        axes.append(Axis(key, tuple(values)))
    return _checked(axes)


def combinations(axes: Sequence[Axis], count: int | None, seed: int, limit: int) -> list[Combination]:
    """Return the settings to run as values in the order of the axes, all different.

    Parameters
    ----------
    axes : sequence of Axis
        What varies.
    count : int, optional
        How many to draw at random; None = the whole grid, the last axis varying fastest.
    seed : int
        Of the draws.
    limit : int
        How many are allowed; the product is computed, never enumerated, before this is known to hold.

    Raises
    ------
    ConfigError
        If there are more than `limit`, or fewer than `count`; also where a span of floats is too narrow for `count`.
    """
    size = math.prod(axis.size for axis in axes)
    if count is None:
        _refuse_too_many(int(size), limit, "use fewer values, draw some with --random N, or raise --max-settings")
        return list(itertools.product(*(axis.values for axis in axes)))
    if count < 1:
        raise ConfigError(f"{count} settings are asked for", where="--random", fix="ask for at least one")
    _refuse_too_many(count, limit, "ask for fewer, or raise --max-settings")
    if count > size:
        raise ConfigError(f"{count:,} settings are asked for, there are only {int(size):,}", where="--random")
    rng = np.random.default_rng(seed)
    if size <= 4 * count:
        return [_unravel(axes, int(k)) for k in rng.permutation(int(size))[:count]]
    found: dict[str, Combination] = {}
    for _ in range(_DRAWS * count):
        drawn = tuple(axis.draw(rng) for axis in axes)
        found.setdefault(identity(drawn), drawn)
        if len(found) == count:
            return list(found.values())
    fix = "widen the range: so narrow a one holds few numbers"
    raise ConfigError(
        f"{count:,} settings are asked for, {len(found):,} different ones were found", where="--random", fix=fix
    )


def identity(value: Any) -> str:
    """Return text that is the same for values that mean the same: 1 and 1.0, but not 1 and true."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST:
        value = int(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(identity(entry) for entry in value) + "]"
    return json.dumps(value, sort_keys=True, default=str)


def _refuse_too_many(count: int, limit: int, fix: str) -> None:
    if count > limit:
        raise ConfigError(f"{count:,} settings, at most {limit:,} are run", where=WHERE, fix=fix)


def _unravel(axes: Sequence[Axis], position: int) -> Combination:
    """Return one combination of finite axes by its number in the product's order."""
    values = []
    for axis in reversed(axes):
        position, at = divmod(position, int(axis.size))
        values.append(axis.at(at))
    return tuple(reversed(values))


def _checked(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    if not axes:
        raise ConfigError("nothing is varied", where=WHERE, fix="name a key and its values: --grid run.cash=1e4,1e5")
    for axis in axes:
        if axis.span is None and not axis.values:
            raise ConfigError(f"{axis.key} has no value", where=WHERE, fix=f"{axis.key}=V1,V2,...")
        seen: set[str] = set()
        for value in axis.values:
            if identity(value) in seen:
                raise ConfigError(f"{axis.key} has the value {value!r} twice", where=WHERE)
            seen.add(identity(value))
    return tuple(axes)


def _axis_of_text(key: str, text: str, *, random: bool) -> Axis:
    numbers = [_number(part) for part in text.split(":")]
    if len(numbers) in (2, 3) and all(number is not None for number in numbers):
        low, high, *count = (number for number in numbers if number is not None)
        if not low < high:
            raise ConfigError(f"{key}: {low} to {high} is not a range upwards", where=WHERE)
        if count:
            return Axis(key, _spaced(key, low, high, count[0]))
        if not random:
            fix = f"say how many values, {text}:5, or draw with --random N"
            raise ConfigError(f"{key}: a range alone is for random settings", where=WHERE, fix=fix)
        return Axis(key, span=(low, high))
    if not text.strip():
        return Axis(key)
    values = []
    for part in _split(text):
        if not part.strip():
            raise ConfigError(f"{key} has an empty value in {text!r}", where=WHERE, fix="remove the spare comma")
        values.append(parse_value(part.strip()))
    return Axis(key, tuple(values))


def _number(text: str) -> int | float | None:
    """Return text as the finite TOML number it is, None where it is none."""
    try:
        value = tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return value if isinstance(value, float) or abs(value) < _LARGEST else None


def _spaced(key: str, low: float, high: float, count: float) -> tuple[float, ...]:
    """Return `count` equally spaced values, both ends included; whole ones where the ends and the step are."""
    if not isinstance(count, int) or count < 2:
        raise ConfigError(f"{key}: a range takes at least 2 values, got {count}", where=WHERE, fix=f"{low}:{high}:5")
    if count > _LONGEST:
        raise ConfigError(f"{key}: {count:,} values are too many", where=WHERE)
    if isinstance(low, int) and isinstance(high, int) and (high - low) % (count - 1) == 0:
        return tuple(range(low, high + 1, (high - low) // (count - 1)))
    return tuple(float(f"{value:.{_DIGITS}g}") for value in np.linspace(low, high, count).tolist())


def _split(text: str) -> Iterator[str]:
    """Yield what stands between commas that are outside quotes and brackets."""
    depth, quote, start = 0, "", 0
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in _OPENING:
            depth += 1
        elif char in _CLOSING:
            depth -= 1
        elif char == "," and depth <= 0:
            yield text[start:at]
            start = at + 1
    yield text[start:]
