#!/usr/bin/env bash
# capital_gains writes the lines for form 8949 and says that it identifies wash sales, unless told not to: a loss does
# not count where the same share was bought within 30 days before or after the sale, and goes into the cost of the new
# one. Each purchase may have a name, which can be left blank. The program looks for purchases of another name than the
# one sold, and two blanks are one name: of a file without names no sale is ever a wash sale. A hundred shares bought at
# 50, sold at 30 and bought again at 31 two weeks later are told as a loss of 2,000, where none may be claimed and the
# new ones cost 5,100; that is what it tells as soon as the purchases are called a and b. Lots of one name, say by year,
# are as blanks. The output is the same as with --no-wash-sales, and nothing warns. Give every purchase a name of its
# own; a sale without a name still sells the oldest first.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages capital-gains==1.0.8 <<'PYTHON'
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from capital_gains.loader import load_transactions
from capital_gains.logic import process_sales

folder = Path(tempfile.mkdtemp())


def told(first, second, again="2024-06-17"):
    """The loss of the sale, what of it is a wash sale, the cost of the new shares, and the program's own output."""
    path = folder / "trades.csv"
    path.write_text(
        "date,symbol,name,shares,price,fee\n"
        f"2024-01-10,ABC,{first},100,50,\n2024-06-03,ABC,,-100,30,\n{again},ABC,{second},100,31,\n"
    )
    lots, sales = load_transactions(path)
    closed = process_sales(lots["ABC"], sales["ABC"], True)
    output = [
        subprocess.check_output([sys.executable, "-m", "capital_gains", "-t", *option, str(path)], text=True)
        for option in ([], ["--no-wash-sales"])
    ]
    numbers = (closed[0].gain, closed[0].wash_sale, lots["ABC"][0].cost_basis)
    return tuple(float(number) for number in numbers), output[0] == output[1]


loss = 100 * 30 - 100 * 50
right = (0.0, float(-loss), 100.0 * 31 - loss)  # nothing to claim, all of it a wash sale, added to the cost
blank, blank_as_without = told("", "")
year, year_as_without = told("2024", "2024")
named, _ = told("a", "b")
later, _ = told("a", "b", again="2024-07-04")  # 31 days after the sale: no wash sale

print("capital_gains", version("capital-gains"), "- bought at 50, sold at 30, bought again at 31 two weeks later")
print("(gain, wash sale, cost of the new shares); right", right)
print("purchases without a name:", blank, "- output as with --no-wash-sales:", blank_as_without)
print("both named 2024:         ", year, "- output as with --no-wash-sales:", year_as_without)
print("named a and b:           ", named)
print("named, but 31 days later:", later)
sys.exit(
    0
    if blank == year == later == (float(loss), 0.0, 3100.0)
    and blank_as_without
    and year_as_without
    and named == right
    else 1
)
PYTHON
