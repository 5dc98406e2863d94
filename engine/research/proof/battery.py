"""The battery: what every strategy has to survive before anybody believes its backtest.

Called in a test of one's own: ``check_strategy(MyStrategy)``.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.errors import InputError
from plimsoll.engine.market.panel import CLOSE, DIVIDEND, OPEN, Panel
from plimsoll.engine.research.proof.future import HOWS, replace_future
from plimsoll.engine.research.proof.growing_feed import run_veiled
from plimsoll.engine.research.proof.handover import Relay
from plimsoll.engine.research.proof.scan_check import block_difference, scan_difference
from plimsoll.engine.research.proof.trail import Recorder, Trail, difference, run_trail
from plimsoll.engine.research.proof.trial_market import trial_markets
from plimsoll.engine.research.proof.unseen import VEILS, Veil
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.needs import available
from plimsoll.engine.runtime.resolve import make_strategy
from plimsoll.engine.sleeve.strategy import Strategy, StrategyParams

# Sessions of a trial beyond the warm-up: a year and a quarter, so that a monthly rule answers often.
TRIAL_SESSIONS: Final = 320
# Markets on which the future is hidden or replaced, and at how many bars it is replaced on each.
CAUSAL_MARKETS: Final = 3
CUTS: Final = 3
# Prices are multiplied by this to see whether weights depend on their level.
PRICE_SCALE: Final = 8.0
SCALE_TOLERANCE: Final = 1e-9

_SLEEVE: Final = "tried"


class BatteryFailure(AssertionError):  # noqa: N818  (a failed check, as of a test, not an error)
    """A strategy failed a check; the message names strategy, check and the first evidence."""


@dataclass(frozen=True, slots=True)
class Tryout:
    """A strategy with the markets it is tried on: the first has every row, the others have gaps."""

    name: str
    strategy: Strategy
    markets: tuple[Panel, ...]
    scale_free: bool

    def run(self, panel: Panel, *, forgiving: bool = False, stand_in: Callable[[Setup], Any] | None = None) -> Trail:
        """Run a copy of the strategy; `forgiving` goes on in cash drift where it raises."""
        return run_trail(_config(forgiving), panel, {_SLEEVE: deepcopy(self.strategy)}, stand_in)

    def run_veiled(self, panel: Panel, first: int, veil: Veil) -> Trail:
        """Run a copy on a market that is revealed bar by bar, forgiving; first is the first bar traded."""
        return run_veiled(_config(forgiving=True), panel, {_SLEEVE: deepcopy(self.strategy)}, first, veil)

    def fail(self, check: str, evidence: str) -> BatteryFailure:
        """Return the failure to raise."""
        return BatteryFailure(f"{self.name} is not {check}: {evidence}")


def check_strategy(
    strategy: str | type[Strategy] | Strategy,
    params: Mapping[str, Any] | None = None,
    *,
    scale_free: bool = True,
    panel: Panel | None = None,
    seed: int = 0,
) -> tuple[str, ...]:
    """Put a strategy through every check; return the names of those it passed.

    Parameters
    ----------
    strategy : str, type of Strategy or Strategy
        A registered name, "package.module:Class", a class, or an object with its parameters.
    params : mapping, optional
        Parameters for a name or a class.
    scale_free : bool
        Whether its weights claim not to depend on the level of prices.
    panel : Panel, optional
        A market to try it on beside the generated ones.
    seed : int
        Another seed, other generated markets.

    Raises
    ------
    BatteryFailure
        At the first check it fails, with strategy, check and evidence in one line.
    ConfigError
        If there is no such strategy, or a parameter is wrong.
    """
    made = make_strategy(strategy, params or {}, where="strategy")
    name = type(made).__name__
    given = () if panel is None else (panel,)
    markets = (*given, *trial_markets(made, int(made.warmup_bars) + TRIAL_SESSIONS, seed))
    trial = Tryout(name, made, tuple(market for market in markets if not refusal(made, market)), scale_free)
    if not trial.markets:
        raise trial.fail("available", f"it refuses every market: {refusal(made, markets[0])}")
    for check in CHECKS.values():
        check(trial)
    return tuple(CHECKS)


def parameterised(trial: Tryout) -> None:
    """Refuse parameters that anybody could overwrite or misspell without a word."""
    params = trial.strategy.params
    if not isinstance(params, StrategyParams):
        raise trial.fail("parameterised", f"its parameters are {type(params).__name__}, not StrategyParams")
    if params.model_config.get("extra") != "forbid":
        raise trial.fail("parameterised", "a misspelt parameter would pass; set extra='forbid' in its model_config")
    if not params.model_config.get("frozen"):
        raise trial.fail("parameterised", "a parameter can be overwritten; set frozen=True in its model_config")


def fresh(trial: Tryout) -> None:
    """Refuse memory that two sleeves of the same strategy would share."""
    n = len(trial.strategy.universe)
    one, two = trial.strategy.init(n), trial.strategy.init(n)
    for key in () if one is None else one._fields:
        a, b = getattr(one, key), getattr(two, key)
        if isinstance(a, np.ndarray) and (a is b or np.shares_memory(a, b)):
            raise trial.fail("fresh", f"init() hands out the same array {key!r} twice; make a new one at each call")


def tolerant(trial: Tryout) -> None:
    """Refuse a strategy that raises, or answers something impossible, where symbols come, go and pause.

    To hold what it says it only watches is impossible too.
    """
    for panel in trial.markets:
        try:
            trail = trial.run(panel)
        except InputError as error:
            raise trial.fail("tolerant of missing rows", f"{error} (market: {panel.source})") from error
        answered = np.nan_to_num(trail.rows[f"{_SLEEVE} answer"].values)
        for column, symbol in enumerate(trial.strategy.universe):
            if symbol in trial.strategy.watched and answered[:, column].any():
                raise trial.fail("true to its word", f"it holds {symbol}, which it names in `watched`")


def untouched(trial: Tryout) -> None:
    """Refuse memory outside `State`: it would be neither saved nor restored."""
    strategy, cls = deepcopy(trial.strategy), type(trial.strategy)
    before = _attributes(strategy), _attributes(cls)
    trail = run_trail(_config(forgiving=True), trial.markets[0], {_SLEEVE: strategy})
    for was, now, owner in zip(before, (_attributes(strategy), _attributes(cls)), ("self", cls.__name__), strict=True):
        changed = sorted(key for key in was.keys() | now.keys() if was.get(key) != now.get(key))
        if changed:
            raise trial.fail("untouched", f"on_bar changes {owner}.{changed[0]}; memory belongs in init()'s arrays")
    recorder = trail.setup.system.sleeves[0].strategy
    if isinstance(recorder, Recorder) and recorder.touched:
        raise trial.fail("untouched", f"on_bar replaces ctx.{min(recorder.touched)}")


def deterministic(trial: Tryout) -> None:
    """Refuse a strategy that does not do the same twice."""
    for panel in trial.markets[:2]:
        first, again = trial.run(panel, forgiving=True), trial.run(panel, forgiving=True)
        if found := difference(first, again, panel.n_bars):
            raise trial.fail("deterministic", f"the same run twice: {found}")


def causal(trial: Tryout) -> None:
    """Refuse a strategy whose past changes when the future does.

    Revealed bar by bar, one run proves every bar; at a few bars the market itself is another one from there on.
    """
    for number, panel in enumerate(trial.markets[:CAUSAL_MARKETS]):
        whole = trial.run(panel, forgiving=True)
        for veil in VEILS:
            if found := difference(whole, trial.run_veiled(panel, whole.setup.first, veil), panel.n_bars - 1):
                raise trial.fail("causal", f"with what has not come yet hidden ({veil}), {found}")
        for k, t in enumerate(cut_bars(whole)):
            how = HOWS[(number + k) % len(HOWS)]
            replaced = replace_future(panel, t, how)
            if refusal(trial.strategy, replaced):
                continue  # a run that is refused puts out nothing
            if found := difference(whole, trial.run(replaced, forgiving=True), t):
                day = panel.clock.session[t]
                raise trial.fail("causal", f"with the future after {day} replaced ({how}), {found}")


def restorable(trial: Tryout) -> None:
    """Refuse a strategy that goes on differently after its state was saved and restored into a fresh one."""
    panel = trial.markets[min(1, len(trial.markets) - 1)]
    whole = trial.run(panel, forgiving=True)
    relays: list[Relay] = []

    def hand_over(setup: Setup) -> Relay:
        relays.append(Relay(setup, {_SLEEVE: trial.strategy}))
        return relays[0]

    relayed = trial.run(panel, forgiving=True, stand_in=hand_over)
    if relays[0].lost:
        raise trial.fail("restorable", f"restoring does not bring back {min(relays[0].lost)}")
    if found := difference(whole, relayed, panel.n_bars):
        raise trial.fail("restorable", f"saved and restored at every bar: {found}")


def same_compiled(trial: Tryout) -> None:
    """Refuse a scan that parts from `on_bar`, a `scan_block` that parts from it; left out where there is none."""
    for panel in trial.markets:
        if found := scan_difference(_config(forgiving=True), panel, trial.strategy):
            raise trial.fail("the same compiled", f"from on_bar to scan, {found} (market: {panel.source})")
        if found := block_difference(_config(forgiving=True), panel, trial.strategy):
            raise trial.fail("the same compiled", f"from scan to scan_block, {found} (market: {panel.source})")


def free_of_scale(trial: Tryout) -> None:
    """Refuse weights that depend on the level of prices; left out where `scale_free` is False."""
    if not trial.scale_free:
        return
    panel = trial.markets[0]
    block = panel.block.copy()
    block[[OPEN, CLOSE, DIVIDEND]] *= PRICE_SCALE
    scaled = replace(panel, block=block, high=panel.high * PRICE_SCALE, low=panel.low * PRICE_SCALE)
    name = f"{_SLEEVE} answer"
    before, after = (trial.run(p, forgiving=True).rows[name].values for p in (panel, scaled))
    off = ~np.isclose(before, after, rtol=SCALE_TOLERANCE, atol=SCALE_TOLERANCE, equal_nan=True)
    if off.any():
        row, column = (int(k[0]) for k in np.nonzero(off))
        what = f"{trial.strategy.universe[column]} on {panel.clock.session[row]}"
        moved = f"{before[row, column]:.6g} becomes {after[row, column]:.6g}"
        raise trial.fail("scale-free", f"with every price times {PRICE_SCALE:g}, the weight of {what}, {moved}")


CHECKS: Final[dict[str, Callable[[Tryout], None]]] = {
    "parameterised": parameterised,
    "fresh": fresh,
    "tolerant": tolerant,
    "untouched": untouched,
    "deterministic": deterministic,
    "causal": causal,
    "restorable": restorable,
    "compiled": same_compiled,
    "scale-free": free_of_scale,
}


def refusal(strategy: Strategy, panel: Panel) -> str:
    """Return why the strategy says it cannot run on a market, or ""."""
    return strategy.unavailable(available(panel))


def cut_bars(trail: Trail) -> list[int]:
    """Return bars at which to replace the future: where a sleeve answered, the bar before it did, and one between."""
    first, last = trail.setup.first, trail.setup.panel.n_bars - 2
    answered = trail.answered()
    answered = answered[(answered >= first) & (answered <= last)]
    spread = np.linspace(first, last, CUTS).astype(np.int64)
    chosen = answered[np.linspace(0, len(answered) - 1, CUTS).astype(np.int64)] if len(answered) else spread
    return sorted({int(t) for t in (chosen[0], chosen[CUTS // 2] - 1, spread[-2]) if first <= t <= last})


def _config(forgiving: bool) -> Config:
    sleeve = {"name": _SLEEVE, "strategy": "tried:Tried", "on_error": "quarantine" if forgiving else "raise"}
    return load_config({"run": {"name": "battery"}, "sleeve": [sleeve]})


def _attributes(owner: Any) -> dict[str, str]:
    """Return a comparable picture of an object's or a class's attributes."""
    return {key: _picture(value) for key, value in vars(owner).items()}


def _picture(value: Any, within: tuple[int, ...] = ()) -> str:
    """Return text that two values share if they hold the same, arrays to the bit."""
    if value is None or isinstance(value, (str, bytes, int, float, complex, type)) or id(value) in within:
        return "..." if id(value) in within else repr(value)
    inner = (*within, id(value))
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return f"{value.dtype}{value.shape}{value.tobytes()!r}"
    if isinstance(value, Mapping):
        return f"{type(value)}({'; '.join(_picture(item, inner) for item in value.items())})"
    if isinstance(value, (list, tuple)):
        return f"{type(value)}({'; '.join(_picture(one, inner) for one in value)})"
    try:  # what a copy of it would be made of: a generator of random numbers has its state nowhere else
        parts = value.__reduce_ex__(2)
    except Exception:  # noqa: BLE001  (what cannot be taken apart is compared by what it says of itself)
        return repr(value)
    return (
        repr(value)
        if isinstance(parts, str)
        else f"{type(value)}{_picture([list(p) if isinstance(p, Iterator) else p for p in parts[1:]], inner)}"
    )
