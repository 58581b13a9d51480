"""What a person sees: terminal tables, figures, the page."""
