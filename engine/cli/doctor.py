"""`plimsoll doctor`."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from plimsoll.engine.verbs.doctor import doctor


def run_doctor(data: Path | None, *, as_json: bool) -> bool:
    """Print every check; return whether all are ok."""
    checks = doctor(data)
    if as_json:
        sys.stdout.write(json.dumps([asdict(check) for check in checks], indent=2) + "\n")
    else:
        for check in checks:
            sys.stdout.write(f"{'ok  ' if check.ok else 'FAIL'}  {check.name:20s} {check.detail}\n")
    return all(check.ok for check in checks)
