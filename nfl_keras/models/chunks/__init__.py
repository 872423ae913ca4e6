"""The exact gradient of a large batch from chunks of it, under each of Keras' backends."""
