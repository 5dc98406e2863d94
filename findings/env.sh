# Sourced by the findings: a throw-away environment with pinned packages, nothing of this project in it.
#   with_packages 'yfinance==1.7.0' ... <<'PYTHON'
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

with_packages() { # with_packages PACKAGE==VERSION... : run the Python program on standard input with them
    local scratch
    scratch="$(mktemp -d)"
    # shellcheck disable=SC2064
    trap "rm -rf '$scratch'" EXIT
    "${PYTHON:-python3}" -m venv "$scratch/venv"
    "$scratch/venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check "$@"
    cat >"$scratch/finding.py"
    HOME="$scratch" PYTHONPATH="$here/../tests/support" "$scratch/venv/bin/python" -W ignore "$scratch/finding.py"
}
