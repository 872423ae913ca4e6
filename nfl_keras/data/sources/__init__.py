"""Where photographs come from: each source gives an `ImageSet` of a whole dataset."""
