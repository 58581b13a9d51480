"""What is saved: versioned records, known to those who make them and those who draw them."""
