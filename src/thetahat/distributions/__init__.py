"""One family of distributions a file, and the divergence between two."""
