"""How far a book came to the volatility it aims at, and what kept it away: plain numpy on its own figures."""

from typing import Final

import numpy as np

from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.diagnostic_words import BOOK
from plimsoll.engine.report.metrics.labels import shown
from plimsoll.engine.report.metrics.returns import Figures
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Dates, Floats

# What can take from a book, in the order it acts, in words.
TAKERS: Final = {
    "leverage": "the leverage bound",
    "name": "the name cap",
    "cluster": "the cluster cap",
    "gross": "the gross cap",
    "net": "the net cap",
    "governor": "the drawdown governor",
    "kelly": "the Kelly fraction",
}
_FACTS: Final = (
    "sigma_p", "sigma_ex", "leverage", "multiplier", "cut_name", "cut_cluster", "cut_gross", "cut_net",
)  # fmt: skip
FEWEST: Final = 20  # sessions that a ratio of volatilities needs
LEAST: Final = 0.0005  # of the target: less is not told


def target_block(record: Record) -> Figures | None:
    """Return realised over target volatility and what was taken from the target; None for a run that has no target.

    realised_over_target : sqrt(252 mean (r / sigma_P)^2), r the net return of the first whole session after the fill of
        the decision that aimed at sigma_P; 1 = on target.
    taken : shares of the exposure that the target calls for, mean over the decisions; they and what is left make 1:
        leverage what stage 3 may not reach, each cap of stage 4 (restricted symbols are not counted), governor and
        kelly what they take of the rest.
    responsible : the one that took most; None if nothing took anything.
    """
    facts = _facts(record)
    if facts is None:
        return None
    days, table = facts
    taken = {name: float(np.mean(values)) for name, values in _taken(table, _kelly(record)).items()}
    worst = max(taken, key=lambda name: taken[name])
    return {
        "sigma_p": float(np.mean(table["sigma_p"])),
        "realised_over_target": _ratio(record, days, table["sigma_p"]),
        "taken": taken,
        "responsible": worst if taken[worst] > 0.0 else None,
    }


def taken_by_decision(record: Record) -> tuple[Dates, dict[str, Floats]] | None:
    """Return the days of decisions and the share of the target that each taker took at them; None without a target."""
    facts = _facts(record)
    return None if facts is None else (facts[0], _taken(facts[1], _kelly(record)))


def target_text(block: Figures) -> str:
    """Return the block in words."""
    ratio = block["realised_over_target"]
    told = "" if ratio is None else f"{ratio:z.2f} of it realised; "
    shares = sorted(block["taken"].items(), key=lambda item: -item[1])
    took = [f"{TAKERS[name]} took {shown(share, 'percent')}" for name, share in shares if share >= LEAST]
    what = f"of the exposure it calls for {', '.join(took)}" if took else "nothing took from it"
    return f"volatility {shown(block['sigma_p'], 'percent')}; {told}{what}"


def _kelly(record: Record) -> float:
    return float(record.config.get("integrator", {}).get("turnover", {}).get("kelly", 1.0))


def _facts(record: Record) -> tuple[Dates, dict[str, Floats]] | None:
    """Return the days of decisions, the last one of each, and their figures by name; None where there are none."""
    curves = record.curves
    if any((BOOK, name) not in curves for name in _FACTS):
        return None
    days, _ = curves[BOOK, _FACTS[-1]]
    return days, {name: curves[BOOK, name][1] for name in _FACTS}


def _taken(table: dict[str, Floats], kelly: float) -> dict[str, Floats]:
    """Return the share of the target that each takes at each decision."""
    aimed = table["leverage"] * table["sigma_ex"] / table["sigma_p"]
    reach = np.where(aimed > 0.0, np.minimum(aimed, 1.0), 1.0)  # an empty book misses nothing by its bounds
    out = {"leverage": 1.0 - reach}
    left = reach.copy()
    for name in ("name", "cluster", "gross", "net"):
        out[name] = reach * table[f"cut_{name}"]
        left -= out[name]
    out["governor"] = left * (1.0 - table["multiplier"])
    out["kelly"] = left * table["multiplier"] * (1.0 - kelly)
    return out


def _ratio(record: Record, days: Dates, sigma: Floats) -> float | None:
    returns = m.checked(record.returns.to_numpy(), "session returns")
    whole = np.searchsorted(record.sessions, days, side="right") + 1  # filled in the next session, whole the one after
    known = (whole < len(returns)) & (sigma > 0.0)
    if int(known.sum()) < FEWEST:
        return None
    z = returns[whole[known]] / sigma[known]
    return float(np.sqrt(np.mean(z * z) * m.SESSIONS_PER_YEAR))
