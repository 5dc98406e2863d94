# Sourced by the other scripts: makes .venv hold exactly what a lock file says. Quick when nothing changed.
#   use_env requirements.lock [requirements-dev.lock]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

use_env() {
    local python="${PYTHON:-python3}" lock stamp want
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        echo "error: Python 3.11 or newer is needed, found: $("$python" --version 2>&1 || echo none); set PYTHON=/path/to/python3.11" >&2
        exit 2
    fi
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    for lock in "$@"; do
        stamp=".venv/.installed-$lock"
        want="$(cksum "$lock" pyproject.toml)"
        if [ "$(cat "$stamp" 2>/dev/null || true)" != "$want" ]; then
            echo "installing $lock ..." >&2
            .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$lock"
            .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
            echo "$want" >"$stamp"
        fi
    done
}
