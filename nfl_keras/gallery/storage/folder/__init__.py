"""Galleries that are kept in a folder."""
