"""Claims about every registered optimizer, one topic a file."""
