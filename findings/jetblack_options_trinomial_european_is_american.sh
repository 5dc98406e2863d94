#!/usr/bin/env bash
# jetblack_options prices with four trees, whose first argument is documented alike: True for European, False for
# American. The trinomial tree does it the other way round: asked for a European option it exercises early, asked for an
# American one it never does. A put on a share at 100 with a strike of 120, a year to go and a rate of 8% is worth 14.85
# as a European and 20.00 as an American: trinomial tells 20.00 and 14.85. Delta, gamma and theta are those of the other
# option too, and so is an implied volatility. Calls on a share without a dividend do not show it. The other three trees
# have the price right; the thetas of Jarrow-Rudd and Leisen-Reimer are not: of this European put -0.0032 and -0.0253 a
# day, where its formula, and the Cox-Ross-Rubinstein tree, have +0.0077. Turn the argument round, and take Cox-Ross-
# Rubinstein for a theta.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages jetblack-options==1.0.0 QuantLib==1.44 <<'PYTHON'
import sys
from importlib.metadata import version
from math import exp, log, sqrt
from statistics import NormalDist

import QuantLib as ql
from jetblack_options.trees import cox_ross_rubinstein, jarrow_rudd, leisen_reimer, trinomial

SHARE, STRIKE, YEARS, RATE, SIGMA, STEPS = 100.0, 120.0, 1.0, 0.08, 0.2, 501
normal = NormalDist()
d1 = (log(SHARE / STRIKE) + (RATE + SIGMA**2 / 2) * YEARS) / (SIGMA * sqrt(YEARS))
d2 = d1 - SIGMA * sqrt(YEARS)
due = STRIKE * exp(-RATE * YEARS)
european = due * normal.cdf(-d2) - SHARE * normal.cdf(-d1)
theta = (RATE * due * normal.cdf(-d2) - SHARE * normal.pdf(d1) * SIGMA / (2 * sqrt(YEARS))) / 365

today = ql.Date(2, 1, 2023)
ql.Settings.instance().evaluationDate = today
days = ql.Actual365Fixed()
process = ql.BlackScholesProcess(
    ql.QuoteHandle(ql.SimpleQuote(SHARE)),
    ql.YieldTermStructureHandle(ql.FlatForward(today, RATE, days)),
    ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), SIGMA, days)),
)
option = ql.VanillaOption(ql.PlainVanillaPayoff(ql.Option.Put, STRIKE), ql.AmericanExercise(today, today + 365))
option.setPricingEngine(ql.FdBlackScholesVanillaEngine(process, 500, 500))
american = option.NPV()

terms = (False, SHARE, STRIKE, YEARS, RATE, RATE, SIGMA, STEPS)  # a put; without a dividend the carry is the rate
found = {}
for tree in (trinomial, cox_ross_rubinstein, jarrow_rudd, leisen_reimer):
    found[tree] = (tree.price(True, *terms), tree.price(False, *terms), tree.greeks(True, *terms)[3])

print("jetblack_options", version("jetblack-options"), "- a put struck at 120 on a share at 100, a year, 8%")
print(f"right: European {european:.4f} by the formula, American {american:.4f} by QuantLib, European theta {theta:.5f}")
for tree, (told_european, told_american, told_theta) in found.items():
    name = tree.__name__.rsplit(".", 1)[1]
    print(f"{name}: European {told_european:.4f}, American {told_american:.4f}, European theta {told_theta:.5f}")
rest = [values for tree, values in found.items() if tree is not trinomial]
sys.exit(
    0
    if abs(found[trinomial][0] - american) < 0.01
    and abs(found[trinomial][1] - european) < 0.01
    and all(abs(values[0] - european) < 0.01 and abs(values[1] - american) < 0.01 for values in rest)
    and abs(found[cox_ross_rubinstein][2] - theta) < 1e-4
    and found[jarrow_rudd][2] < 0 < theta
    and found[leisen_reimer][2] < 0
    else 1
)
PYTHON
