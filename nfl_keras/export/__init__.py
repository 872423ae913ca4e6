"""The export of an embedder as a SavedModel, with what a server needs beside it."""
