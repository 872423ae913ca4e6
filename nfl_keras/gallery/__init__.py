"""Search in a folder of photographs: the gallery, its threshold, its faults."""
