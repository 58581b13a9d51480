"""Measures of predictions: one measure, or close family, a file; one line in the registry makes it known."""
