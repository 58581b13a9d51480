"""Ratios against peers: ``python -m benchmarks NAME`` times both sides in turn, in one run."""
