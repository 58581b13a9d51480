"""Numbers as people are shown them: low in the house, so that every result can print itself."""
