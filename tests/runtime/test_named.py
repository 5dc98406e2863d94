"""A strategy's name, or a script, in the place of a configuration."""

from pathlib import Path

import pytest

from plimsoll import ConfigError, backtest
from plimsoll.engine.config.schema import load_config
from plimsoll.engine.runtime.named import named_config

SCRIPT = '''"""Mine."""
import plimsoll
from plimsoll import Strategy

raise_if_run = 1 / {divisor}

class Held(Strategy):
    """Holds."""
    universe = ("SPY",)
    def on_bar(self, ctx):
        return [1.0] if ctx.t == 0 else None
{more}
'''


def test_a_registered_name_runs_alone_with_its_defaults() -> None:
    by_name = backtest("sixty_forty", start="2018-01-02", end="2018-06-29", trials="off")
    from plimsoll.strategies.sixty_forty import SixtyForty

    by_class = backtest(SixtyForty, start="2018-01-02", end="2018-06-29", trials="off")
    assert by_name.name == "sixty_forty"
    assert by_name.equity.to_numpy().tobytes() == by_class.equity.to_numpy().tobytes()
    by_path = backtest("plimsoll.strategies.sixty_forty:SixtyForty", start="2018-01-02", end="2018-06-29", trials="off")
    assert by_path.equity.to_numpy().tobytes() == by_class.equity.to_numpy().tobytes()


def test_a_script_is_read_for_its_strategy_and_not_run(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(SCRIPT.format(divisor=0, more=""))
    assert named_config(script) == {
        "run": {"name": "held", "modules": str(tmp_path)},
        "sleeve": [{"name": "held", "strategy": "mine:Held"}],
    }
    script.write_text(SCRIPT.format(divisor=1, more="class Other(plimsoll.Strategy):\n    pass"))
    with pytest.raises(ConfigError, match=r"2 strategies in it; say which: .*mine.py:Held, .*mine.py:Other"):
        named_config(script)
    chosen = named_config(Path(f"{script}:Other"))
    assert chosen is not None
    assert chosen["sleeve"] == [{"name": "other", "strategy": "mine:Other"}]
    with pytest.raises(ConfigError, match="no class 'Oter'; did you mean 'Other'"):
        named_config(Path(f"{script}:Oter"))


def test_files_of_configurations_are_left_to_their_reader(tmp_path: Path) -> None:
    assert named_config(tmp_path / "none.toml") is None
    (tmp_path / "plain").write_text("[run]")
    assert named_config(tmp_path / "plain") is None
    with pytest.raises(ConfigError, match="run the strategy as it is: trend"):
        named_config(tmp_path / "trend.toml")


def test_a_strategy_made_from_another_of_the_script_is_one_more(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(SCRIPT.format(divisor=1, more="class Other(Held):\n    pass"))
    with pytest.raises(ConfigError, match=r"2 strategies in it; say which: .*mine.py:Held, .*mine.py:Other"):
        named_config(script)


def test_a_projects_own_file_is_no_configuration_to_suggest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[project]")
    for ask in (lambda: named_config(Path("nosuch")), lambda: load_config(Path("nosuch.toml"))):
        with pytest.raises(ConfigError) as said:
            ask()
        assert "pyproject" not in str(said.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("print(1)", "a Python script without a strategy"),
        ("class X(", "not Python, line 1: "),
    ],
)
def test_a_script_that_holds_none_is_told(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "s.py").write_text(text)
    with pytest.raises(ConfigError, match=said):
        named_config(tmp_path / "s.py")
    with pytest.raises(ConfigError, match="cannot be read"):
        named_config(tmp_path / "absent.py")


def test_a_name_that_is_neither_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.toml").write_text("")
    for wrong, near in (("tredn", "trend"), ("bok", "book.toml")):
        with pytest.raises(ConfigError, match=f"{wrong}: neither a configuration nor a strategy; .*{near}"):
            named_config(Path(wrong))


def test_keywords_are_the_keys_of_the_configuration() -> None:
    span = {"start": "2018-01-02", "end": "2018-06-29", "trials": "off"}
    by_word = backtest("sixty_forty", cash=50_000, benchmark="SPY", costs=7.5, **span)
    sets = ["run.cash=50000.0", "run.benchmark=SPY", "costs.preset=flat", "costs.flat_bps=7.5"]
    by_key = backtest("sixty_forty", sets=sets, **span)
    assert by_word.config_hash == by_key.config_hash
    assert by_word.cash == 50_000.0
    assert by_word.benchmark is not None
    assert backtest("sixty_forty", costs="none", **span).metrics["costs"]["total"] == 0.0


def test_a_number_of_sessions_needs_no_quotes() -> None:
    span = {"start": "2018-01-02", "end": "2018-06-29", "trials": "off"}
    number, text = (
        backtest("inverse_vol", sets=[f"sleeve.inverse_vol.params.rebalance={n}"], **span) for n in ("21", "'21'")
    )
    assert number.equity.to_numpy().tobytes() == text.equity.to_numpy().tobytes()
    for wrong in ("0", "true", "2.5"):
        with pytest.raises(ConfigError, match="rebalance"):
            backtest("inverse_vol", sets=[f"sleeve.inverse_vol.params.rebalance={wrong}"], **span)
