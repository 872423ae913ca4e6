"""Sources of photographs: each function returns the `ImageSet` of a whole dataset."""
