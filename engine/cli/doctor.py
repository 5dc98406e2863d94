"""`plimsoll doctor`."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.verbs.doctor import Check, doctor


def run_doctor(data: Path | None, live: Path | None, *, as_json: bool) -> bool:
    """Print every check, of the account a configuration names where `live` is one; return whether all are ok."""
    if live is not None and data is not None:
        raise ConfigError("--data and --live are two questions", where="doctor", fix="ask one after the other")
    checks = doctor(data) if live is None else _live(live)
    if as_json:
        sys.stdout.write(json.dumps([asdict(check) for check in checks], indent=2) + "\n")
    else:
        for check in checks:
            sys.stdout.write(f"{'ok  ' if check.ok else 'FAIL'}  {check.name:20s} {check.detail}\n")
    return all(check.ok for check in checks)


def _live(config: Path) -> Sequence[Check]:
    from plimsoll.engine.verbs.doctor_live import doctor_live

    return doctor_live(config)
