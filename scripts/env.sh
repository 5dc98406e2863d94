# Sourced by the other scripts: makes .venv hold exactly what lock files say. Quick when nothing changed.
#   use_env requirements.lock [requirements-dev.lock]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

use_env() {
    local python="${PYTHON:-python3}" lock changed=()
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        echo "error: Python 3.11 or newer is needed, found: $("$python" --version 2>&1 || echo none); set PYTHON=/path/to/python3.11" >&2
        exit 2
    fi
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    for lock in "$@"; do
        [ "$(cat ".venv/.installed-$lock" 2>/dev/null || true)" = "$(cksum "$lock" pyproject.toml)" ] || changed+=(-r "$lock")
    done
    [ ${#changed[@]} -gt 0 ] || return 0
    echo "installing ${changed[*]} ..." >&2
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile "${changed[@]}"
    # on all cores, where pip takes one; a package may hold a file that is not for this Python
    .venv/bin/python -W ignore -m compileall -qq -j 0 .venv/lib || true
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
    for lock in "$@"; do
        cksum "$lock" pyproject.toml >".venv/.installed-$lock"
    done
}
