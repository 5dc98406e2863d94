"""What a configuration accepts, and the one line it refuses the rest with."""

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.config.toml import dump_toml
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.runtime.resolve import make_strategy
from plimsoll.engine.sleeve.strategy import Strategy, StrategyParams

SLEEVE = {"name": "s", "strategy": "sixty_forty"}


def _load(
    *, sleeve: Any = None, env: Mapping[str, str] | None = None, sets: list[str] | None = None, **given: Any
) -> Config:
    return load_config({"sleeve": [SLEEVE] if sleeve is None else sleeve, **given}, env=env, sets=sets or [])


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt key": ({"run": {"csah": 1.0}}, "config: unknown key 'run.csah'; did you mean 'cash'?"),
    "misspelt section": ({"excution": {}}, "config: unknown key 'excution'; did you mean 'execution'?"),
    "misspelt key beside another problem": (
        {"run": {"cash": -1.0}, "costs": {"flat_bsp": 1.0}},
        "config: unknown key 'costs.flat_bsp'; did you mean 'flat_bps'?; 1 more problem",
    ),
    "unlike any key": ({"account": {"zzz": 1}}, "config: unknown key 'account.zzz'; known: flows, leverage, "),
    "misspelt key of a sleeve": (
        {"sleeve": [{**SLEEVE, "parms": {}}]},
        "unknown key 'sleeve.0.parms'; did you mean 'params'?",
    ),
    "misspelt list of sleeves": (
        {"sleeve": None, "sleeves": [SLEEVE]},
        "unknown key 'sleeves'; did you mean 'sleeve'?",
    ),
    "one bracket": ({"sleeve": SLEEVE}, "sleeve: input should be a valid tuple; write [[sleeve]] with two brackets"),
    "no sleeve": ({"sleeve": []}, "config: sleeve: tuple should have at least 1 item"),
    "a sleeve without strategy": ({"sleeve": [{"name": "s"}]}, "config: key 'sleeve.0.strategy' is missing; add it"),
    "text for a number": ({"run": {"cash": "lots"}}, "run.cash: input should be a number, without quotes, got 'lots'"),
    "a quoted number": ({"run": {"cash": "1000"}}, "run.cash: input should be a number, without quotes, got '1000'"),
    "true for a number": ({"run": {"cash": True}}, "run.cash: neither true nor false is expected here, got True"),
    "a number for a date": ({"run": {"start": 2010}}, "run.start: input should be a date such as 2010-01-31, got 2010"),
    "a number for a flag": ({"execution": {"fractional": 3}}, "execution.fractional: input should be a valid boolean"),
    "a value for a section": ({"run": 3}, "config: run: a section [run] is expected, got 3"),
    "a list for a rate": (
        {"financing": {"cash_rate": [1]}},
        "config: financing.cash_rate: input should be a valid number",
    ),
    "true for a cap": (
        {"integrator": {"preset": "book", "caps": {"name": True}}},
        "integrator.caps.name: neither true nor",
    ),
    "a misspelt stage": (
        {"integrator": {"preset": "book", "cap": {}}},
        "unknown key 'integrator.cap'; did you mean 'caps'?",
    ),
    "a misspelt key of a stage": (
        {"integrator": {"preset": "book", "governor": {"cooloff": 3}}},
        "unknown key 'integrator.governor.cooloff'; did you mean 'cooloff_sessions'?",
    ),
    "a stage that does nothing": (
        {"integrator": {"caps": {"name": 0.1}}},
        "'caps' has no effect under preset 'direct'",
    ),
    "the one stage of a sleeve alone, beyond its band": (
        {"integrator": {"turnover": {"band": 0.01, "kelly": 0.5}}},
        "'turnover', its band aside, has no effect under preset 'direct'",
    ),
    "where the band was": (
        {"execution": {"no_trade_band": 0.01}},
        "key 'execution.no_trade_band' has moved; write it as integrator.turnover.band",
    ),
    "where the target of the volatility was": (
        {"integrator": {"preset": "book", "regime": {"neutral": 0.1}}},
        "key 'integrator.regime.neutral' has moved; write it as integrator.vol_target.target",
    ),
    "no such day": ({"run": {"end": "2010-02-30"}}, "run.end: input should be a valid date"),
    "end before start": (
        {"run": {"start": "2011-01-03", "end": "2010-01-04"}},
        "config: run: end 2010-01-04 is before start 2011-01-03",
    ),
    "nothing to start with": ({"run": {"cash": 0}}, "run.cash: input should be greater than 0, got 0"),
    "infinite": ({"run": {"cash": float("inf")}}, "run.cash: input should be a finite number, got inf"),
    "not a number": (
        {"financing": {"cash_rate": float("nan")}},
        "financing.cash_rate: input should be a finite number, got nan",
    ),
    "a negative cost": (
        {"costs": {"flat_bps": -1.0}},
        "costs.flat_bps: input should be greater than or equal to 0, got -1",
    ),
    "a negative spread": (
        {"costs": {"half_spread_bps": {"1": -2.0}}},
        "costs.half_spread_bps.1: input should be greater",
    ),
    "no such tier": (
        {"costs": {"half_spread_bps": {"4": 2.0}}},
        "costs.half_spread_bps.4: input should be '1', '2', '3'",
    ),
    "a band of everything": (
        {"integrator": {"turnover": {"band": 1.0}}},
        "integrator.turnover.band: input should be less than 1",
    ),
    "an unknown word": (
        {"execution": {"fill": "open"}},
        "execution.fill: input should be 'next_open' or 'next_close', got 'open'",
    ),
    "a name that is a path": ({"run": {"name": "a/b"}}, "run.name: string should match pattern"),
    "bars of no length": ({"data": {"interval": "0min"}}, "data.interval: string should match pattern"),
    "a key that did nothing": (
        {"execution": {"order_type": "moo"}},
        "execution: there is no 'order_type': say when with 'fill', whole shares with 'fractional = false'",
    ),
    "two of a name": ({"sleeve": [SLEEVE, SLEEVE]}, "sleeve names must differ: s, s"),
    "two sent directly": (
        {"sleeve": [SLEEVE, {**SLEEVE, "name": "t"}]},
        "preset 'direct' runs exactly one sleeve, 2 are",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_configuration_is_told_in_one_line_that_names_the_key(name: str) -> None:
    values, says = BAD[name]
    values = {"sleeve": [SLEEVE], **values}
    with pytest.raises(ConfigError) as caught:
        load_config({key: value for key, value in values.items() if value is not None})
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_later_layers_win_file_then_environment_then_set(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('[run]\nname = "file"\ncash = 1.0\nseed = 1\n[[sleeve]]\nname = "s"\nstrategy = "sixty_forty"\n')
    env = {"PLIMSOLL__RUN__CASH": "2.0", "PLIMSOLL__RUN__SEED": "2", "PLIMSOLL_CACHE_DIR": "/x", "HOME": "/y"}
    config = load_config(path, env=env, sets=["run.seed=3", "run.benchmark=SPY", "run.seed=4"])
    assert (config.run.name, config.run.cash, config.run.seed, config.run.benchmark) == ("file", 2.0, 4, "SPY")
    assert config.execution.fill == "next_open"


@pytest.mark.parametrize("spelling", ["sleeve.s.params.stock_weight=0.5", "sleeve.0.params.stock_weight=0.5"])
def test_a_parameter_of_a_sleeve_is_set_by_its_name_or_its_number(spelling: str) -> None:
    assert _load(sets=[spelling]).sleeve[0].params == {"stock_weight": 0.5}


def test_overriding_leaves_the_given_values_as_they_were() -> None:
    values = {"run": {"cash": 5.0}, "sleeve": [{**SLEEVE, "params": {"stock_weight": 0.1}}]}
    load_config(values, sets=["run.cash=6", "sleeve.s.params.stock_weight=0.9", "costs.tier.SPY='2'"])
    assert values == {"run": {"cash": 5.0}, "sleeve": [{**SLEEVE, "params": {"stock_weight": 0.1}}]}


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ("run.cash", "--set 'run.cash' is not of the form a.b=value"),
        ("=3", "--set '=3' is not of the form a.b=value"),
        ("run.csh=3", "config: unknown key 'run.csh'; did you mean 'cash'?"),
        ("run.name.x=3", "--set run.name.x: 'run.name' is a value, not a section"),
        ("sleeve.q.params.x=3", "--set sleeve.q.params.x: no sleeve 'q'; known: s"),
        ("sleeve.s=3", "--set sleeve.s: 'sleeve.s' names a whole sleeve; name one of its keys"),
        ("run.cash=1e999", "config: run.cash: input should be a finite number, got inf"),
        ("run.cash=ten", "config: run.cash: input should be a number, without quotes, got 'ten'"),
    ],
)
def test_a_bad_override_is_told_in_one_line(item: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config({"run": {"name": "r"}, "sleeve": [SLEEVE]}, sets=[item])
    assert str(caught.value).startswith(says)


def test_a_bad_environment_variable_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^environment PLIMSOLL__RUN__NAME__X: 'run.name' is a value, not a section"):
        _load(run={"name": "r"}, env={"PLIMSOLL__RUN__NAME__X": "1"})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[run\n", "not valid TOML: "),
        (b"[run]\nname = \xff\n", "not UTF-8 at byte 13; save it as UTF-8"),
        (b"[run]\nname = 'a'\nname = 'b'\n", "not valid TOML: Cannot overwrite a value"),
    ],
    ids=["syntax", "encoding", "twice"],
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}: {says}")
    assert "\n" not in str(caught.value)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bom.toml"
    path.write_bytes(b"\xef\xbb\xbf[[sleeve]]\nname = 's'\nstrategy = 'sixty_forty'\n")
    assert load_config(path).sleeve[0].name == "s"


def test_a_missing_file_suggests_the_one_beside_it(tmp_path: Path) -> None:
    (tmp_path / "level61.toml").write_text("")
    with pytest.raises(ConfigError, match=r"no such config file; did you mean 'level61.toml'\?"):
        load_config(tmp_path / "level16.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_config(tmp_path)


def test_a_configuration_is_frozen() -> None:
    config = _load()
    with pytest.raises(ValueError, match="frozen"):
        config.run.cash = 1.0  # type: ignore[misc]  # what the test is about


def test_tiers_left_out_keep_their_spread() -> None:
    assert _load(costs={"half_spread_bps": {"1": 1.5}}).costs.half_spread_bps == {
        "1": 1.5,
        "2": 4.0,
        "3": 6.0,
        "thin": 10.0,
    }


def test_the_written_configuration_reads_back_to_the_same_run() -> None:
    config = _load(
        run={"name": "r", "start": "2010-01-04", "benchmark": 'S"P\\Y'},
        sleeve=[{**SLEEVE, "params": {"stock_weight": 0.1, "left_out": None, "names": ["a", "b"], "nested": {"x": 1}}}],
        data={"source": "csv", "path": "some folder/ü"},
        costs={"tier": {"BRK.B": "3"}},
    )
    again = load_config(tomllib.loads(config.toml()))
    assert again.plain() == config.plain()
    assert again.digest == config.digest
    assert again.run.start == date(2010, 1, 4)


def test_the_hash_knows_every_value_but_where_data_and_modules_lie() -> None:
    base = _load(data={"source": "csv", "path": "a"})
    assert base.digest == _load(data={"source": "csv", "path": "b"}).digest
    assert base.digest == _load(data={"source": "csv", "path": "a"}, run={"modules": "elsewhere"}).digest
    assert base.digest != _load(data={"source": "csv", "path": "a", "indicators": ["VIX"]}).digest
    assert base.digest != _load(data={"source": "csv", "path": "a"}, run={"seed": 43}).digest


_KEYS = st.text(min_size=1, max_size=8)
_SCALARS = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=12)
_TABLES = st.recursive(
    st.dictionaries(_KEYS, _SCALARS | st.lists(_SCALARS, max_size=3), max_size=4),
    lambda inner: st.dictionaries(_KEYS, inner | _SCALARS | st.lists(inner, max_size=3), max_size=4),
    max_leaves=12,
)


@given(_TABLES)
def test_whatever_is_dumped_as_toml_reads_back_equal(values: dict[str, Any]) -> None:
    assert tomllib.loads(dump_toml(values)) == values


class Tuned(Strategy):
    """A strategy with one parameter of each kind."""

    class Params(StrategyParams):
        lookback_bars: int = Field(20, gt=1)
        speed: float = 0.5
        optional: float | None = None
        on: bool = False

    universe = ("SPY",)

    def on_bar(self, ctx: Any) -> None:
        return None


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"lookbak_bars": 3}, "sleeve 's' params: unknown key 'lookbak_bars'; did you mean 'lookback_bars'?"),
        ({"lookback_bars": 1}, "sleeve 's' params: lookback_bars: input should be greater than 1, got 1"),
        ({"lookback_bars": 2.5}, "sleeve 's' params: lookback_bars: input should be a valid integer"),
        (
            {"lookback_bars": True},
            "sleeve 's' params: lookback_bars: neither true nor false is expected here, got True",
        ),
        ({"speed": "fast"}, "sleeve 's' params: speed: input should be a number, without quotes, got 'fast'"),
        ({"speed": float("nan")}, "sleeve 's' params: speed: input should be a finite number, got nan"),
        ({"optional": "1"}, "sleeve 's' params: optional: input should be a number, without quotes, got '1'"),
    ],
)
def test_a_wrong_parameter_is_told_in_one_line(params: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_strategy(Tuned, params, where="sleeve 's'")
    assert str(caught.value).startswith(says)


def test_right_parameters_arrive() -> None:
    params = make_strategy(Tuned, {"lookback_bars": 5, "speed": 1, "on": True}, where="sleeve 's'").params
    assert (params.lookback_bars, params.speed, params.optional, params.on) == (5, 1.0, None, True)


def test_a_sleeve_may_not_take_the_name_of_the_integrators_own_figures() -> None:
    sleeves = [{"name": "book", "strategy": "trend"}, {"name": "b", "strategy": "carry"}]
    with pytest.raises(ConfigError, match="may not be called 'book'"):
        load_config({"sleeve": sleeves, "integrator": {"preset": "book"}})
