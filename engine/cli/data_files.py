"""`plimsoll data check` on files: what the gates would say if they were imported."""

import os
from collections.abc import Sequence
from pathlib import Path

from plimsoll.engine.cli.data_import import print_imported
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.imports.flags import FlagError
from plimsoll.engine.verbs.data_import import import_data


def files_among(words: Sequence[str]) -> list[Path]:
    """Return the words as paths if they are files or folders, none if they are symbols.

    A word is a path if it has a separator in it or names a folder that is there; SPY.csv is one, too.

    Raises
    ------
    ConfigError
        If some are paths and some are not.
    """
    paths = [word for word in words if os.sep in word or Path(word).is_dir() or Path(word).is_file()]
    if paths and len(paths) < len(words):
        what = f"{next(word for word in words if word not in paths)!r} is no file, {paths[0]!r} is one"
        raise ConfigError(what, where="data check", fix="check symbols of the catalog and files one after the other")
    return [Path(word) for word in paths]


def check_files(paths: Sequence[Path], *, as_json: bool) -> bool:
    """Print what an import of files would keep out, and what it would note; return whether it would keep all.

    Raises
    ------
    InputError
        If a file is of no known layout or cannot be read, or something has to be asked.
    """
    try:
        checked = import_data(paths)
    except FlagError as error:
        raise error.elsewhere() from error
    print_imported(checked, as_json=as_json, only_checked=True)
    return checked.complete
