#!/usr/bin/env bash
# mortgage's Loan takes a term and its unit, days, months or years, checks that the unit is one of these, prints it in the
# summary and never reads it: the term is always years. 360 months are 360 years, 4320 payments of 1000.00 a month, just
# the interest, where 30 years of 12 payments are 360 of 1199.10; the interest of the whole loan is told as 4.1 millions
# and not 231,676. compounded is only half read: with "annually" the schedule has one payment a year, computed for a year,
# of which each is charged with the interest of one month, so that the debt is gone after half of the term and then falls
# below zero. State the term in years, and leave compounded at monthly.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages mortgage==1.0.5 <<'PYTHON'
import sys
from importlib.metadata import version

from mortgage import Loan

DEBT, RATE = 200_000, 0.06
monthly = RATE / 12
right = DEBT * monthly / (1 - (1 + monthly) ** -360)
found = {}
for term, unit in ((30, "years"), (360, "months")):
    loan = Loan(principal=DEBT, interest=RATE, term=term, term_unit=unit)
    found[unit] = (float(loan.monthly_payment), len(loan.schedule()) - 1, float(loan.total_interest), loan.years_to_pay)
yearly = Loan(principal=DEBT, interest=RATE, term=30, compounded="annually")
steps = yearly.schedule()
gone = next((row.number for row in steps if row.balance < 0), None)
once = DEBT * RATE / (1 - (1 + RATE) ** -30)

print("mortgage", version("mortgage"), f"- {DEBT} at {RATE:.0%}")
print(f"by hand: 360 monthly payments of {right:.2f}, {360 * right - DEBT:.2f} of interest; yearly, 30 of {once:.2f}")
for unit, (payment, payments, interest, years) in found.items():
    print(f"term in {unit}: {payments} payments of {payment:.2f}, {interest:.2f} of interest, {years} years to pay")
print(
    f"30 years compounded annually: {len(steps) - 1} payments of {yearly.monthly_payment},",
    f"the first with {steps[1].interest:.2f} of interest; debt below zero from payment {gone},",
    f"at the end {steps[-1].balance:.2f}",
)
years, months = found["years"], found["months"]
sys.exit(
    0
    if abs(years[0] - right) < 0.01
    and years[1] == 360
    and abs(years[2] - (360 * right - DEBT)) < 0.01
    and months[1] == 4320
    and months[0] == 1000.0
    and months[3] == 360.0
    and abs(float(yearly.monthly_payment) - once) < 0.01
    and abs(float(steps[1].interest) - DEBT * monthly) < 0.01
    and gone is not None
    else 1
)
PYTHON
