"""What the package promises of bad data, bad files, kills and full disks, tried again and again and counted.

``python -m tests.torture [ITEM ...] [--long]`` prints the figures, ``make torture`` runs the long form of all
and rewrites docs/reliability.md.
"""
