"""The client of TensorFlow Serving and of the embedded server, which have the same API."""
