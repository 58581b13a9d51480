"""A column of a table and the family that describes it, from a file to a saved result."""
