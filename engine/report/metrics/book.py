"""Statistics of what was held and traded: plain numpy."""

import numpy as np

from plimsoll.engine.report.metrics.returns import NAN, SESSIONS_PER_YEAR
from plimsoll.engine.types import Bools, Floats

# Held weights below this are dust left by rounding, not exposure.
DUST = 1e-9


def effective_n(weights: Floats) -> Floats:
    """Return (T,) 1 / sum(p^2) with p = |w| / sum|w| of each row of `weights` (T, N); NaN where nothing is held.

    Source: the inverse of the Herfindahl-Hirschman index; 2.0 for two equal positions, long or short.
    """
    shares, held = _shares(weights)
    return np.where(held, 1.0 / np.where(held, np.sum(shares * shares, axis=1), 1.0), NAN)


def effective_n_entropy(weights: Floats) -> Floats:
    """Return (T,) exp(-sum p ln p), the entropy form (Meucci 2009); NaN where nothing is held."""
    shares, held = _shares(weights)
    logs = np.log(np.where(shares > 0.0, shares, 1.0))
    return np.where(held, np.exp(-np.sum(shares * logs, axis=1)), NAN)


def _shares(weights: Floats) -> tuple[Floats, Bools]:
    size = np.abs(weights)
    gross = np.sum(size, axis=1)
    held = gross > DUST
    return size / np.where(held, gross, 1.0)[:, None], held


def per_year(amounts: Floats, base: Floats, n_sessions: int) -> float:
    """Return sum(amount / base) * 252 / n_sessions, e.g. two-sided turnover from traded dollars.

    amounts, base : (T,) dollars per bar and the equity each bar started with; bars without equity count as 0.
    """
    if n_sessions == 0:
        return NAN
    ratio = np.divide(amounts, base, out=np.zeros(len(amounts)), where=base > 0.0)
    return float(np.sum(ratio)) * SESSIONS_PER_YEAR / n_sessions


def share_of(condition: Bools) -> float:
    """Return the share of rows where `condition` (T,) holds."""
    return float(np.mean(condition)) if len(condition) else NAN


def mean_of(values: Floats) -> float:
    """Return the mean of the finite `values`."""
    known = values[np.isfinite(values)]
    return float(np.mean(known)) if len(known) else NAN


def most_of(values: Floats) -> float:
    """Return the largest of the finite `values`."""
    known = values[np.isfinite(values)]
    return float(np.max(known)) if len(known) else NAN


def spread_of(values: Floats) -> dict[str, float]:
    """Return mean, median, minimum and maximum of the finite `values`."""
    known = values[np.isfinite(values)]
    middle, least = (float(np.median(known)), float(np.min(known))) if len(known) else (NAN, NAN)
    return {"mean": mean_of(known), "median": middle, "min": least, "max": most_of(known)}
