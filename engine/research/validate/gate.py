"""The promotion gate: every threshold, what it was held against, and what would have to be true for it to be luck."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from plimsoll.engine.config.validate import GateSection
from plimsoll.engine.report.metrics.labels import shown

Kind: TypeAlias = Literal["percent", "ratio", "usd"]
NOT_MEASURED: Final = "not measured"


@dataclass(frozen=True, slots=True)
class Check:
    """One threshold. value : None = it could not be measured, which passes nothing; why says what is behind it."""

    name: str
    title: str
    value: float | None
    bound: float
    least: bool
    ok: bool
    kind: Kind
    why: str

    @property
    def asked(self) -> str:
        """The bound in words."""
        return f"{'at least' if self.least else 'at most'} {text_of(self.bound, self.kind)}"

    @property
    def said(self) -> str:
        """The value in words."""
        return NOT_MEASURED if self.value is None else text_of(self.value, self.kind)

    def plain(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        same = ("name", "title", "value", "bound", "ok", "why")
        return {**{key: getattr(self, key) for key in same}, "is": "at least" if self.least else "at most"}


def text_of(value: float, kind: Kind) -> str:
    """Return a figure as text."""
    return f"${value:z,.0f}" if kind == "usd" else shown(value, kind)


def checks_of(evidence: Mapping[str, Any], gate: GateSection) -> tuple[Check, ...]:
    """Return every threshold held against the evidence, whose figures are None where they could not be measured."""
    walk, luck, pbo = evidence["walks"][evidence["judged"]], evidence["luck"], evidence["pbo"]
    stitched, sensitivity, capacity = walk["stitched"], evidence["sensitivity"], evidence["capacity"]
    fell = stitched["max_drawdown"]
    moved = sensitivity["worst"] if sensitivity["verdict"] != NOT_MEASURED else None
    if moved is not None and sensitivity["failed"]:
        moved = None
    return (
        _least("sharpe", "Sharpe over bills out of sample", stitched["sharpe_excess"], gate.min_sharpe, "ratio",
               f"{walk['walk']} walk, {walk['sessions']:,} sessions{evidence['over']}"),
        _least("dsr", "Deflated Sharpe ratio", luck["dsr"], gate.min_dsr, "percent", luck["of"]),
        _most("pbo", "Probability of overfitting", pbo["pbo"], gate.max_pbo, "percent", pbo["why"] or
              f"{pbo['columns']} settings, noise gives {shown(_of(pbo, 'null', 'mean'), 'percent')}", strict=True),
        _most("drawdown", "Drawdown out of sample", None if fell is None else -fell, gate.max_drawdown, "percent", ""),
        _most("sensitivity", "Sharpe lost to a perturbation", moved, gate.max_sensitivity, "ratio",
              f"{len(sensitivity['rows'])} perturbations, {sensitivity['failed']} failed"),
        _least("capacity", "Capacity", capacity["capacity_usd"], gate.min_capacity_usd, "usd",
               f"costs eat {gate.cost_share:z.0%} of what is earned"),
        _measured("data", "Prices are real", not evidence["synthetic"], "generated prices prove nothing"),
    )  # fmt: skip


def reasons(checks: tuple[Check, ...]) -> list[str]:
    """Return why a validation failed, a few words for each threshold missed."""
    return [
        one.why if one.name == "data" else f"{one.title[:1].lower()}{one.title[1:]} {one.said}, asked {one.asked}"
        for one in checks
        if not one.ok
    ]


def luck_needed(evidence: Mapping[str, Any]) -> list[str]:
    """Return what would have to be true for the result to be luck, in sentences."""
    luck, pbo, walk = evidence["luck"], evidence["pbo"], evidence["walks"][evidence["judged"]]
    said = []
    if luck["lucky_sharpe"] is not None:
        said.append(
            f"The best of {_count(luck['effective_tries'], luck['tries'])} tries without any skill would show a Sharpe "
            f"ratio of {shown(luck['lucky_sharpe'], 'ratio')} on average; this configuration shows "
            f"{shown(luck['sharpe_excess'], 'ratio')}. Luck would have to be better than that average by "
            f"{shown(_less(luck['sharpe_excess'], luck['lucky_sharpe']), 'ratio')}, which has a probability of "
            f"{shown(_less(1.0, luck['dsr']), 'percent')}. Tries that are variations of one idea differ little, so "
            f"their luckiest is little better: what was looked at before the first of them is in no ledger."
        )
    if luck["psr"] is not None:
        said.append(
            f"Had it been the only try, a true Sharpe ratio of 0 or less would show as much with a probability of "
            f"{shown(1.0 - luck['psr'], 'percent')}."
        )
    if pbo["pbo"] is not None:
        said.append(
            f"In {shown(pbo['pbo'], 'percent')} of {pbo['splits']:,} ways to halve the history, the best setting of "
            f"one half was no better than the median of the other; of pure noise it is "
            f"{shown(pbo['null']['mean'], 'percent')} with a spread of {shown(pbo['null']['sd'], 'percent')}, and "
            f"{shown(pbo['null']['at_or_below'], 'percent')} of {pbo['null']['matrices']} such matrices look no worse."
        )
    fell = walk["stitched"]["max_drawdown"]
    if fell is not None:
        said.append(
            f"The drawdown of {shown(-fell, 'percent')} is the worst of one history of "
            f"{walk['sessions'] / 252.0:z.1f} years; a longer one has deeper ones."
        )
    return said


def _count(effective: float | None, counted: int) -> str:
    worth = "" if effective is None else f"{effective:z,.0f} independent out of "
    return f"{worth}{counted:,}"


def _less(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _of(block: Mapping[str, Any], *keys: str) -> Any:
    for key in keys:
        block = block.get(key) or {}
    return block or None


def _least(name: str, title: str, value: float | None, bound: float, kind: Kind, why: str) -> Check:
    return Check(name, title, value, bound, True, bound == 0.0 or (value is not None and value >= bound), kind, why)


def _most(
    name: str, title: str, value: float | None, bound: float, kind: Kind, why: str, *, strict: bool = False
) -> Check:
    ok = value is not None and (value < bound if strict else value <= bound)
    return Check(name, title, value, bound, False, ok, kind, why)


def _measured(name: str, title: str, ok: bool, why: str) -> Check:
    return Check(name, title, float(ok), 1.0, True, ok, "ratio", "" if ok else why)
