"""Numba arithmetic that knows no system: arrays and scalars in, arrays and scalars out."""
