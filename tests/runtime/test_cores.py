"""How much of a machine a sweep and an audit take."""

import os

import pytest

from plimsoll.engine.research.audit import fresh_runs
from plimsoll.engine.runtime.cores import cores


def test_cores_are_those_the_process_may_use_and_at_least_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 5, 7}, raising=False)
    assert cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert cores() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores() == 1


@pytest.mark.parametrize(("own", "reloads", "threads"), [(1, 20, 1), (2, 20, 2), (64, 20, 4), (64, 3, 3), (8, 0, 1)])
def test_an_audit_runs_a_reload_on_each_core_but_no_more_than_four(
    monkeypatch: pytest.MonkeyPatch, own: int, reloads: int, threads: int
) -> None:
    monkeypatch.setattr(fresh_runs, "cores", lambda: own)
    with fresh_runs.pool_of(reloads) as pool:
        assert pool._max_workers == threads
