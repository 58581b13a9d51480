"""The main job: which learner is better on this table, and how sure that is."""
