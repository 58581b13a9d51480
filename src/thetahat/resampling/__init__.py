"""Draws of the data, replication over them, and the intervals that follow."""
