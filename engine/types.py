"""Names for the arrays and small literals that cross module borders."""

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Codes: TypeAlias = NDArray[np.int8]
Bools: TypeAlias = NDArray[np.bool_]
Dates: TypeAlias = NDArray[np.datetime64]
Words: TypeAlias = NDArray[np.str_]

# Signed fractions of equity in the order of a strategy's universe; what is missing to 1 is cash.
Weights: TypeAlias = NDArray[np.float64]

EngineName: TypeAlias = Literal["python", "compiled"]
# By how much a fund trades: the half-spread follows from it.
LiquidityTier: TypeAlias = Literal["1", "2", "3", "thin"]
FillRule: TypeAlias = Literal["next_open", "next_close"]
Unlisted: TypeAlias = Literal["error", "cash", "renormalise"]
# What the prices of a file are: as traded, adjusted for splits, or adjusted for splits and dividends.
PriceKind: TypeAlias = Literal["raw", "split", "adjusted"]
