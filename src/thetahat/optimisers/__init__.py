"""Minimisers that report how they ended."""
