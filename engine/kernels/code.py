"""The codes that kernels return instead of raising, and the sentences their owners raise."""

from typing import Final

from plimsoll.engine.errors import InputError

OK: Final = 0
EMPTY: Final = 1
WRONG_SHAPE: Final = 2
NOT_FINITE: Final = 3
NOT_SYMMETRIC: Final = 4
NO_VARIANCE: Final = 5
NOT_POSITIVE_DEFINITE: Final = 6
NOT_CONVERGED: Final = 7
BAD_BUDGET: Final = 8
BAD_BOUNDS: Final = 9
NO_POSITIVE_RETURN: Final = 10
BAD_CONFIDENCE: Final = 11
TOO_FEW_OBSERVATIONS: Final = 12

# What is wrong, and what to do about it.
MEANING: Final[dict[int, tuple[str, str]]] = {
    EMPTY: ("there is nothing to allocate to", "pass at least one asset"),
    WRONG_SHAPE: ("the arrays' shapes do not fit together", "pass a square covariance (N, N) and vectors (N,)"),
    NOT_FINITE: ("a value is NaN or infinite", "drop assets without enough history, or estimate pairwise"),
    NOT_SYMMETRIC: ("the covariance is not symmetric", "pass a covariance, mirrored entries equal"),
    NO_VARIANCE: ("an asset has no variance", "drop assets whose price did not move"),
    NOT_POSITIVE_DEFINITE: ("the matrix is not positive definite", "shrink it first"),
    NOT_CONVERGED: ("no weights meet the risk budgets", "shrink the covariance: it is not positive semidefinite"),
    BAD_BUDGET: ("the risk budgets are negative, not finite or all zero", "pass budgets >= 0 with a positive sum"),
    BAD_BOUNDS: ("no weights within the bounds sum to 1", "widen the bounds: sum of lower <= 1 <= sum of upper"),
    NO_POSITIVE_RETURN: ("no asset has a positive expected return", "weaken the views or allocate without them"),
    BAD_CONFIDENCE: ("a confidence or tau is out of range", "confidence in (0, 1], tau > 0"),
    TOO_FEW_OBSERVATIONS: ("too few observations", "pass a longer history"),
}


def require(code: int, where: str) -> None:
    """Raise InputError unless a kernel's code is OK."""
    if code != OK:
        what, fix = MEANING[code]
        raise InputError(what, where=where, fix=fix)
