"""Embedding by many processes on one machine or many, into shards that a gallery is made of."""

from nfl_keras.bulk.embed_to_shards import embed_to_shards

__all__ = ["embed_to_shards"]
