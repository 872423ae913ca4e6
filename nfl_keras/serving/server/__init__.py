"""The embedded server, which answers TensorFlow Serving's API where no TensorFlow Serving runs."""
