"""Maximum likelihood: estimates, information, intervals, ranking of families."""
