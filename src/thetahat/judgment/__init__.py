"""From evidence and a measure to estimates, pairs and a verdict; nothing is fitted here."""
