#!/usr/bin/env bash
# bankstatementparser reads the amounts of a CSV statement one by one, and takes a single comma or point for the decimal
# one, however many digits follow and whatever the other rows of the column show: below 1,250.50, which it reads
# rightly, a deposit of 1,500 is one of 1.5, and a purchase of -12,000 one of -12; in a German statement 1.500 is 1.5
# too, below 1.250,50. The total of four rows is 1,230.05 where it is -9,259.45, and no row is refused. And a column of
# debits that the bank writes with their minus sign is added: a rent of -800.00 beside a salary of 2,000.00 makes 2,800
# and not 1,200. Its own text says that it parses amounts by locale. Amounts with cents, and debits without a sign, are
# right. Compare the total with the difference of two balances, or read the amounts with pandas, with thousands and
# decimal given.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages bankstatementparser==0.0.29 numpy==2.4.6 pandas==2.3.3 lxml==6.1.3 defusedxml==0.7.1 pydantic==2.14.4 \
    pydantic_core==2.50.5 <<'PYTHON'
import os
import sys
import tempfile
from decimal import Decimal
from importlib.metadata import version

os.chdir(tempfile.mkdtemp())  # it reads files below the working directory
import pandas as pd
from bankstatementparser import CsvStatementParser

ENGLISH = """Date,Description,Amount
2024-01-02,Deposit,"1,250.50"
2024-01-03,Deposit,"1,500"
2024-01-04,Purchase,"-12,000"
2024-01-05,Fee,-9.95
"""
GERMAN = """Buchungstag;Verwendungszweck;Betrag
2024-01-02;Einzahlung;1.250,50
2024-01-03;Einzahlung;1.500
2024-01-04;Kauf;-12.000
2024-01-05;Entgelt;-9,95
"""
SIGNED = """Date,Description,Debit,Credit
2024-01-02,Rent,-800.00,
2024-01-03,Salary,,2000.00
"""
UNSIGNED = SIGNED.replace("-800.00", "800.00")


def told(name, text):
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
    parser = CsvStatementParser(name)
    return [float(amount) for amount in parser.parse()["amount"]], parser.get_summary()["total_amount"]


english, english_total = told("english.csv", ENGLISH)
german, german_total = told("german.csv", GERMAN)
signed, signed_total = told("signed.csv", SIGNED)
unsigned, unsigned_total = told("unsigned.csv", UNSIGNED)
right = pd.read_csv("english.csv", thousands=",")["Amount"].tolist()
right_german = pd.read_csv("german.csv", sep=";", thousands=".", decimal=",")["Betrag"].tolist()
assert right == right_german == [1250.5, 1500.0, -12000.0, -9.95]

print("bankstatementparser", version("bankstatementparser"), "- beside what pandas reads of the same files")
print(f"English: {english}, total {english_total}; pandas {right}, total {sum(right):.2f}")
print(f"German: {german}, total {german_total}; pandas {right_german}, total {sum(right_german):.2f}")
print(f"a rent in the column of debits as -800.00: {signed}, total {signed_total}; right [-800.0, 2000.0], total 1200")
print(f"the same as 800.00: {unsigned}, total {unsigned_total}")
sys.exit(
    0
    if english == german == [1250.5, 1.5, -12.0, -9.95]
    and english_total == german_total == Decimal("1230.05")
    and signed == [800.0, 2000.0]
    and unsigned == [-800.0, 2000.0]
    else 1
)
PYTHON
