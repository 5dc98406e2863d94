"""Tell what there is to configure."""

from plimsoll.engine.config.describe import ConfigKey, config_keys, find_keys


def describe_config(key: str | None = None) -> tuple[ConfigKey, ...]:
    """Return the keys of a configuration with type, default, unit and meaning: all, those of a section, or one.

    Raises
    ------
    ConfigError
        If there is no such key or section.
    """
    return config_keys() if key is None else find_keys(key)
