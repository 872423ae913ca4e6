"""What the frozen layers of a run give, computed once."""
