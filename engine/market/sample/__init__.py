"""The built-in generated market."""
