"""Defines what a run reports of its results."""
