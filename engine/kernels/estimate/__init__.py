"""Moments, filters and shrinkage: what is believed of returns."""
