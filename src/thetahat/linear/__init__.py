"""Linear models as conditional likelihood."""
