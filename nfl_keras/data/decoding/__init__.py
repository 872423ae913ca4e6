"""How a photograph's bytes are checked, decoded and turned upright."""
