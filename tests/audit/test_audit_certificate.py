"""What a certificate says, what it rests on, and the figures that only inform."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audit import cheats
from audit.market import case_of, market

from plimsoll.engine.errors import ConfigError, StrategyError
from plimsoll.engine.kernels import layout
from plimsoll.engine.market.panel import CLOSE, DIVIDEND, OPEN, SPLIT
from plimsoll.engine.research.audit.audit import examine
from plimsoll.engine.research.audit.certificate import engine_hash
from plimsoll.engine.research.audit.fresh_runs import cut_bars, importable
from plimsoll.engine.research.audit.what_if import Replay, bar_later, figures_of, same_close, with_open_at_last_close
from plimsoll.engine.research.proof.trail import Recorder, run_trail
from plimsoll.engine.sleeve.strategy import Context, Strategy
from plimsoll.engine.types import Weights
from plimsoll.engine.verbs.audit import audit


def test_the_same_audit_twice_is_the_same_to_the_byte_and_plain_json() -> None:
    told = [json.dumps(audit(cheats.Weekly, data=market(), reloads=0).plain(), allow_nan=False) for _ in range(2)]
    assert told[0] == told[1]
    back = json.loads(told[0])
    assert back["verdict"] == "PASS"
    names = ["second run", "future unknown", "future noise", "fills", "compiled loop", "reloads"]
    assert [one["name"] for one in back["findings"]] == names
    assert [one["passed"] for one in back["findings"]] == [True, True, True, True, True, None]


def test_a_certificate_names_code_data_configuration_and_what_was_compared() -> None:
    case = case_of(cheats.Weekly)
    audited = examine(case, n_reloads=0)
    certificate, result = audited.certificate, audited.result
    assert certificate.config_hash == case.config.digest == result.config_hash
    assert certificate.data_hash == case.panel.data_hash
    assert len(certificate.engine_hash) == 64
    assert certificate.strategies["weekly"]["class"] == "audit.cheats:Weekly"
    assert len(certificate.strategies["weekly"]["sha256"]) == 64
    assert certificate.sessions == len(result.equity)
    assert certificate.decisions == len(result.targets)
    assert certificate.outputs > 1000
    assert result.certificate == certificate.plain()


def test_the_hash_of_a_strategy_changes_with_a_file_it_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "hashed"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "numbers_of.py").write_text("SHARE = 0.5\n")
    body = (
        "from audit.cheats import Weekly\nfrom hashed.numbers_of import SHARE\nclass Mine(Weekly):\n    share = SHARE\n"
    )
    (package / "mine.py").write_text(body)
    monkeypatch.syspath_prepend(str(tmp_path))
    values = {"sleeve": [{"name": "s", "strategy": "hashed.mine:Mine"}]}
    hashes = []
    for text in ("SHARE = 0.5\n", "SHARE = 0.25\n"):
        (package / "numbers_of.py").write_text(text)
        hashes.append(audit(values, data=market(), reloads=0).strategies["s"]["sha256"])
    assert hashes[0] != hashes[1]
    assert engine_hash() == engine_hash()


def test_what_the_normal_run_refuses_is_bad_input_and_no_failure() -> None:
    class Raises(cheats.Weekly):
        def score(self, ctx: Context) -> float:
            raise ValueError("no")

    with pytest.raises(StrategyError, match="raised ValueError: no"):
        audit(Raises, data=market(), reloads=0)
    with pytest.raises(ConfigError, match="both are 0 or more"):
        audit(cheats.Weekly, data=market(), reloads=-1)


def test_a_class_that_no_other_process_could_import_is_refused_before_anything_runs() -> None:
    class Local(cheats.Weekly):
        pass

    with pytest.raises(ConfigError, match=r"Local' cannot be imported by a fresh process.*move it to the top"):
        audit(Local, data=market(), reloads=1)
    with pytest.raises(ConfigError, match="cannot be imported"):
        importable(case_of(cheats.Weekly, stand_in=lambda setup: setup))
    importable(case_of(cheats.Weekly))


def test_cuts_are_drawn_by_the_seed_from_sessions_traded_half_of_them_answered() -> None:
    case = case_of(cheats.Weekly)
    reference = case.run()
    cuts = cut_bars(case, reference, 12, 5)
    assert list(cuts) == sorted(set(cuts))
    assert len(cuts) == 12
    assert min(cuts) >= reference.setup.first
    assert max(cuts) < reference.last
    assert len(set(cuts) & set(reference.trail.answered())) >= 6
    assert list(cut_bars(case, reference, 12, 5)) == list(cuts)
    assert list(cut_bars(case, reference, 12, 6)) != list(cuts)
    hole = replace(case.panel, block=case.panel.block.copy())
    hole.block[:3, cuts[3]] = np.nan  # a session that has no row of any symbol would not be the last one loaded
    assert cuts[3] not in cut_bars(replace(case, panel=hole), reference, 100, 5)


def test_a_bar_later_every_answer_comes_a_bar_later() -> None:
    case = case_of(cheats.Weekly)
    reference = case.run()
    recorder = reference.setup.system.sleeves[0].strategy
    assert isinstance(recorder, Recorder)
    late = run_trail(case.config, case.panel, {"weekly": Replay(recorder, 1)})
    ours, theirs = (trail.rows["weekly answer"].values for trail in (reference.trail, late))
    listed = reference.setup.feed.status[1:] == 1
    assert np.array_equal(np.where(listed, ours[:-1], 0.0), np.where(listed, theirs[1:], 0.0), equal_nan=True)
    again = run_trail(case.config, case.panel, {"weekly": Replay(recorder, 0)})
    assert again.rows["account"].values.tobytes() == reference.trail.rows["account"].values.tobytes()


def test_buying_at_the_changed_open_costs_what_the_close_before_would_have() -> None:
    panel = market()
    block = panel.block.copy()
    block[DIVIDEND, 40, 0] = 0.5
    panel = replace(panel, block=block)
    unreal = with_open_at_last_close(panel)
    for t in range(1, 100):
        # ten shares bought at the close before, held over the bar's split and dividend, against the same at its open
        shares = 10.0 * panel.block[SPLIT, t, 0]
        spent = 10.0 * panel.close[t - 1, 0] - shares * panel.block[DIVIDEND, t, 0]
        assert shares * unreal.open[t, 0] == pytest.approx(spent, rel=1e-12)
    assert unreal.open[0].tobytes() == panel.open[0].tobytes()
    assert np.array_equal(np.isnan(unreal.open), np.isnan(panel.open))
    others = [row for row in range(5) if row != OPEN]
    assert unreal.block[others].tobytes() == panel.block[others].tobytes()


class LivesOfOneBar(Strategy):
    """Knows the next bar's return, in a way that one bar later is worth nothing."""

    universe = ("AAA",)

    def on_bar(self, ctx: Context) -> Weights | None:
        whole = np.ravel(cheats.behind(ctx.past.ret(1)))
        return ctx.weights({"AAA": float(whole[min(ctx.bar_index + 1, len(whole) - 1)] > 0.0)}, unlisted="cash")


def test_an_edge_that_is_gone_within_a_bar_is_worth_a_warning() -> None:
    case = case_of(LivesOfOneBar, panel=with_open_at_last_close(market()), sets=("costs.preset=none",))
    told = bar_later(case, case.run())
    assert told.warning
    assert told.after is not None
    assert told.before.sharpe > 3.0
    assert told.after.sharpe < 0.5 * told.before.sharpe
    assert "gone within a bar" in told.reading


def test_an_edge_that_only_fills_at_the_same_close_could_earn_is_shown_as_such() -> None:
    panel = market()
    block = panel.block.copy()
    block[OPEN] = block[CLOSE]  # every move happens before the open: who orders after the close before comes too late
    case = case_of(LivesOfOneBar, panel=replace(panel, block=block), sets=("costs.preset=none",))
    told = same_close(case, case.run())
    assert told.after is not None
    assert told.after.sharpe > max(3.0, told.before.sharpe + 3.0)
    assert told.warning
    assert "by whoever fills at the close that decided" in told.reading


def test_figures_are_those_of_the_result() -> None:
    case = case_of(cheats.Weekly)
    audited = examine(case, n_reloads=0)
    figures = figures_of(case.run())
    assert figures.sharpe == pytest.approx(audited.result.metrics["sharpe"], rel=1e-12)
    assert figures.cagr == pytest.approx(audited.result.metrics["cagr"], rel=1e-12)
    assert figures.final_equity == audited.result.equity["equity"].iloc[-1]
    assert case.run().setup.broker.rec[-1, layout.R_EQUITY] == figures.final_equity


CLOCK = """
import datetime as dt, time, pandas as pd
from datetime import date as true_date, datetime as true_moment
day = true_date.today()
from plimsoll.engine.research.audit.clock_shift import shift_clock
shift_clock(400)
from datetime import date, datetime
told = [date.today(), datetime.now().date(), datetime.now(dt.UTC).date(), datetime.today().date(),
        datetime.utcnow().date(), date.fromtimestamp(time.time()), date.fromtimestamp(time.time_ns() / 1e9),
        date(*time.localtime()[:3]), date(*time.gmtime()[:3]), date.fromisoformat(time.strftime("%Y-%m-%d")),
        datetime.strptime(time.ctime(), "%a %b %d %H:%M:%S %Y").date(),
        datetime.strptime(time.asctime(), "%a %b %d %H:%M:%S %Y").date(),
        pd.Timestamp.now().date(), pd.Timestamp.today().date()]
off = {(one - day).days for one in told}
same = isinstance(true_moment(2020, 1, 1), datetime) and isinstance(true_date(2020, 1, 1), date)
kept = time.strftime("%Y", time.gmtime(0)) == "1970" and datetime(2020, 1, 1) == true_moment(2020, 1, 1)
print(off <= {399, 400, 401}, same, kept, issubclass(true_moment, datetime), len(told))
"""


def test_a_shifted_clock_answers_every_question_alike_and_passes_for_the_real_one() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", CLOCK], capture_output=True, text=True, check=False,
                          cwd=Path(__file__).resolve().parents[2])  # fmt: skip
    assert done.stdout.strip() == "True True True True 14", done.stderr
