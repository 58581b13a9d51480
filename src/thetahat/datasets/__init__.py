"""Small real tables that ship with the package."""
