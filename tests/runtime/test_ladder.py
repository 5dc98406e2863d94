"""The ladder: every rung is a run of its own configuration, and the book's own rung is the book."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.book_run import UNBOUND, UNGOVERNED, Steady, book_config, walk_panel
from support.flows import Flows
from support.panels import make_panel
from support.restless import Kernelled, Restless, Watcher

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.kernels import layout
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.portfolio.stages.s1_allocate import RUNGS
from plimsoll.engine.report.folder import folder_files
from plimsoll.engine.report.result import record_of
from plimsoll.engine.runtime.assemble import Setup, assemble
from plimsoll.engine.runtime.backtest import Track, run_loop
from plimsoll.engine.runtime.compiled.kept import run_kept
from plimsoll.engine.runtime.compiled.ladder import NOT_THE_RUN, climb
from plimsoll.engine.runtime.prepare import Market, prepare
from plimsoll.engine.runtime.rung import BENCHMARK, METHODS, Ladder, Rung, rung_config
from plimsoll.engine.sleeve.signals import Signal
from plimsoll.engine.sleeve.strategy import Strategy
from plimsoll.engine.types import EngineName
from plimsoll.engine.verbs.backtest import backtest

NAMES = ("AAA", "BBB", "CCC", "DDD")
PANEL = walk_panel(2, NAMES, (0.08, 0.14, 0.22, 0.30), 170, corr=0.3)
START = {"start": str(PANEL.clock.session[90])}
ENGINES: tuple[EngineName, ...] = ("python", "compiled")


def sleeves() -> dict[str, Strategy]:
    """A sleeve with a scan, two without, one of them breaking on the way, and two that hold still."""
    return {
        "all": Restless(Restless.Params(symbols=NAMES, seed=5, often=0.3)),
        "breaks": Restless(Restless.Params(symbols=NAMES[:2], seed=6, bad=120)),
        "calm": Steady({"AAA": 1.0}),
        "kernel": Kernelled(Kernelled.Params(symbols=NAMES[::-1], looks=True)),
        "self": Watcher(Watcher.Params(symbols=NAMES[1:])),
        "wild": Steady({"DDD": 1.0}),
    }


def config_of(strategies: Mapping[str, Strategy] | None = None, **sections: Any) -> Config:
    names = tuple(strategies or sleeves())
    more = {"breaks": {"on_error": "quarantine"}}
    sections = {"run": START, "costs": {"preset": "flat", "flat_bps": 7.0}, **sections}
    return load_config(book_config(names, sleeve=more, report={"ladder": True}, **sections))


class Climbed:
    """A run through one loop, and its ladder."""

    def __init__(
        self, engine: EngineName, config: Config, panel: Panel = PANEL, given: Mapping[str, Strategy] | None = None
    ) -> None:
        self.market: Market = prepare(config, panel, given or sleeves())
        self.setup: Setup = assemble(config, self.market)
        found: tuple[Track, tuple[Signal, ...]] = run_kept(engine, self.setup)
        self.track, self.signals = found
        self.ladder: Ladder = climb(self.setup, self.market, self.track, self.signals)

    def __getitem__(self, name: str) -> Rung:
        return next(rung for rung in self.ladder.rungs if rung.name == name)

    @property
    def ran(self) -> bytes:
        """The net returns of the run itself."""
        rec = self.setup.broker.rec[self.setup.first : self.track.last + 1]
        return rec[:, layout.R_RET].tobytes()


def told(ladder: Ladder) -> list[Any]:
    return [replace_array(rung) for rung in ladder.rungs] + [ladder.own, ladder.why]


def replace_array(rung: Rung) -> tuple[Any, ...]:
    return rung.name, rung.ret.tobytes(), rung.traded, rung.costs, dict(rung.decided), rung.config_hash, rung.why


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("method", ["hrp", "erc", "nco", "inverse_vol"])
def test_the_rung_of_the_books_own_method_is_the_books_run_to_the_byte(method: str, engine: EngineName) -> None:
    climbed = Climbed(engine, config_of(integrator={"allocate": {"method": method}}))
    assert climbed.ladder.own == method
    assert climbed[method].ret.tobytes() == climbed.ran
    assert [rung.name for rung in climbed.ladder.rungs] == list(METHODS)
    assert len({rung.ret.tobytes() for rung in climbed.ladder.rungs}) == len(METHODS)


def test_both_loops_hand_over_the_same_ladder(flows: Flows) -> None:
    config = config_of(account={"flows": flows(PANEL, [(100, 4e4), (140, -2e4)])})
    one, other = (Climbed(engine, config) for engine in ENGINES)
    assert told(one.ladder) == told(other.ladder)
    for ours, theirs in zip(one.signals, other.signals, strict=True):
        assert ours.held.tobytes() == theirs.held.tobytes()
        assert ours.answered.tobytes() == theirs.answered.tobytes()
        assert (ours.failure is None) == (theirs.failure is None)
    assert any(signal.failure is not None and signal.failure.bar == 120 for signal in one.signals)


def test_keeping_signals_changes_nothing_in_the_run() -> None:
    config = config_of()
    market = prepare(config, PANEL, sleeves())
    plain = assemble(config, market)
    run_loop(plain)
    kept = Climbed("python", config)
    assert plain.broker.rec.tobytes() == kept.setup.broker.rec.tobytes()
    ours, theirs = plain.system.save(), kept.setup.system.save()
    assert [name for name in ours if ours[name].tobytes() != theirs[name].tobytes()] == []


@pytest.mark.parametrize("name", METHODS)
def test_a_rung_is_what_its_configuration_runs_to_in_the_loop_in_python(name: str) -> None:
    base = config_of()
    rung = Climbed("compiled", base)[name]
    config = load_config(rung_config(base, name).plain())
    setup = assemble(config, prepare(config, PANEL, sleeves()))
    track = run_loop(setup)
    rec = setup.broker.rec[setup.first : track.last + 1]
    assert config.digest == rung.config_hash
    assert rung.ret.tobytes() == rec[:, layout.R_RET].tobytes()
    before = np.concatenate(([config.run.cash], rec[:-1, layout.R_EQUITY]))
    assert rung.traded == pytest.approx(float(np.sum(rec[:, layout.R_TRADED] / before)), rel=1e-12)
    assert rung.costs == pytest.approx(rung.traded * 7e-4, rel=1e-9)
    at = setup.system.integrator.facts.index("rung")
    codes = [RUNGS[int(decision.target.facts[at])] for decision in track.decisions]
    assert {key: count for key, count in rung.decided.items() if count} == {key: codes.count(key) for key in set(codes)}


def test_1_over_n_is_equal_in_dollars_and_1_over_n_risk_in_volatility() -> None:
    base = config_of()
    nominal, risk = rung_config(base, "equal").integrator, rung_config(base, BENCHMARK).integrator
    assert (nominal.allocate.method, nominal.normalize.scaling) == ("equal", "none")
    assert (risk.allocate.method, risk.normalize) == ("equal", base.integrator.normalize)
    own = config_of(integrator={"normalize": {"scaling": "none"}})
    assert rung_config(own, BENCHMARK).integrator.normalize.scaling == "sleeve_vol"
    assert rung_config(own, "erc").integrator.normalize.scaling == "none"


def test_a_book_that_is_no_rung_is_one_more() -> None:
    climbed = Climbed("python", config_of(integrator={"allocate": {"method": "min_variance"}}))
    assert climbed.ladder.own == "min_variance"
    last = climbed.ladder.rungs[-1]
    assert (last.name, len(climbed.ladder.rungs)) == ("min_variance", len(METHODS) + 1)
    assert last.ret.tobytes() == climbed.ran
    assert sum(last.decided.values()) == len(climbed.track.decisions)
    assert last.costs == pytest.approx(last.traded * 7e-4, rel=1e-9)
    assert last.traded > 0.0


def test_a_replay_that_is_not_the_run_fails_and_says_so() -> None:
    climbed = Climbed("compiled", config_of())
    held = climbed.signals[0].held.copy()
    held[100:, 0] += 0.3
    tampered = (replace(climbed.signals[0], held=held), *climbed.signals[1:])
    ladder = climb(climbed.setup, climbed.market, climbed.track, tampered)
    assert {rung.name: rung.why for rung in ladder.rungs}["hrp"] == NOT_THE_RUN
    assert ladder.rungs[0].ret.size == 0


def test_a_rung_that_cannot_be_run_says_why_instead_of_being_left_out() -> None:
    climbed = Climbed("python", config_of(execution={"venue": "alpaca"}))
    assert [rung.name for rung in climbed.ladder.rungs] == list(METHODS)
    assert {rung.why for rung in climbed.ladder.rungs} == {"execution.venue = 'alpaca' has no compiled form"}


def fall_of_one() -> tuple[Panel, dict[str, Strategy], dict[str, Any]]:
    """Return two funds of low volatility, levered as far as the margin goes, of which one loses 80% in a night.

    It is the livelier one: by inverse variance it has a fifth of the book, which survives; by equal shares, with two of
    the three sleeves in it, two thirds, which do not.
    """
    close = np.full((140, 2), 100.0) * np.where(np.arange(140)[:, None] % 2 == 0, 1.0, [1.0002, 1.0004])
    close[110:, 1] *= 0.2
    panel = make_panel(close, close, symbols=("AAA", "BBB"))
    given: dict[str, Strategy] = {"a": Steady({"AAA": 1.0}), **{name: Steady({"BBB": 1.0}) for name in "bc"}}
    stages = {**UNBOUND, **UNGOVERNED, "vol_target": {"l_max": 3.9}, "normalize": {"max_scale": 1.0}}
    return panel, given, {"run": {"start": str(panel.clock.session[90])}, "integrator": {"preset": "book", **stages}}


def test_a_rung_that_is_ruined_says_when_while_the_book_goes_on() -> None:
    panel, given, sections = fall_of_one()
    sections["integrator"]["allocate"] = {"cap": 1.0}
    book = Climbed("compiled", config_of(given, **sections), panel, given)
    assert not book.track.ruined
    assert book["hrp"].why == ""
    assert book["equal"].why == f"it was ruined on {panel.clock.session[110]}"
    assert book["equal"].ret.size == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_a_ruined_book_has_no_ladder(engine: EngineName) -> None:
    panel, given, sections = fall_of_one()
    sections["integrator"]["allocate"] = {"cap": 1.0, "method": "equal"}
    book = Climbed(engine, config_of(given, **sections), panel, given)
    assert book.track.ruined
    assert (book.ladder.rungs, book.ladder.why) == (
        (),
        "the book was ruined: there is no common period to compare over",
    )


def test_a_preset_without_stage_1_has_no_ladder() -> None:
    values = {"sleeve": [{"name": "s", "strategy": "sixty_forty"}], "report": {"ladder": True}}
    with pytest.raises(ConfigError, match=r"'report.ladder' has no effect under preset 'direct'"):
        load_config(values)
    with pytest.raises(ConfigError, match="legacy"):
        load_config({**values, "integrator": {"preset": "legacy"}})


def test_what_is_only_reported_makes_no_other_run() -> None:
    plain = load_config(book_config(("a",)))
    assert load_config(book_config(("a",), report={"ladder": True})).digest == plain.digest


def test_the_verb_gives_the_same_folder_by_both_loops_and_shows_how_far_it_is() -> None:
    values = {
        "run": {"start": "2007-01-03", "end": "2008-06-30"},
        "sleeve": [{"name": name, "strategy": name} for name in ("sixty_forty", "inverse_vol", "trend")],
        "integrator": {"preset": "book"},
        "report": {"ladder": True},
    }
    folders = []
    for engine in ENGINES:
        seen: list[tuple[int, int]] = []
        result = backtest(values, engine=engine, trials="off", progress=lambda *at, seen=seen: seen.append(at))
        assert [done for done, _ in seen] == sorted(done for done, _ in seen)
        assert len({total for _, total in seen}) == 1
        assert seen[-1][0] == seen[-1][1]
        folders.append(folder_files(record_of(result), result.metrics))
    assert folders[0].keys() == folders[1].keys()
    assert [name for name in folders[0] if folders[0][name] != folders[1][name]] == []
    assert "ladder.csv" in folders[0]
