"""The account's keys: from the environment or a file that nobody else can read; never from the configuration itself."""

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.alpaca.client import NAMES

_REAL: Final = re.compile(r"(PK|AK)[A-Z0-9]{18,}")
_LIVE: Final = re.compile(r"AK[A-Z0-9]{10,}")


@dataclass(frozen=True, slots=True)
class Keys:
    """A key pair; neither half shows itself when printed."""

    key: SecretStr
    secret: SecretStr


def read_keys(env: Mapping[str, str], file: Path | None = None, *, local: bool = False) -> Keys:
    """Return the key pair of `file` if one is named, else of the environment.

    The file holds two lines ``NAME=value`` with the names of the environment. On this machine's own exchange (`local`)
    keys that look real are refused, elsewhere keys of a live account.

    Raises
    ------
    ConfigError
        If a half is missing, the file can be read by others, or the keys belong elsewhere. No part of a key is told.
    """
    source = _of_file(file, env) if file is not None else env
    where = str(file) if file is not None else "environment"
    for key_name, secret_name in NAMES:
        key, secret = source.get(key_name, "").strip(), source.get(secret_name, "").strip()
        if bool(key) != bool(secret):
            missing = secret_name if key else key_name
            raise ConfigError(f"{missing} is not set", where=where, fix="set both halves of the key pair")
        if key:
            return _checked(key, secret, where, local=local)
    raise ConfigError(
        "no keys of a paper account", where=where, fix=f"set {NAMES[0][0]} and {NAMES[0][1]}, or broker.keys to a file"
    )


def _checked(key: str, secret: str, where: str, *, local: bool) -> Keys:
    if local and _REAL.fullmatch(key):
        raise ConfigError(
            "the key looks like one of a real account",
            where=where,
            cause="broker.url is this machine's own exchange",
            fix="use the keys that `plimsoll exchange` prints",
        )
    if not local and _LIVE.fullmatch(key):
        raise ConfigError(
            "the key is one of a live account", where=where, fix="use the keys of a paper account (PK...)"
        )
    return Keys(SecretStr(key), SecretStr(secret))


def _of_file(file: Path, env: Mapping[str, str]) -> dict[str, str]:
    try:
        mode = file.stat().st_mode
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise ConfigError(f"cannot be read: {why}", where=str(file), fix="check broker.keys") from None
    if stat.S_IMODE(mode) & (0o037 if _is_credential(file, env) else 0o077):
        raise ConfigError("others can read the file with the keys", where=str(file), fix=f"chmod 600 {file}")
    pairs = (line.partition("=") for line in lines if line.strip() and not line.lstrip().startswith("#"))
    return {name.strip().removeprefix("export ").strip(): value.strip().strip("\"'") for name, _, value in pairs}


def _is_credential(file: Path, env: Mapping[str, str]) -> bool:
    """Return whether systemd put the file there for this process (LoadCredential).

    It lets the service's user in by an access list, whose mask shows as the group's right to read.
    """
    folder = env.get("CREDENTIALS_DIRECTORY")
    return bool(folder) and file.parent == Path(str(folder))
