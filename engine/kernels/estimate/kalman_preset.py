"""Named settings of the trend-strength oscillator, and its face for whole series."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.engine.errors import InputError, did_you_mean
from plimsoll.engine.kernels import check
from plimsoll.engine.kernels.estimate import kalman
from plimsoll.engine.types import Floats

WHERE = "trend strength"
MODELS = {"standard": kalman.STANDARD, "volume": kalman.VOLUME, "parkinson": kalman.PARKINSON}
VOLUME_MODES = {"symmetric": kalman.SYMMETRIC, "pine": kalman.PINE, "jutsu_v25": kalman.JUTSU_V25}


def choose(word: str, known: dict[str, int], name: str) -> int:
    """Return the code of a word, or raise InputError with the one that was probably meant."""
    if word not in known:
        raise InputError(f"{name} = {word!r}", where=WHERE, fix=did_you_mean(word, known))
    return known[word]


def canonical(
    model: str = "volume",
    volume_mode: str = "symmetric",
    *,
    q_level: float = 0.01,
    q_slope: float = 0.01,
    noise: float = 2000.0,
    ratio_cap: float = 10.0,
    norm_lookback: int = 252,
    norm_min: int = 60,
    osc: int = 15,
    strength: int = 15,
) -> kalman.Params:
    """Return the checked settings of the canonical, signed oscillator.

    Raises
    ------
    InputError
        A misspelt model or mode, a variance that is negative, a cap below 1, or a length below 1.
    """
    return checked(
        kalman.Params(
            q_level=q_level,
            q_slope=q_slope,
            noise=noise,
            ratio_cap=ratio_cap,
            model=choose(model, MODELS, "model"),
            volume_mode=choose(volume_mode, VOLUME_MODES, "volume_mode"),
            norm_lookback=norm_lookback,
            norm_min=norm_min,
            osc=osc,
            strength=strength,
        )
    )


def zeiierman(model: str = "volume", *, noise: float = 500.0, osc: int = 10, strength: int = 10) -> kalman.Params:
    """Return the settings of the original script: covariance reset each bar, normaliser of 10 bars, strength first."""
    return checked(
        kalman.Params(
            noise=noise,
            ratio_cap=np.inf,
            model=choose(model, MODELS, "model"),
            volume_mode=kalman.PINE,
            volume_from=3,
            form=kalman.ZEIIERMAN,
            norm_lookback=10,
            norm_min=10,
            osc=osc,
            strength=strength,
            strength_first=1,
        )
    )


def jutsu_v25_unsigned(*, noise: float = 2000.0, osc: int = 15, strength: int = 15) -> kalman.Params:
    """Return the settings as version 2.5 of the overlay consumed them: innovation, one average, sign lost.

    Its average is never longer than 10 bars, and `strength` only delays the first value.
    """
    return checked(
        kalman.Params(
            noise=noise,
            ratio_cap=np.inf,
            volume_mode=kalman.JUTSU_V25,
            signal=kalman.INNOVATION,
            norm_lookback=500,
            norm_min=strength,
            osc=min(osc, 10),
            strength=strength,
            single=1,
            unsigned=1,
        )
    )


def jutsu_signed_double(*, noise: float = 2000.0, osc: int = 15, strength: int = 15) -> kalman.Params:
    """Return the later settings of the same code: innovation, both averages, signed, symmetric volume ratio."""
    return checked(
        kalman.Params(
            noise=noise,
            ratio_cap=np.inf,
            signal=kalman.INNOVATION,
            norm_lookback=500,
            norm_min=strength,
            osc=osc,
            strength=strength,
        )
    )


PRESETS: dict[str, Callable[[], kalman.Params]] = {
    "canonical": canonical,
    "zeiierman": zeiierman,
    "jutsu_v25_unsigned": jutsu_v25_unsigned,
    "jutsu_signed_double": jutsu_signed_double,
}


def preset(name: str) -> kalman.Params:
    """Return a named preset's settings; raises InputError on an unknown name."""
    if name not in PRESETS:
        raise InputError(f"preset {name!r}", where=WHERE, fix=did_you_mean(name, PRESETS))
    return PRESETS[name]()


def checked(params: kalman.Params) -> kalman.Params:
    """Return params, or raise InputError naming the first setting that cannot work."""
    for name in ("q_level", "q_slope", "noise"):
        value = getattr(params, name)
        if not (np.isfinite(value) and value >= 0.0) or (name == "noise" and value == 0.0):
            raise InputError(f"{name} = {value!r}", where=WHERE, fix="a variance must be finite and not negative")
    if not params.ratio_cap >= 1.0:
        raise InputError(f"ratio_cap = {params.ratio_cap!r}", where=WHERE, fix="a cap of at least 1 is needed")
    for name in ("norm_lookback", "norm_min", "osc", "strength"):
        check.whole(getattr(params, name), name, 1, WHERE)
    return params._replace(
        q_level=float(params.q_level),
        q_slope=float(params.q_slope),
        noise=float(params.noise),
        ratio_cap=float(params.ratio_cap),
    )


def trend_strength(
    close: ArrayLike,
    high: ArrayLike | None = None,
    low: ArrayLike | None = None,
    volume: ArrayLike | None = None,
    params: kalman.Params | None = None,
) -> Floats:
    """Return the oscillator's outputs (T, 7) for one symbol; columns as named in `engine.kernels.estimate.kalman`.

    close, high, low (T,) split-adjusted prices; volume (T,) split-adjusted shares; NaN = not known. A series that is
    left out counts as not known, so the noise is not scaled by it.

    Raises
    ------
    InputError
        Series of different lengths, or not one-dimensional arrays of numbers.
    """
    price = check.series(close, WHERE)
    unknown = np.full_like(price, np.nan)
    top, bottom, shares = (unknown if values is None else check.series(values, WHERE) for values in (high, low, volume))
    check.same_length(WHERE, close=price, high=top, low=bottom, volume=shares)
    chosen = canonical() if params is None else checked(params)
    out = np.empty((price.shape[0], kalman.COLUMNS))
    kalman.scan(kalman.init(chosen), chosen, price, top, bottom, shares, out)
    return out
