"""How much of the result the best of so many tries would have shown without any skill."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels.overfit.cscv import BLOCKS
from plimsoll.engine.kernels.overfit.effective import effective_trials
from plimsoll.engine.kernels.overfit.sharpe import (
    expected_maximum,
    lucky_ratio,
    min_backtest_years,
    min_track_record,
)
from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.luck import PER_YEAR, Tries, luck_facts, luck_of, luck_text, moments, tries_of
from plimsoll.engine.research.validate.overfit import overfit
from plimsoll.engine.trials.ledger import open_ledger
from plimsoll.engine.trials.tries import tries_in
from plimsoll.engine.types import Bools, Floats


def tries_of_validation(
    matrix: Floats, bill: Floats, family: str, setting: str | Path | None, env: Mapping[str, str]
) -> tuple[Tries, str]:
    """Return what was tried, and of whom: the family's trials in the ledger, this validation's among them.

    Where the ledger is off, or cannot be read, only the runs of this validation (n, S) are known.
    """
    why = "the ledger is off"
    try:
        ledger = open_ledger(setting, env)
        rows = () if ledger is None else ledger.rows(family)
        if rows:
            return tries_in(rows)[1], f"tries of {family} in the ledger"
        why = why if ledger is None else "the ledger has none of this family"
    except InputError as error:
        why = str(error)
    own = matrix[:, np.isfinite(matrix).all(axis=0)]
    ratios = np.array([moments(own[:, k], bill).ratio for k in range(own.shape[1])])
    lengths = np.full(own.shape[1], len(own), dtype=np.int64)
    tries = tries_of(ratios, lengths, effective_trials(own) if own.shape[1] > 1 else None)
    return tries, f"runs of this validation, {why}"


def luck_block(returns: Floats, bill: Floats, stitched: tuple[Floats, Floats], tries: Tries, of: str) -> dict[str, Any]:
    """Return PSR, DSR, the least track record and the least back-test, of the configuration and of the walk.

    returns, bill (n,) of the configuration over the whole span: what would be promoted, chosen with all of it in sight.
    stitched : returns and bill of the walk, which nobody chose by; its deflated ratio is shown, the other one counts.
    """
    record = moments(returns, bill)
    luck = luck_of(record, tries)
    out = luck_of(moments(*stitched), tries)
    number = tries.effective if np.isfinite(tries.effective) else float(tries.counted)
    best = lucky_ratio(tries.variance, number) if tries.deflates else m.NAN
    dsr = luck.after_effective if np.isfinite(luck.after_effective) else luck.after_all
    return {
        **luck_facts(luck, tries),
        "of": of,
        "text": luck_text("the true Sharpe over bills of the configuration", luck, tries, of),
        "dsr": dsr if tries.deflates else m.NAN,
        "psr": luck.alone,
        "walk": out.figures(),
        "sharpe_excess": record.ratio * PER_YEAR,
        "lucky_sharpe": best * PER_YEAR,
        "expected_maximum": expected_maximum(max(number, 1.0)),
        "min_track_record_years": min_track_record(record.ratio, record.g3, record.g4) / m.SESSIONS_PER_YEAR,
        "min_backtest_years": min_backtest_years(max(number, 1.0)),
        "years": record.n / m.SESSIONS_PER_YEAR,
    }


def pbo_block(family: Floats, bill: Floats, labels: Sequence[str], seed: int) -> dict[str, Any]:
    """Return the probability that the best of the family was overfitted, and what noise of its shape would have given.

    family (n, M) net returns, NaN where a setting has none: one that lacks a session is left out; labels : of the M.
    `why` : there is no probability, "" = there is; `said` : what the statistics of the family come to, in sentences.
    """
    whole: Bools = np.asarray(np.isfinite(family).all(axis=0))
    nothing = {"pbo": m.NAN, "columns": int(whole.sum()), "blocks": BLOCKS, "said": []}
    if whole.sum() < 2:
        return {**nothing, "why": "a family of fewer than two settings: [validate.grid] names nothing to choose from"}
    excess = np.ascontiguousarray(family[:, whole] - bill[:, None])
    try:
        found = overfit(excess, [label for label, own in zip(labels, whole.tolist(), strict=True) if own], seed=seed)
    except InputError as error:
        return {**nothing, "why": str(error)}
    splits, noise = found.splits, found.null
    return {
        "pbo": found.pbo,
        "columns": splits.n_columns,
        "blocks": splits.blocks,
        "splits": len(splits.logit),
        "dropped": splits.dropped,
        "loss": splits.loss,
        "slope": splits.slope,
        "logits": np.histogram(splits.logit, bins=np.linspace(-5.0, 5.0, 41))[0].tolist(),
        "mean_correlation": found.effective.mean_correlation,
        "null": {
            "mean": noise.mean,
            "sd": noise.sd,
            "matrices": len(noise.pbo),
            "at_or_below": noise.share_at_or_below(found.pbo),
            "sds_below": noise.sds_below(found.pbo),
        },
        "said": found.sentences(),
        "why": "",
    }
