"""What a run tells of its results."""
