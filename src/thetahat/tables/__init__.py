"""Tables from files and frames, read once into one form."""
