#!/usr/bin/env bash
# dscr_tools sets the payment of an adjustable loan (interest_method="arm") once, by its first rate, and never again. A
# rate that goes from 5% to 9% after five years takes more interest from the same payment, which does not cover it: the
# principal paid is below zero and the debt grows. 8 millions over 30 years cost 42,946 a month to the end; paid off
# over the 25 years that are left they cost 61,650. So the coverage of analyze(), which takes rate_adjustments for just
# this, is the same to four digits with any rates: 1.36 and "OK" in the sixth year where it is 0.95, a default, and the
# balloon is 8.26 millions, more than was lent, for 6.85. Nothing in its text tells of such a loan. A rate given for its
# first month alone, {61: 0.09}, holds for that month: month 62 is at 5% again. Compute the years after a change as a
# new loan of the balance that is left.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages dscr-tools==0.2.0 numpy==2.4.6 pandas==2.3.3 <<'PYTHON'
import sys
from importlib.metadata import version

from dscrtools import LoanParams, NOISchedule
from dscrtools.models import amortization, dscr

LENT, FIRST, LATER, YEARS, TERM, RESET, INCOME = 8e6, 0.05, 0.09, 30, 10, 60, 700_000


def level(debt, rate, months):
    return debt * rate / 12 / (1 - (1 + rate / 12) ** -months)


def owed(debt, rate, payment, months):
    for _ in range(months):
        debt += debt * rate / 12 - payment
    return debt


loan = LoanParams(
    loan_amount=LENT,
    interest_rate=FIRST,
    amortization_years=YEARS,
    loan_term_years=TERM,
    interest_method="arm",
)
income = NOISchedule(base_noi=INCOME, growth_rate=0.0, vacancy_rate=0.0)
rates = {month: LATER for month in range(RESET + 1, TERM * 12 + 1)}
still = dscr.analyze(loan, income)
moved = dscr.analyze(loan, income, rate_adjustments=rates)
rows = amortization.schedule(loan, rates)
once = amortization.schedule(loan, {RESET + 1: LATER})

payment = level(LENT, FIRST, YEARS * 12)
left = owed(LENT, FIRST, payment, RESET)
after = level(left, LATER, YEARS * 12 - RESET)
balloon = owed(left, LATER, after, TERM * 12 - RESET)
covered, right = moved[5].dscr, INCOME / (12 * after)
assert abs(rows[0]["payment"] - payment) < 0.01 and abs(rows[RESET - 1]["ending_balance"] - left) < 1

print("dscr_tools", version("dscr-tools"), "- 8 millions over 30 years, 5% for five years and 9% for the next five")
print(f"month 61: payment {rows[60]['payment']:,.2f} at a rate of {rows[60]['rate']}%, of which principal", end=" ")
print(f"{rows[60]['principal']:,.2f}; payment by the formula {after:,.2f}")
print(f"coverage in year 6: {covered} {moved[5].status}, by the formula {right:.4f}; without a change {still[5].dscr}")
print(f"owed after ten years: {rows[-1]['ending_balance']:,.0f}, by the formula {balloon:,.0f}")
print(f"rate in months 61 and 62 when {{61: 0.09}} is given: {once[60]['rate']}%, {once[61]['rate']}%")
sys.exit(
    0
    if len({row["payment"] for row in rows}) == 1
    and [year.dscr for year in moved] == [year.dscr for year in still]
    and moved[5].status == "OK"
    and covered > 1.25
    and right < 1
    and rows[60]["principal"] < 0
    and rows[-1]["ending_balance"] > LENT > balloon
    and (once[60]["rate"], once[61]["rate"]) == (9.0, 5.0)
    else 1
)
PYTHON
