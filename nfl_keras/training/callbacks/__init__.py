"""What happens in a run while `fit` trains, one callback a file."""
