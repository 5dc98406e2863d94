"""A strategy's name, or a script, in the place of a configuration."""

import ast
from pathlib import Path
from typing import Any

from plimsoll.engine.errors import ConfigError, did_you_mean
from plimsoll.engine.runtime.resolve import registered


def named_config(given: Path) -> dict[str, Any] | None:
    """Return a configuration of defaults that runs one strategy alone; None where a file of a configuration is meant.

    given : a registered name, "package.module:Class", "script.py" or "script.py:Class".

    Raises
    ------
    ConfigError
        If it is a script without a strategy, or with several; or neither a file nor a name.
    """
    text = str(given)
    script, _, wanted = text.partition(".py:") if ".py:" in text else (text, "", "")
    if script != text or given.suffix == ".py":
        return _of_script(Path(f"{script}.py") if wanted else given, wanted)
    if given.suffix == ".toml" and given.stem in registered() and not given.exists():
        fix = f"name the folder it is in, or run the strategy as it is: {given.stem}"
        raise ConfigError("no such config file", where=text, fix=fix)
    if given.exists() or given.suffix:
        return _config(text, text.rpartition(":")[2]) if ":" in text and not given.exists() else None
    if text in registered():
        return _config(text, text)
    if given.parent == Path():
        known = [*registered(), *(path.name for path in Path().glob("*.toml") if path.name != "pyproject.toml")]
        raise ConfigError(f"{text}: neither a configuration nor a strategy", fix=did_you_mean(text, known))
    return None


def _config(strategy: str, name: str) -> dict[str, Any]:
    return {"run": {"name": name.lower()}, "sleeve": [{"name": name.lower(), "strategy": strategy}]}


def _of_script(path: Path, wanted: str) -> dict[str, Any]:
    """Return the configuration of a strategy in a script; what a script holds is read off its text, not run."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except (SyntaxError, UnicodeDecodeError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ConfigError(f"not Python{line}: {what}", where=str(path)) from None
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    found: list[str] = []
    for node in classes:  # in the order of the text: a class may derive from a strategy above it
        if any(_is_strategy(base) or (isinstance(base, ast.Name) and base.id in found) for base in node.bases):
            found.append(node.name)
    if wanted:
        if wanted not in [node.name for node in classes]:
            raise ConfigError(f"no class {wanted!r}", where=str(path), fix=did_you_mean(wanted, found))
        found = [wanted]
    if not found:
        fix = "name a configuration, a strategy, or a script with a class that derives from plimsoll.Strategy"
        raise ConfigError("a Python script without a strategy, not a configuration", where=str(path), fix=fix)
    if len(found) > 1:
        fix = f"say which: {', '.join(f'{path}:{name}' for name in found)}"
        raise ConfigError(f"{len(found)} strategies in it", where=str(path), fix=fix)
    config = _config(f"{path.stem}:{found[0]}", found[0])
    config["run"]["modules"] = str(path.parent.resolve())
    return config


def _is_strategy(base: ast.expr) -> bool:
    name = base.attr if isinstance(base, ast.Attribute) else base.id if isinstance(base, ast.Name) else ""
    return name.endswith("Strategy")
