"""Where galleries are kept: in a folder, or in an engine elsewhere."""
