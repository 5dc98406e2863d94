"""The `plimsoll` command: the composition root."""
