#!/usr/bin/env bash
# pydantic: in Annotated[str, ...] the JSON schema has the pattern of StringConstraints when it stands before a
# BeforeValidator and loses it when it stands behind; both types refuse the same values, so only documentation made from
# the schema (a table of keys, a form) tells them apart.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages pydantic==2.14.3 <<'PYTHON'
import sys
from typing import Annotated

from pydantic import VERSION, BeforeValidator, StringConstraints, TypeAdapter, ValidationError

schedule = StringConstraints(pattern=r"^(M|D|[1-9]\d*)$")
as_text = BeforeValidator(lambda given: str(given) if isinstance(given, int) else given)
found = {}
for name, kind in (
    ("constraint, validator", Annotated[str, schedule, as_text]),
    ("validator, constraint", Annotated[str, as_text, schedule]),
):
    adapter = TypeAdapter(kind)
    try:
        adapter.validate_python("Q")
        refused = False
    except ValidationError:
        refused = True
    found[name] = (adapter.validate_python(21) == "21", refused, "pattern" in adapter.json_schema())
print("pydantic", VERSION, "- takes 21, refuses 'Q', pattern in the JSON schema:", found)
expected = {"constraint, validator": (True, True, True), "validator, constraint": (True, True, False)}
sys.exit(0 if found == expected else 1)
PYTHON
