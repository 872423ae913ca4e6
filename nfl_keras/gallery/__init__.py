"""Galleries of photographs to search in, and the faults of a catalog."""
