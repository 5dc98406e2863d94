"""Other libraries' overfitting statistics beside ours, on the same random inputs: a line each, exit 1 if one is off.

To be run by the Python of an environment that has ffn, vectorbt and skfolio (as `scripts/peers` does, they stay out of
ours), with `PYTHONPATH=src`; what is not installed there is named and left out.

| peer | figure | agrees | where it does not, and why |
|---|---|---|---|
| vectorbt | deflated Sharpe ratio | to 1e-12 | |
| ffn | expected maximum of N ratios | to 1e-12 | |
| ffn | deflated Sharpe ratio | to 1e-12 of the same moments | corrects moments for bias; the papers' are biased |
| ffn | PBO, every logit | where S divides T | drops the T mod S newest rows, ours the oldest |
| ffn | ties | where equals are equal to the bit | rounding decides between leverages of one setting; ours: 1e-12 |
| ffn | a setting that stands still in a half | no | has no PBO then; ours takes the ratio as 0 |
| skfolio | CPCV splits, paths, purge, embargo | where N divides T | the last fold takes the remainder, ours the first |
"""

import math
import sys
from collections.abc import Callable, Iterator
from importlib import metadata, util

import numpy as np
import pandas as pd

from plimsoll.engine.kernels.overfit.cpcv import cpcv
from plimsoll.engine.kernels.overfit.cscv import cscv
from plimsoll.engine.kernels.overfit.sharpe import dsr, lucky_ratio

CLOSE = 1e-12
Line = tuple[str, bool]


def vectorbt_lines() -> Iterator[Line]:
    """Yield the deflated ratios."""
    from scipy.stats import kurtosis, skew
    from vectorbt.returns.metrics import deflated_sharpe_ratio

    returns = np.random.default_rng(1).standard_t(5, (800, 30)) * 0.01 + 0.0003
    ratio = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    g3, g4 = skew(returns), kurtosis(returns, fisher=False)
    variance = float(np.var(ratio, ddof=1))
    theirs = deflated_sharpe_ratio(
        est_sharpe=ratio, var_sharpe=variance, nb_trials=30, backtest_horizon=800, skew=g3, kurtosis=g4
    )
    ours = [dsr(s, 800, a, b, variance, 30) for s, a, b in zip(ratio, g3, g4, strict=True)]
    yield "deflated ratios of thirty trials", bool(np.allclose(theirs, ours, rtol=0.0, atol=CLOSE))
    theirs = pd.DataFrame(returns).vbt.returns(freq="1D", year_freq="252D").deflated_sharpe_ratio().to_numpy()
    yield "the same from the returns", bool(np.allclose(theirs, ours, rtol=0.0, atol=CLOSE))


def ffn_lines() -> Iterator[Line]:
    """Yield the deflated ratio, the expected maximum and the probability of overfitting."""
    import ffn

    rng = np.random.default_rng(2)
    days = pd.bdate_range("2015-01-01", periods=803)
    returns = pd.DataFrame(rng.standard_t(5, (803, 12)) * 0.01 + 0.0003, index=days)
    ratios = returns.mean() / returns.std()
    variance = float(ratios.var())
    best = returns[ratios.idxmax()]
    theirs = ffn.calc_deflated_sharpe_ratio(best, ratios, nperiods=252, annualized_trials=False)
    moments = (float(best.skew()), float(best.kurt()) + 3.0)
    ours = dsr(float(ratios.max()), 803, *moments, variance, 12)
    yield "deflated ratio of the same moments", abs(theirs - ours) < CLOSE
    values = best.to_numpy()
    z = (values - values.mean()) / values.std()
    biased = dsr(float(ratios.max()), 803, float(np.mean(z**3)), float(np.mean(z**4)), variance, 12)
    yield f"its moments are corrected for bias: {theirs - biased:+.5f}", 0.0 < abs(theirs - biased) < 0.01
    hurdle = ffn.calc_expected_max_sharpe(12, math.sqrt(variance))
    yield "expected maximum of twelve ratios", abs(hurdle - lucky_ratio(variance, 12)) < CLOSE
    yield from _ffn_splits(ffn.calc_prob_backtest_overfitting, returns)


def _ffn_splits(overfitting: Callable[..., dict[str, np.ndarray]], returns: pd.DataFrame) -> Iterator[Line]:
    """Yield every logit, then those of odd lengths, ties, and a column that stands still."""

    def same(theirs: pd.DataFrame, ours: pd.DataFrame, blocks: int = 8) -> bool:
        found, wanted = cscv(ours.to_numpy(), blocks), overfitting(theirs, blocks, full_output=True)
        logits = np.asarray(wanted["logits"])
        return found.pbo == float(wanted["pbo"]) and bool(np.allclose(found.logit, logits, rtol=0.0, atol=CLOSE))

    whole = returns.iloc[:800]
    yield "PBO and seventy logits", same(whole, whole)
    yield "PBO and 12,870 logits", same(whole, whole, 16)
    yield "of 803 rows it drops the newest three, ours the oldest", same(returns, whole) and not same(returns, returns)
    copies = whole[[0, 1, 0, 2, 2]].set_axis(range(5), axis=1)
    yield "copies tie", same(copies, copies)
    levered = whole[[0, 1, 0, 2, 2]].set_axis(range(5), axis=1) * [1.0, 1.0, 3.0, 1.0, 0.7]
    exact = cscv(levered.to_numpy(), 8).logit.tolist() == cscv(copies.to_numpy(), 8).logit.tolist()
    yield "at another leverage they tie for us, for it by chance", exact and not same(levered, levered)
    idle = whole.assign(still=np.where(np.arange(800) < 400, 0.0, whole[0]))
    nothing = math.isnan(overfitting(idle, 8, full_output=True)["pbo"])
    yield "a column that stands still in a half: no PBO there, one here", nothing and cscv(idle, 8).pbo <= 1.0


def skfolio_lines() -> Iterator[Line]:
    """Yield splits and paths."""
    from skfolio.model_selection import CombinatorialPurgedCV

    def same(n: int, groups: int, tested: int, purged: int, embargo: int) -> bool:
        theirs = CombinatorialPurgedCV(groups, tested, purged_size=purged, embargo_size=embargo)
        ours = cpcv(n, groups, tested, horizon=purged, embargo=embargo)
        splits = list(theirs.split(np.zeros((n, 2))))
        return (
            np.array_equal(theirs.recombined_paths.T, ours.paths)
            and all(np.array_equal(train, own.train) for (train, _), own in zip(splits, ours.splits, strict=True))
            and all(
                np.array_equal(np.concatenate(tests), own.test)
                for (_, tests), own in zip(splits, ours.splits, strict=True)
            )
        )

    for case in ((120, 6, 2, 0, 0), (120, 6, 2, 5, 0), (200, 10, 2, 3, 2), (160, 8, 4, 4, 6)):
        yield "splits and paths of {} sessions, {} groups, {} tested, purge {}, embargo {}".format(*case), same(*case)
    yield "of 123 sessions its last fold takes the remainder", not same(123, 6, 2, 0, 0)


PEERS = {"vectorbt": vectorbt_lines, "ffn": ffn_lines, "skfolio": skfolio_lines}


def main() -> int:
    """Print a line for each comparison; return 1 if one does not come out as the table says."""
    failed = 0
    for peer, lines in PEERS.items():
        if util.find_spec(peer) is None:
            print(f"{peer}: not installed")
            continue
        for told, right in lines():
            failed += not right
            print(f"{peer} {metadata.version(peer)}: {'ok ' if right else 'OFF'} {told}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
