"""The notes as experiments: each statement measured with the public functions of this library."""
