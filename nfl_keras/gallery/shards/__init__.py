"""Shards: photographs that are embedded by many processes, of which a gallery is made."""
