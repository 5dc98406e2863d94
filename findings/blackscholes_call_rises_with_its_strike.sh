#!/usr/bin/env bash
# blackscholes tells the call's dual delta, "1st derivative in option price with respect to strike price", with the wrong sign: a call
# is worth less the higher its strike, and it says 0.39 where the price does -0.39. The put's is right. A straddle adds the two: 0.96
# where its price does 0.17, and a bull spread has its own turned round. Two more, in calls and puts: veta and color, "rate of change
# ... over time", are by the time left, so veta is +22.1 where an option's vega loses 22.1 a year as time goes by, while theta and
# charm, of the same words, are by the time that passes. The others are what the prices do. Turn these three round.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages blackscholes==0.2.2 <<'PYTHON'
import sys
from importlib.metadata import version

import blackscholes

COMMON = {"S": 100.0, "T": 0.75, "r": 0.05, "sigma": 0.25, "q": 0.02}
BUMP = 1e-3


def slope(structure, of, bumped, strikes):
    """What the method `of` does per unit of the bumped input, strikes moving together, from two values of the library itself."""

    def value(move):
        inputs = {**COMMON, **strikes}
        for name in strikes if bumped == "strikes" else [bumped]:
            inputs[name] += move
        return getattr(structure(**inputs), of)()

    return (value(BUMP) - value(-BUMP)) / (2 * BUMP)


call, put = blackscholes.BlackScholesCall, blackscholes.BlackScholesPut
one, two = {"K": 105.0}, {"K1": 95.0, "K2": 105.0}
checks = [  # structure, its strikes, the Greek told, of what, by what, and -1 where time passes
    (call, one, "dual_delta", "price", "strikes", 1),
    (put, one, "dual_delta", "price", "strikes", 1),
    (blackscholes.BlackScholesStraddleLong, one, "dual_delta", "price", "strikes", 1),
    (blackscholes.BlackScholesBullSpread, two, "dual_delta", "price", "strikes", 1),
    *[(kind, one, greek, of, "T", -1) for kind in (call, put) for greek, of in (("theta", "price"), ("charm", "delta"))],
    *[(kind, one, greek, of, "T", -1) for kind in (call, put) for greek, of in (("veta", "vega"), ("color", "gamma"))],
    *[(kind, one, greek, "price", by, 1) for kind in (call, put) for greek, by in (("delta", "S"), ("vega", "sigma"), ("rho", "r"))],
    *[(kind, one, greek, of, "sigma", 1) for kind in (call, put) for greek, of in (("vanna", "delta"), ("zomma", "gamma"))],
]
turned, right, other = [], [], []
print("blackscholes", version("blackscholes"), "- a Greek as told, and what it is of does")
for structure, strikes, greek, of, by, sign in checks:
    told = getattr(structure(**COMMON, **strikes), greek)()
    does = sign * slope(structure, of, by, strikes)
    name = f"{structure.__name__.removeprefix('BlackScholes')} {greek}"
    verdict = right if abs(told - does) < 1e-4 else turned if abs(told + does) < 1e-4 else other
    verdict.append(name)
    print(f"{name}: told {told:.4f}, does {does:.4f}")
print("turned round:", ", ".join(turned), "- neither:", ", ".join(other))
wrong = ["Call dual_delta", "BullSpread dual_delta", *[f"{kind} {greek}" for kind in ("Call", "Put") for greek in ("veta", "color")]]
sys.exit(0 if turned == wrong and other == ["StraddleLong dual_delta"] and len(right) == len(checks) - len(wrong) - 1 else 1)
PYTHON
