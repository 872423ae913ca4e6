"""Views and crops of a photograph, as TensorFlow graphs."""
