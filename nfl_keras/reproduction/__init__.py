"""Defines how the papers' tables are measured anew, with other methods beside them."""
