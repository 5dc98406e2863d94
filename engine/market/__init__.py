"""Calendars, panels of bars, read-only windows on them, and the sources they come from."""
