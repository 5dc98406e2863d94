"""Pulling: from a source, through the gates, into the catalog."""
