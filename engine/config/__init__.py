"""The configuration: frozen, typed sections, and the layers they are read from."""
