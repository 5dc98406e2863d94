"""Random targets on random markets under random settings: accounts of every kind."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from support.compare import market_of
from support.panels import random_panel
from support.scripted import Answers, Ran, Scripted, plain_config, run_config

from plimsoll.engine.market.panel import Panel
from plimsoll.engine.sleeve.strategy import Strategy

FIRST = 20

SETTINGS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32),
        "preset": st.sampled_from(["none", "flat", "us_etf"]),
        "account": st.sampled_from(["cash", "reg_t"]),
        "fill": st.sampled_from(["next_open", "next_close"]),
        "sizing": st.sampled_from(["decision", "decision", "fill"]),
        "unfilled": st.sampled_from(["expire", "carry"]),
        "fractional": st.booleans(),
        "max_participation": st.sampled_from([0.0, 0.002, 0.05]),
        "band": st.sampled_from([0.0, 0.02]),
        "min_notional": st.sampled_from([0.0, 500.0]),
        "gross": st.sampled_from([0.9, 2.0, 5.0]),
        "often": st.sampled_from([0.1, 0.9]),
        "volatility": st.sampled_from([0.01, 0.03, 0.12]),
        "rate": st.sampled_from([0.0, 0.05, -0.02]),
        "rebate": st.sampled_from([0.0, 0.5]),
        "flows": st.booleans(),
    }
)


class Case(NamedTuple):
    """A configuration, the market it runs on and the answers given there."""

    values: dict[str, Any]
    panel: Panel
    answers: Answers

    def strategy(self) -> Strategy:
        """Return the sleeve that gives the answers."""
        return Scripted(self.panel.symbols, self.answers)

    def run(self) -> Ran:
        """Run it through the ordinary loop."""
        return run_config(self.panel, self.values, self.strategy())


def case(s: dict[str, Any], folder: Path) -> Case:
    """Make an account from drawn settings."""
    panel = random_panel(s["seed"], volatility=s["volatility"])
    rng = np.random.default_rng(s["seed"] + 1)
    market = market_of(panel)
    answers = {}
    for t in range(panel.n_bars):
        if rng.random() < s["often"]:
            listed = [name for name in panel.symbols if market.trades(name, t)]
            raw = rng.normal(size=len(listed)) if s["account"] == "reg_t" else rng.exponential(size=len(listed))
            raw *= rng.random(len(listed)) < 0.8
            answers[t] = dict(zip(listed, s["gross"] * raw / max(np.abs(raw).sum(), 1e-9), strict=True))
    account: dict[str, Any] = {"type": s["account"]}
    if s["flows"]:
        path = folder / "flows.csv"
        least = -3_000.0 if s["volatility"] * s["gross"] < 0.1 else 0.0  # a wild account may not have it any more
        rows = [f"{panel.clock.session[t]},{rng.uniform(least, 8_000.0):.2f}" for t in rng.integers(FIRST, 90, 5)]
        path.write_text("\n".join(["date,amount", *rows]))
        account["flows"] = str(path)
    execution = ("fill", "sizing", "unfilled", "fractional", "max_participation", "min_notional")
    values = plain_config(
        run={"start": str(panel.clock.session[FIRST])},
        account=account,
        execution={name: s[name] for name in execution},
        integrator={"turnover": {"band": s["band"]}},
        costs={"preset": s["preset"], "flat_bps": 7.0, "commission_per_share": 0.001},
        financing={
            "cash_rate": s["rate"], "margin_spread_bps": 150.0, "borrow_bps": 300.0, "short_rebate": s["rebate"],
        },
    )  # fmt: skip
    return Case(values, panel, answers)
