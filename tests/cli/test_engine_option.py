"""`--engine`: the same folder from either loop, and one line for what has no compiled form."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.runtime.assemble import build
from plimsoll.engine.runtime.compiled.engines import ENGINES, compile_notice
from plimsoll.engine.runtime.load import load_panel
from plimsoll.engine.runtime.needs import needs_of
from plimsoll.engine.runtime.prepare import make_strategies

# What has no compiled form, and what the refusal calls it.
WITHOUT = [
    (["integrator.preset=legacy"], "preset 'legacy'"),
    (["integrator.preset=book", "integrator.vol_target.covariance=factor"], "vol_target.covariance = 'factor'"),
]


def sets_of(values: list[str]) -> list[str]:
    return [word for value in values for word in ("--set", value)]


def files_of(folder: Path) -> dict[str, Any]:
    """Return what a run folder holds without time stamps."""
    files: dict[str, Any] = {path.name: path.read_bytes() for path in folder.iterdir()}
    files["env.json"] = {k: v for k, v in json.loads(files["env.json"]).items() if k != "created"}
    lines = files.pop("log.jsonl").decode().splitlines()
    files["log"] = [{k: v for k, v in json.loads(line).items() if k != "ts"} for line in lines]
    return files


@pytest.mark.parametrize("preset", ["direct", "book"])
def test_both_engines_write_the_same_run_folder(preset: str, cli: Callable[..., Any], here: Path) -> None:
    sets = sets_of([f"integrator.preset={preset}"])
    for engine in ENGINES:
        ran = cli("backtest", "run.toml", *sets, "--engine", engine, "--out", engine, "-q")
        assert (ran.code, ran.out) == (0, f"{engine}\n"), ran
    ours, theirs = (files_of(here / engine) for engine in ENGINES)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
    assert len(ours) == 17  # beside.csv among them: the market of these runs holds SPY


@pytest.mark.parametrize(("sets", "what"), WITHOUT)
def test_what_has_no_compiled_form_is_refused_in_one_line(
    sets: list[str], what: str, refused: Callable[..., str]
) -> None:
    line = refused("backtest", "run.toml", *sets_of(sets), "--engine", "compiled", "--out", "out")
    assert what in line
    assert "--engine python" in line


@pytest.mark.parametrize(("sets", "what"), WITHOUT)
def test_a_sweep_runs_them_through_the_ordinary_loop(
    sets: list[str], what: str, cli: Callable[..., Any], here: Path
) -> None:
    grid = ["--grid", "costs.preset=none,us_etf", "--executor", "threads", "--workers", "1", "--top", "0"]
    ran = cli("sweep", "run.toml", *sets_of(sets), *grid, "--out", "swept")
    assert ran.code == 0, ran
    rows = (here / "swept" / "sweep.csv").read_text().splitlines()
    assert len(rows) == 3
    assert what not in "".join(rows)


def test_nobody_waits_for_a_compiler_that_is_not_needed(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plimsoll.engine.kernels.jit.is_compiled", lambda _: False)
    for sets, refused in [*WITHOUT, (["integrator.preset=book"], ""), ([], "")]:
        config = load_config(here / "run.toml", sets=sets)
        strategies = make_strategies(config)
        setup = build(config, load_panel(config, needs_of(config, strategies)), strategies)
        assert ("compiling" in compile_notice("compiled", setup)) == (refused == "")
        assert compile_notice("python", setup) == ""
