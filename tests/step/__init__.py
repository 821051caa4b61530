"""Claims about one step as a pure function."""
