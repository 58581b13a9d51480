"""Feed-forward networks as conditional models, trained by maximum likelihood."""
