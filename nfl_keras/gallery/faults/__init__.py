"""The faults of a catalog: duplicates, leaks between splits, suspect labels."""
